"""Setting a grade aside: two people, a reason, an end. Grades made by the scorecard stay beside, as it made them.

Everything here is judged on the day a grade is for. An override is known from the moment of its approval and holds
through its last day, so looking back on an earlier day shows that day as it was.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from store.china_time import CHINA, end_of
from store.tables import Enterprise, Grade, Override

LEVELS = ("A", "B", "C", "D", "U")
LONGEST_DAYS = 366

Measure = Callable[[int | None, Any], str]  # product tier, level -> the supervision measure


class OverrideError(ValueError):
    """The override cannot be made, approved or withdrawn; the message says why, in Chinese."""


def propose(
    session: Session, grade: Grade, value: str, *, reason: str, expires_on: date, account_id: int, at: datetime
) -> Override:
    """Ask for `value` in place of a grade through `expires_on`; nothing changes until somebody else approves."""
    machine = grade.machine_level or grade.level
    today = at.astimezone(CHINA).date()
    if value not in LEVELS:
        raise OverrideError("请选择调整后的等级")
    if value == machine:
        raise OverrideError(f"系统分级已经是 {machine}，不需要调整")
    if not reason.strip():
        raise OverrideError("人工调整须写明理由")
    if not today <= expires_on <= today + timedelta(days=LONGEST_DAYS):
        raise OverrideError("有效期应从今天起，最长一年")
    pending = session.scalar(
        select(Override.id).where(
            *_same_target(grade),
            Override.approved_at.is_(None),
            Override.refused_at.is_(None),
            Override.withdrawn_at.is_(None),
            Override.expires_on >= today,  # a proposal nobody took up in time has lapsed
        )
    )
    if pending is not None:
        raise OverrideError("这一等级已有待批准的调整，请先办理")
    row = Override(
        target_kind="grade",
        target_id=grade.id,
        enterprise_id=grade.enterprise_id,
        role=grade.role,
        product_id=grade.product_id,
        set_aside=machine,
        value=value,
        reason=reason.strip(),
        account_id=account_id,
        made_at=at,
        expires_on=expires_on,
    )
    session.add(row)
    session.flush()
    return row


def decide(
    session: Session, override_id: int, *, approve: bool, account_id: int, remark: str, at: datetime
) -> Override:
    """Approve or refuse a proposal. OverrideError when it was one's own, was decided, or has ended already."""
    row = _grade_override(session, override_id)
    if row.approved_at or row.refused_at or row.withdrawn_at:
        raise OverrideError("这项调整已经办理过")
    if row.account_id == account_id:
        raise OverrideError("提出人不能批准自己的调整，请由另一人办理")
    if approve and row.expires_on is not None and row.expires_on < at.astimezone(CHINA).date():
        raise OverrideError("这项调整的有效期已过，请重新提出")
    if not approve and not remark.strip():
        raise OverrideError("不批准须写明理由")
    row.approver_id, row.remark = account_id, remark.strip() or None
    if approve:
        row.approved_at = at
    else:
        row.refused_at = at
    session.flush()
    return row


def withdraw(session: Session, override_id: int, *, account_id: int, at: datetime) -> Override:
    """End an override before its last day, or take a proposal back. OverrideError when it has ended already."""
    row = _grade_override(session, override_id)
    if row.refused_at or row.withdrawn_at:
        raise OverrideError("这项调整已经结束")
    row.withdrawn_at, row.withdrawn_by = at, account_id
    session.flush()
    return row


def in_force(
    session: Session, as_of: date, enterprise_ids: Iterable[int] | None = None
) -> dict[tuple[int, str, str], Override]:
    """Return the overrides that hold on a day by (enterprise, product line, role); the latest approval wins.

    One over every product line stands under ''. A firm merged into another brings its overrides along.
    """
    owner = func.coalesce(Enterprise.merged_into_id, Enterprise.id)
    statement = (
        select(Override, owner.label("owner"))
        .join(Enterprise, Enterprise.id == Override.enterprise_id)
        .where(
            Override.target_kind == "grade",
            Override.approved_at < end_of(as_of),
            or_(Override.withdrawn_at.is_(None), Override.withdrawn_at >= end_of(as_of)),
            Override.expires_on >= as_of,
        )
        .order_by(Override.approved_at, Override.id)
    )
    if enterprise_ids is not None:
        statement = statement.where(owner.in_(list(enterprise_ids)))
    return {(row.owner, row.Override.product_id, row.Override.role): row.Override for row in session.execute(statement)}


def apply(session: Session, as_of: date, policy_hash: str, measure: Measure, enterprise_id: int | None = None) -> int:
    """Let the overrides that hold on a day stand in that day's grades, and end those that do not; return how many hold.

    The scorecard's level is kept beside. `measure` gives the supervision measure of a level. Safe to run twice.
    """
    firms = {enterprise_id} if enterprise_id is not None else _ever_set_aside(session, as_of)
    if not firms:
        return 0
    holding = in_force(session, as_of, firms)
    before = _levels_before(session, as_of, firms)
    count = 0
    for grade in session.scalars(
        select(Grade).where(Grade.as_of == as_of, Grade.policy_hash == policy_hash, Grade.enterprise_id.in_(firms))
    ):
        machine = grade.machine_level or grade.level
        key = (grade.enterprise_id, grade.product_id, grade.role)
        override = holding.get(key) or holding.get((grade.enterprise_id, "", grade.role))
        level = override.value if override else machine
        if level != grade.level:
            grade.level, grade.measure = level, measure(grade.tier, level)
        grade.machine_level = machine if override else None
        grade.override_id = override.id if override else None
        grade.previous_level = before.get(key, grade.previous_level)
        count += override is not None
    session.flush()
    return count


def _grade_override(session: Session, override_id: int) -> Override:
    row = session.get(Override, override_id)
    if row is None or row.target_kind != "grade":
        raise OverrideError("没有这项调整")
    return row


def _same_target(grade: Grade) -> tuple[Any, ...]:
    return (
        Override.target_kind == "grade",
        Override.enterprise_id == grade.enterprise_id,
        Override.role == grade.role,
        Override.product_id == grade.product_id,
    )


def _ever_set_aside(session: Session, as_of: date) -> set[int]:
    """Return the firms with an override approved by the end of a day, ended ones included."""
    owner = func.coalesce(Enterprise.merged_into_id, Enterprise.id)
    return set(
        session.scalars(
            select(owner)
            .join(Override, Override.enterprise_id == Enterprise.id)
            .where(Override.target_kind == "grade", Override.approved_at < end_of(as_of))
        )
    )


def _levels_before(session: Session, as_of: date, firms: set[int]) -> dict[tuple[int, str, str], str]:
    """Return the level each line was last shown with before a day: what a reader compares with."""
    return {
        (row.enterprise_id, row.product_id, row.role): row.level
        for row in session.execute(
            select(Grade.enterprise_id, Grade.product_id, Grade.role, Grade.level)
            .where(Grade.as_of < as_of, Grade.enterprise_id.in_(firms))
            .order_by(Grade.as_of, Grade.id)
        )
    }
