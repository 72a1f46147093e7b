"""Grades with their reasons, the policies they were made under, and overrides."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base


class Grade(Base):
    """Grade of an enterprise (product_id '' = over all its product lines) as of a date. Derived."""

    __tablename__ = "grade"
    __table_args__ = (
        UniqueConstraint("enterprise_id", "product_id", "role", "as_of", "policy_hash"),
        Index(None, "as_of", "level"),
        Index(None, "as_of", "score"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"))
    product_id: Mapped[str] = mapped_column(default="")
    role: Mapped[str] = mapped_column(default="producer")  # producer | seller
    as_of: Mapped[date]
    score: Mapped[float]
    level: Mapped[str]  # A | B | C | D | U
    previous_level: Mapped[str | None]
    forced_rule: Mapped[str | None]
    contributions: Mapped[
        list[Any]
    ]  # [{"indicator","zh","points","weight","value","sentence","cap","evidence":[signal ids]}]
    missing: Mapped[list[Any]] = mapped_column(default=list)
    interval: Mapped[list[Any]] = mapped_column(default=list)  # [low, high] of the score
    measure: Mapped[str | None]  # 信用 | 常规 | 常规+ | 加强 | 严管
    valid_to: Mapped[date | None]
    challenger: Mapped[float | None]  # learned probability that the next sample fails
    policy_hash: Mapped[str]
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"))


class PolicyVersion(Base):
    """The text of a policy file as it was in force."""

    __tablename__ = "policy_version"

    hash: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]  # grade | plan | alert
    body: Mapped[str]
    first_used_at: Mapped[datetime]


class Override(Base):
    """A person set aside a grade, plan line or alert, and why; its later outcome is counted."""

    __tablename__ = "override"
    __table_args__ = (Index(None, "target_kind", "target_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    target_kind: Mapped[str]  # grade | plan_line | alert
    target_id: Mapped[int]
    enterprise_id: Mapped[int | None] = mapped_column(ForeignKey("enterprise.id"))
    value: Mapped[str]
    reason: Mapped[str]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    approver_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    made_at: Mapped[datetime]
    expires_on: Mapped[date | None]
    withdrawn_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
