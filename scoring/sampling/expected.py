"""How likely a batch is to fail before anybody looks: base rates by product and channel, firm size, the firm's part.

Few batches say little, so a product's rate in a channel leans on the product's own rate, that on the channel's, and
that on the rate over everything. How hard it leans is read from the data: the less the groups truly differ, the
harder (empirical Bayes). Offices sampled by habit the large and the known, so rates are taken at equal size: a batch
of a large maker counts as less exposure, one of a workshop as more. The firm's part rises with its score, never
falls: batches of the past, held against what is expected of them, are pooled until the ratio is monotone.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from scoring.sampling.rules import FindValue

HIGHEST = 0.95  # nothing is certain before the test
HARDEST_PRIOR = 2_000.0
ROUNDS = 5  # of rates and size ratios in turn; they settle to three digits in four


@dataclass(frozen=True, slots=True)
class Batch:
    """One tested batch of the past, with the firm's grade before it: level None where there was none."""

    product_id: str
    channel: str
    failed: bool
    level: str | None = None
    score: float | None = None
    firm: str = ""  # whoever answers for it, so that its own history counts
    size: str = ""  # its size in the register, '' where none is known


class BaseRates:
    """Failure rates by product and channel; with size ratios, the rates of a firm whose ratio is 1."""

    def __init__(self, history: Iterable[Batch], rules: FindValue, by_size: Mapping[str, float] | None = None) -> None:
        tested: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
        for batch in history:
            exposure = by_size.get(batch.size, 1.0) if by_size else 1.0
            for key in ((batch.product_id, batch.channel), (batch.product_id, ""), ("", batch.channel), ("", "")):
                counts = tested[key]
                counts[0] += batch.failed
                counts[1] += exposure
        self._counts = {key: (failed, total) for key, (failed, total) in tested.items()}
        least = rules.base_rate_prior_batches
        self._overall = self._shrunk(("", ""), rules.default_base_rate, least)
        groups = self._counts.keys()
        self._channel_prior = self._prior([key for key in groups if not key[0] and key[1]], least)
        self._product_prior = self._prior([key for key in groups if key[0] and not key[1]], least)
        self._cell_prior = self._prior([key for key in groups if key[0] and key[1]], least)

    @property
    def overall(self) -> float:
        """The rate over everything, leaning on the default where there is little history."""
        return self._overall

    def rate(self, product_id: str, channel: str) -> float:
        """Return the expected failure rate of a product in a channel, between 0 and 1."""
        in_channel = self._shrunk(("", channel), self._overall, self._channel_prior)
        of_product = self._shrunk((product_id, ""), in_channel, self._product_prior)
        return self._shrunk((product_id, channel), of_product, self._cell_prior)

    def _shrunk(self, key: tuple[str, str], towards: float, prior: float) -> float:
        failed, total = self._counts.get(key, (0, 0))
        return (failed + prior * towards) / (total + prior)

    def _prior(self, groups: list[tuple[str, str]], least: float) -> float:
        """Return how many batches the wider rate is worth, from how far groups differ beyond chance (moments)."""
        counts = np.array([self._counts[key] for key in groups], dtype=float).reshape(-1, 2)
        total = counts[:, 1].sum()
        if len(groups) < 3 or total == 0:
            return least
        rate = counts[:, 0].sum() / total
        chance = rate * (1 - rate)
        spread = float((counts[:, 1] * (counts[:, 0] / counts[:, 1] - rate) ** 2).sum())
        weight = total - float((counts[:, 1] ** 2).sum()) / total
        between = (spread - (len(groups) - 1) * chance) / weight if weight > 0 else 0.0
        if between <= 0:
            return HARDEST_PRIOR
        return float(np.clip(chance / between - 1, least, HARDEST_PRIOR))


def size_ratios(history: Iterable[Batch], rules: FindValue) -> dict[str, float]:
    """Return how much likelier than its product and channel a batch of each size class fails, leaning on 1.

    Firms of unknown size are a class of their own. Rates and ratios are found in turn, so that a product made by
    large firms alone is not taken for a safe one.
    """
    batches = list(history)
    ratios: dict[str, float] = {}
    for _ in range(ROUNDS):
        rates = BaseRates(batches, rules, ratios)
        found: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
        for batch in batches:
            counts = found[batch.size]
            counts[0] += batch.failed
            counts[1] += rates.rate(batch.product_id, batch.channel)
        prior = rules.size_prior_expected
        ratios = {size: (failed + prior) / (expected + prior) for size, (failed, expected) in sorted(found.items())}
    return ratios


