"""Bringing files in: the form, the report of each file, and its rejected rows as a file."""

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import anyio
from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from api.auth import Principal
from api.deps import Caller, Config, Form, Id, InScope, Paging, Reading, note, sessions_of
from api.errors import Refused, not_found
from api.exports import send_table
from api.rendering import masked, render
from api.words import WORDS, word
from jobs.opening import secret_key
from jobs.settings import Settings
from store.export import Cell
from store.reads import imports as reads
from store.reads.page import EXPORT
from store.session import transaction
from store.tables import JobRequest

router = APIRouter(include_in_schema=False)

Word = Annotated[str, Query(max_length=40)]
KINDS = {kind: title for kind, title in WORDS["import_kind"].items() if kind != "feed"}
READ_AT_ONCE = 4 << 20  # bytes; larger files are read by the worker


@router.get("/imports")
def import_list(
    request: Request,
    session: Reading,
    scope: InScope,
    page: Paging,
    kind: Word = "",
    status: Annotated[Literal["", "accepted", "rejected"], Query()] = "",
    source: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Show the upload form and the files that came in."""
    context = {
        "page": reads.listing(session, scope, page, kind=kind, status=status, source=source),
        "kind": kind,
        "status": status,
        "kinds": KINDS,
        "problem": "",
    }
    return render(request, "imports.html", context)


@router.get("/imports.xlsx")
def import_export(
    request: Request,
    session: Reading,
    scope: InScope,
    principal: Caller,
    kind: Word = "",
    status: Annotated[Literal["", "accepted", "rejected"], Query()] = "",
    source: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Send the list of files as a workbook."""
    found = reads.listing(session, scope, EXPORT, kind=kind, status=status, source=source)
    headers = [
        "编号",
        "文件名",
        "类别",
        "来源",
        "接收时间",
        "上传人",
        "状态",
        "原因",
        "读取",
        "有效",
        "隔离",
        "忽略",
        "新增",
        "校验值",
    ]
    rows: list[list[Cell]] = [
        [
            row.file.id,
            row.file.name,
            word(row.file.kind, "import_kind"),
            row.source_title,
            row.file.received_at,
            row.sender,
            word(row.file.status, "import_status"),
            word(row.file.reason, "reject") if row.file.reason else "",
            row.file.read,
            row.file.valid,
            row.file.quarantined,
            row.file.ignored,
            row.file.added,
            row.file.sha256,
        ]
        for row in found.rows
    ]
    return send_table(request, principal, title="导入文件", headers=headers, rows=rows, total=found.total)


@router.post("/imports")
async def upload(request: Request, principal: Caller, form: Form, settings: Config) -> Response:
    """Take a file in: small ones are read at once, large ones by the worker."""
    kind = form.choice("kind", KINDS, label="文件类别")
    sent = form.upload("file")
    folder = settings.var / "uploads"
    path, size = await _keep(sent, folder)
    name = Path((sent.filename or "").replace("\\", "/")).name[:200] or "未命名"
    if size == 0:
        path.unlink(missing_ok=True)
        raise Refused(422, "文件是空的")
    return await run_in_threadpool(_take_in, request, principal, settings, path, name, kind, size)


async def _keep(sent: UploadFile, folder: Path) -> tuple[Path, int]:
    """Write the upload under a random name; what the sender called it never becomes a path."""
    await anyio.Path(folder).mkdir(parents=True, exist_ok=True)
    path = folder / secrets.token_hex(16)
    size = 0
    async with await anyio.open_file(path, "wb") as stream:
        while chunk := await sent.read(1 << 20):
            size += len(chunk)
            await stream.write(chunk)
    return path, size


def _take_in(
    request: Request, principal: Principal, settings: Settings, path: Path, name: str, kind: str, size: int
) -> Response:
    from ingest.intake import import_file  # the importers are heavy and only uploads need them

    sessions = sessions_of(request)
    region = principal.region_code.ljust(6, "0") if principal.region_code else None
    if size > READ_AT_ONCE:
        with transaction(sessions) as session:
            row = JobRequest(
                job="import",
                arguments={"path": str(path), "name": name, "kind": kind, "region_code": region},
                account_id=principal.account_id,
                requested_at=datetime.now(UTC),
                status="waiting",
            )
            session.add(row)
            session.flush()
            note(session, principal, "import", "job_request", row.id, detail={"name": name, "kind": kind})
            request_id = row.id
        return RedirectResponse(f"/jobs/{request_id}", 303)
    try:
        file = import_file(
            sessions,
            path,
            kind=kind,
            received_at=datetime.now(UTC),
            var=settings.var,
            key=secret_key(settings),
            account_id=principal.account_id,
            region_code=region,
            name=name,
            lookups=request.app.state.lookups(),
        )
    finally:
        path.unlink(missing_ok=True)
    with transaction(sessions) as session:
        note(session, principal, "import", "import_file", file.id, detail={"name": name, "kind": kind})
    return RedirectResponse(f"/imports/{file.id}", 303)


@router.get("/imports/{file_id}")
def import_page(
    request: Request,
    session: Reading,
    scope: InScope,
    file_id: Id,
    page: Paging,
    rejected: Annotated[bool, Query()] = False,
) -> Response:
    """Show a file's report: counts that add up, the reasons, and the rows concerned."""
    report = reads.one(session, scope, file_id, page, rejected_only=rejected)
    if report is None:
        raise not_found()
    return render(request, "import.html", {"report": report, "rejected": rejected})


@router.get("/imports/{file_id}/rejected.xlsx")
def rejected_rows(request: Request, session: Reading, scope: InScope, file_id: Id, principal: Caller) -> Response:
    """Send the rows that did not go in, with the columns they had and why, to be mended and sent again."""
    report = reads.one(session, scope, file_id, EXPORT, rejected_only=True)
    if report is None:
        raise not_found()
    columns: dict[str, None] = {}
    for issue in report.issues.rows:
        columns.update(dict.fromkeys(issue.cells))
    headers = [*columns, "退回原因", "问题所在列", "工作表", "原行号"]
    rows: list[list[Cell]] = [
        [
            *(masked(str(issue.cells[column])) if issue.cells.get(column) is not None else None for column in columns),
            issue.message,
            issue.column,
            issue.sheet,
            issue.row,
        ]
        for issue in report.issues.rows
    ]
    title = f"未入库行_{report.row.file.name}"[:60]
    return send_table(request, principal, title=title, headers=headers, rows=rows, total=report.issues.total)
