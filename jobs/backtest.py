"""The grade of record put to the test: did the firms graded worse fail more often in the quarter after?

Every grade is compared with the batches sampled after its day and before the next grading, never with what it was
made from. The result is kept in the run's row, where the page reads it.
"""

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, sessionmaker

from jobs.runs import recorded_run
from jobs.settings import Settings
from scoring.backtest.measures import Bootstrap, measure
from scoring.features import Floats
from scoring.grade import wilson
from scoring.policy import LEVELS, load_policies, policy_in_force
from store.china_time import CHINA, end_of
from store.reads.grades import SCORECARD_LEVEL
from store.session import read_only
from store.tables import Complaint, Grade, Link, Mention, PlanLine, SamplingResult

LONGEST_WINDOW = timedelta(days=92)
Z95 = 1.96
LEAST_BATCHES = 30
RIVALS = {"score": "评分卡得分", "failed_before": "曾经不合格次数", "complaints_90d": "近 90 天投诉", "random": "随机"}


@dataclass(frozen=True, slots=True)
class Batch:
    """A tested batch of a producer."""

    signal_id: int
    enterprise_id: int
    day: date
    known_on: date
    product_id: str
    channel: str
    failed: bool


@dataclass(frozen=True, slots=True)
class Case:
    """A batch with the grade its producer had before it was drawn."""

    batch: Batch
    graded_on: date
    level: str
    score: float
    failed_before: int
    complaints: int


def run(sessions: sessionmaker[Session], settings: Settings, as_of: date) -> dict[str, Any]:
    """Compare the stored grades of the policy in force with what was sampled after them; return the figures.

    Reads only what was known by the end of `as_of`. Without grades older than `as_of` it says so and compares
    nothing.
    """
    policy = policy_in_force(load_policies(settings.policy_dir), as_of)
    with recorded_run(sessions, "backtest", as_of=as_of, policy_hash=policy.hash) as (_, counts):
        with read_only(sessions) as session:
            batches = _batches(session, as_of)
            cases = _cases(session, batches, as_of, policy.hash)
            random_share = _random_share(session, batches)
        counts.update(figures(cases))
        counts["random_share"] = random_share
    return counts


def figures(cases: list[Case]) -> dict[str, Any]:
    """Return failure rates by level, the lift at a tenth of the batches, and the same mix-adjusted."""
    if len(cases) < LEAST_BATCHES:
        return {"batches": len(cases), "note": f"分级之后的检验批次不足 {LEAST_BATCHES}，暂不下结论"}
    failed = np.asarray([case.batch.failed for case in cases])
    days = np.asarray([case.batch.day.toordinal() for case in cases])
    rankings: dict[str, Floats] = {
        "score": np.asarray([case.score for case in cases]),
        "failed_before": np.asarray([float(case.failed_before) for case in cases]),
        "complaints_90d": np.asarray([float(case.complaints) for case in cases]),
        "random": np.random.default_rng(0).random(len(cases)),
    }
    weeks = Bootstrap.weeks(days)
    by_level = [_level(level, cases) for level in (*LEVELS, "U")]
    graded = [row for row in by_level if row["level"] != "U" and row["batches"]]
    rates = [row["rate"] for row in graded]
    expected = _expected(cases)
    return {
        "batches": len(cases),
        "failures": int(failed.sum()),
        "base_rate": round(float(failed.mean()), 5),
        "gradings": sorted({case.graded_on.isoformat() for case in cases}),
        "by_level": by_level,
        "monotone": all(low <= high for low, high in pairwise(rates)),
        "d_over_a": _ratio(by_level),
        "rankings": [
            {
                "ranking": name,
                "zh": RIVALS[name],
                **_as_json(scores, failed),
                "interval": weeks.interval(scores, failed),
                "mix_adjusted": _mix_adjusted(scores, failed, expected),
            }
            for name, scores in rankings.items()
        ],
        "note": "被抽批次不是随机抽取：说明分级在被抽企业中是否有用，不能当作总体不合格率",
    }


def _as_json(scores: Floats, failed: Any) -> dict[str, float | None]:
    one = measure(scores, failed)
    named = {"auc": one.auc, "hit@2%": one.hit_2, "hit@10%": one.hit_10, "recall@10%": one.recall_10}
    return {name: None if value is None else round(value, 5) for name, value in named.items()}


def _level(level: str, cases: list[Case]) -> dict[str, Any]:
    own = [case.batch.failed for case in cases if case.level == level]
    low, high = wilson(sum(own), len(own), Z95)
    return {
        "level": level,
        "batches": len(own),
        "failures": sum(own),
        "rate": round(sum(own) / len(own), 5) if own else None,
        "low": round(low, 5),
        "high": round(high, 5),
    }


def _ratio(by_level: list[dict[str, Any]]) -> float | None:
    rates = {row["level"]: row["rate"] for row in by_level}
    return round(rates["D"] / rates["A"], 2) if rates.get("D") and rates.get("A") else None


def _expected(cases: list[Case]) -> Floats:
    """Return the failure rate of each batch's product × channel: what its mix alone leads one to expect."""
    totals: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for case in cases:
        cell = totals[case.batch.product_id, case.batch.channel]
        cell[0] += 1
        cell[1] += case.batch.failed
    overall = sum(case.batch.failed for case in cases) / len(cases)
    rates = {key: (bad + 5 * overall) / (count + 5) for key, (count, bad) in totals.items()}
    return np.asarray([rates[case.batch.product_id, case.batch.channel] for case in cases])


