"""Alerts, contacts and fake channels for the outbox's tests."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from alerting.channels import Message, SendError
from alerting.policy import load_alert_policy
from alerting.recording import record
from alerting.rules import AlertDraft
from store.tables import Contact, Delivery

NOW = datetime(2026, 10, 31, 1, 0, tzinfo=UTC)
POLICY = load_alert_policy()


def make_draft(number: int = 1, **changes: Any) -> AlertDraft:
    values: dict[str, Any] = {
        "rule": "A06", "cause_key": f"A06:{number}", "colour": "yellow", "title": "甲公司 充电器：连续或重复不合格",
        "reasons": ("2026-01-05 与 2026-10-20 连续两批不合格",), "region_code": "990101",
    }  # fmt: skip
    return AlertDraft(**(values | changes))


def add_contact(session: Session, region_code: str = "990100", tier: int = 1, **changes: Any) -> Contact:
    values: dict[str, Any] = {
        "region_code": region_code, "name": "值班", "channel": "webhook", "tier": tier, "active": True,
        "address": f"http://bureau.example/{region_code}/{tier}", "secret": None,
    }  # fmt: skip
    contact = Contact(**(values | changes))
    session.add(contact)
    session.flush()
    return contact


def raise_alerts(sessions: sessionmaker[Session], *drafts: AlertDraft, now: datetime = NOW) -> dict[str, int]:
    with sessions.begin() as session:
        return record(session, drafts, POLICY, now)


def deliveries(sessions: sessionmaker[Session]) -> list[Delivery]:
    with sessions() as session:
        return list(session.scalars(select(Delivery).order_by(Delivery.id)))


class Inbox:
    """A channel that keeps what it is given, or fails as told by message id and try."""

    def __init__(self, fail: Callable[[Message, int], SendError | None] = lambda _message, _number: None) -> None:
        self.received: list[tuple[str, str, datetime]] = []
        self.messages: list[Message] = []
        self.tries: dict[str, int] = {}
        self._fail = fail

    def send(self, message: Message, address: str, secret: str | None, now: datetime) -> str:
        number = self.tries[message.id] = self.tries.get(message.id, 0) + 1
        if error := self._fail(message, number):
            raise error
        self.received.append((message.id, address, now))
        self.messages.append(message)
        return "ok"
