"""Imported files: the list, and one file's report with the rows that did not go in."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.reads.page import Page, PageRequest
from store.reads.scope import Scope
from store.tables import Account, ImportFile, RowIssue, Signal, Source


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One file with its source's title and who sent it."""

    file: ImportFile
    source_title: str
    sender: str | None


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many rows met one reason, and whether it kept them out."""

    reason: str
    rejected: bool
    rows: int


@dataclass(frozen=True, slots=True)
class ImportReport:
    """One file: counts that add up, reasons, and a page of the rows concerned."""

    row: ImportRow
    reasons: list[ReasonCount]
    issues: Page[RowIssue]
    signals: int


def listing(
    session: Session, scope: Scope, page: PageRequest, *, kind: str = "", status: str = "", source: str = ""
) -> Page[ImportRow]:
    """Return the files in reach, the newest first."""
    statement = (
        select(ImportFile, Source.title, Account.display_name)
        .join(Source, Source.id == ImportFile.source_id)
        .outerjoin(Account, Account.id == ImportFile.account_id)
        .where(scope.where(ImportFile.region_code))
    )
    for column, value in (
        (ImportFile.kind, kind),
        (ImportFile.status, status),
        (ImportFile.source_id, source),
    ):
        if value:
            statement = statement.where(column == value)
    total = session.scalar(select(func.count()).select_from(statement.with_only_columns(ImportFile.id).subquery())) or 0
    rows = [
        ImportRow(file, title, sender)
        for file, title, sender in session.execute(
            statement.order_by(ImportFile.received_at.desc(), ImportFile.id.desc()).offset(page.offset).limit(page.size)
        )
    ]
    return Page(rows, total, page.number, page.size)


def one(
    session: Session, scope: Scope, file_id: int, page: PageRequest, *, rejected_only: bool = False
) -> ImportReport | None:
    """Return a file's report, or None when it is out of reach."""
    found = session.execute(
        select(ImportFile, Source.title, Account.display_name)
        .join(Source, Source.id == ImportFile.source_id)
        .outerjoin(Account, Account.id == ImportFile.account_id)
        .where(ImportFile.id == file_id, scope.where(ImportFile.region_code))
    ).one_or_none()
    if found is None:
        return None
    mine = [RowIssue.file_id == file_id]
    reasons = [
        ReasonCount(reason, rejected, count)
        for reason, rejected, count in session.execute(
            select(RowIssue.reason, RowIssue.rejected, func.count())
            .where(*mine)
            .group_by(RowIssue.reason, RowIssue.rejected)
            .order_by(RowIssue.rejected.desc(), func.count().desc())
        )
    ]
    if rejected_only:
        mine.append(RowIssue.rejected.is_(True))
    total = session.scalar(select(func.count()).select_from(RowIssue).where(*mine)) or 0
    issues = session.scalars(
        select(RowIssue)
        .where(*mine)
        .order_by(RowIssue.rejected.desc(), RowIssue.sheet, RowIssue.row, RowIssue.id)
        .offset(page.offset)
        .limit(page.size)
    )
    return ImportReport(
        ImportRow(*found),
        reasons,
        Page(list(issues), total, page.number, page.size),
        session.scalar(select(func.count()).select_from(Signal).where(Signal.file_id == file_id)) or 0,
    )


def of_run(session: Session, scope: Scope, run_id: int | None) -> ImportFile | None:
    """Return the file that a run read, if it is in reach; None when the run read none."""
    if run_id is None:
        return None
    return session.scalars(
        select(ImportFile).where(ImportFile.run_id == run_id, scope.where(ImportFile.region_code)).limit(1)
    ).first()
