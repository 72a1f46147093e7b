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
    level: Mapped[str]  # A | B | C | D | U; the one in force: a person's while an override holds, else the scorecard's
    machine_level: Mapped[str | None]  # what the scorecard gave, while an override holds
    override_id: Mapped[int | None] = mapped_column(ForeignKey("override.id"))
    previous_level: Mapped[str | None]
    forced_rule: Mapped[str | None]
    contributions: Mapped[
        list[Any]
    ]  # [{"indicator","zh","points","weight","value","sentence","cap","evidence":[signal ids]}]
    missing: Mapped[list[Any]] = mapped_column(default=list)
    interval: Mapped[list[Any]] = mapped_column(default=list)  # [low, high] of the score
    tier: Mapped[int | None]  # the products' inherent risk the measure was read at, 1 low to 4 critical
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
    """A person set aside a grade, plan line or alert, and why. What came of it is read from later samples.

    A grade is set aside by two people: one proposes, another approves or refuses. It holds from its approval to the
    end of `expires_on`, or until it is withdrawn.
    """

    __tablename__ = "override"
    __table_args__ = (Index(None, "target_kind", "target_id"), Index(None, "enterprise_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    target_kind: Mapped[str]  # grade | plan_line | alert
    target_id: Mapped[int]
    enterprise_id: Mapped[int | None] = mapped_column(ForeignKey("enterprise.id"))
    role: Mapped[str] = mapped_column(default="", server_default="")  # of a grade: producer | seller
    product_id: Mapped[str] = mapped_column(default="", server_default="")  # '' = every product line
    set_aside: Mapped[str | None]  # what the machine said when the override was proposed
    value: Mapped[str]
    reason: Mapped[str]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    made_at: Mapped[datetime]
    approver_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))  # who approved or refused
    approved_at: Mapped[datetime | None]
    refused_at: Mapped[datetime | None]
    remark: Mapped[str | None]  # the approver's
    expires_on: Mapped[date | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))


class AreaState(Base):
    """A region × product flagged 黄色警示 or 红色警情 on a day; 'none' on the day a flag was taken away. Derived."""

    __tablename__ = "area_state"
    __table_args__ = (UniqueConstraint("region_code", "product_id", "as_of", "policy_hash"), Index(None, "as_of"))

    id: Mapped[int] = mapped_column(primary_key=True)
    region_code: Mapped[str]
    product_id: Mapped[str]
    as_of: Mapped[date]
    colour: Mapped[str]  # red | yellow | none
    batches: Mapped[int]
    failures: Mapped[int]
    failing_enterprises: Mapped[int]
    low: Mapped[float]  # one-sided 95 % bounds of the failure rate
    high: Mapped[float]
    provincial_rate: Mapped[float]
    reasons: Mapped[list[Any]]
    counted: Mapped[list[Any]]  # signal ids of every batch, and of deaths
    started_on: Mapped[date]
    review_on: Mapped[date]
    removal: Mapped[str]
    policy_hash: Mapped[str]
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"))


class PolicyTrial(Base):
    """A policy tried against the one in force: nothing is adopted by it."""

    __tablename__ = "policy_trial"

    id: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str]
    version: Mapped[str]
    hash: Mapped[str]
    against_version: Mapped[str]
    against_hash: Mapped[str]
    differences: Mapped[list[Any]]  # [[place in the file, value in force, value tried]]
    as_of: Mapped[date]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    asked_at: Mapped[datetime]
    request_id: Mapped[int | None] = mapped_column(ForeignKey("job_request.id"))
    finished_at: Mapped[datetime | None]
    graded: Mapped[int | None]


class PolicyTrialMove(Base):
    """A firm that a tried policy would grade differently."""

    __tablename__ = "policy_trial_move"
    __table_args__ = (Index(None, "trial_id", "level", "level_then"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    trial_id: Mapped[int] = mapped_column(ForeignKey("policy_trial.id"))
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"))
    role: Mapped[str]
    level: Mapped[str]
    level_then: Mapped[str]
    score: Mapped[float]
    score_then: Mapped[float]
    cause: Mapped[str]
