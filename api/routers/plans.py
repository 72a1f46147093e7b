"""Sampling plans: the list, one plan, its export, making and issuing one, taking a line out."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from api.deps import Caller, Config, Form, Id, InScope, Paging, Reading, Writing, note
from api.errors import Refused, not_found
from api.exports import send_table
from api.rendering import masked, render
from api.words import word
from store import plans as decisions
from store.export import Cell
from store.reads import enterprises, regions
from store.reads import plans as reads
from store.reads.page import EXPORT
from store.tables import JobRequest

router = APIRouter(include_in_schema=False)

Short = Annotated[str, Query(max_length=100)]
Status = Annotated[Literal["", "draft", "issued", "superseded", "done"], Query(description="状态")]


def wanted_lines(
    region: Annotated[str, Query(max_length=12)] = "",
    product: Short = "",
    rule: Short = "",
    purpose: Annotated[Literal["", "find", "estimate"], Query()] = "",
    status: Short = "",
    q: Short = "",
) -> reads.LineFilter:
    """Return the filters of a plan's lines."""
    return reads.LineFilter(region, product, rule, purpose, status, q.strip())


Lines = Annotated[reads.LineFilter, Depends(wanted_lines)]


@router.get("/plans")
def plan_list(
    request: Request, session: Reading, scope: InScope, page: Paging, settings: Config, status: Status = ""
) -> Response:
    """List the plans in reach."""
    found = reads.listing(session, scope, page, status=status)
    context = {
        "page": found,
        "status": status,
        "regions": [one for one in regions.choices(session, scope, settings.province_code) if one.level == "city"],
        "names": regions.names(session, [row.plan.region_code for row in found.rows]),
        "as_of": enterprises.current_as_of(session),
    }
    return render(request, "plans.html", context)


@router.get("/plans.xlsx")
def plan_list_export(
    request: Request, session: Reading, scope: InScope, principal: Caller, status: Status = ""
) -> Response:
    """Send the plans as a workbook."""
    found = reads.listing(session, scope, EXPORT, status=status)
    headers = [
        "计划编号",
        "名称",
        "状态",
        "分级日期",
        "预算（元）",
        "批次",
        "已有结果",
        "不合格",
        "按基准率应有",
        "随机种子",
        "政策版本",
    ]
    rows: list[list[Cell]] = [
        [
            row.plan.id,
            row.plan.title,
            word(row.plan.status, "plan_status"),
            row.plan.as_of,
            row.plan.budget_cny,
            row.lines,
            row.sampled,
            row.failed,
            round(row.expected, 2),
            _seed(row.plan.status, row.plan.seed),
            row.plan.policy_hash[:12],
        ]
        for row in found.rows
    ]
    return send_table(request, principal, title="抽查计划", headers=headers, rows=rows, total=found.total)


@router.post("/plans")
def ask_for_plan(session: Writing, scope: InScope, principal: Caller, form: Form) -> Response:
    """Ask the worker for a plan; leaving the page stops nothing."""
    title = form.text("title", required=True, label="计划名称", longest=80)
    budget = form.integer("budget_cny", label="预算", least=1000)
    region = form.text("region_code", longest=6)
    if budget > 10**9:
        raise Refused(422, "预算过大")
    if not scope.covers(region):
        raise not_found()
    as_of = enterprises.current_as_of(session)
    if as_of is None:
        raise Refused(409, "还没有分级结果，不能制定计划")
    request_row = JobRequest(
        job="plan",
        arguments={
            "title": title,
            "budget_cny": budget,
            "region_code": region.ljust(6, "0") if region else None,
            "as_of": as_of.isoformat(),
        },
        account_id=principal.account_id,
        requested_at=datetime.now(UTC),
        status="waiting",
    )
    session.add(request_row)
    session.flush()
    note(session, principal, "make_plan", "job_request", request_row.id, detail={"title": title, "budget": budget})
    return RedirectResponse(f"/jobs/{request_row.id}", 303)


