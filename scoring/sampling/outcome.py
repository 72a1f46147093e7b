"""What a plan found, held against what its mix of products and channels made likely.

The random part estimates the failure rate of the whole pool without bias (Hájek); the part aimed at failures is
judged by found / expected at base rates, because a raw rate can be tripled by choosing other products.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import stats


@dataclass(frozen=True, slots=True)
class Planned:
    """A line as it was planned: purpose, draw probability, base rate, expected failure, severity weight, cost."""

    purpose: str  # find | estimate
    probability: float
    base_rate: float
    expected_fail: float
    severity_weight: float
    cost_cny: float


@dataclass(frozen=True, slots=True)
class Result:
    """What came back for a line: pass or fail; no_sample and refused are no verdict; None is still out."""

    line: Planned
    outcome: str | None  # pass | fail | no_sample | refused | illegal | None

    @property
    def tested(self) -> bool:
        """A verdict on the goods exists."""
        return self.outcome in ("pass", "fail")


@dataclass(frozen=True, slots=True)
class Ratio:
    """Found against expected, with the exact 95 % interval of a Poisson count."""

    lines: int
    tested: int
    found: int
    expected: float
    ratio: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Rate:
    """A failure rate of the pool with its 95 % interval; None while nothing random came back."""

    tested: int
    rate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A plan's outcome: all lines, the aimed part, the pool's rate, and what a find cost."""

    overall: Ratio
    aimed: Ratio
    pool_rate: Rate
    predicted: float  # failures the plan itself expected among the tested lines
    without_sample: int
    waiting: int
    cost_cny: float
    cny_per_failure: float | None
    severity_weighted: float


def plan_outcome(results: Sequence[Result]) -> Outcome:
    """Return the outcome of a plan's lines so far; lines still out count as waiting and nowhere else."""
    tested = [result for result in results if result.tested]
    failed = [result for result in tested if result.outcome == "fail"]
    cost = sum(result.line.cost_cny for result in tested)
    return Outcome(
        overall=_ratio(results),
        aimed=_ratio([result for result in results if result.line.purpose == "find"]),
        pool_rate=hajek_rate([result for result in results if result.line.purpose == "estimate"]),
        predicted=sum(result.line.expected_fail for result in tested),
        without_sample=sum(result.outcome is not None and not result.tested for result in results),
        waiting=sum(result.outcome is None for result in results),
        cost_cny=cost,
        cny_per_failure=cost / len(failed) if failed else None,
        severity_weighted=sum(result.line.severity_weight for result in failed),
    )


def _ratio(results: Sequence[Result]) -> Ratio:
    tested = [result for result in results if result.tested]
    found = sum(result.outcome == "fail" for result in tested)
    expected = sum(result.line.base_rate for result in tested)
    if expected <= 0:
        return Ratio(len(results), len(tested), found, expected, None, None, None)
    low = float(stats.chi2.ppf(0.025, 2 * found)) / 2 if found else 0.0
    high = float(stats.chi2.ppf(0.975, 2 * (found + 1))) / 2
    return Ratio(len(results), len(tested), found, expected, found / expected, low / expected, high / expected)


def hajek_rate(results: Sequence[Result]) -> Rate:
    """Return the pool's failure rate from random lines, each weighted by the inverse of its probability.

    The interval is Clopper–Pearson on the effective sample size (Korn and Graubard), which stays honest for few
    failures. Lines without a verdict drop out: the estimate speaks for the firms that could be sampled.
    """
    tested = [result for result in results if result.tested and result.line.probability > 0]
    if not tested:
        return Rate(0, None, None, None)
    weights = [1 / result.line.probability for result in tested]
    total = math.fsum(weights)
    rate = math.fsum(w for w, result in zip(weights, tested, strict=True) if result.outcome == "fail") / total
    effective = total**2 / math.fsum(w * w for w in weights)
    positive = rate * effective
    low = float(stats.beta.ppf(0.025, positive, effective - positive + 1)) if positive > 0 else 0.0
    high = float(stats.beta.ppf(0.975, positive + 1, effective - positive)) if positive < effective else 1.0
    return Rate(len(tested), rate, low, high)
