"""Enterprises, their names and roles, and which record is whose."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base


class Enterprise(Base):
    """A legal person or individual business; provisional while it is known from records alone."""

    __tablename__ = "enterprise"
    __table_args__ = (Index(None, "name_key"), Index(None, "region_code", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    uscc: Mapped[str | None] = mapped_column(unique=True)
    name: Mapped[str]
    name_key: Mapped[str]  # normalised by nlp.enterprises
    region_code: Mapped[str | None]
    address: Mapped[str | None]
    size: Mapped[str | None]  # large | medium | small | micro
    status: Mapped[str] = mapped_column(default="active")  # active | dormant | revoked
    established_on: Mapped[date | None]
    provisional: Mapped[bool] = mapped_column(default=False)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("enterprise.id"))
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("enterprise.id"))
    known_at: Mapped[datetime]
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"))


class EnterpriseName(Base):
    """Another name of an enterprise: former name, short name, brand, shop nickname."""

    __tablename__ = "enterprise_name"
    __table_args__ = (UniqueConstraint("enterprise_id", "kind", "name"), Index(None, "name_key"))

    id: Mapped[int] = mapped_column(primary_key=True)
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"))
    name: Mapped[str]
    name_key: Mapped[str]
    kind: Mapped[str]  # former | short | brand | shop
    valid_to: Mapped[date | None]
    known_at: Mapped[datetime]


class EnterpriseRole(Base):
    """What an enterprise does with a product line ('' = any product)."""

    __tablename__ = "enterprise_role"
    __table_args__ = (UniqueConstraint("enterprise_id", "role", "product_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"))
    role: Mapped[str]  # producer | licensed_producer | ccc_holder | seller | online_shop | platform | market | user
    product_id: Mapped[str] = mapped_column(default="")
    known_at: Mapped[datetime]


class Merge(Base):
    """A person's decision that two entries are one enterprise; undone by setting `undone_at`."""

    __tablename__ = "merge"
    __table_args__ = (Index(None, "merged_id"), Index(None, "kept_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    kept_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"))
    merged_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"))
    reason: Mapped[str]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    merged_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))


class Mention(Base):
    """A name in a record: the cell of a table (start is null) or a span of the signal's text."""

    __tablename__ = "mention"
    __table_args__ = (UniqueConstraint("signal_id", "role", "text", "start"), Index(None, "signal_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    signal_id: Mapped[int] = mapped_column(ForeignKey("signal.id"))
    role: Mapped[str]  # producer | sampled | consigner | respondent | holder | text
    text: Mapped[str]
    start: Mapped[int] = mapped_column(default=-1)
    end: Mapped[int] = mapped_column(default=-1)
    uscc: Mapped[str | None]
    region_code: Mapped[str | None]
    address: Mapped[str | None]
    denied: Mapped[bool] = mapped_column(default=False)  # the producer says it did not make this


class Link(Base):
    """Whose mention it is. Machine columns can be rebuilt; the person's columns win and are never overwritten."""

    __tablename__ = "link"
    __table_args__ = (
        Index(None, "enterprise_id"),
        Index(None, "guess_decision"),
    )

    mention_id: Mapped[int] = mapped_column(ForeignKey("mention.id"), primary_key=True)
    enterprise_id: Mapped[int | None] = mapped_column(ForeignKey("enterprise.id"))  # the one in force
    guess_decision: Mapped[str]  # link | review | none
    guess_enterprise_id: Mapped[int | None] = mapped_column(ForeignKey("enterprise.id"))
    method: Mapped[str]  # uscc | exact_name | fuzzy | provisional
    score: Mapped[float]
    reasons: Mapped[list[Any]] = mapped_column(default=list)
    candidates: Mapped[list[Any]] = mapped_column(default=list)  # [{"enterprise_id", "score", "reasons"}]
    version: Mapped[str]
    priority: Mapped[float] = mapped_column(default=0.0)  # risk at stake x uncertainty; orders the review queue
    decided: Mapped[str | None]  # link | none | unsure
    decided_enterprise_id: Mapped[int | None] = mapped_column(ForeignKey("enterprise.id"))
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[datetime | None]
