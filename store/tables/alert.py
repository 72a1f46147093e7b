"""Alerts, the outbox that delivers them, and the answers."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base


class Alert(Base):
    """A change worth telling. `cause_key` makes one cause one alert, however often the rule runs."""

    __tablename__ = "alert"
    __table_args__ = (Index(None, "state", "colour"), Index(None, "region_code"))

    id: Mapped[int] = mapped_column(primary_key=True)
    rule: Mapped[str]
    cause_key: Mapped[str] = mapped_column(unique=True)
    colour: Mapped[str]  # red | orange | yellow | blue
    title: Mapped[str]
    body: Mapped[str]
    region_code: Mapped[str | None]
    enterprise_id: Mapped[int | None] = mapped_column(ForeignKey("enterprise.id"))
    product_id: Mapped[str | None]
    evidence: Mapped[list[Any]] = mapped_column(default=list)  # signal ids
    reasons: Mapped[list[Any]] = mapped_column(default=list)
    state: Mapped[str]  # open | acknowledged | handling | reported | closed | suppressed
    raised_at: Mapped[datetime]
    acknowledge_by: Mapped[datetime]
    report_by: Mapped[datetime]
    escalation_tier: Mapped[int] = mapped_column(default=1)
    policy_hash: Mapped[str]
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"))


class Delivery(Base):
    """One message to one recipient: written with its cause, sent later, at least once, under one id."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("alert_id", "contact_id", "tier"),
        Index(None, "status", "next_at"),
        Index(None, "digest_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(unique=True)
    alert_id: Mapped[int] = mapped_column(ForeignKey("alert.id"))
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"))
    tier: Mapped[int]
    status: Mapped[str]  # waiting | sending | sent | dead | cancelled
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    reply: Mapped[str | None]
    digest_id: Mapped[int | None] = mapped_column(ForeignKey("delivery.id"))  # the message this one travels in


class Acknowledgement(Base):
    """One answer to an alert by a named person."""

    __tablename__ = "acknowledgement"
    __table_args__ = (Index(None, "alert_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    alert_id: Mapped[int] = mapped_column(ForeignKey("alert.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    kind: Mapped[str]  # acknowledge | handle | report | verify | close | return
    remark: Mapped[str]
    made_at: Mapped[datetime]


class Contact(Base):
    """Who is told in a bureau, and how. Tier 1 city contact, 2 city lead, 3 province."""

    __tablename__ = "contact"
    __table_args__ = (UniqueConstraint("region_code", "channel", "address", "tier"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    region_code: Mapped[str]
    name: Mapped[str]
    channel: Mapped[str]  # webhook | email
    address: Mapped[str]
    secret: Mapped[str | None]
    tier: Mapped[int] = mapped_column(default=1)
    active: Mapped[bool] = mapped_column(default=True)
