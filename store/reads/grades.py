"""Grades over time, and the verdicts on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.reads.scope import Scope
from store.tables import Enterprise, Grade, PolicyVersion, Run

# What the scorecard gave, whether or not a person's override stands in its place.
SCORECARD_LEVEL = func.coalesce(Grade.machine_level, Grade.level)


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