def _mix_adjusted(scores: Floats, failed: Any, expected: Floats) -> dict[str, float]:
    """Return found over expected in the top tenth: choosing risky products alone gives 1."""
    order = np.lexsort((np.random.default_rng(0).random(len(scores)), -scores))[: max(1, len(scores) // 10)]
    found, promised = float(failed[order].sum()), float(expected[order].sum())
    low, high = wilson(found, len(order), Z95)
    scale = len(order) / promised if promised else 0.0
    return {
        "found": found,
        "expected": round(promised, 2),
        "ratio": round(found / promised, 3) if promised else 0.0,
        "low": round(low * scale, 3),
        "high": round(high * scale, 3),
    }


def _batches(session: Session, as_of: date) -> list[Batch]:
    result, mention, link = SamplingResult, Mention, Link
    rows = session.execute(
        select(
            result.signal_id,
            link.enterprise_id,
            result.occurred_on,
            result.known_at,
            result.product_id,
            result.channel,
            result.outcome,
        )
        .join(mention, mention.signal_id == result.signal_id)
        .join(link, link.mention_id == mention.id)
        .where(
            mention.role == "producer",
            mention.denied.is_(False),
            link.enterprise_id.is_not(None),
            or_(link.decided == "link", and_(link.decided.is_(None), link.guess_decision == "link")),
            result.outcome.in_(("pass", "fail")),
            result.known_at < end_of(as_of),
        )
    )
    return sorted(
        (
            Batch(
                signal_id=row.signal_id,
                enterprise_id=row.enterprise_id,
                day=row.occurred_on,
                known_on=row.known_at.astimezone(CHINA).date(),
                product_id=row.product_id or "",
                channel=row.channel or "",
                failed=row.outcome == "fail",
            )
            for row in rows
        ),
        key=lambda batch: (batch.day, batch.signal_id),
    )


def _cases(session: Session, batches: list[Batch], as_of: date, policy_hash: str) -> list[Case]:
    """Give each batch the newest grade before its day, unless that is too old to count as the last word."""
    grades: dict[date, dict[int, tuple[str, float]]] = defaultdict(dict)
    for row in session.execute(
        select(Grade.as_of, Grade.enterprise_id, SCORECARD_LEVEL.label("level"), Grade.score).where(
            Grade.policy_hash == policy_hash,
            Grade.product_id == "",
            Grade.role == "producer",
            Grade.as_of < as_of,
        )
    ):
        grades[row.as_of][row.enterprise_id] = (row.level, row.score)
    gradings = sorted(grades)
    failures = _days_by_firm((batch.enterprise_id, batch.known_on) for batch in batches if batch.failed)
    complaints = _days_by_firm(_complaints(session, as_of))
    cases = []
    for batch in batches:
        at = bisect_left(gradings, batch.day) - 1
        if at < 0 or batch.day - gradings[at] > LONGEST_WINDOW:
            continue
        graded_on = gradings[at]
        if (found := grades[graded_on].get(batch.enterprise_id)) is None:
            continue
        told = complaints.get(batch.enterprise_id, [])
        cases.append(
            Case(
                batch=batch,
                graded_on=graded_on,
                level=found[0],
                score=found[1],
                failed_before=_until(failures.get(batch.enterprise_id, []), graded_on),
                complaints=_until(told, graded_on) - _until(told, graded_on - timedelta(days=90)),
            )
        )
    return cases


def _days_by_firm(found: Any) -> dict[int, list[date]]:
    days: dict[int, list[date]] = defaultdict(list)
    for enterprise_id, day in found:
        days[enterprise_id].append(day)
    return {enterprise_id: sorted(listed) for enterprise_id, listed in days.items()}


def _until(days: list[date], day: date) -> int:
    return bisect_left(days, day + timedelta(days=1))


def _complaints(session: Session, as_of: date) -> list[tuple[int, date]]:
    rows = session.execute(
        select(Link.enterprise_id, Complaint.known_at)
        .join(Mention, Mention.id == Link.mention_id)
        .join(Complaint, Complaint.signal_id == Mention.signal_id)
        .where(Link.enterprise_id.is_not(None), Mention.denied.is_(False), Complaint.known_at < end_of(as_of))
    )
    return [(row.enterprise_id, row.known_at.astimezone(CHINA).date()) for row in rows]


def _random_share(session: Session, batches: list[Batch]) -> dict[str, Any]:
    """Return the population's failure rate from plan lines drawn at random, weighted by 1 over their probability."""
    drawn = {
        row.result_signal_id: row.inclusion_probability
        for row in session.execute(
            select(PlanLine.result_signal_id, PlanLine.inclusion_probability).where(
                PlanLine.rule == "random", PlanLine.result_signal_id.is_not(None), PlanLine.inclusion_probability > 0
            )
        )
    }
    tested = [(batch.failed, 1.0 / drawn[batch.signal_id]) for batch in batches if batch.signal_id in drawn]
    if not tested:
        return {"batches": 0}
    weight = sum(share for _, share in tested)
    rate = sum(share for bad, share in tested if bad) / weight
    # Kish's effective size: unequal weights tell less than as many equal ones.
    effective = weight**2 / sum(share**2 for _, share in tested)
    low, high = wilson(rate * effective, effective, Z95)
    return {"batches": len(tested), "rate": round(rate, 5), "low": round(low, 5), "high": round(high, 5)}
