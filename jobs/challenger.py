"""The challenger on the store: a learned probability that the next batch of each firm and product line fails.

It is written beside the grade, never into it. The verdict of its back-test is kept in the run; `jobs.standing` says
what follows from it.
"""

from bisect import bisect_left
from collections import defaultdict
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from jobs.known_facts import Known, known_by
from jobs.runs import recorded_run
from jobs.settings import Settings
from nlp.taxonomy import load_taxonomy
from scoring.backtest.engine import BackTest, back_test
from scoring.backtest.history import history
from scoring.backtest.rolling import LEAST_FAILURES, LEAST_ROWS
from scoring.backtest.table import Inspections, Outcome, TableMap, inspections
from scoring.challenger import Shape, blended, calibrate, fit
from scoring.conformal import LEAST_A_CLASS, Plausible, TooFewError
from scoring.facts import Complaint, Injury, Inspection, Opinion, Penalty, Sample
from scoring.plausible import Limits
from store.session import read_only
from store.tables import Grade

MAP = TableMap(
    entity="producer",
    date="day",
    known_at="known",
    outcome=Outcome(column="outcome", fail="fail"),
    groups=("producer", "product", "channel", "region", "city", "size"),
    product="product",
    channel="channel",
    region="region",
    size="size",
    period="quarter",
)
KINDS: dict[type, str] = {
    Complaint: "complaints",
    Opinion: "opinions",
    Penalty: "penalties",
    Inspection: "findings",
    Injury: "injuries",
}
WINDOWS = {
    "complaints": (90, 365),
    "opinions": (365,),
    "penalties": (1096,),
    "findings": (731,),
    "injuries": (1096,),
}
BACK_TEST_DAYS = 365
PERIODS_BEFORE = 2
HELD_DAYS = (92, 183, 365)  # what the calibration looks at; the first with failures enough
NEVER = date(2200, 1, 1)  # the result of a batch not drawn yet


def run(sessions: sessionmaker[Session], settings: Settings, as_of: date) -> dict[str, Any]:
    """Back-test the challenger on what was known by `as_of`, then write its probabilities beside that day's grades.

    With too little history nothing is written, and the counts say so. The day must have been graded; later gradings
    carry the probabilities on until the next run. Safe to run twice.
    """
    taxonomy = load_taxonomy(settings.lexicon_dir)
    with recorded_run(sessions, "challenger", as_of=as_of) as (_, counts):
        with read_only(sessions) as session:
            known = known_by(session, as_of, taxonomy)
            lines = [
                (row.id, row.enterprise_id, row.product_id, row.role)
                for row in session.execute(
                    select(Grade.id, Grade.enterprise_id, Grade.product_id, Grade.role).where(Grade.as_of == as_of)
                )
            ]
        batches = _batches(known)
        counts["batches"] = len(batches)
        failures = int((batches["outcome"] == "fail").sum()) if len(batches) else 0
        if len(batches) < LEAST_ROWS or failures < 2 * LEAST_FAILURES:
            counts.update(promoted=False, note="检验批次太少，不训练")
            _write(sessions, as_of, {})
            return counts
        counts.update(_verdict(batches, as_of))
        chances, limits = _chances(batches, _next_batches(lines, known, as_of), as_of)
        counts["plausible"] = asdict(limits) if limits else None
        _write(sessions, as_of, chances)
        counts["scored"] = len(chances)
    return counts


def _write(sessions: sessionmaker[Session], as_of: date, chances: dict[int, float]) -> None:
    """Put the probabilities beside the day's grades; what an earlier run said there goes."""
    rows = [{"id": grade_id, "challenger": round(chance, 5)} for grade_id, chance in chances.items()]
    with sessions.begin() as session:
        session.execute(update(Grade).where(Grade.as_of == as_of).values(challenger=None))
        if rows:
            session.execute(update(Grade), rows)


def _batches(known: Known) -> pd.DataFrame:
    """Return every tested batch of a producer that the register knows."""
    diaries = _diaries(known)
    return pd.DataFrame(
        [
            {
                **_place(known, enterprise_id),
                **diaries[enterprise_id].before(fact.occurred_on),
                "product": fact.product_id,
                "channel": fact.channel or "",
                "day": fact.occurred_on,
                "known": fact.known_on,
                "outcome": fact.outcome,
            }
            for (enterprise_id, role), facts in sorted(known.facts.items())
            if role == "producer" and enterprise_id in known.enterprises
            for fact in facts
            if isinstance(fact, Sample) and fact.tested
        ]
    )


def _next_batches(lines: list[tuple[int, int, str, str]], known: Known, as_of: date) -> pd.DataFrame:
    """Return the batch that might be drawn tomorrow from each producer's line."""
    diaries = _diaries(known)
    return pd.DataFrame(
        [
            {
                **_place(known, enterprise_id),
                **diaries[enterprise_id].before(as_of + timedelta(days=1)),
                "product": product_id,
                "channel": "production",
                "day": as_of + timedelta(days=1),
                "known": NEVER,
                "outcome": "pass",
                "grade_id": grade_id,
            }
            for grade_id, enterprise_id, product_id, role in lines
            if role == "producer" and product_id
        ]
    )


