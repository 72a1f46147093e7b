"""The rolling back-test: at the start of each period learn from what was known, then rank what came.

Nothing of a period reaches its own ranking but the records whose results were known before each inspection's day.
Which blend of learners is used in a period was decided on the periods before it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scoring.backtest.history import History, history
from scoring.backtest.measures import Mask, Measures, auc, hit_rate, measure
from scoring.backtest.table import Inspections, TableError
from scoring.challenger import BLENDS, Shape, best_blend, blended, calibrate, fit
from scoring.features import Floats

LEAST_ROWS = 200
LEAST_FAILURES = 15
PERIODS = (("month", "M"), ("quarter", "Q"), ("half", "2Q"), ("year", "Y"))
MOST_PERIODS = 24
FAILURES_A_PERIOD = 25
CALIBRATION_PERIODS = 6
MOST_PERIODS_BEFORE = 8  # periods before the evaluation that choose the blend


@dataclass(frozen=True)
class Period:
    """A stretch of time that is ranked as one plan."""

    name: str
    rows: NDArray[np.int64]
    start: int  # day

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class Ranked:
    """Scores of every evaluated inspection by one way of ranking; NaN outside the evaluation."""

    name: str
    scores: Floats


@dataclass
class Rolled:
    """What one pass over the periods gave."""

    chosen: Floats  # what ranks: log odds of the blend in use
    probability: Floats  # the same, recalibrated on the periods before
    blends: dict[str, str] = field(default_factory=dict)  # period -> blend used
    members: dict[str, Floats] = field(default_factory=dict)


def day_number(day: date) -> int:
    """Return days since 1970."""
    return (day - date(1970, 1, 1)).days


def periods(table: Inspections, evaluate_from: date, name: str = "") -> tuple[list[Period], list[Period]]:
    """Return the periods before the evaluation (to choose on) and those of it.

    Without a wish the shortest period is taken that has failures enough and makes not too many periods.
    """
    start = day_number(evaluate_from)
    evaluated = table.days >= start
    if not evaluated.any():
        raise TableError(f"{evaluate_from} 起没有可评估的行")
    if not table.failed[evaluated].any():
        raise TableError(f"{evaluate_from} 起没有一行不合格，无法评估")
    frequency = dict(PERIODS).get(name) or _fitting(table, evaluated)
    labels = _labels(table, frequency)
    before: list[Period] = []
    after: list[Period] = []
    for label in sorted(set(labels[table.days >= 0])):
        rows = np.flatnonzero((labels == label) & (table.days >= 0))
        for part, into in ((rows[table.days[rows] < start], before), (rows[table.days[rows] >= start], after)):
            if len(part):
                into.append(Period(label, part, int(table.days[part].min())))
    return before[-MOST_PERIODS_BEFORE:], after


def _fitting(table: Inspections, evaluated: Mask) -> str:
    for _, frequency in PERIODS:
        labels = _labels(table, frequency)[evaluated]
        count = len(set(labels))
        if count <= MOST_PERIODS and table.failed[evaluated].sum() / count >= FAILURES_A_PERIOD:
            return frequency
    return "Y"


def _labels(table: Inspections, frequency: str) -> NDArray[np.str_]:
    stamps = pd.to_datetime(np.maximum(table.days, 0), unit="D")
    if frequency == "2Q":
        return np.asarray([f"{stamp.year}H{1 + (stamp.month > 6)}" for stamp in stamps])
    return np.asarray(stamps.to_period(frequency).astype(str))


def roll(
    past: History,
    table: Inspections,
    before: Sequence[Period],
    after: Sequence[Period],
    *,
    without: frozenset[str] = frozenset(),
    blends: Mapping[str, str] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Rolled:
    """Rank every evaluated period, never looking at a column in `without`.

    `blends` fixes the blend of each period instead of choosing it, for ablations of a pass already made.
    """
    kept = [at for at, uses in enumerate(past.uses) if not uses & without]
    shape = Shape(tuple(past.names[at] for at in kept), past.entity)
    values = past.values[:, kept]
    product = past.offset + np.sum([lift for name, lift in past.lifts.items() if name not in without], axis=0)
    size = len(table)
    members: dict[str, Floats] = {}
    found = Rolled(np.full(size, np.nan), np.full(size, np.nan), members=members)
    quality: dict[str, list[float]] = {name: [] for name in BLENDS}
    ranked: list[Period] = []
    evaluated = {id(period) for period in after}
    for period in (*before, *after):
        training = np.flatnonzero((table.known < period.start) & (table.days >= 0))
        if len(training) < LEAST_ROWS or table.failed[training].sum() < LEAST_FAILURES:
            scores = dict.fromkeys(("trees", "linear", "words", "product"), product[period.rows])
        else:
            learned = fit(
                shape,
                values[training],
                table.failed[training],
                past.offset[training],
                (period.start - table.days[training]).astype(float),
            )
            scores = learned.scores(values[period.rows], past.offset[period.rows], product[period.rows])
        for name, part in scores.items():
            members.setdefault(name, np.full(size, np.nan))[period.rows] = part
        blend = blends[period.name] if blends else best_blend(quality)
        found.chosen[period.rows] = blended(scores, blend)
        if id(period) in evaluated:
            found.blends[period.name] = blend
            window = np.concatenate([one.rows for one in ranked[-CALIBRATION_PERIODS:]] or [np.zeros(0, dtype=int)])
            recent = blended({name: part[window] for name, part in members.items()}, blend)
            # Only results known when the period starts may set its level.
            known = table.known[window] < period.start
            line = calibrate(recent[known], table.failed[window][known])
            found.probability[period.rows] = line.probability(found.chosen[period.rows])
            progress(f"{period.name}：{blend}")
        if len(training) >= LEAST_ROWS and table.failed[period.rows].sum() >= 5:
            for name in BLENDS:
                quality[name].append(_quality(blended(scores, name), table.failed[period.rows]))
            ranked.append(period)
    return found


def _quality(scores: Floats, failed: Mask) -> float:
    """AUC and the share found in the top tenth together: both goals of a plan count."""
    whole = auc(scores, failed)
    top = hit_rate(scores, failed, 0.1) or 0.0
    return (whole if whole is not None else 0.5) + 0.1 * top / max(float(failed.mean()), 1e-9)


def rivals(past: History, table: Inspections, *, seed: int = 0) -> list[Ranked]:
    """Return the simple rankings every model has to beat."""
    random = np.random.default_rng(seed).random(len(table))
    found = [
        Ranked("random", random),
        Ranked("failed_before", past.entity_failures),
        Ranked("recent_failures", past.entity_recent),
        Ranked("last_years_list", past.entity_last_year),
        Ranked("entity_rate", past.lifts[past.entity] + past.offset),
        Ranked("policy", _policy_style(past)),
    ]
    found += [Ranked(f"rate:{name}", lift + past.offset) for name, lift in past.lifts.items() if name != past.entity]
    found.append(Ranked("product_of_rates", past.product_of_rates()))
    return found


def _policy_style(past: History) -> Floats:
    """The scorecard's idea on any table: recent failures count more, and shrink towards the product's rate."""
    recent = past.values[:, past.names.index(f"{past.entity}|lift@180")].astype(float)
    return np.asarray(recent + 0.5 * past.lifts[past.entity] + 1e-3 * past.offset)


def build_history(table: Inspections, *, progress: Callable[[str], None] = lambda _: None) -> History:
    """Return the history of every inspection; TableError when the table has no key to keep a history by."""
    if table.entity not in table.kinds:
        raise TableError(f"“{table.entity}”列为空，无法建立历史")
    return history(table, progress=progress)


def measures_by_period(scores: Floats, table: Inspections, after: Sequence[Period]) -> list[tuple[str, Measures]]:
    """Return a ranking's figures per period, then over all evaluated rows together."""
    rows = np.concatenate([period.rows for period in after])
    parts = [(period.name, measure(scores[period.rows], table.failed[period.rows])) for period in after]
    return [*parts, ("all", measure(scores[rows], table.failed[rows]))]
