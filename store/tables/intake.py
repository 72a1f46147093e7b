"""Imported files and every row that did not go in."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base


class ImportFile(Base):
    """One file as received, by content; read = valid + quarantined + ignored always holds."""

    __tablename__ = "import_file"
    __table_args__ = (UniqueConstraint("sha256", "kind", "source_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str]
    kind: Mapped[str]
    source_id: Mapped[str] = mapped_column(ForeignKey("source.id"))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    region_code: Mapped[str | None]
    name: Mapped[str]
    stored_path: Mapped[str | None]
    received_at: Mapped[datetime]
    status: Mapped[str]  # accepted | rejected
    reason: Mapped[str | None]
    read: Mapped[int] = mapped_column(default=0)
    valid: Mapped[int] = mapped_column(default=0)
    quarantined: Mapped[int] = mapped_column(default=0)
    ignored: Mapped[int] = mapped_column(default=0)
    added: Mapped[int] = mapped_column(default=0)  # valid rows not already in the store
    warnings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    seconds: Mapped[float] = mapped_column(default=0.0)


class RowIssue(Base):
    """One rejected or repaired row: where it stands, which column, why, and the masked cells."""

    __tablename__ = "row_issue"
    __table_args__ = (UniqueConstraint("file_id", "sheet", "row", "reason", "column"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    file_id: Mapped[int] = mapped_column(ForeignKey("import_file.id"))
    sheet: Mapped[str]
    row: Mapped[int]
    column: Mapped[str]
    reason: Mapped[str]
    message: Mapped[str]
    rejected: Mapped[bool]  # false: repaired with a warning
    cells: Mapped[dict[str, Any]] = mapped_column(default=dict)


class HeaderMapping(Base):
    """An unknown header an analyst mapped once, remembered for that source."""

    __tablename__ = "header_mapping"
    __table_args__ = (
        UniqueConstraint("source_id", "header"),
        Index(None, "source_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    source_id: Mapped[str] = mapped_column(ForeignKey("source.id"))
    header: Mapped[str]
    field: Mapped[str]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    mapped_at: Mapped[datetime]
