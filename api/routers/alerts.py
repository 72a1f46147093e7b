"""Alerts: the list, its export, one alert, and the answers to it."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from alerting.answers import KINDS, AnswerError, answer, possible_answers
from alerting.policy import load_alert_policy
from api.clock import now
from api.deps import LARGEST_INTEGER, Caller, Config, Form, Id, InScope, Paging, Reading, Writing, note
from api.errors import Refused, not_found
from api.exports import send_table
from api.rendering import masked, render
from api.words import word
from store.export import Cell
from store.reads import alerts as reads
from store.reads import regions
from store.reads.page import EXPORT

router = APIRouter(include_in_schema=False)

States = Literal["", "active", "open", "acknowledged", "handling", "reported", "closed", "suppressed"]


def wanted_alerts(
    session: Reading,
    settings: Config,
    q: Annotated[str, Query(max_length=100, description="标题或企业名称")] = "",
    colour: Annotated[Literal["", "red", "orange", "yellow", "blue"], Query(description="颜色")] = "",
    state: Annotated[States, Query(description="状态；active 为未销号")] = "",
    rule: Annotated[str, Query(max_length=40, description="触发规则")] = "",
    region: Annotated[str, Query(max_length=12, description="行政区划代码前缀")] = "",
    enterprise: Annotated[int | None, Query(ge=1, le=LARGEST_INTEGER, description="企业编号")] = None,
    overdue: Annotated[bool, Query(description="仅看超时未签收或未反馈")] = False,
    sort: Annotated[Literal["urgent", "newest", "due"], Query(description="排序")] = "urgent",
) -> reads.AlertFilter:
    """Return the filters of the alert list."""
    return reads.AlertFilter(
        q=q.strip(),
        colour=colour,
        state=state,
        rule=rule,
        region=region,
        enterprise=enterprise,
        overdue_at=now(session, settings) if overdue else None,
        sort=sort,
    )


Filter = Annotated[reads.AlertFilter, Depends(wanted_alerts)]


@router.get("/alerts")
def alert_list(
    request: Request, session: Reading, scope: InScope, wanted: Filter, page: Paging, settings: Config
) -> Response:
    """List the alerts in reach."""
    found = reads.listing(session, scope, wanted, page)
    context = {
        "page": found,
        "wanted": wanted,
        "names": regions.names(session, [row.alert.region_code for row in found.rows]),
        "regions": regions.choices(session, scope, settings.province_code),
        "rules": reads.rules_in_use(session, scope),
        "rule_names": {code: rule.zh for code, rule in load_alert_policy().rules.items()},
        "now": now(session, settings),
    }
    return render(request, "alerts.html", context)


@router.get("/alerts.xlsx")
def alert_export(request: Request, session: Reading, scope: InScope, wanted: Filter, principal: Caller) -> Response:
    """Send the filtered alerts as a workbook."""
    found = reads.listing(session, scope, wanted, EXPORT)
    names = regions.names(session, [row.alert.region_code for row in found.rows])
    named = request.app.state.vocabulary.name
    headers = [
        "预警编号",
        "颜色",
        "标题",
        "内容",
        "企业",
        "产品",
        "地区",
        "状态",
        "规则",
        "发出时间",
        "应签收",
        "应反馈",
        "理由",
        "依据记录编号",
    ]
    rows: list[list[Cell]] = [
        [
            row.alert.id,
            word(row.alert.colour, "colour"),
            masked(row.alert.title),
            masked(row.alert.body),
            row.enterprise_name,
            named(row.alert.product_id, "product") if row.alert.product_id else None,
            names.get(row.alert.region_code or "", row.alert.region_code),
            word(row.alert.state, "alert_state"),
            row.alert.rule,
            row.alert.raised_at,
            row.alert.acknowledge_by,
            row.alert.report_by,
            "；".join(masked(str(reason)) for reason in row.alert.reasons),
            "、".join(str(i) for i in row.alert.evidence),
        ]
        for row in found.rows
    ]
    return send_table(request, principal, title="预警", headers=headers, rows=rows, total=found.total)


@router.get("/alerts/{alert_id}")
def alert_page(request: Request, session: Reading, scope: InScope, alert_id: Id, settings: Config) -> Response:
    """Show one alert: why it was raised, who was told, what they answered."""
    file = reads.one(session, scope, alert_id)
    if file is None:
        raise not_found()
    context = {
        "file": file,
        "names": regions.names(session, [file.row.alert.region_code]),
        "rule": load_alert_policy().rules.get(file.row.alert.rule),
        "possible": possible_answers(file.row.alert.state),
        "now": now(session, settings),
    }
    return render(request, "alert.html", context)


@router.post("/alerts/{alert_id}/answers")
def answer_alert(session: Writing, scope: InScope, alert_id: Id, principal: Caller, form: Form) -> Response:
    """Record an answer by the person signed in."""
    kind = form.choice("kind", KINDS, label="答复")
    remark = form.text("remark", longest=2000)
    file = reads.one(session, scope, alert_id)
    if file is None:
        raise not_found()
    try:
        answer(session, alert_id, kind=kind, account_id=principal.account_id, remark=remark, at=datetime.now(UTC))
    except AnswerError as error:
        raise Refused(409, str(error)) from error
    note(
        session,
        principal,
        "acknowledge" if kind == "acknowledge" else "answer_alert",
        "alert",
        alert_id,
        region_code=file.row.alert.region_code,
        detail={"kind": kind},
    )
    return RedirectResponse(f"/alerts/{alert_id}", 303)
