"""Landmines: what must give no lift, and what must make the back-test scream.

A column that knows the answer predicts its own inspection far better than anything a record of the past can, and
far better than it predicts the same enterprise's inspection before. One filled in for failures alone, one whose step
since the last visit tells the result, and one that equals a failure rate with later inspections in it know it too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.backtest.history import History, history
from scoring.backtest.measures import auc, hit_rate, taken
from scoring.backtest.rolling import Period, roll
from scoring.backtest.table import Inspections
from scoring.features import FOREVER, Floats, Ints, Ledger

TOO_GOOD = 0.90  # AUC of one column alone: it knows the answer
GOOD = 0.75
OWN_EXCESS = 0.20  # how much better than on the same enterprise's inspection before
LEAST_CASES = 20
PURE = 0.98  # share of failures where a column is filled: it is filled in because of them
PURE_SHARE = 0.1  # of all failures, so that a handful of rows accuses nobody
LIKE_A_RATE = 0.90  # correlation with a failure rate of the whole table, later inspections included
LIKE_LATER = 0.05  # by how much that must exceed the correlation with the rate so far
RATE_VALUES = 8
RATE_WEIGHTS = (0.0, 5.0, 20.0)


@dataclass(frozen=True, slots=True)
class Suspect:
    """A column that seems to know the result it should predict.

    `certain`: nothing known beforehand could look like this, so it is taken away. The others are kept, and ablated.
    """

    column: str
    auc: float
    auc_before: float | None
    how: str
    certain: bool

    def sentence(self) -> str:
        """Say what was seen."""
        before = "" if self.auc_before is None else f"，而对同一单位上一次检查只有 {self.auc_before:.2f}"
        return f"“{self.column}”列疑似泄漏答案：{self.how}（单独的 AUC {self.auc:.2f}{before}）"

    def as_json(self) -> dict[str, object]:
        """Return the warning other programs read."""
        return {
            "warning": "leak",
            "column": self.column,
            "how": self.how,
            "auc": round(self.auc, 4),
            "auc_before": None if self.auc_before is None else round(self.auc_before, 4),
            "action": "excluded" if self.certain else "ablated",
        }


def suspects(past: History, table: Inspections, before_day: int) -> list[Suspect]:
    """Return the columns that peek, judged on the second half of the records before the evaluation.

    The first half lets rates settle. With too few failures there, all rows are looked at: better to accuse by the
    evaluation's own results than to believe them unseen. The enterprise itself is never suspected: its record is the
    point.
    """
    rows = _judged(table, before_day)
    failed = table.failed[rows]
    if failed.sum() < LEAST_CASES or (~failed).sum() < LEAST_CASES:
        return []
    previous = _previous(table)[rows]
    alone = _alone(table)[rows]
    found: dict[str, Suspect] = {}

    def accuse(column: str, own: float, earlier: float | None, how: str, *, certain: bool) -> None:
        known = found.get(column)
        if known is None or (certain, own) > (known.certain, known.auc):
            found[column] = Suspect(column, own, earlier, how, certain)

    for column, how, values in _signals(past, table, rows):
        straight = auc(values, failed)
        if straight is None:
            continue
        own = max(straight, 1 - straight)
        if own >= GOOD:
            turned = values if straight >= 0.5 else -values
            paired = ~np.isnan(previous)
            earlier = auc(turned[paired], previous[paired] > 0) if paired.sum() >= LEAST_CASES else None
            if own >= TOO_GOOD or (earlier is not None and own - earlier >= OWN_EXCESS):
                accuse(column, own, earlier, f"{how}就能猜中", certain=own >= TOO_GOOD)
        once = _either_way(values[alone], failed[alone])
        if once is not None and once >= TOO_GOOD:
            accuse(column, once, None, f"{how}对只检查过一次的单位也能猜中", certain=True)
    for column, filled in _filled(table, rows):
        if (when := _one_sided(filled, failed)) is not None:
            accuse(column, _either_way(filled.astype(float), failed) or 0.5, None, when, certain=True)
    for column, steps, how in _steps(table, rows):
        known = ~np.isnan(steps)
        own_step = _either_way(steps[known], failed[known])
        if own_step is not None and own_step >= TOO_GOOD:
            accuse(column, own_step, None, how, certain=True)
    for column, key in _rates_in_hindsight(table, rows):
        own_rate = _either_way(np.nan_to_num(table.numbers[column][rows]), failed) or 0.5
        accuse(column, own_rate, None, f"几乎等于“{key}”包括以后各次在内的不合格率", certain=True)
    return sorted(found.values(), key=lambda one: (not one.certain, -one.auc))


def _judged(table: Inspections, before_day: int) -> Ints:
    usable = np.flatnonzero((table.days >= 0) & (table.days < before_day))
    if len(usable):
        usable = usable[table.days[usable] >= np.quantile(table.days[usable], 0.5)]
    if table.failed[usable].sum() < LEAST_CASES or (~table.failed[usable]).sum() < LEAST_CASES:
        usable = np.flatnonzero(table.days >= 0)
    return usable


def _either_way(values: Floats, failed: NDArray[np.bool_]) -> float | None:
    """Return the AUC of values or of their reverse, None with too few cases of either kind."""
    if failed.sum() < LEAST_CASES or (~failed).sum() < LEAST_CASES:
        return None
    found = auc(values, failed)
    return None if found is None else max(found, 1 - found)


def _signals(past: History, table: Inspections, rows: Ints) -> list[tuple[str, str, Floats]]:
    """Return what each column alone could say: its values, its rates so far, and whether it is filled in."""
    found: list[tuple[str, str, Floats]] = []
    for at, name in enumerate(past.names):
        uses = past.uses[at]
        if (
            len(uses) == 1
            and past.entity not in uses
            and (name.endswith(("|lift", "~sum", "~max", "~min")) or name in table.numbers)
        ):
            how = "取值" if name in table.numbers else "各取值的历史不合格率"
            found.append((next(iter(uses)), how, np.nan_to_num(past.values[rows, at].astype(float), nan=-1e9)))
    day = np.unique(table.days[rows], return_inverse=True)[1]
    for column, values in table.numbers.items():
        own = np.nan_to_num(values[rows], nan=float(np.nanmean(values)) if not np.isnan(values).all() else 0.0)
        usual = np.bincount(day, own) / np.bincount(day)
        found.append((column, "在同一天里的高低", own - usual[day]))
    found += [(column, "是否填写", filled.astype(float)) for column, filled in _filled(table, rows)]
    return found


def _filled(table: Inspections, rows: Ints) -> list[tuple[str, NDArray[np.bool_]]]:
    found = {column: ~np.isnan(values[rows]) for column, values in table.numbers.items()}
    found |= {column: codes[rows] >= 0 for column, codes in table.kinds.items()}
    found |= {
        column: np.array([bool(texts[row]) for row in rows])
        for column, texts in table.words.items()
        if column not in found
    }
    return [(column, filled) for column, filled in found.items() if column != table.entity]


def _one_sided(filled: NDArray[np.bool_], failed: NDArray[np.bool_]) -> str | None:
    """Say so when a column is filled in for one result alone."""
    if float(failed.mean()) >= PURE:
        return None
    for part, how in ((filled, "只在不合格时填写"), (~filled, "只在合格时填写")):
        if (
            part.sum() >= LEAST_CASES
            and failed[part].mean() >= PURE
            and failed[part].sum() >= PURE_SHARE * failed.sum()
        ):
            return how
    return None


def _steps(table: Inspections, rows: Ints) -> list[tuple[str, Floats, str]]:
    """Return by how much each number moved since the enterprise's visit before: a count that includes the visit's own
    result moves exactly when it fails."""
    entity = np.where(table.days >= 0, table.kinds[table.entity], -1).astype(np.int64)
    ledger = Ledger.build(entity, table.days)
    seen = ledger.window(entity, table.days)
    return [
        (column, (values - ledger.latest(values, seen))[rows], "比上一次的增量说出本次结果")
        for column, values in table.numbers.items()
    ]


def _rates_in_hindsight(table: Inspections, rows: Ints) -> list[tuple[str, str]]:
    """Return the numbers that equal a key's failure rate (or count) over the whole table, and the key."""
    usable = table.days >= 0
    outcome = table.failed.astype(float)
    mean = float(outcome[usable].mean())
    found = []
    for column, values in table.numbers.items():
        own = values[rows]
        known = ~np.isnan(own)
        if known.sum() < LEAST_CASES or len(np.unique(own[known])) < RATE_VALUES:
            continue
        for key, codes in table.kinds.items():
            if codes.max(initial=0) < RATE_VALUES:
                continue
            kinds = np.where(usable & (codes >= 0), codes, 0)
            counted = (usable & (codes >= 0)).astype(float)
            size = int(kinds.max()) + 1
            failures, batches = (np.bincount(kinds, w, size).astype(float) for w in (outcome * counted, counted))
            inside = known & (codes[rows] >= 0)
            here = codes[rows][inside]
            whole = _likeness(own[inside], failures[here], batches[here], mean)
            if whole < LIKE_A_RATE:
                continue
            ledger = Ledger.build(np.where(usable, codes, -1).astype(np.int64), table.known)
            seen = ledger.window(codes, table.days)
            so_far = ledger.decayed(outcome, seen, table.days, FOREVER)[rows][inside]
            count = (seen[1] - seen[0]).astype(float)[rows][inside]
            if whole >= _likeness(own[inside], so_far, count, mean) + LIKE_LATER:
                found.append((column, key))
                break
    return found


