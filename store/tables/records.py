"""The typed facts beside signals, one class a channel. Append-only, keyed by their signal.

Every fact has `occurred_on` (when it happened) and `known_at` (when we could have known), copied from its
signal so that an as-of read needs one table.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base


class RecordMixin:
    """The columns every typed fact shares."""

    signal_id: Mapped[int] = mapped_column(ForeignKey("signal.id"), primary_key=True)
    occurred_on: Mapped[date] = mapped_column(index=True)
    known_at: Mapped[datetime] = mapped_column(index=True)
    region_code: Mapped[str | None]
    product_raw: Mapped[str | None]
    product_id: Mapped[str | None] = mapped_column(index=True)  # as mapped at intake, by exact alias only


class SamplingResult(RecordMixin, Base):
    """One sampled batch; producer and sampled unit are separate mentions of the signal."""

    __tablename__ = "sampling_result"
    __table_args__ = (Index(None, "plan_line_id"),)

    sample_no: Mapped[str | None]
    notice_no: Mapped[str | None]
    level: Mapped[str | None]  # national | province | city | county
    organiser: Mapped[str | None]
    channel: Mapped[str | None]  # production | circulation | online
    platform: Mapped[str | None]
    brand: Mapped[str | None]
    spec_model: Mapped[str | None]
    batch_no: Mapped[str | None]
    produced_on: Mapped[str | None]  # as printed
    outcome: Mapped[str]  # pass | fail | no_sample | refused | illegal
    failed_items: Mapped[list[Any]] = mapped_column(default=list)  # [{"item", "measured", "limit"}]
    safety_failed: Mapped[bool] = mapped_column(default=False)
    recheck: Mapped[bool] = mapped_column(default=False)  # a re-check or tracking sample
    rectification: Mapped[str | None]  # done | overdue | failed, where the record says
    inspection_org: Mapped[str | None]
    cost_cny: Mapped[float | None]
    plan_line_id: Mapped[int | None] = mapped_column(ForeignKey("plan_line.id"))


class Complaint(RecordMixin, Base):
    """One 投诉 or 举报; the claimant is kept as a keyed hash only."""

    __tablename__ = "complaint"

    number: Mapped[str]
    kind: Mapped[str]  # complaint | report | both
    issue: Mapped[str | None]  # 质量 | 售后服务 | ...
    amount_cny: Mapped[float | None]
    claimant_hash: Mapped[str | None] = mapped_column(index=True)
    verified: Mapped[bool] = mapped_column(default=False)


class Recall(RecordMixin, Base):
    """A recall announcement, domestic or foreign."""

    __tablename__ = "recall"

    number: Mapped[str | None]
    authority: Mapped[str | None]
    country: Mapped[str | None]
    brand: Mapped[str | None]
    spec_model: Mapped[str | None]
    batch_no: Mapped[str | None]
    units: Mapped[int | None]
    defect: Mapped[str | None]
    consequence: Mapped[str | None]
    remedy: Mapped[str | None]
    ordered: Mapped[bool] = mapped_column(default=False)  # 责令召回


class Injury(RecordMixin, Base):
    """One injury surveillance card, de-identified. Product-related is not product-caused."""

    __tablename__ = "injury"

    card_no: Mapped[str]
    cause: Mapped[str | None]
    nature: Mapped[str | None]
    severity: Mapped[str | None]  # minor | moderate | severe
    outcome: Mapped[str | None]  # home | hospital | transfer | death
    injured: Mapped[int] = mapped_column(default=1)
    deaths: Mapped[int] = mapped_column(default=0)
    followed_up: Mapped[bool] = mapped_column(default=False)  # the product was found to be the cause


class Licence(RecordMixin, Base):
    """One observation of a licence or certificate (生产许可证, CCC); its history is the series of these."""

    __tablename__ = "licence"
    __table_args__ = (Index(None, "number"),)

    number: Mapped[str]
    kind: Mapped[str]  # production_licence | ccc | other
    scope: Mapped[str | None]
    issued_on: Mapped[date | None]
    expires_on: Mapped[date | None]
    state: Mapped[str]  # valid | suspended | revoked | cancelled | expired


class EnforcementCase(RecordMixin, Base):
    """An administrative penalty or case."""

    __tablename__ = "enforcement_case"

    number: Mapped[str | None]
    violation_id: Mapped[str | None]
    violation_raw: Mapped[str | None]
    penalty: Mapped[str | None]
    fine_cny: Mapped[float | None]
    decided_on: Mapped[date | None]


class Inspection(RecordMixin, Base):
    """A 现场检查, 飞行检查 or re-check visit and what it found."""

    __tablename__ = "inspection"

    kind: Mapped[str]  # onsite | unannounced | recheck
    findings: Mapped[int] = mapped_column(default=0)
    serious_findings: Mapped[int] = mapped_column(default=0)
    passed: Mapped[bool | None]


class SelfCheck(RecordMixin, Base):
    """A self-reported check (企业自查, 日管控 周排查 月调度). Discounted wherever it is used."""

    __tablename__ = "self_check"

    kind: Mapped[str]  # self_inspection | daily | weekly | monthly
    problems: Mapped[int] = mapped_column(default=0)
    rectified: Mapped[int] = mapped_column(default=0)
    officer_named: Mapped[bool | None]  # 质量安全总监 / 质量安全员 appointed


class MonitoringReport(RecordMixin, Base):
    """A report of a risk monitoring point (风险监测点)."""

    __tablename__ = "monitoring_report"

    point_id: Mapped[int | None] = mapped_column(ForeignKey("monitoring_point.id"))
    severity: Mapped[str | None]


class MonitoringPoint(Base):
    """A registered risk monitoring point and how often it has to report."""

    __tablename__ = "monitoring_point"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    region_code: Mapped[str | None]
    duty_days: Mapped[int] = mapped_column(default=30)
    active: Mapped[bool] = mapped_column(default=True)


class CreditClass(RecordMixin, Base):
    """The 企业信用风险分类 (A–D) or a 严重违法失信 listing, imported as given and never recomputed."""

    __tablename__ = "credit_class"

    grade: Mapped[str | None]  # A | B | C | D
    blacklisted: Mapped[bool] = mapped_column(default=False)
    valid_to: Mapped[date | None]
