"""Taking a step in a case: the row, the state, and the clocks that follow from it, in one transaction."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from casework.deadlines import WorkCalendar
from casework.limits import load_limits
from casework.rules import Done, StepError, check_closing, clocks, load_case_policy
from store.dialect import serialise, upsert
from store.tables import CalendarDay, Case, CaseStep, Clock

__all__ = ["StepError", "possible_steps", "set_clocks", "take", "work_calendar"]

_STATES = {"reported": "rectifying"}  # a report leaves the case where it is


def work_calendar(session: Session) -> WorkCalendar:
    """Return the calendar with the days an administrator entered."""
    return WorkCalendar({row.day: row.working for row in session.scalars(select(CalendarDay))})


def possible_steps(kind: str, state: str) -> list[tuple[str, str]]:
    """Return the steps a case of this kind may take from a state, as (code, Chinese name), the usual one first."""
    if state == "closed":
        return []
    steps = load_case_policy().steps[kind]
    codes = [step.step for step in steps]
    later = steps[codes.index(state) + 1 :] if state in codes else steps[1:]
    again = [step for step in steps if step.step == "rechecking" and step not in later]
    return [(step.step, step.zh) for step in (*again, *later)]


def take(
    session: Session,
    case_id: int,
    *,
    step: str,
    done_on: date,
    account_id: int | None,
    remark: str,
    at: datetime,
    proof: Mapping[str, Any] | None = None,
) -> CaseStep:
    """Record a step and let the clocks follow. A step that is already there with the same day and proof stays one.

    Raises StepError for an unknown step, a closed case, a date before the case was opened, or a closing that
    neither a passed re-check nor a person's proof supports.
    """
    serialise(session, "casework")
    case = session.get_one(Case, case_id, with_for_update=True)
    policy = load_case_policy()
    if step not in {known.step for known in policy.steps[case.kind]}:
        raise StepError(f"此类台账没有“{step}”这一步")
    if done_on < case.opened_on:
        raise StepError(f"日期 {done_on} 早于立项日期 {case.opened_on}")
    proof = dict(proof or {})
    rows = session.scalars(select(CaseStep).where(CaseStep.case_id == case_id).order_by(CaseStep.id)).all()
    for row in rows:
        if (row.step, row.done_on, row.proof) == (step, done_on, proof):
            return row
    if case.state == "closed":
        raise StepError("台账已销号")
    new = CaseStep(
        case_id=case_id, step=step, done_on=done_on, account_id=account_id, remark=remark, proof=proof, recorded_at=at
    )
    done = [done_of(row) for row in (*rows, new)]
    if step == "closed":
        check_closing(case.kind, done)
    session.add(new)
    case.state = _STATES.get(step, step)
    case.closed_on = done_on if step == "closed" else None
    session.flush()
    set_clocks(session, case, done, work_calendar(session))
    return new


def set_clocks(session: Session, case: Case, done: list[Done], calendar: WorkCalendar) -> None:
    """Make the stored clocks of a case those that follow from its steps."""
    rows = [
        {
            "case_id": case.id,
            "limit_id": clock.limit_id,
            "started_on": clock.started_on,
            "due_on": clock.due_on,
            "met_on": clock.met_on,
        }
        for clock in clocks(case.kind, done, load_case_policy(), load_limits(), calendar)
    ]
    if rows:
        upsert(
            session, Clock.__table__, rows, key=["case_id", "limit_id"], update=["started_on", "due_on", "met_on"]  # type: ignore[arg-type]
        )  # fmt: skip


def done_of(row: CaseStep) -> Done:
    """Return a stored step as the rules read it: with its re-check's result, and whether a person proved it."""
    by_person = row.account_id is not None and any(str(value).strip() for value in row.proof.values())
    return Done(row.step, row.done_on, row.proof.get("passed"), by_person)
