"""How good a ranking is at a plan's budget, with intervals.

Ties: inspections of equal score are taken in random order, and every figure is the mean over all such orders, so
that a ranking with few distinct scores is neither lucky nor unlucky.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.features import Floats, Ints

Mask = NDArray[np.bool_]
BUDGETS = (0.02, 0.10)
REPLICATES = 100


@dataclass(frozen=True, slots=True)
class Measures:
    """Figures of one ranking in one period. None where there was nothing to find, or nothing else."""

    n: int
    failures: int
    base_rate: float
    auc: float | None
    hit_2: float | None
    hit_10: float | None
    recall_10: float | None


def measure(scores: Floats, failed: Mask) -> Measures:
    """Return a ranking's figures."""
    n, failures = len(failed), int(failed.sum())
    base = failures / n if n else 0.0
    return Measures(
        n=n,
        failures=failures,
        base_rate=base,
        auc=auc(scores, failed),
        hit_2=hit_rate(scores, failed, BUDGETS[0]),
        hit_10=hit_rate(scores, failed, BUDGETS[1]),
        recall_10=_recall(scores, failed, BUDGETS[1]),
    )


def auc(scores: Floats, failed: Mask) -> float | None:
    """Return the chance that a failing inspection is ranked above a passing one; ties count half."""
    positives = int(failed.sum())
    negatives = len(failed) - positives
    if not positives or not negatives:
        return None
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = (ends - (counts - 1) / 2.0)[inverse]
    return float((ranks[failed].sum() - positives * (positives + 1) / 2.0) / (positives * negatives))


def taken(n: int, share: float) -> int:
    """Return how many of `n` a budget of `share` buys; at least one."""
    return max(1, round(share * n))


def hit_rate(scores: Floats, failed: Mask, share: float) -> float | None:
    """Return the failure rate among the top `share`."""
    if not len(failed):
        return None
    return _found(scores, failed, taken(len(failed), share)) / taken(len(failed), share)


def _recall(scores: Floats, failed: Mask, share: float) -> float | None:
    if not failed.any():
        return None
    return _found(scores, failed, taken(len(failed), share)) / float(failed.sum())


def _found(scores: Floats, failed: Mask, budget: int) -> float:
    """Return the failures a budget finds, averaged over the orders of ties."""
    cut = np.partition(scores, len(scores) - budget)[len(scores) - budget]
    above, level = scores > cut, scores == cut
    share = (budget - above.sum()) / level.sum()
    return float(failed[above].sum() + share * failed[level].sum())


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """Resampled weeks: inspections of one week stand or fall together, so whole weeks are drawn."""

    weights: NDArray[np.float64]  # replicate × inspection

    @classmethod
    def weeks(cls, days: Ints, *, replicates: int = REPLICATES, seed: int = 0) -> "Bootstrap":
        """Draw weeks with replacement; the same seed draws the same weeks for every ranking."""
        week = np.unique(days // 7, return_inverse=True)[1]
        blocks = int(week.max(initial=-1)) + 1
        rng = np.random.default_rng(seed)
        drawn = rng.multinomial(blocks, np.full(blocks, 1.0 / blocks), size=replicates) if blocks else np.zeros((0, 0))
        return cls(drawn[:, week].astype(float) if blocks else np.zeros((replicates, 0)))

    def interval(self, scores: Floats, failed: Mask, share: float = BUDGETS[1]) -> dict[str, list[float]]:
        """Return 95 % intervals of AUC and hit rate."""
        order = _shuffled_ties(scores)
        ranked = failed[order]
        aucs, hits = [], []
        for weight in self.weights[:, order]:
            total = weight.sum()
            positive = weight * ranked
            found, wanted = positive.sum(), share * total
            if not 0 < found < total:
                continue
            reached = np.cumsum(weight)
            inside = int(np.searchsorted(reached, wanted, side="left")) + 1
            hits.append(positive[:inside].sum() / reached[inside - 1])
            negative = weight - positive
            below = negative.sum() - np.cumsum(negative)
            aucs.append((positive * below).sum() / (found * negative.sum()))
        return {name: _bounds(values) for name, values in (("auc", aucs), ("hit@10%", hits)) if values}

    def difference(self, left: Floats, right: Floats, failed: Mask, share: float = BUDGETS[1]) -> list[float]:
        """Return the 95 % interval of how much more the left ranking finds at the budget than the right one."""
        first, second = _shuffled_ties(left), _shuffled_ties(right)
        gains = [
            _weighted_hit(failed[first], weight[first], share) - _weighted_hit(failed[second], weight[second], share)
            for weight in self.weights
        ]
        return _bounds(gains) if gains else []


def _shuffled_ties(scores: Floats) -> Ints:
    """Return the order from the highest score down, equal ones in a fixed random order."""
    return np.lexsort((np.random.default_rng(0).random(len(scores)), -scores))


def _weighted_hit(ranked: Mask, weight: Floats, share: float) -> float:
    reached = np.cumsum(weight)
    inside = int(np.searchsorted(reached, share * reached[-1], side="left")) + 1
    return float((weight * ranked)[:inside].sum() / reached[inside - 1])


def _bounds(values: list[float]) -> list[float]:
    low, high = np.percentile(values, [2.5, 97.5])
    return [round(float(low), 4), round(float(high), 4)]


@dataclass(frozen=True, slots=True)
class Bin:
    """One tenth of the inspections by predicted probability: what was promised, what came."""

    promised: float
    observed: float
    n: int


def calibration(probability: Floats, failed: Mask, bins: int = 10) -> list[Bin]:
    """Return bins of equal size from the lowest promised probability to the highest."""
    order = np.argsort(probability, kind="stable")
    return [
        Bin(float(probability[part].mean()), float(failed[part].mean()), len(part))
        for part in np.array_split(order, bins)
        if len(part)
    ]


def days_earlier(scores: Floats, days: Ints, failed: Mask) -> Floats:
    """Return for each failure how many days sooner it would have been found, had the same visits been ordered by score.

    The number of visits a day stays as it was; only their order changes.
    """
    slots = np.sort(days)
    moved = np.empty(len(days))
    moved[np.argsort(-scores, kind="stable")] = slots
    return np.asarray((days - moved)[failed], dtype=float)


def mean_interval(values: Floats, *, seed: int = 0, replicates: int = 500) -> tuple[float, float, float]:
    """Return a mean and its 95 % bootstrap interval."""
    if not len(values):
        return 0.0, 0.0, 0.0
    rng = np.random.default_rng(seed)
    means = values[rng.integers(0, len(values), size=(replicates, len(values)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(values.mean()), float(low), float(high)