class RelativeRisk:
    """How much likelier than its base rate a firm's batch fails: rising with its score, apart for unknown firms."""

    def __init__(
        self, history: Iterable[Batch], rates: BaseRates, rules: FindValue, by_size: Mapping[str, float] | None = None
    ) -> None:
        self._rules = rules
        weight = rules.level_prior_batches * rates.overall
        graded = [batch for batch in history if batch.level is not None]
        sizes = by_size or {}
        expected = {
            id(batch): rates.rate(batch.product_id, batch.channel) * sizes.get(batch.size, 1.0) for batch in graded
        }
        unknown = [batch for batch in graded if batch.level == "U"]
        prior = rules.level_relative_risk.get("U", 1.0)
        self._unknown = (sum(batch.failed for batch in unknown) + weight * prior) / (
            sum(expected[id(batch)] for batch in unknown) + weight
        )
        scored = [
            (batch.score, float(batch.failed), expected[id(batch)])
            for batch in graded
            if batch.level != "U" and batch.score is not None
        ]
        # The proposed ratios take part as so many expected failures each, so that a thin history leans on them.
        scored += [
            (rules.level_score[level], weight * rules.level_relative_risk[level], weight) for level in rules.level_score
        ]
        self._scores, self._ratios = _rising(scored, rules.score_bin_expected)

    def of(self, level: str, score: float | None) -> float:
        """Return the ratio to the base rate for a level and score; without a score the level's proposed ratio."""
        if level == "U":
            return self._unknown
        if score is None:
            return self._rules.level_relative_risk.get(level, 1.0)
        return float(np.interp(score, self._scores, self._ratios))


class Expectation:
    """The expected failure probability of a firm's next batch: base rate × size × risk by score × its own history.

    `rates` are the plain rates by product and channel, as people compute them.
    """

    def __init__(self, history: Iterable[Batch], rules: FindValue) -> None:
        batches = list(history)
        self.rates = BaseRates(batches, rules)
        self.by_size = size_ratios(batches, rules)
        self._at_equal_size = BaseRates(batches, rules, self.by_size)
        self.risk = RelativeRisk(batches, self._at_equal_size, rules, self.by_size)
        self._prior = rules.firm_prior_expected
        self._own: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
        for batch in batches:
            if batch.firm:
                own = self._own[batch.firm]
                own[0] += batch.failed
                own[1] += self._by_score(batch.product_id, batch.channel, batch.level or "U", batch.score, batch.size)

    def own_ratio(self, firm: str) -> float:
        """Return found over expected of a firm's past batches, leaning on 1; expected as its score stood then.

        What the score knew before each batch is already in the expectation, so nothing is counted twice.
        """
        failed, expected = self._own.get(firm, (0.0, 0.0))
        return (failed + self._prior) / (expected + self._prior)

    def fail_probability(
        self, product_id: str, channel: str, level: str, score: float | None, firm: str, size: str = ""
    ) -> float:
        """Return the expected failure probability, between 0 and 0.95."""
        return min(self._by_score(product_id, channel, level, score, size) * self.own_ratio(firm), HIGHEST)

    def _by_score(self, product_id: str, channel: str, level: str, score: float | None, size: str) -> float:
        base = self._at_equal_size.rate(product_id, channel) * self.by_size.get(size, 1.0)
        return min(base * self.risk.of(level, score), HIGHEST)


def _rising(points: list[tuple[float, float, float]], least_expected: float) -> tuple[np.ndarray, np.ndarray]:
    """Return a rising ratio over the score, from (score, failed, expected): bins of like weight, then pooled."""
    by_score: dict[float, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for score, failed, expected in points:
        by_score[score][0] += failed
        by_score[score][1] += expected
    blocks: list[list[float]] = []  # Σ score·expected, Σ failed, Σ expected
    for score, (failed, expected) in sorted(by_score.items()):
        if not blocks or blocks[-1][2] >= least_expected:
            blocks.append([0.0, 0.0, 0.0])
        block = blocks[-1]
        block[0] += score * expected
        block[1] += failed
        block[2] += expected
    if len(blocks) > 1 and blocks[-1][2] < least_expected:
        last = blocks.pop()
        blocks[-1] = [a + b for a, b in zip(blocks[-1], last, strict=True)]
    pooled: list[list[float]] = []
    for block in blocks:
        pooled.append(block)
        while len(pooled) > 1 and pooled[-2][1] / pooled[-2][2] >= pooled[-1][1] / pooled[-1][2]:
            last = pooled.pop()
            pooled[-1] = [a + b for a, b in zip(pooled[-1], last, strict=True)]
    scores = np.array([weighted / expected for weighted, _, expected in pooled])
    return scores, np.array([failed / expected for _, failed, expected in pooled])
