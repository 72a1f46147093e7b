"""Landmines: what must give no lift, and what must make the back-test scream.

A column that knows the answer predicts its own inspection far better than anything a record of the past can, and
far better than it predicts the same enterprise's inspection before.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scoring.backtest.history import History, history
from scoring.backtest.measures import auc, hit_rate, taken
from scoring.backtest.rolling import Period, roll
from scoring.backtest.table import Inspections
from scoring.features import Floats, Ledger

TOO_GOOD = 0.90  # AUC of one column alone: it knows the answer
GOOD = 0.80
OWN_EXCESS = 0.20  # how much better than on the same enterprise's inspection before
LEAST_CASES = 20


@dataclass(frozen=True, slots=True)
class Suspect:
    """A column that seems to know the result it should predict."""

    column: str
    auc: float
    auc_before: float | None
    how: str

    @property
    def certain(self) -> bool:
        """So good that nothing known beforehand could be it: taken away. The others are kept, and ablated."""
        return self.auc >= TOO_GOOD

    def sentence(self) -> str:
        """Say what was seen."""
        before = "" if self.auc_before is None else f"，而对同一单位上一次检查只有 {self.auc_before:.2f}"
        return f"“{self.column}”列疑似泄漏答案：{self.how}单独的 AUC 达 {self.auc:.2f}{before}"


def suspects(past: History, table: Inspections, before_day: int) -> list[Suspect]:
    """Return the columns that peek, judged on the second half of the records before the evaluation.

    The first half lets rates settle. The enterprise itself is never suspected: its record is the point.
    """
    usable = np.flatnonzero((table.days >= 0) & (table.days < before_day))
    if len(usable) < 4 * LEAST_CASES:
        return []
    middle = np.quantile(table.days[usable], 0.5)
    rows = usable[table.days[usable] >= middle]
    failed = table.failed[rows]
    if failed.sum() < LEAST_CASES or (~failed).sum() < LEAST_CASES:
        return []
    previous = _previous(table)[rows]
    found: dict[str, Suspect] = {}
    for column, how, values in _signals(past, table, rows):
        own = auc(values, failed)
        if own is None or max(own, 1 - own) < GOOD:
            continue
        turned = values if own >= 0.5 else -values
        own = max(own, 1 - own)
        paired = ~np.isnan(previous)
        earlier = auc(turned[paired], previous[paired] > 0) if paired.sum() >= LEAST_CASES else None
        peeks = own >= TOO_GOOD or (earlier is not None and own - earlier >= OWN_EXCESS)
        if peeks and (column not in found or own > found[column].auc):
            found[column] = Suspect(column, own, earlier, how)
    return sorted(found.values(), key=lambda one: -one.auc)


def _signals(past: History, table: Inspections, rows: np.ndarray) -> list[tuple[str, str, Floats]]:
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
    for column, codes in table.kinds.items():
        if column != past.entity:
            found.append((column, "是否填写", (codes[rows] >= 0).astype(float)))
    for column, texts in table.words.items():
        if column != past.entity:
            found.append((column, "是否填写", np.asarray([bool(texts[row]) for row in rows], dtype=float)))
    for column, values in table.numbers.items():
        found.append((column, "是否填写", (~np.isnan(values[rows])).astype(float)))
    return found


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
