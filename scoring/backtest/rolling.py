"""The rolling back-test: at the start of each period learn from what was known, then rank what came.

Nothing of a period reaches its own ranking but the records whose results were known before each inspection's day.
What each learner weighs in a period was decided on the periods before it.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scoring.backtest.history import History
from scoring.backtest.measures import Mask, Measures, measure
from scoring.backtest.table import Inspections, TableError
from scoring.challenger import Shape, blended, calibrate, fit, weigh
from scoring.conformal import Plausible, TooFewError
from scoring.features import Floats, Ints

LEAST_ROWS = 200
LEAST_FAILURES = 15
PERIODS = (("month", "M"), ("quarter", "Q"), ("half", "2Q"), ("year", "Y"))
MOST_PERIODS = 24
FAILURES_A_PERIOD = 25
CALIBRATION_PERIODS = 6
CALIBRATION_HALF_LIFE = 180.0  # days
WEIGHING_PERIODS = 12
LEARNER_ZH = {"trees": "树", "linear": "线性", "words": "文字", "product": "比率之积"}
MOST_PERIODS_BEFORE = 8  # periods before the evaluation that weigh the learners


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
    probability: Floats  # the same, recalibrated on the periods before and on what came in since
    plausible: Ints  # sets of plausible results as `scoring.plausible` numbers them; -1 where none can be promised
    weights: dict[str, Mapping[str, float]] = field(default_factory=dict)  # period -> what each learner weighed
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
    weights: Mapping[str, Mapping[str, float]] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Rolled:
    """Rank every evaluated period, never looking at a column in `without`.

    `weights` fixes what the learners weigh in each period, for ablations of a pass already made.
    """
    kept = [at for at, uses in enumerate(past.uses) if not uses & without]
    shape = Shape(tuple(past.names[at] for at in kept), past.entity)
    values = past.values[:, kept]
    product = past.product_of_rates(without)
    size = len(table)
    members: dict[str, Floats] = {}
    found = Rolled(np.full(size, np.nan), np.full(size, np.nan), np.full(size, -1), members=members)
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
        weighed = ranked[-WEIGHING_PERIODS:]
        window = np.concatenate([one.rows for one in weighed] or [np.zeros(0, dtype=int)])
        number = np.repeat(np.arange(len(weighed)), [len(one) for one in weighed])
        # Only results known when the period starts may weigh the learners.
        told = table.known[window] < period.start
        window, number = window[told], number[told]
        earlier = {name: part[window] for name, part in members.items()}
        given = weights.get(period.name) if weights else None
        deserved = given or weigh(earlier, table.failed[window], number)
        found.chosen[period.rows] = blended(scores, deserved)
        if id(period) in evaluated:
            found.weights[period.name] = deserved
            held = np.concatenate([*(one.rows for one in ranked[-CALIBRATION_PERIODS:]), period.rows])
            _promise(
                found, table, period, held, blended({name: part[held] for name, part in members.items()}, deserved)
            )
            progress(f"{period.name}：{described(deserved)}")
        if len(training) >= LEAST_ROWS:
            ranked.append(period)
    return found


def _promise(found: Rolled, table: Inspections, period: Period, held: Ints, scores: Floats) -> None:
    """Make probabilities and sets of the period's scores, week by week, from the results of `held` known by then.

    The ranking is that of the period's start; only its level follows the results that come in meanwhile.
    """
    week = (table.days[period.rows] - period.start) // 7
    for number in np.unique(week):
        rows = period.rows[week == number]
        today = int(table.days[rows].min())
        told = table.known[held] < today
        failed, age = table.failed[held][told], (today - table.days[held][told]).astype(float)
        line = calibrate(scores[told], failed, 0.5 ** (age / CALIBRATION_HALF_LIFE))
        found.probability[rows] = line.probability(found.chosen[rows])
        with suppress(TooFewError):
            judge = Plausible.calibrate(line.probability(scores[told]), failed)
            found.plausible[rows] = judge.codes(found.probability[rows])


def described(weights: Mapping[str, float]) -> str:
    """Say what each learner weighs."""
    return "、".join(f"{LEARNER_ZH[name]} {weight:.2f}" for name, weight in weights.items())


def rivals(past: History, table: Inspections, *, without: frozenset[str] = frozenset(), seed: int = 0) -> list[Ranked]:
    """Return the simple rankings every model has to beat, none of them looking at a column in `without`."""
    random = np.random.default_rng(seed).random(len(table))
    found = [
        Ranked("random", random),
        Ranked("failed_before", past.entity_failures),
        Ranked("recent_failures", past.entity_recent),
        Ranked("last_years_list", past.entity_last_year),
        Ranked("entity_rate", past.lifts[past.entity] + past.offset),
        Ranked("policy", _policy_style(past)),
    ]
    found += [
        Ranked(f"rate:{name}", lift + past.offset)
        for name, lift in past.lifts.items()
        if name != past.entity and name not in without
    ]
    found.append(Ranked("product_of_rates", past.product_of_rates(without)))
    return found


def _policy_style(past: History) -> Floats:
    """The scorecard's idea on any table: recent failures count more, and shrink towards the product's rate."""
    recent = past.values[:, past.names.index(f"{past.entity}|lift@180")].astype(float)
    return np.asarray(recent + 0.5 * past.lifts[past.entity] + 1e-3 * past.offset)


def measures_by_period(scores: Floats, table: Inspections, after: Sequence[Period]) -> list[tuple[str, Measures]]:
    """Return a ranking's figures per period, then over all evaluated rows together."""
    rows = np.concatenate([period.rows for period in after])
    parts = [(period.name, measure(scores[period.rows], table.failed[period.rows])) for period in after]
    return [*parts, ("all", measure(scores[rows], table.failed[rows]))]