@router.get("/plans/{plan_id}.xlsx")
def plan_export(
    request: Request, session: Reading, scope: InScope, plan_id: Id, wanted: Lines, principal: Caller
) -> Response:
    """Send a plan's lines as the sheet that goes out to the bureaus."""
    file = reads.one(session, scope, plan_id, wanted, EXPORT)
    if file is None:
        raise not_found()
    names = regions.names(session, [row.line.region_code for row in file.lines.rows])
    named = request.app.state.vocabulary.name
    headers = [
        "序号",
        "计划行编号",
        "企业名称",
        "统一社会信用代码",
        "所在地区",
        "地址",
        "产品",
        "抽样环节",
        "抽查类型",
        "列入规则",
        "列入理由",
        "风险等级",
        "入样概率",
        "预计不合格率",
        "基准不合格率",
        "费用（元）",
        "状态",
        "结果",
    ]
    rows: list[list[Cell]] = [
        [
            row.line.number,
            row.line.code,
            row.enterprise.name,
            row.enterprise.uscc,
            names.get(row.line.region_code or "", row.line.region_code),
            masked(row.enterprise.address),
            named(row.line.product_id, "product"),
            word(row.line.channel, "channel"),
            word(row.line.purpose, "purpose"),
            word(row.line.rule, "rule"),
            row.line.why,
            row.line.grade_level,
            round(row.line.inclusion_probability, 4),
            round(row.line.expected_fail, 4),
            round(row.line.base_rate, 4),
            row.line.cost_cny,
            word(row.line.status, "line_status"),
            word(row.line.outcome, "outcome") if row.line.outcome else None,
        ]
        for row in file.lines.rows
    ]
    plan = file.row.plan
    notes = [
        f"计划 {plan.title}　状态 {word(plan.status, 'plan_status')}　分级日期 {plan.as_of}　"
        f"预算 {plan.budget_cny:.0f} 元　政策版本 {plan.policy_hash[:12]}",
        "回填结果时请保留“计划行编号”一列。入样概率用于推算总体不合格率。",
    ]
    return send_table(
        request, principal, title=plan.title[:60], headers=headers, rows=rows, total=file.lines.total, notes=notes
    )


@router.get("/plans/{plan_id}")
def plan_page(
    request: Request,
    session: Reading,
    scope: InScope,
    plan_id: Id,
    wanted: Lines,
    page: Paging,
    settings: Config,
) -> Response:
    """Show a plan: what its rules put in, what came of it, and every line with why."""
    file = reads.one(session, scope, plan_id, wanted, page)
    if file is None:
        raise not_found()
    context = {
        "file": file,
        "wanted": wanted,
        "names": regions.names(
            session, [file.row.plan.region_code, *(row.line.region_code for row in file.lines.rows)]
        ),
        "regions": regions.choices(session, scope, settings.province_code),
        "scope_all": scope.covers(file.row.plan.region_code),
        "seed": _seed(file.row.plan.status, file.row.plan.seed),
    }
    return render(request, "plan.html", context)


@router.post("/plans/{plan_id}/issue")
def issue(session: Writing, scope: InScope, plan_id: Id, principal: Caller) -> Response:
    """Put a draft in force; from then on it is a record."""
    if reads.one(session, scope, plan_id, reads.LineFilter(), EXPORT) is None:
        raise not_found()
    try:
        plan = decisions.issue(session, plan_id, at=datetime.now(UTC))
    except decisions.PlanStateError as error:
        raise Refused(409, str(error)) from error
    note(session, principal, "issue_plan", "plan", plan_id, region_code=plan.region_code)
    return RedirectResponse(f"/plans/{plan_id}", 303)


@router.post("/plans/{plan_id}/lines/{line_id}/withdraw")
def withdraw_line(
    session: Writing, scope: InScope, plan_id: Id, line_id: Id, principal: Caller, form: Form
) -> Response:
    """Take a line out of a plan, with the reason."""
    line = reads.line(session, scope, plan_id, line_id)
    if line is None:
        raise not_found()
    reason = form.text("reason", longest=500, required=True, label="撤销理由")
    try:
        decisions.withdraw_line(session, line_id, reason=reason, account_id=principal.account_id, at=datetime.now(UTC))
    except decisions.PlanStateError as error:
        raise Refused(409, str(error)) from error
    detail: dict[str, object] = {"plan": plan_id, "enterprise": line.enterprise_id, "reason": reason}
    note(session, principal, "withdraw_plan_line", "plan_line", line_id, region_code=line.region_code, detail=detail)
    return RedirectResponse(f"/plans/{plan_id}", 303)


def _seed(status: str, seed: int) -> int | None:
    """The draw's seed stays secret until the plan is done, so that nobody can foretell who is drawn next."""
    return seed if status in ("done", "superseded") else None
