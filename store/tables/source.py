"""Where records come from, what ran, and how healthy each source is."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base


class Source(Base):
    """A place records come from; the key is the stem of its yml file, or the name of an office's upload."""

    __tablename__ = "source"

    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    channel: Mapped[str]  # sampling | complaint | opinion | recall | licence | case | injury | ...
    trust: Mapped[str]  # official | verified | media | self | social
    region_code: Mapped[str | None]
    platform: Mapped[str]  # import | listing_notice | json_api | feed | ...
    url: Mapped[str | None]
    schedule: Mapped[str | None]  # cron
    expect: Mapped[dict[str, Any]] = mapped_column(default=dict)
    active: Mapped[bool] = mapped_column(default=True)
    synthetic: Mapped[bool] = mapped_column(default=False)


class Run(Base):
    """One execution of one job or source: what ran, under which versions, and what came of it."""

    __tablename__ = "run"
    __table_args__ = (
        UniqueConstraint("job", "due_at"),
        Index(None, "job", "started_at"),
        Index(None, "source_id", "started_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    job: Mapped[str]
    source_id: Mapped[str | None] = mapped_column(ForeignKey("source.id"))
    as_of: Mapped[date | None]
    due_at: Mapped[datetime | None]  # the tick of the schedule it answers; no tick is answered twice
    started_at: Mapped[datetime]
    heartbeat_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    status: Mapped[str]  # running | ok | suspect | failed | cancelled
    code_version: Mapped[str]
    policy_hash: Mapped[str | None]
    model_version: Mapped[str | None]
    seed: Mapped[int | None]
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    error: Mapped[str | None]


class SourceCheck(Base):
    """The verdict on one source after one run; a suspect run is held back and the last good data stay."""

    __tablename__ = "source_check"
    __table_args__ = (Index(None, "source_id", "checked_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    source_id: Mapped[str] = mapped_column(ForeignKey("source.id"))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"))
    checked_at: Mapped[datetime]
    verdict: Mapped[str]  # ok | suspect | silent | failed
    newest_on: Mapped[date | None]
    findings: Mapped[list[Any]] = mapped_column(default=list)  # [{"check", "message", "value", "limit"}]


class FrontierPage(Base):
    """One address a crawl knows of; kept here so that a killed crawl resumes."""

    __tablename__ = "frontier_page"
    __table_args__ = (UniqueConstraint("source_id", "url"), Index(None, "source_id", "state"))

    id: Mapped[int] = mapped_column(primary_key=True)
    source_id: Mapped[str] = mapped_column(ForeignKey("source.id"))
    url: Mapped[str]
    kind: Mapped[str]  # list | detail | attachment
    depth: Mapped[int] = mapped_column(default=0)
    state: Mapped[str]  # waiting | fetched | held | done | failed | refused
    found_at: Mapped[datetime]
    fetched_at: Mapped[datetime | None]
    etag: Mapped[str | None]
    last_modified: Mapped[str | None]
    content_hash: Mapped[str | None]
    archive_path: Mapped[str | None]
    reason: Mapped[str | None]
    meta: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Lease(Base):
    """Who may run a job now. The token grows with every change of holder and fences out the old one."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    token: Mapped[int]
    expires_at: Mapped[datetime]


class JobRequest(Base):
    """A job somebody asked for from a page; the worker takes it, so leaving the page stops nothing."""

    __tablename__ = "job_request"
    __table_args__ = (Index(None, "status", "requested_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    job: Mapped[str]
    arguments: Mapped[dict[str, Any]] = mapped_column(default=dict)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    requested_at: Mapped[datetime]
    status: Mapped[str]  # waiting | running | done | failed | parked | cancelled
    attempts: Mapped[int] = mapped_column(default=0)
    holder: Mapped[str | None]
    heartbeat_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    progress: Mapped[float] = mapped_column(default=0.0)
    message: Mapped[str | None]
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"))
