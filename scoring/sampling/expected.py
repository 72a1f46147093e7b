"""How likely a batch is to fail before anybody looks: base rates by product and channel, and the level's part.

Few batches say little, so a product's rate in a channel leans on the product's own rate, that on the channel's,
and that on the rate over everything (empirical shrinkage with a prior counted in batches).
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from scoring.sampling.rules import FindValue


@dataclass(frozen=True, slots=True)
class Batch:
    """One tested batch of the past; `level` is the firm's grade before the batch, None where there was none."""

    product_id: str
    channel: str
    failed: bool
    level: str | None = None


class BaseRates:
    """Failure rates by product and channel."""

    def __init__(self, history: Iterable[Batch], rules: FindValue) -> None:
        self._prior = rules.base_rate_prior_batches
        tested: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
        for batch in history:
            for key in ((batch.product_id, batch.channel), (batch.product_id, ""), ("", batch.channel), ("", "")):
                counts = tested[key]
                counts[0] += batch.failed
                counts[1] += 1
        self._counts = {key: (failed, total) for key, (failed, total) in tested.items()}
        self._overall = self._shrunk(("", ""), rules.default_base_rate)

    @property
    def overall(self) -> float:
        """The rate over everything, leaning on the default where there is little history."""
        return self._overall

    def rate(self, product_id: str, channel: str) -> float:
        """Return the expected failure rate of a product in a channel, between 0 and 1."""
        in_channel = self._shrunk(("", channel), self._overall)
        of_product = self._shrunk((product_id, ""), in_channel)
        return self._shrunk((product_id, channel), of_product)

    def _shrunk(self, key: tuple[str, str], towards: float) -> float:
        failed, total = self._counts.get(key, (0, 0))
        return (failed + self._prior * towards) / (total + self._prior)


class RelativeRisk:
    """How much likelier than its base rate a batch of each level fails, learnt from graded history."""

    def __init__(self, history: Iterable[Batch], rates: BaseRates, rules: FindValue) -> None:
        failed: dict[str, int] = defaultdict(int)
        expected: dict[str, float] = defaultdict(float)
        for batch in history:
            if batch.level is not None:
                failed[batch.level] += batch.failed
                expected[batch.level] += rates.rate(batch.product_id, batch.channel)
        self._ratio = {}
        for level, prior in rules.level_relative_risk.items():
            weight = rules.level_prior_batches * rates.overall
            self._ratio[level] = (failed[level] + weight * prior) / (expected[level] + weight)

    def of(self, level: str) -> float:
        """Return the level's ratio to the base rate; 1 for a level nobody described."""
        return self._ratio.get(level, 1.0)

    def fail_probability(self, base_rate: float, level: str) -> float:
        """Return the expected failure probability, kept below 0.95 because nothing is certain before the test."""
        return min(base_rate * self.of(level), 0.95)
