"""One imported file: its report, its rejected rows as a file, and its unknown headers explained once."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from api.auth import Principal
from api.deps import Caller, Config, Form, Id, InScope, Paging, Reading, Writing, note, sessions_of
from api.errors import Refused, not_found
from api.exports import send_table
from api.rendering import masked, render
from api.routers.imports import READ_AT_ONCE
from jobs.opening import secret_key
from store.export import Cell
from store.reads import imports as reads
from store.reads.page import EXPORT, PageRequest
from store.session import read_only, transaction
from store.tables import ImportFile, JobRequest, RowIssue

router = APIRouter(include_in_schema=False)

ABOUT = ["退回原因", "问题所在列", "工作表", "原行号"]
READ_AGAIN_AT_ONCE = 20_000  # rows; larger files are read again by the worker


@router.get("/imports/{file_id}")
def import_page(
    request: Request,
    session: Reading,
    scope: InScope,
    file_id: Id,
    page: Paging,
    rejected: Annotated[bool, Query()] = False,
    explained: Annotated[bool, Query()] = False,
) -> Response:
    """Show a file's report: counts that add up, the reasons, the rows concerned, and headers nobody explained yet."""
    report = reads.one(session, scope, file_id, page, rejected_only=rejected)
    if report is None:
        raise not_found()
    context = {
        "report": report,
        "rejected": rejected,
        "explained": explained,
        "fields": _fields(report.row.file.kind),
    }
    return render(request, "import.html", context)


def _fields(kind: str) -> dict[str, str]:
    """Return what a header may be explained as: the kind's fields and what they are called, required ones first."""
    from ingest.importers import load_kind
    from ingest.importers.headers import meanings

    declared = sorted(load_kind(kind).fields, key=lambda field: not field.required)
    return {
        field.name: meanings().get(field.name, field.name) + ("（必需）" if field.required else "")
        for field in declared
        if field.type != "passed"
    }


@router.post("/imports/{file_id}/headers")
def explain_headers(session: Writing, scope: InScope, file_id: Id, principal: Caller, form: Form) -> Response:
    """Remember what the file's unknown headers mean, for every file of its source."""
    from ingest.intake import remember_header

    report = reads.one(session, scope, file_id, PageRequest(1, 1))
    if report is None:
        raise not_found()
    file = report.row.file
    unknown, fields = file.warnings.get("unknown_headers", []), _fields(file.kind)
    explained = {}
    for number, header in enumerate(unknown):
        field = form.text(f"field-{number}")
        if not field:
            continue
        if field not in fields or form.text(f"header-{number}", longest=1000) != header:
            raise Refused(422, "表头与字段对不上，请刷新后再试")
        remember_header(session, file.source_id, header, field, account_id=principal.account_id, at=datetime.now(UTC))
        explained[header] = field
    if not explained:
        raise Refused(422, "请至少为一个表头选择含义")
    note(
        session,
        principal,
        "explain_header",
        "source",
        file.source_id,
        detail={"headers": {masked(header): field for header, field in explained.items()}, "file": file.id},
    )
    return RedirectResponse(f"/imports/{file_id}?explained=true", 303)


@router.post("/imports/{file_id}/again")
def read_again(request: Request, scope: InScope, file_id: Id, principal: Caller, settings: Config) -> Response:
    """Read the stored file again, now that its headers are explained."""
    from ingest.intake import import_again

    sessions = sessions_of(request)
    with read_only(sessions) as session:
        report = reads.one(session, scope, file_id, PageRequest(1, 1))
    if report is None:
        raise not_found()
    file = report.row.file
    path = settings.var / (file.stored_path or "")
    if not file.stored_path or not path.is_file():
        raise Refused(409, "原文件已不在，请重新上传")
    if file.read > READ_AGAIN_AT_ONCE or path.stat().st_size > READ_AT_ONCE:
        with transaction(sessions) as session:
            row = JobRequest(
                job="import",
                arguments={"again": file.id},
                account_id=principal.account_id,
                requested_at=datetime.now(UTC),
                status="waiting",
            )
            session.add(row)
            session.flush()
            _note_reading(session, principal, file)
            return RedirectResponse(f"/jobs/{row.id}", 303)
    import_again(sessions, file, var=settings.var, key=secret_key(settings), lookups=request.app.state.lookups())
    with transaction(sessions) as session:
        _note_reading(session, principal, file)
    return RedirectResponse(f"/imports/{file_id}", 303)


def _note_reading(session: Session, principal: Principal, file: ImportFile) -> None:
    note(session, principal, "import_again", "import_file", file.id, detail={"name": file.name, "kind": file.kind})


@router.get("/imports/{file_id}/rejected.xlsx")
def rejected_rows(request: Request, session: Reading, scope: InScope, file_id: Id, principal: Caller) -> Response:
    """Send the rows that did not go in, with the columns they had and why, to be mended and sent again.

    Personal data are masked; see `rejected_rows_unmasked`.
    """
    report = reads.one(session, scope, file_id, EXPORT, rejected_only=True)
    if report is None:
        raise not_found()
    columns: dict[str, None] = {}
    failed: dict[tuple[str, int], list[RowIssue]] = {}
    for issue in report.issues.rows:
        columns.update(dict.fromkeys(issue.cells))
        failed.setdefault((issue.sheet, issue.row), []).append(issue)
    rows: list[list[Cell]] = [
        [
            *(
                masked(str(issues[0].cells[name])) if issues[0].cells.get(name) is not None else None
                for name in columns
            ),
            "；".join(dict.fromkeys(issue.message for issue in issues)),
            "；".join(dict.fromkeys(issue.column for issue in issues if issue.column)),
            sheet,
            row,
        ]
        for (sheet, row), issues in failed.items()
    ]
    title = f"未入库行_{report.row.file.name}"[:60]
    return send_table(
        request, principal, title=title, headers=[*columns, *ABOUT], rows=rows, total=report.row.file.quarantined
    )


@router.post("/imports/{file_id}/unmask")
def rejected_rows_unmasked(
    request: Request, scope: InScope, file_id: Id, principal: Caller, form: Form, settings: Config
) -> Response:
    """Send the rejected rows as the sender wrote them, to those who may see raw text, with a reason for the audit."""
    from ingest.intake import header_mapping
    from ingest.rejected import rejected_rows as read_rejected

    if not principal.raw_text:
        raise Refused(403)
    reason = form.text("reason", longest=200, required=True, label="下载理由")
    with transaction(sessions_of(request)) as session:
        report = reads.one(session, scope, file_id, PageRequest(1, 1))
        if report is None:
            raise not_found()
        file = report.row.file
        mapping = header_mapping(session, file.source_id)
        note(session, principal, "unmask", "import_file", file_id, detail={"reason": reason})
    path = settings.var / (file.stored_path or "")
    if not file.stored_path or not path.is_file():
        raise Refused(409, "原文件已不在")
    found = read_rejected(path, file.kind, name=file.name, mapping=mapping, today=file.received_at.date())
    rows: list[list[Cell]] = [list(row) for row in found.rows]
    title = f"未入库行_原文_{file.name}"[:60]
    return send_table(request, principal, title=title, headers=found.headers, rows=rows, total=len(rows))
