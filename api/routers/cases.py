"""The ledger: the list, its export, one case and the steps taken on it."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from api.clock import today
from api.deps import Caller, Config, Form, Id, InScope, Paging, Reading, Writing, note
from api.errors import Refused, not_found
from api.exports import send_table
from api.rendering import LOCAL_ZONE, masked, render
from api.words import word
from casework.limits import load_limits
from casework.rules import StepError, load_case_policy, next_step
from casework.steps import done_of, take
from store.export import Cell
from store.reads import cases as reads
from store.reads import regions
from store.reads.page import EXPORT

router = APIRouter(include_in_schema=False)

States = Literal["", "active", "opened", "notified", "rectifying", "rechecking", "announced", "closed"]


def wanted_cases(
    session: Reading,
    settings: Config,
    q: Annotated[str, Query(max_length=100, description="标题或企业名称")] = "",
    kind: Annotated[Literal["", "failed_sample", "hazard"], Query(description="类别")] = "",
    state: Annotated[States, Query(description="状态；active 为未办结")] = "",
    region: Annotated[str, Query(max_length=12, description="行政区划代码前缀")] = "",
    overdue: Annotated[bool, Query(description="仅看超期")] = False,
) -> reads.CaseFilter:
    """Return the filters of the ledger."""
    return reads.CaseFilter(q.strip(), kind, state, region, today(session, settings) if overdue else None)


Filter = Annotated[reads.CaseFilter, Depends(wanted_cases)]


@router.get("/cases")
def case_list(
    request: Request, session: Reading, scope: InScope, wanted: Filter, page: Paging, settings: Config
) -> Response:
    """List the cases in reach."""
    found = reads.listing(session, scope, wanted, page)
    context = {
        "page": found,
        "wanted": wanted,
        "names": regions.names(session, [row.case.region_code for row in found.rows]),
        "regions": regions.choices(session, scope, settings.province_code),
        "today": today(session, settings),
    }
    return render(request, "cases.html", context)


@router.get("/cases.xlsx")
def case_export(request: Request, session: Reading, scope: InScope, wanted: Filter, principal: Caller) -> Response:
    """Send the filtered ledger as a workbook."""
    found = reads.listing(session, scope, wanted, EXPORT)
    names = regions.names(session, [row.case.region_code for row in found.rows])
    named = request.app.state.vocabulary.name
    headers = [
        "台账编号",
        "类别",
        "标题",
        "企业",
        "产品",
        "地区",
        "状态",
        "立项日期",
        "最近期限",
        "办结日期",
        "来源记录编号",
    ]
    rows: list[list[Cell]] = [
        [
            row.case.id,
            word(row.case.kind, "case_kind"),
            masked(row.case.title),
            row.enterprise_name,
            named(row.case.product_id, "product") if row.case.product_id else None,
            names.get(row.case.region_code or "", row.case.region_code),
            word(row.case.state, "case_state"),
            row.case.opened_on,
            row.due_on,
            row.case.closed_on,
            row.case.signal_id,
        ]
        for row in found.rows
    ]
    return send_table(request, principal, title="处置台账", headers=headers, rows=rows, total=found.total)


@router.get("/cases/{case_id}")
def case_page(request: Request, session: Reading, scope: InScope, case_id: Id, settings: Config) -> Response:
    """Show one case: what opened it, what was done, which deadlines run."""
    file = reads.one(session, scope, case_id)
    if file is None:
        raise not_found()
    kind, policy = file.row.case.kind, load_case_policy()
    context: dict[str, Any] = {
        "file": file,
        "names": regions.names(session, [file.row.case.region_code]),
        "today": today(session, settings),
        "steps": policy.steps.get(kind, ()),
        "taken": {step.step for step, _ in file.steps},
        "next": next_step(kind, [done_of(step) for step, _ in file.steps], policy) if kind in policy.steps else None,
        "limits": load_limits(),
        "lapse": load_case_policy().lapse,
    }
    return render(request, "case.html", context)


@router.post("/cases/{case_id}/steps")
def take_step(
    session: Writing, scope: InScope, case_id: Id, principal: Caller, form: Form, settings: Config
) -> Response:
    """Record a step taken on a case."""
    step = form.text("step", required=True, label="步骤", longest=40)
    remark = form.text("remark", longest=2000)
    proof: dict[str, Any] = {"document": document} if (document := form.text("proof", longest=200)) else {}
    if (passed := form.text("passed")) in ("yes", "no"):
        proof["passed"] = passed == "yes"
    try:
        done_on = date.fromisoformat(form.text("done_on", required=True, label="办理日期", longest=10))
    except ValueError:
        raise Refused(422, "办理日期应写作 年-月-日") from None
    if done_on > max(today(session, settings), datetime.now(LOCAL_ZONE).date()):
        raise Refused(422, "办理日期不能晚于今天")
    file = reads.one(session, scope, case_id)
    if file is None:
        raise not_found()
    try:
        take(
            session,
            case_id,
            step=step,
            done_on=done_on,
            account_id=principal.account_id,
            remark=remark,
            proof=proof,
            at=datetime.now(UTC),
        )
    except StepError as error:
        raise Refused(409, str(error)) from error
    region = file.row.case.region_code
    note(session, principal, "case_step", "case", case_id, region_code=region, detail={"step": step})
    return RedirectResponse(f"/cases/{case_id}", 303)
