"""Grades over time, the verdicts on them, and the batches that colour a region × product."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from store.reads.scope import Scope
from store.tables import Enterprise, Grade, Injury, Link, Mention, PolicyVersion, Run, SamplingResult


@dataclass(frozen=True, slots=True)
class GradePoint:
    """An enterprise's grade on one day."""

    as_of: date
    level: str
    score: float
    low: float
    high: float
    forced_rule: str | None
    policy_hash: str
    contributions: Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class PlacedBatch:
    """A tested batch where it was made, for the state of its region × product."""

    signal_id: int
    enterprise_id: int
    region_code: str
    product_id: str
    occurred_on: date
    failed: bool
    fatal: bool


def grade_history(
    session: Session, scope: Scope, enterprise_id: int, *, product_id: str = "", role: str = "producer"
) -> list[GradePoint]:
    """Return an enterprise's grades, oldest first; empty when it is out of reach."""
    rows = session.scalars(
        select(Grade)
        .join(Enterprise, Enterprise.id == Grade.enterprise_id)
        .where(
            scope.where(Enterprise.region_code),
            Grade.enterprise_id == enterprise_id,
            Grade.product_id == product_id,
            Grade.role == role,
        )
        .order_by(Grade.as_of, Grade.id)
    )
    return [
        GradePoint(
            as_of=row.as_of,
            level=row.level,
            score=row.score,
            low=row.interval[0] if row.interval else row.score,
            high=row.interval[1] if row.interval else row.score,
            forced_rule=row.forced_rule,
            policy_hash=row.policy_hash,
            contributions=row.contributions,
        )
        for row in rows
    ]


def latest_verdict(session: Session, job: str, as_of: date | None = None) -> tuple[date, dict[str, Any]] | None:
    """Return the newest good run of 'backtest' or 'challenger' and what it found; None when there is none."""
    statement = select(Run).where(Run.job == job, Run.status == "ok", Run.as_of.is_not(None))
    if as_of is not None:
        statement = statement.where(Run.as_of <= as_of)
    row = session.scalars(statement.order_by(Run.as_of.desc(), Run.id.desc()).limit(1)).first()
    return (row.as_of, row.counts) if row is not None and row.as_of is not None else None


def policy_body(session: Session, policy_hash: str) -> str | None:
    """Return the text of a policy as it was in force when a grade was made under it."""
    row = session.get(PolicyVersion, policy_hash)
    return row.body if row else None


def placed_batches(session: Session, scope: Scope, since: date, known_before: datetime) -> list[PlacedBatch]:
    """Return the tested batches of producers in reach since a day, with those of deaths found product-caused.

    A batch is placed at its producer's county, where the cause of a failure lies.
    """
    in_force = and_(
        Link.enterprise_id.is_not(None),
        or_(Link.decided == "link", and_(Link.decided.is_(None), Link.guess_decision == "link")),
        Mention.denied.is_(False),
        scope.where(Enterprise.region_code),
        Enterprise.region_code.is_not(None),
    )

    def placed(record: type[Any]) -> Any:
        return (
            select(record, Link.enterprise_id, Enterprise.region_code)
            .join(Mention, Mention.signal_id == record.signal_id)
            .join(Link, Link.mention_id == Mention.id)
            .join(Enterprise, Enterprise.id == Link.enterprise_id)
            .where(in_force, record.occurred_on > since, record.known_at < known_before, record.product_id.is_not(None))
            .order_by(record.signal_id)
        )

    samples = session.execute(
        placed(SamplingResult).where(Mention.role == "producer", SamplingResult.outcome.in_(("pass", "fail")))
    )
    deaths = session.execute(placed(Injury).where(Injury.deaths > 0, Injury.followed_up.is_(True)))
    found = [
        PlacedBatch(
            row[0].signal_id, row[1], row[2], row[0].product_id, row[0].occurred_on, row[0].outcome == "fail", False
        )
        for row in samples
    ]
    found += [
        PlacedBatch(row[0].signal_id, row[1], row[2], row[0].product_id, row[0].occurred_on, True, True)
        for row in deaths
    ]
    return found
