"""Signals, as received, and the clusters of those that tell the same story."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base


class Signal(Base):
    """One item of risk information from any channel. Append-only: never edited after it is stored."""

    __tablename__ = "signal"
    __table_args__ = (
        UniqueConstraint("source_id", "external_id"),
        Index(None, "known_at"),
        Index(None, "channel", "occurred_on"),
        Index(None, "region_code"),
        Index(None, "content_hash"),
        Index(None, "parent_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    source_id: Mapped[str] = mapped_column(ForeignKey("source.id"))
    external_id: Mapped[str]  # the source's own id, else the content hash
    content_hash: Mapped[str]
    channel: Mapped[str]
    trust: Mapped[str]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("signal.id"))  # a row's notice
    title: Mapped[str]
    text: Mapped[str]
    url: Mapped[str | None]
    region_code: Mapped[str | None]
    occurred_on: Mapped[date]
    known_at: Mapped[datetime]
    file_id: Mapped[int | None] = mapped_column(ForeignKey("import_file.id"))
    file_place: Mapped[str | None]  # sheet and row in that file
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"))
    archive_path: Mapped[str | None]  # the saved copy of the page
    damaged: Mapped[list[Any]] = mapped_column(default=list)  # [[start, end]] not to be read from
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    flags: Mapped[list[Any]] = mapped_column(default=list)  # e.g. counts that contradict the table


class Cluster(Base):
    """Reposts and near-duplicates of one story, with the signal taken as its origin."""

    __tablename__ = "cluster"

    id: Mapped[int] = mapped_column(primary_key=True)
    origin_id: Mapped[int] = mapped_column(ForeignKey("signal.id"), unique=True)
    size: Mapped[int]
    independent_sources: Mapped[int]
    version: Mapped[str]


class ClusterMember(Base):
    """A signal's place in a cluster. Derived; can be dropped and rebuilt."""

    __tablename__ = "cluster_member"
    __table_args__ = (Index(None, "cluster_id"),)

    signal_id: Mapped[int] = mapped_column(ForeignKey("signal.id"), primary_key=True)
    cluster_id: Mapped[int] = mapped_column(ForeignKey("cluster.id"))
    similarity: Mapped[float]
