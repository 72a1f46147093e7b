"""Sampling plans and their lines."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base


class Plan(Base):
    """A plan: budget, rules, seed and the pool it was drawn from. Issued plans are superseded, not rewritten."""

    __tablename__ = "plan"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)  # hash of what it was asked for: the same request is one plan
    title: Mapped[str]
    region_code: Mapped[str | None]
    as_of: Mapped[date]
    budget_cny: Mapped[float]
    seed: Mapped[int]
    rules: Mapped[dict[str, Any]]
    pool: Mapped[dict[str, Any]]  # size, hash, strata counts
    status: Mapped[str]  # draft | issued | superseded | done
    policy_hash: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    issued_at: Mapped[datetime | None]
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"))
    outcome: Mapped[dict[str, Any]] = mapped_column(default=dict)  # found, expected, ratio, interval


class PlanLine(Base):
    """One batch to sample: where, what, why, and with what probability it was drawn."""

    __tablename__ = "plan_line"
    __table_args__ = (UniqueConstraint("plan_id", "number"), Index(None, "enterprise_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id"))
    number: Mapped[int]
    code: Mapped[str] = mapped_column(unique=True)  # printed on the sheet; the result comes back with it
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"))
    product_id: Mapped[str]
    region_code: Mapped[str | None]
    channel: Mapped[str]
    purpose: Mapped[str]  # find | estimate
    rule: Mapped[str]  # full_coverage | follow_up | county_floor | key_share | risk | random
    why: Mapped[str]
    grade_level: Mapped[str]
    grade_id: Mapped[int | None]
    stratum: Mapped[str] = mapped_column(default="")  # of the random draw
    inclusion_probability: Mapped[float]
    expected_fail: Mapped[float]
    base_rate: Mapped[float]
    cost_cny: Mapped[float]
    status: Mapped[str] = mapped_column(default="planned")  # planned | sampled | no_sample | refused | withdrawn
    result_signal_id: Mapped[int | None] = mapped_column(ForeignKey("signal.id"))
    outcome: Mapped[str | None]  # pass | fail
