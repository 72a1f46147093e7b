"""Bringing files in: the form, trying a file without storing it, and the list of what came."""

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import anyio
from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from api.auth import Principal
from api.deps import Caller, Config, Form, InScope, Paging, Reading, note, sessions_of
from api.errors import Refused
from api.exports import send_table
from api.rendering import masked, render
from api.words import WORDS, word
from jobs.opening import secret_key
from jobs.settings import Settings
from store.export import Cell
from store.reads import imports as reads
from store.reads.page import EXPORT
from store.session import read_only, transaction
from store.tables import JobRequest

if TYPE_CHECKING:
    from ingest.importers.kinds import Field

router = APIRouter(include_in_schema=False)

Word = Annotated[str, Query(max_length=40)]
KINDS = {kind: title for kind, title in WORDS["import_kind"].items() if kind != "feed"}
READ_AT_ONCE = 4 << 20  # bytes; larger files are read by the worker
SHOWN_PROBLEMS, SHOWN_ROWS = 200, 20  # of a file that is only tried


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
    """Take a file in, or only try it: small ones are read at once, large ones by the worker."""
    kind = form.choice("kind", KINDS, label="文件类别")
    sent = form.upload("file")
    folder = settings.var / "uploads"
    path, size = await _keep(sent, folder)
    name = Path((sent.filename or "").replace("\\", "/")).name[:200] or "未命名"
    if size == 0:
        path.unlink(missing_ok=True)
        raise Refused(422, "文件是空的")
    tried = form.text("dry_run") == "true"
    if size > READ_AT_ONCE:
        return await run_in_threadpool(_ask_worker, request, principal, path, name, kind, tried)
    if tried:
        return await run_in_threadpool(_try, request, path, name, kind)
    return await run_in_threadpool(_take_in, request, principal, settings, path, name, kind)


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


def _ask_worker(request: Request, principal: Principal, path: Path, name: str, kind: str, tried: bool) -> Response:
    with transaction(sessions_of(request)) as session:
        row = JobRequest(
            job="import",
            arguments={
                "path": str(path), "name": name, "kind": kind, "region_code": _home(principal), "dry_run": tried
            },
            account_id=principal.account_id,
            requested_at=datetime.now(UTC),
            status="waiting",
        )  # fmt: skip
        session.add(row)
        session.flush()
        if not tried:
            note(session, principal, "import", "job_request", row.id, detail={"name": name, "kind": kind})
        return RedirectResponse(f"/jobs/{row.id}", 303)


def _home(principal: Principal) -> str | None:
    return principal.region_code.ljust(6, "0") if principal.region_code else None


def _try(request: Request, path: Path, name: str, kind: str) -> Response:
    """Show what an import would do, and store nothing: neither rows nor the file."""
    from ingest.importers import load_kind, read_file
    from ingest.importers.headers import meanings
    from ingest.intake import REASONS, header_mapping, personal_headers

    declared = load_kind(kind)
    with read_only(sessions_of(request)) as session:
        mapping = header_mapping(session, f"upload-{kind}")
    try:
        report = read_file(path, declared, name, mapping)
    finally:
        path.unlink(missing_ok=True)
    personal = personal_headers(declared)
    fields = [f for f in declared.fields if any(row.values.get(f.name) is not None for row in report.rows[:SHOWN_ROWS])]
    context = {
        "report": report,
        "reasons": REASONS,
        "problems": [
            (problem, "***" if problem.column in personal else masked(problem.raw))
            for problem in report.problems[:SHOWN_PROBLEMS]
        ],
        "columns": [meanings().get(f.name, f.name) for f in fields],
        "rows": [
            ["***" if f.type == "personal" else masked(_as_written(row.values.get(f.name), f)) for f in fields]
            for row in report.rows[:SHOWN_ROWS]
        ],
    }
    return render(request, "import_trial.html", context)


def _as_written(value: object, field: "Field") -> str:
    """Return a value as an office writes it: a code by the first word that means it."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if value is None:
        return ""
    return next((word for word, code in (field.choices or {}).items() if code == value), str(value))


def _take_in(request: Request, principal: Principal, settings: Settings, path: Path, name: str, kind: str) -> Response:
    from ingest.intake import import_file  # the importers are heavy and only uploads need them

    sessions = sessions_of(request)
    try:
        file = import_file(
            sessions,
            path,
            kind=kind,
            received_at=datetime.now(UTC),
            var=settings.var,
            key=secret_key(settings),
            account_id=principal.account_id,
            region_code=_home(principal),
            name=name,
            lookups=request.app.state.lookups(),
        )
    finally:
        path.unlink(missing_ok=True)
    with transaction(sessions) as session:
        note(session, principal, "import", "import_file", file.id, detail={"name": name, "kind": kind})
    return RedirectResponse(f"/imports/{file.id}", 303)