@dataclass(frozen=True, slots=True)
class Diary:
    """On which days a producer's other records became known, kind by kind."""

    days: dict[str, list[date]]

    def before(self, day: date) -> dict[str, int]:
        """Count each kind in the windows before a day; a record known on the day itself does not count."""
        counts = {}
        for kind, windows in WINDOWS.items():
            days = self.days.get(kind, [])
            until = bisect_left(days, day)
            for window in windows:
                counts[f"{kind}_{window}d"] = until - bisect_left(days, day - timedelta(days=window))
        return counts


def _diaries(known: Known) -> dict[int, Diary]:
    """Return every producer's diary; copies of one complaint make one entry, on the day of the first."""
    found: dict[int, Diary] = defaultdict(lambda: Diary({}))
    for (enterprise_id, role), facts in known.facts.items():
        if role != "producer":
            continue
        days: dict[str, list[date]] = defaultdict(list)
        told: set[tuple[str, int]] = set()
        for fact in sorted(facts, key=lambda one: (one.known_on, one.signal_id)):
            kind = KINDS.get(type(fact))
            cluster = getattr(fact, "cluster_id", None)
            if kind is None or (cluster is not None and (kind, cluster) in told):
                continue
            if cluster is not None:
                told.add((kind, cluster))
            if isinstance(fact, Inspection) and not (fact.findings or fact.passed is False):
                continue
            days[kind].append(fact.known_on)
        found[enterprise_id] = Diary(dict(days))
    return found


def _place(known: Known, enterprise_id: int) -> dict[str, Any]:
    standing = known.enterprises[enterprise_id]
    region = standing.region_code or ""
    return {"producer": enterprise_id, "region": region, "city": region[:4], "size": standing.size or ""}


def _verdict(batches: pd.DataFrame, as_of: date) -> dict[str, Any]:
    """Say whether the challenger has found more than every simple rival in the last year, beyond chance."""
    start = as_of - timedelta(days=BACK_TEST_DAYS)
    recent = batches["day"] > start
    if not (batches.loc[recent, "outcome"] == "fail").any() or (batches.loc[~recent, "outcome"] == "fail").sum() < (
        LEAST_FAILURES
    ):
        return {"promoted": False, "note": "回测期内不合格太少"}
    result: BackTest = back_test(
        inspections(batches, MAP), MAP, start, ablate=False, landmines=False, periods_before=PERIODS_BEFORE
    )
    chosen, rival = result.figure("chosen").measures, result.figure(result.best_rival).measures
    return {
        "promoted": result.beats_rivals,
        "coverage": [asdict(one) for one in result.coverage],
        "moved": _moved(result),
        "best_rival": result.best_rival,
        "gain": result.gain,
        "auc": _rounded(chosen.auc),
        "hit@10%": _rounded(chosen.hit_10),
        "rival_auc": _rounded(rival.auc),
        "rival_hit@10%": _rounded(rival.hit_10),
        "base_rate": _rounded(chosen.base_rate),
    }


def _moved(result: BackTest) -> dict[str, Any] | None:
    """Return the drift watch as it is kept: the failure rate then and now, and the inputs that moved most."""
    if result.moved is None:
        return None
    rate = result.moved.rate
    return {
        "base_rate": {**{name: round(value, 5) for name, value in asdict(rate).items()}, "moved": rate.moved},
        "inputs": [asdict(one) for one in result.moved.inputs],
    }


def _chances(batches: pd.DataFrame, wanted: pd.DataFrame, as_of: date) -> tuple[dict[int, float], Limits | None]:
    """Fit on everything known; return the probability for each line and the limits of the sets of plausible results.

    Both are calibrated on the last quarter, or longer where that held too few failures, by a model that had not seen
    it; no limits where a year did not hold enough.
    """
    if not len(wanted):
        return {}, None
    table: Inspections = inspections(pd.concat([batches, wanted], ignore_index=True), MAP)
    past = history(table)
    shape = Shape(past.names, past.entity)
    asked = np.arange(len(batches), len(table))
    product = past.product_of_rates()
    today = (as_of - date(1970, 1, 1)).days + 1

    def learned(before: int, rows: Any) -> Any:
        training = np.flatnonzero((table.known < before) & (table.days >= 0))
        model = fit(
            shape,
            past.values[training],
            table.failed[training],
            past.offset[training],
            (before - table.days[training]).astype(float),
        )
        return blended(model.scores(past.values[rows], past.offset[rows], product[rows]))

    for length in HELD_DAYS:
        start = today - length
        held = np.flatnonzero((table.days >= start) & (table.known < today))
        if table.failed[held].sum() >= LEAST_A_CLASS:
            break
    earlier = (table.known < start) & (table.days >= 0)
    line = calibrate(np.zeros(0), np.zeros(0, dtype=bool))
    limits = None
    if len(held) and table.failed[earlier].sum() >= LEAST_FAILURES:
        unseen = learned(start, held)
        line = calibrate(unseen, table.failed[held])
        with suppress(TooFewError):
            chances = line.probability(unseen)
            limits = Plausible.calibrate(chances, table.failed[held]).limits(chances)
    probability = line.probability(learned(today, asked))
    return dict(zip((int(one) for one in wanted["grade_id"]), probability.tolist(), strict=True)), limits


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 5)
