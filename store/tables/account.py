"""Accounts, sign-in sessions and the audit chain."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base


class Account(Base):
    """Who may sign in, in which role, over which region ('' = the whole province)."""

    __tablename__ = "account"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    display_name: Mapped[str]
    password_hash: Mapped[str]
    role: Mapped[str]  # admin | analyst | bureau | reader
    region_code: Mapped[str] = mapped_column(default="")  # prefix of adcodes in reach
    raw_text: Mapped[bool] = mapped_column(default=False)  # may open unmasked complaint text
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    password_changed_at: Mapped[datetime]


class LoginSession(Base):
    """A signed-in browser or API token, by the hash of its secret; deleting the row ends it at once."""

    __tablename__ = "login_session"
    __table_args__ = (Index(None, "account_id"),)

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    csrf: Mapped[str]
    kind: Mapped[str] = mapped_column(default="browser")  # browser | api
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ip: Mapped[str | None]


class LoginAttempt(Base):
    """One try to sign in, counted to slow guessing down."""

    __tablename__ = "login_attempt"
    __table_args__ = (Index(None, "username", "at"), Index(None, "ip", "at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str]
    ip: Mapped[str]
    at: Mapped[datetime]
    succeeded: Mapped[bool]


class AuditEntry(Base):
    """One act. Each row's hash covers the row before it, so an edit or a cut shows."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index(None, "at"), Index(None, "account_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    username: Mapped[str]
    act: Mapped[str]
    target_kind: Mapped[str]
    target_id: Mapped[str]
    region_code: Mapped[str | None]
    ip: Mapped[str | None]
    outcome: Mapped[str]  # done | refused
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    previous_hash: Mapped[str] = mapped_column(unique=True)  # the chain cannot fork
    hash: Mapped[str] = mapped_column(unique=True)
