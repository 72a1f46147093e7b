"""The ledger: each hazard or failed sample on its way to closure."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base


class Case(Base):
    """One ledger row. The same signal never opens two."""

    __tablename__ = "ledger_case"
    __table_args__ = (UniqueConstraint("kind", "signal_id"), Index(None, "state", "region_code"))

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]  # failed_sample | hazard
    signal_id: Mapped[int] = mapped_column(ForeignKey("signal.id"))
    enterprise_id: Mapped[int | None] = mapped_column(ForeignKey("enterprise.id"))
    alert_id: Mapped[int | None] = mapped_column(ForeignKey("alert.id"))
    product_id: Mapped[str | None]
    region_code: Mapped[str | None]
    title: Mapped[str]
    opened_on: Mapped[date]
    state: Mapped[str]  # opened | notified | rectifying | rechecking | announced | closed
    closed_on: Mapped[date | None]


class CaseStep(Base):
    """A step that was taken, by whom, with what proof."""

    __tablename__ = "case_step"
    __table_args__ = (Index(None, "case_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("ledger_case.id"))
    step: Mapped[str]
    done_on: Mapped[date]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    remark: Mapped[str]
    proof: Mapped[dict[str, Any]] = mapped_column(default=dict)
    recorded_at: Mapped[datetime]


class Clock(Base):
    """A statutory deadline that runs on a case."""

    __tablename__ = "clock"
    __table_args__ = (UniqueConstraint("case_id", "limit_id"), Index(None, "due_on"))

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("ledger_case.id"))
    limit_id: Mapped[str]  # id in the table of statutory time limits
    started_on: Mapped[date]
    due_on: Mapped[date]
    met_on: Mapped[date | None]


class CalendarDay(Base):
    """A day the State Council moved, entered by an administrator; overrides the shipped calendar."""

    __tablename__ = "calendar_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    working: Mapped[bool]
    note: Mapped[str]
