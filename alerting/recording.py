"""From drafts to rows: an alert once per cause, with its deliveries in the same transaction."""

import secrets
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerting.policy import AlertPolicy
from alerting.routing import recipients, tiers_from
from alerting.rules import AlertDraft
from store.dialect import chunked, insert_ignore
from store.tables import Alert, Contact, Delivery


def record(
    session: Session, drafts: Sequence[AlertDraft], policy: AlertPolicy, now: datetime, run_id: int | None = None
) -> dict[str, int]:
    """Write the alerts that are new, and who is to be told; return how many of each.

    A cause that is already in the ledger is left as it is. Where one contact would get more than the policy's
    number in this run, the rest travel in one digest; none is dropped.
    """
    known: set[str] = set()
    for chunk in chunked([draft.cause_key for draft in drafts], 500):
        known.update(session.scalars(select(Alert.cause_key).where(Alert.cause_key.in_(chunk))))
    fresh = [draft for draft in drafts if draft.cause_key not in known]
    rows = [_row(draft, policy, now, run_id) for draft in fresh]
    insert_ignore(session, Alert.__table__, rows, key=["cause_key"])  # type: ignore[arg-type]
    alerts: list[Alert] = []
    for chunk in chunked([draft.cause_key for draft in fresh], 500):
        alerts.extend(session.scalars(select(Alert).where(Alert.cause_key.in_(chunk)).order_by(Alert.id)))
    sent = {draft.cause_key for draft in fresh if draft.deliver}
    counts = deliver_to_tier(session, [alert for alert in alerts if alert.cause_key in sent], policy, now, first_tier=1)
    return {"alerts": len(alerts), "known": len(known), **counts}


def deliver_to_tier(
    session: Session, alerts: Sequence[Alert], policy: AlertPolicy, now: datetime, *, first_tier: int
) -> dict[str, int]:
    """Write the deliveries of these alerts to the first tier from `first_tier` on that has somebody to tell."""
    contacts = session.scalars(select(Contact).where(Contact.active.is_(True)).order_by(Contact.id)).all()
    by_contact: dict[tuple[int, int], list[Alert]] = defaultdict(list)
    unrouted = 0
    for alert in alerts:
        tier = tiers_from(contacts, alert.region_code, first_tier, policy.escalation.tiers)
        if tier is None:
            unrouted += 1
            continue
        alert.escalation_tier = tier
        for contact in recipients(contacts, alert.region_code, tier):
            by_contact[contact.id, tier].append(alert)
    deliveries = 0
    for (contact_id, tier), for_contact in sorted(by_contact.items()):
        deliveries += _write(session, contact_id, tier, for_contact, policy, now)
    return {"deliveries": deliveries, "unrouted": unrouted}


def _write(
    session: Session, contact_id: int, tier: int, alerts: Sequence[Alert], policy: AlertPolicy, now: datetime
) -> int:
    together = [alert for alert in alerts if alert.colour not in policy.digest.alone]
    if len(together) <= policy.digest.over:
        together = []
    grouped = {alert.id for alert in together}
    rows = [_delivery(alert.id, contact_id, tier, now) for alert in alerts if alert.id not in grouped]
    session.add_all(rows)
    if together:
        head = _delivery(together[0].id, contact_id, tier, now)
        session.add(head)
        session.flush()
        for alert in together[1:]:
            member = _delivery(alert.id, contact_id, tier, now)
            member.digest_id = head.id
            session.add(member)
    session.flush()
    return len(alerts)


def _delivery(alert_id: int, contact_id: int, tier: int, now: datetime) -> Delivery:
    return Delivery(
        message_id=f"msg_{secrets.token_hex(16)}",
        alert_id=alert_id,
        contact_id=contact_id,
        tier=tier,
        status="waiting",
        attempts=0,
        next_at=now,
        sent_at=None,
        reply=None,
        digest_id=None,
    )


def _row(draft: AlertDraft, policy: AlertPolicy, now: datetime, run_id: int | None) -> dict[str, object]:
    colour = policy.colours[draft.colour]  # type: ignore[index]
    return {
        "rule": draft.rule,
        "cause_key": draft.cause_key,
        "colour": draft.colour,
        "title": draft.title,
        "body": "；".join(draft.reasons),
        "region_code": draft.region_code,
        "enterprise_id": draft.enterprise_id,
        "product_id": draft.product_id,
        "evidence": list(draft.evidence),
        "reasons": list(draft.reasons),
        "state": "open",
        "raised_at": now,
        "acknowledge_by": now + timedelta(hours=colour.acknowledge_hours),
        "report_by": now + timedelta(hours=colour.report_hours),
        "escalation_tier": 1,
        "policy_hash": policy.hash,
        "run_id": run_id,
    }
