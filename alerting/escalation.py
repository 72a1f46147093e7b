"""Nobody is left unwarned: a missed acknowledgement or a dead address tells the next tier."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from alerting.policy import AlertPolicy
from alerting.recording import deliver_to_tier
from store.tables import Acknowledgement, Alert

ACTED = ("handle", "report", "verify", "close")


def escalate_due(session: Session, policy: AlertPolicy, now: datetime) -> dict[str, int]:
    """Tell the next tier about every open alert past its time, and re-open what was acknowledged and left alone.

    Each step of each alert happens once, whoever else runs this at the same moment.
    """
    quiet = policy_quiet(policy)
    due = session.execute(
        select(Alert.id, Alert.escalation_tier).where(
            Alert.state == "open",
            Alert.acknowledge_by <= now,
            Alert.escalation_tier < policy.escalation.tiers,
            Alert.rule.not_in(quiet),
        )
    ).all()
    escalated = sum(escalate_now(session, [row.id], row.escalation_tier, policy, now) for row in due)
    return {"escalated": escalated, "reopened": _reopen(session, policy, now)}


def escalate_now(session: Session, alert_ids: Sequence[int], tier: int, policy: AlertPolicy, now: datetime) -> int:
    """Move open alerts that stand at `tier` one tier on and write the deliveries; return how many moved."""
    if tier >= policy.escalation.tiers:
        return 0
    moved: list[Alert] = []
    for alert in session.scalars(select(Alert).where(Alert.id.in_(list(alert_ids))).order_by(Alert.id)):
        hours = policy.colours[alert.colour].acknowledge_hours  # type: ignore[index]
        changed = session.execute(
            update(Alert)
            .where(Alert.id == alert.id, Alert.state == "open", Alert.escalation_tier == tier)
            .values(escalation_tier=tier + 1, acknowledge_by=now + timedelta(hours=hours))
            .execution_options(synchronize_session=False)
        )
        if _changed(changed) == 1:
            session.refresh(alert)
            moved.append(alert)
    if moved:
        deliver_to_tier(session, moved, policy, now, first_tier=tier + 1)
    return len(moved)


def policy_quiet(policy: AlertPolicy) -> list[str]:
    """Return the rules whose alerts are shown but never sent."""
    return [rule for rule, trigger in policy.rules.items() if not trigger.deliver]


def _reopen(session: Session, policy: AlertPolicy, now: datetime) -> int:
    """Put acknowledged alerts without any act by the reporting time back to open and tell the next tier."""
    acted = select(Acknowledgement.alert_id).where(Acknowledgement.kind.in_(ACTED))
    idle = session.execute(
        select(Alert.id, Alert.escalation_tier).where(
            Alert.state == "acknowledged", Alert.report_by <= now, Alert.id.not_in(acted)
        )
    ).all()
    reopened = 0
    for row in idle:
        changed = session.execute(
            update(Alert).where(Alert.id == row.id, Alert.state == "acknowledged").values(state="open")
        )
        if _changed(changed) == 1:
            reopened += 1
            escalate_now(session, [row.id], row.escalation_tier, policy, now)
    return reopened


def _changed(result: Any) -> int:
    assert isinstance(result, CursorResult)
    return result.rowcount
