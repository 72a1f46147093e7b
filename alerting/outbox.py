"""The outbox: what is due is claimed, tried and marked, at least once and under one id.

The attempt is written down before the message leaves. A row is claimed by an UPDATE that must change exactly one
row; a claim that is never finished (the process died) falls due again when its lease ends, and its repeat carries
the same id.
"""

import random
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session, sessionmaker

from alerting.channels.message import Channel, Message, SendError
from alerting.compose import message_of
from alerting.escalation import escalate_now
from alerting.policy import AlertPolicy
from store.session import read_only
from store.tables import Alert, Contact, Delivery

BATCH = 200
AT_ONCE = 8  # receivers served side by side
_TAKEN = "taken"  # claimed by another process, or nothing left to tell


@dataclass(frozen=True, slots=True)
class _Claim:
    """A delivery that is ours for the length of its lease."""

    delivery_id: int
    attempt: int
    message: Message
    contact_id: int
    channel: str
    address: str
    secret: str | None


def deliver_due(
    sessions: sessionmaker[Session],
    channels: Mapping[str, Channel],
    now: datetime,
    *,
    policy: AlertPolicy,
    synthetic: bool = False,
) -> dict[str, int]:
    """Try every delivery that is due and return how many were sent, put off, and given up.

    Safe beside another process doing the same: each row is claimed by one of them. Rows whose channel is not
    configured stay waiting and are counted as such.
    """
    counts = {"sent": 0, "put_off": 0, "dead": 0, "no_channel": 0}

    def deliver(delivery_ids: list[int]) -> list[str]:
        return [_deliver(sessions, channels, now, delivery_id, policy, synthetic) for delivery_id in delivery_ids]

    # A receiver that hangs holds up its own messages only.
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for outcomes in pool.map(deliver, _due(sessions, now)):
            for outcome in outcomes:
                counts[outcome] = counts.get(outcome, 0) + 1
    counts.pop(_TAKEN, None)
    return counts


def _deliver(
    sessions: sessionmaker[Session],
    channels: Mapping[str, Channel],
    now: datetime,
    delivery_id: int,
    policy: AlertPolicy,
    synthetic: bool,
) -> str:
    """Claim one delivery, try it and mark it; return which count it belongs to."""
    with sessions.begin() as session:
        claim = _claim(session, delivery_id, now, policy, channels, synthetic)
    if claim is None:
        return _TAKEN
    if claim.channel not in channels:
        return "no_channel"
    try:
        reply = channels[claim.channel].send(claim.message, claim.address, claim.secret, now)
    except SendError as error:
        with sessions.begin() as session:
            return _failed(session, claim, error, now, policy)
    with sessions.begin() as session:
        _sent(session, claim, reply, now)
    return "sent"


def _due(sessions: sessionmaker[Session], now: datetime) -> list[list[int]]:
    """The deliveries that are due, in order, one list a receiver."""
    with read_only(sessions) as session:
        rows = session.execute(
            select(Delivery.id, Contact.channel, Contact.address)
            .join(Contact, Contact.id == Delivery.contact_id)
            .where(
                Delivery.status.in_(("waiting", "sending")),
                Delivery.next_at <= now,
                Delivery.digest_id.is_(None),
            )
            .order_by(Delivery.next_at, Delivery.id)
            .limit(BATCH)
        ).all()
    by_receiver: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        by_receiver.setdefault((row.channel, row.address), []).append(row.id)
    return list(by_receiver.values())


def _claim(
    session: Session,
    delivery_id: int,
    now: datetime,
    policy: AlertPolicy,
    channels: Mapping[str, Channel],
    synthetic: bool,
) -> _Claim | None:
    delivery = session.get_one(Delivery, delivery_id)
    contact = session.get_one(Contact, delivery.contact_id)
    attempt = delivery.attempts + 1
    if contact.channel in channels:
        taken = session.execute(
            update(Delivery)
            .where(
                Delivery.id == delivery_id,
                Delivery.status == delivery.status,
                Delivery.attempts == delivery.attempts,
                Delivery.status.in_(("waiting", "sending")),
                Delivery.next_at <= now,
            )
            .values(
                status="sending",
                attempts=attempt,
                next_at=now + timedelta(seconds=policy.delivery.lease_seconds),
            )
        )
        if _changed(taken) != 1:
            return None
    members = session.scalars(
        select(Alert)
        .join(Delivery, Delivery.alert_id == Alert.id)
        .where((Delivery.id == delivery_id) | (Delivery.digest_id == delivery_id))
        .where(Delivery.status != "cancelled")
    ).all()
    if not members:
        return None
    message = message_of(delivery.message_id, members, delivery.tier, policy, synthetic=synthetic)
    return _Claim(delivery_id, attempt, message, contact.id, contact.channel, contact.address, contact.secret)


def _sent(session: Session, claim: _Claim, reply: str, now: datetime) -> None:
    # A cancelled member of a digest stays cancelled; the rest share the head's fate.
    session.execute(
        update(Delivery)
        .where(
            (Delivery.id == claim.delivery_id) | (Delivery.digest_id == claim.delivery_id),
            Delivery.status.in_(("sending", "waiting")),
        )
        .values(status="sent", sent_at=now, reply=reply)
    )


def _failed(session: Session, claim: _Claim, error: SendError, now: datetime, policy: AlertPolicy) -> str:
    schedule = policy.delivery.retry_seconds
    give_up = not error.again or claim.attempt > len(schedule)
    mine = (Delivery.id == claim.delivery_id) & (Delivery.attempts == claim.attempt) & (Delivery.status == "sending")
    if not give_up:
        wait = _wait(schedule[claim.attempt - 1], error.wait_seconds, policy, claim.message.id, claim.attempt)
        session.execute(
            update(Delivery)
            .where(mine)
            .values(status="waiting", next_at=now + timedelta(seconds=wait), reply=error.reply)
        )
        return "put_off"
    if _changed(session.execute(update(Delivery).where(mine).values(status="dead", reply=error.reply))) == 1:
        session.execute(
            update(Delivery)
            .where(Delivery.digest_id == claim.delivery_id, Delivery.status == "waiting")
            .values(status="dead", reply=error.reply)
        )
        if error.gone:
            session.execute(update(Contact).where(Contact.id == claim.contact_id).values(active=False))
        # Nobody was reached, so waiting for an acknowledgement would only lose time.
        escalate_now(session, [item.alert_id for item in claim.message.items], claim.message.tier, policy, now)
    return "dead"


def _wait(planned: float, asked: float | None, policy: AlertPolicy, message_id: str, attempt: int) -> float:
    """Return the seconds until the next try: the schedule's with jitter, or longer when the receiver asked for it."""
    spread = policy.delivery.jitter
    # Seeded by the message and attempt, so that a replay gives the same time.
    jittered = planned * (1 + random.Random(f"{message_id}:{attempt}").uniform(-spread, spread))
    if asked is None:
        return jittered
    return max(jittered, min(asked, policy.delivery.longest_retry_after_seconds))


def _changed(result: Any) -> int:
    assert isinstance(result, CursorResult)
    return result.rowcount
