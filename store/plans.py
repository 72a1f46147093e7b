"""What people decide about plans: issuing one, withdrawing a line. An issued plan is a record, never rewritten."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from store.tables import Override, Plan, PlanLine


class PlanStateError(ValueError):
    """The plan is not in a state that allows this; the message says why, in Chinese."""


def issue(session: Session, plan_id: int, *, at: datetime) -> Plan:
    """Make a draft the plan in force for its region; the plan issued before it for the same period is superseded.

    Issuing an issued plan again changes nothing. Raises PlanStateError for a superseded or finished one.
    """
    plan = session.get_one(Plan, plan_id)
    if plan.status == "issued":
        return plan
    if plan.status != "draft":
        raise PlanStateError(f"计划“{plan.title}”已是“{plan.status}”状态，不能下达")
    for earlier in session.scalars(
        select(Plan).where(
            Plan.status == "issued", Plan.region_code.is_not_distinct_from(plan.region_code), Plan.as_of == plan.as_of
        )
    ):
        earlier.status = "superseded"
    plan.status = "issued"
    plan.issued_at = at
    session.flush()
    return plan


def withdraw_line(session: Session, line_id: int, *, reason: str, account_id: int, at: datetime) -> Override:
    """Take a line out of its plan, with the person and the reason; what comes of the firm later is counted.

    Raises PlanStateError when the line was already sampled or withdrawn, its plan is over, or the reason is empty.
    """
    if not reason.strip():
        raise PlanStateError("撤销计划行须写明理由")
    line = session.get_one(PlanLine, line_id)
    plan = session.get_one(Plan, line.plan_id)
    if plan.status not in ("draft", "issued"):
        raise PlanStateError(f"计划“{plan.title}”已是“{plan.status}”状态，不能撤销其中的行")
    changed = session.execute(
        update(PlanLine).where(PlanLine.id == line_id, PlanLine.status == "planned").values(status="withdrawn")
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise PlanStateError(f"计划行 {line.code} 已是“{line.status}”状态，不能撤销")
    override = Override(
        target_kind="plan_line",
        target_id=line_id,
        enterprise_id=line.enterprise_id,
        value="withdrawn",
        reason=reason.strip(),
        account_id=account_id,
        made_at=at,
    )
    session.add(override)
    session.flush()
    return override