def _likeness(values: Floats, failures: Floats, batches: Floats, mean: float) -> float:
    """Return the strongest correlation of values with a count of failures or a rate, however smoothed."""
    tried = [failures, *((failures + w * mean) / np.maximum(batches + w, 1e-9) for w in RATE_WEIGHTS)]
    found = [abs(np.corrcoef(values, one)[0, 1]) for one in tried if np.ptp(one) > 0 and np.ptp(values) > 0]
    return float(max(found, default=0.0))


def _alone(table: Inspections) -> NDArray[np.bool_]:
    """Return which rows belong to an enterprise inspected once in the whole table."""
    entity = table.kinds[table.entity]
    usable = (table.days >= 0) & (entity >= 0)
    visits = np.bincount(entity[usable], minlength=int(entity.max(initial=0)) + 1)
    return np.asarray(usable & (visits[np.maximum(entity, 0)] == 1))


def _previous(table: Inspections) -> Floats:
    """Return the result of the same enterprise's inspection before; NaN for the first."""
    entity = np.where(table.days >= 0, table.kinds[table.entity], -1).astype(np.int64)
    ledger = Ledger.build(entity, table.days)
    return ledger.latest(table.failed.astype(float), ledger.window(entity, table.days))


@dataclass(frozen=True, slots=True)
class ShuffledFold:
    """What the challenger finds in a period whose results were dealt out at random: nothing, or it cheats."""

    period: str
    hit_10: float
    base_rate: float
    interval: tuple[float, float]

    @property
    def clean(self) -> bool:
        """The lift lies within what chance gives."""
        return self.interval[0] <= self.hit_10 <= self.interval[1]


def shuffled_fold(
    table: Inspections, before: Sequence[Period], after: Sequence[Period], *, seed: int = 0
) -> ShuffledFold:
    """Deal the last period's results out at random, rank it again, and compare with chance."""
    last = after[-1]
    rng = np.random.default_rng(seed)
    failed = table.failed.copy()
    failed[last.rows] = rng.permutation(failed[last.rows])
    dealt = table.relabelled(failed)
    scores = roll(history(dealt), dealt, list(before[-1:]), [last]).chosen[last.rows]
    results = failed[last.rows]
    budget = taken(len(results), 0.1)
    chance = [results[rng.permutation(len(results))[:budget]].mean() for _ in range(1000)]
    low, high = np.percentile(chance, [0.5, 99.5])
    return ShuffledFold(
        last.name, hit_rate(scores, results, 0.1) or 0.0, float(results.mean()), (float(low), float(high))
    )
