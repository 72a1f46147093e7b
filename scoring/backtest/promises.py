"""Beside the ranking: do the sets of plausible results keep their promise, and has the world moved since?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scoring.backtest.rolling import Period, Rolled
from scoring.backtest.table import MOST_KINDS, Inspections
from scoring.drift import BaseRate, Drift, base_rate, watch
from scoring.features import Floats, Ints
from scoring.plausible import CONFIDENCE, FAIL, PASS

MOST_WATCHED = 20_000  # rows of each side; more do not change a share by a thousandth
SHOWN = 8


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of one class: how often its result was in the set (promised: at least `promised`), and how often alone in it."""

    zh: str
    n: int
    promised: float
    covered: float
    alone: float


def coverage(rolled: Rolled, table: Inspections, rows: Ints) -> list[Coverage]:
    """Return the coverage of each class over the evaluated rows that had a set; empty where none had."""
    known = rows[rolled.plausible[rows] >= 0]
    found = []
    for zh, bit, failed in (("不合格", FAIL, True), ("合格", PASS, False)):
        part = rolled.plausible[known[table.failed[known] == failed]]
        if len(part):
            found.append(
                Coverage(zh, len(part), CONFIDENCE, float(((part & bit) > 0).mean()), float((part == bit).mean()))
            )
    return found


@dataclass(frozen=True, slots=True)
class Moved:
    """The inputs that moved most between the past and the last period, and the failure rate then and now."""

    inputs: tuple[Drift, ...]
    rate: BaseRate


def moved(table: Inspections, after: Sequence[Period]) -> Moved | None:
    """Compare the records before the evaluation with its last period; None without earlier records.

    The table's own numbers and kinds are watched, not the record made of them: that only grows, and always moves.
    """
    then = np.flatnonzero((table.days >= 0) & (table.days < after[0].start))
    now = after[-1].rows
    if not len(then):
        return None
    rng = np.random.default_rng(0)
    sides = [
        rng.choice(rows, MOST_WATCHED, replace=False) if len(rows) > MOST_WATCHED else rows for rows in (then, now)
    ]
    old, new = ({name: values[rows] for name, values in table.numbers.items()} for rows in sides)
    for name, codes in table.kinds.items():
        if name != table.entity and codes.max(initial=0) <= MOST_KINDS:
            old[name], new[name] = _by_frequency(codes[sides[0]], codes[sides[1]])
    return Moved(tuple(watch(old, new)[:SHOWN]), base_rate(table.failed[then], table.failed[now]))


def _by_frequency(then: Ints, now: Ints) -> tuple[Floats, Floats]:
    """Number kinds from the commonest of old on, so that bins hold neighbours in frequency; NaN where missing."""
    counts = np.bincount(then[then >= 0], minlength=int(max(then.max(initial=0), now.max(initial=0))) + 1)
    place = np.argsort(np.argsort(-counts, kind="stable")).astype(float)
    return np.where(then >= 0, place[then], np.nan), np.where(now >= 0, place[now], np.nan)
