"""What ran and what is running."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select

from api.deps import Caller, Config, Form, Id, InScope, Paging, Reading, Writing, note, sessions_of
from api.errors import Refused, not_found
from api.exports import send_table
from api.rendering import render
from api.words import counts, word
from store.export import Cell
from store.reads import runs as reads
from store.reads.page import EXPORT
from store.session import read_only, transaction
from store.tables import JobRequest

router = APIRouter(include_in_schema=False)

Word = Annotated[str, Query(max_length=40)]
ASKABLE = ("pipeline", "grade", "outcome", "notify", "health")
ALL_REQUESTS = ("admin", "analyst")


@router.get("/runs")
def run_list(
    request: Request,
    session: Reading,
    scope: InScope,
    principal: Caller,
    page: Paging,
    job: Word = "",
    status: Word = "",
) -> Response:
    """List the runs, with what was asked for and waits."""
    context = {
        "page": reads.listing(session, scope, page, job=job, status=status),
        "job": job,
        "status": status,
        "jobs": reads.jobs_in_use(session),
        "newest": reads.newest_by_job(session),
        "requests": reads.requests(session, None if principal.role in ALL_REQUESTS else principal.account_id),
        "askable": ASKABLE,
    }
    return render(request, "runs.html", context)


@router.get("/runs.xlsx")
def run_export(
    request: Request, session: Reading, scope: InScope, principal: Caller, job: Word = "", status: Word = ""
) -> Response:
    """Send the filtered runs as a workbook."""
    found = reads.listing(session, scope, EXPORT, job=job, status=status)
    headers = [
        "编号",
        "任务",
        "来源",
        "截至日期",
        "开始",
        "结束",
        "状态",
        "程序版本",
        "政策版本",
        "模型版本",
        "计数",
        "错误",
    ]
    rows: list[list[Cell]] = [
        [
            row.id,
            word(row.job, "job"),
            row.source_id,
            row.as_of,
            row.started_at,
            row.finished_at,
            word(row.status, "run_status"),
            row.code_version,
            (row.policy_hash or "")[:12],
            row.model_version,
            counts(row.counts),
            row.error,
        ]
        for row in found.rows
    ]
    return send_table(request, principal, title="运行记录", headers=headers, rows=rows, total=found.total)


@router.post("/jobs")
def ask_for_job(session: Writing, principal: Caller, form: Form) -> Response:
    """Ask the worker for a job; leaving the page stops nothing."""
    job = form.choice("job", ASKABLE, label="任务")
    row = JobRequest(
        job=job, arguments={}, account_id=principal.account_id, requested_at=datetime.now(UTC), status="waiting"
    )
    session.add(row)
    session.flush()
    note(session, principal, "request_job", "job_request", row.id, detail={"job": job})
    return RedirectResponse(f"/jobs/{row.id}", 303)


@router.get("/jobs/{request_id}")
def job_page(request: Request, session: Reading, principal: Caller, request_id: Id) -> Response:
    """Show how far a job is."""
    row = reads.request(session, request_id, None if principal.role in ALL_REQUESTS else principal.account_id)
    if row is None:
        raise not_found()
    return render(request, "job.html", {"row": row})


@router.post("/jobs/{request_id}/cancel")
def cancel_job(request: Request, principal: Caller, request_id: Id, settings: Config) -> Response:
    """Call an import off: one that waits is not begun, one that runs stops and leaves nothing."""
    sessions = sessions_of(request)
    owner = None if principal.role in ALL_REQUESTS else principal.account_id
    with read_only(sessions) as session:
        row = reads.request(session, request_id, owner)
    if row is None:
        raise not_found()
    if row.job != "import" or row.status not in ("waiting", "running"):
        raise Refused(409, "这项任务已不能取消")
    mark = settings.cancel_mark(request_id)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()  # first: a running import holds the store until it sees this
    with transaction(sessions) as session:
        waiting = session.scalar(
            select(JobRequest).where(JobRequest.id == request_id, JobRequest.status == "waiting").with_for_update()
        )
        if waiting is not None:
            waiting.status, waiting.message, waiting.finished_at = "cancelled", "已取消，没有入库", datetime.now(UTC)
            mark.unlink(missing_ok=True)
            if sent := row.arguments.get("path"):
                (settings.var / "uploads" / Path(str(sent)).name).unlink(missing_ok=True)
        note(session, principal, "cancel_job", "job_request", request_id, detail={"job": row.job})
    return RedirectResponse(f"/jobs/{request_id}", 303)
