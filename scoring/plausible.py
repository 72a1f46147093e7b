"""Which results the next batch may have, and the two limits that make such a set of a stored probability.

How the limits are calibrated stands in `scoring.conformal`; whoever only shows a set needs nothing else than this.
"""

from dataclasses import dataclass

CONFIDENCE = 0.9
PASS, FAIL = 1, 2  # bits of a set kept as a number


@dataclass(frozen=True, slots=True)
class PlausibleResults:
    """For one batch: may it pass, may it fail. Both means "cannot say", neither means "unlike anything seen"."""

    may_pass: bool
    may_fail: bool

    @classmethod
    def of(cls, code: int) -> "PlausibleResults":
        """Return the set a number stands for."""
        return cls(bool(code & PASS), bool(code & FAIL))

    @property
    def zh(self) -> str:
        """The set in words."""
        words = {(True, True): "合格、不合格都可能", (True, False): "应当合格", (False, True): "应当不合格"}
        return words.get((self.may_pass, self.may_fail), "与以往记录都不相像")


@dataclass(frozen=True, slots=True)
class Limits:
    """The sets in two numbers: from which probability a failure is plausible, up to which a pass is."""

    fail_from: float
    pass_to: float
    confidence: float = CONFIDENCE

    def of(self, probability: float) -> PlausibleResults:
        """Return the plausible results at a probability."""
        return PlausibleResults(may_pass=probability <= self.pass_to, may_fail=probability >= self.fail_from)

    def zh(self, probability: float) -> str:
        """Return the plausible results at a probability in words, with the confidence they are kept at."""
        return f"{self.of(probability).zh}（{self.confidence:.0%} 把握）"
