"""The JSON API: the same reads as the pages, under /api/v1."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, Response

from alerting.answers import AnswerError, answer
from api.clock import today
from api.deps import Caller, Config, Id, InScope, Paging, Reading, Writing, note
from api.errors import Refused, finite, not_found
from api.grading import plausible
from api.rendering import masked, render
from api.routers import rest_grades
from api.routers.alerts import Filter as AlertFilter
from api.routers.cases import Filter as CaseFilter
from api.routers.enterprises import Filter as EnterpriseFilter
from api.routers.plans import Lines, Status
from api.routers.signals import Filter as SignalFilter
from api.routers.sources import Channel, Verdict
from api.schemas.answers import (
    ERRORS,
    AlertAnswer,
    AnswerSent,
    CaseAnswer,
    CaseDetail,
    ClockAnswer,
    EnterpriseAnswer,
    EnterpriseLine,
    FirmAnswer,
    GradeAnswer,
    ImportAnswer,
    ImportDetail,
    IssueAnswer,
    Listing,
    OverviewAnswer,
    PlanAnswer,
    PlanDetail,
    PlanLineAnswer,
    Problem,
    Reason,
    RecordLine,
    RegionAnswer,
    RunAnswer,
    SignalAnswer,
    SignalLine,
    SourceAnswer,
    StandingAnswer,
    StatementAnswer,
    TagAnswer,
)
from jobs.standing import Standing, standing
from store.reads import alerts, cases, enterprises, imports, overview, plans, runs, signals, sources
from store.reads.page import Page
from store.tables import Alert, Grade

T = TypeVar("T")

router = APIRouter(responses=ERRORS)
docs = APIRouter(include_in_schema=False)

Word = Annotated[str, Query(max_length=40)]


def _listing(page: Page[Any], rows: Sequence[T]) -> Listing[T]:
    return Listing(rows=list(rows), total=page.total, page=page.number, size=page.size)


@router.get("/api/v1/overview", summary="总览数字", tags=["总览"], response_model=OverviewAnswer)
def get_overview(session: Reading, scope: InScope, settings: Config) -> OverviewAnswer:
    """辖区内的各项数字及其时效；不合格率附按结构推算的应有数。"""
    found = overview.overview(session, scope, today(session, settings))
    return OverviewAnswer(
        as_of=found.as_of,
        until=found.until,
        newest_known_at=found.newest_known_at,
        enterprises=found.enterprises,
        levels=found.levels,
        worsened=found.worsened,
        alerts=found.alerts,
        unanswered=found.unanswered,
        overdue_cases=found.overdue_cases,
        open_cases=found.open_cases,
        waiting_review=found.waiting_review,
        regions=[
            RegionAnswer(
                prefix=line.prefix,
                enterprises=line.enterprises,
                high=line.high,
                higher=line.higher,
                unknown=line.unknown,
                open_alerts=line.open_alerts,
                samples=line.sampling.samples,
                failures=line.sampling.failures,
                expected=line.sampling.expected,
                ratio=finite(line.sampling.ratio),
                low=finite(line.sampling.low),
                high_bound=finite(line.sampling.high),
            )
            for line in found.regions
        ],
        synthetic=settings.synthetic,
    )


@router.get("/api/v1/enterprises", summary="企业列表", tags=["企业"], response_model=Listing[EnterpriseLine])
def list_enterprises(
    session: Reading, scope: InScope, wanted: EnterpriseFilter, page: Paging
) -> Listing[EnterpriseLine]:
    """辖区内的企业，带当前等级和主要原因。"""
    found = enterprises.listing(session, scope, wanted, page)
    rows = [
        EnterpriseLine.model_validate(row).model_copy(update={"reasons": [masked(reason) for reason in row.reasons]})
        for row in found.rows
    ]
    return _listing(found, rows)


@router.get("/api/v1/enterprises/{enterprise_id}", summary="一家企业", tags=["企业"], response_model=EnterpriseAnswer)
def get_enterprise(
    session: Reading,
    scope: InScope,
    enterprise_id: Id,
    as_of: Annotated[date | None, Query(description="看这一天以前最近一次的分级")] = None,
) -> EnterpriseAnswer:
    """企业的等级、每一分的来由，以及历次等级。`as_of` 给出那一天以前最近一次的分级。"""
    file = enterprises.one(session, scope, enterprise_id, as_of=as_of)
    if file is None:
        raise not_found()
    firm = file.enterprise
    stands = standing(session, file.grades[0].as_of) if file.grades else None
    return EnterpriseAnswer(
        id=firm.id,
        name=firm.name,
        uscc=firm.uscc,
        region_code=firm.region_code,
        address=masked(firm.address) or None,
        status=firm.status,
        size=firm.size,
        established_on=firm.established_on,
        provisional=firm.provisional,
        other_names=[name.name for name in file.names],
        roles=sorted({role.role for role in file.roles}),
        grades=[_grade(grade, stands) for grade in file.grades],
        challenger_standing=StandingAnswer.model_validate(stands) if stands else None,
        history=[_grade(grade) for grade in file.history],
        statements=[
            StatementAnswer.model_validate(row).model_copy(
                update={"text": masked(row.text), "reply": masked(row.reply) or None}
            )
            for row, _, _ in file.statements
        ],
        signals=file.signals_total,
    )


@router.get(
    "/api/v1/enterprises/{enterprise_id}/records",
    summary="一家企业的记录",
    tags=["企业"],
    response_model=list[RecordLine],
)
def get_enterprise_records(session: Reading, scope: InScope, enterprise_id: Id) -> list[RecordLine]:
    """关联到企业的结构化记录，每类至多 200 条。"""
    file = enterprises.one(session, scope, enterprise_id)
    if file is None:
        raise not_found()
    return [
        RecordLine(
            kind=kind,
            signal_id=row.signal.signal_id,
            occurred_on=row.signal.occurred_on,
            known_at=row.signal.known_at,
            role=row.role,
            title=masked(row.signal.title),
            source=row.signal.source_title,
        )
        for kind, rows in file.records.items()
        for row in rows
    ]


@router.get("/api/v1/signals", summary="风险信号列表", tags=["信号"], response_model=Listing[SignalLine])
def list_signals(session: Reading, scope: InScope, wanted: SignalFilter, page: Paging) -> Listing[SignalLine]:
    """辖区内的信号；标题和摘要中的个人信息已遮蔽。"""
    found = signals.listing(session, scope, wanted, page)
    rows = [
        SignalLine.model_validate(row).model_copy(update={"title": masked(row.title), "excerpt": masked(row.excerpt)})
        for row in found.rows
    ]
    return _listing(found, rows)


@router.get("/api/v1/signals/{signal_id}", summary="一条信号", tags=["信号"], response_model=SignalAnswer)
def get_signal(session: Reading, scope: InScope, signal_id: Id) -> SignalAnswer:
    """信号原文（个人信息已遮蔽）、标签及其在文中的位置、提到的企业。"""
    file = signals.one(session, scope, signal_id)
    if file is None:
        raise not_found()
    found = file.signal
    return SignalAnswer(
        id=found.id,
        title=masked(found.title),
        text=masked(found.text),
        channel=found.channel,
        trust=found.trust,
        url=found.url,
        region_code=found.region_code,
        occurred_on=found.occurred_on,
        known_at=found.known_at,
        source_id=found.source_id,
        file_id=found.file_id,
        file_place=found.file_place,
        tags=[TagAnswer.model_validate(tag) for tag in file.tags],
        firms=[
            FirmAnswer(
                text=masked(firm.mention.text),
                role=firm.mention.role,
                enterprise_id=firm.enterprise.id if firm.enterprise is not None and firm.reachable else None,
                method=firm.link.method if firm.link else None,
                score=firm.link.score if firm.link else None,
            )
            for firm in file.firms
        ],
    )


@router.get("/api/v1/plans", summary="抽查计划列表", tags=["计划"], response_model=Listing[PlanAnswer])
def list_plans(session: Reading, scope: InScope, page: Paging, status: Status = "") -> Listing[PlanAnswer]:
    """辖区内的计划。"""
    found = plans.listing(session, scope, page, status=status)
    return _listing(found, [PlanAnswer(**_plan(row)) for row in found.rows])


@router.get("/api/v1/plans/{plan_id}", summary="一份抽查计划", tags=["计划"], response_model=PlanDetail)
def get_plan(session: Reading, scope: InScope, plan_id: Id, wanted: Lines, page: Paging) -> PlanDetail:
    """计划及其批次；每个批次写明为什么、以多大概率抽中。"""
    file = plans.one(session, scope, plan_id, wanted, page)
    if file is None:
        raise not_found()
    lines = _listing(file.lines, [PlanLineAnswer.model_validate(row.line) for row in file.lines.rows])
    return PlanDetail(**_plan(file.row), page=lines)


@router.get("/api/v1/alerts", summary="预警列表", tags=["预警"], response_model=Listing[AlertAnswer])
def list_alerts(session: Reading, scope: InScope, wanted: AlertFilter, page: Paging) -> Listing[AlertAnswer]:
    """辖区内的预警。"""
    found = alerts.listing(session, scope, wanted, page)
    return _listing(found, [_alert(row.alert) for row in found.rows])


@router.get("/api/v1/alerts/{alert_id}", summary="一件预警", tags=["预警"], response_model=AlertAnswer)
def get_alert(session: Reading, scope: InScope, alert_id: Id) -> AlertAnswer:
    """预警的内容、理由和依据的信号编号。"""
    file = alerts.one(session, scope, alert_id)
    if file is None:
        raise not_found()
    return _alert(file.row.alert)


@router.post(
    "/api/v1/alerts/{alert_id}/answers",
    summary="答复预警",
    tags=["预警"],
    response_model=AlertAnswer,
    responses={409: {"model": Problem, "description": "预警当前状态不允许这种答复"}},
)
def post_answer(session: Writing, scope: InScope, alert_id: Id, principal: Caller, sent: AnswerSent) -> AlertAnswer:
    """签收、处置、反馈、核查、销号或退回；记入审计。"""
    file = alerts.one(session, scope, alert_id)
    if file is None:
        raise not_found()
    if any(0xD800 <= ord(character) <= 0xDFFF or character == "\x00" for character in sent.remark):
        raise Refused(422, "说明含有无法保存的字符")
    try:
        answer(
            session,
            alert_id,
            kind=sent.kind,
            account_id=principal.account_id,
            remark=sent.remark,
            at=datetime.now(UTC),
        )
    except AnswerError as error:
        raise Refused(409, str(error)) from error
    region = file.row.alert.region_code
    act = "acknowledge" if sent.kind == "acknowledge" else "answer_alert"
    note(session, principal, act, "alert", alert_id, region_code=region, detail={"kind": sent.kind})
    session.refresh(file.row.alert)
    return _alert(file.row.alert)


@router.get("/api/v1/cases", summary="处置台账列表", tags=["台账"], response_model=Listing[CaseAnswer])
def list_cases(session: Reading, scope: InScope, wanted: CaseFilter, page: Paging) -> Listing[CaseAnswer]:
    """辖区内的台账。"""
    found = cases.listing(session, scope, wanted, page)
    return _listing(found, [CaseAnswer.model_validate(row.case) for row in found.rows])


@router.get("/api/v1/cases/{case_id}", summary="一件台账", tags=["台账"], response_model=CaseDetail)
def get_case(session: Reading, scope: InScope, case_id: Id) -> CaseDetail:
    """台账及其法定时限。"""
    file = cases.one(session, scope, case_id)
    if file is None:
        raise not_found()
    body = CaseAnswer.model_validate(file.row.case).model_dump()
    return CaseDetail(**body, clocks=[ClockAnswer.model_validate(clock) for clock in file.clocks])


@router.get("/api/v1/sources", summary="数据来源及健康", tags=["数据"], response_model=Listing[SourceAnswer])
def list_sources(
    session: Reading, scope: InScope, page: Paging, verdict: Verdict = "", channel: Channel = ""
) -> Listing[SourceAnswer]:
    """数据来源，有问题的在前。"""
    found = sources.list_sources(session, scope, page, verdict=verdict or None, channel=channel or None)
    return _listing(found, [SourceAnswer.model_validate(row) for row in found.rows])


@router.get("/api/v1/imports", summary="导入文件列表", tags=["数据"], response_model=Listing[ImportAnswer])
def list_imports(
    session: Reading, scope: InScope, page: Paging, kind: Word = "", status: Word = ""
) -> Listing[ImportAnswer]:
    """导入的文件；读取 = 有效 + 隔离 + 忽略。"""
    found = imports.listing(session, scope, page, kind=kind, status=status)
    return _listing(found, [ImportAnswer.model_validate(row.file) for row in found.rows])


@router.get("/api/v1/imports/{file_id}", summary="一份导入文件", tags=["数据"], response_model=ImportDetail)
def get_import(session: Reading, scope: InScope, file_id: Id, page: Paging) -> ImportDetail:
    """文件的计数和逐行问题。"""
    report = imports.one(session, scope, file_id, page)
    if report is None:
        raise not_found()
    rows = [
        IssueAnswer.model_validate(issue).model_copy(update={"message": masked(issue.message)})
        for issue in report.issues.rows
    ]
    body = ImportAnswer.model_validate(report.row.file).model_dump()
    return ImportDetail(**body, issues=_listing(report.issues, rows))


@router.get("/api/v1/runs", summary="运行记录", tags=["数据"], response_model=Listing[RunAnswer])
def list_runs(session: Reading, scope: InScope, page: Paging, job: Word = "", status: Word = "") -> Listing[RunAnswer]:
    """各任务的运行记录；只对全省账号开放，辖区账号得到空列表。"""
    found = runs.listing(session, scope, page, job=job, status=status)
    return _listing(found, [RunAnswer.model_validate(row) for row in found.rows])


@docs.get("/api/v1/openapi.json")
def openapi(request: Request) -> JSONResponse:
    """Send the description of the API; only /api/v1 is in it."""
    app = request.app
    routes = [*router.routes, *rest_grades.router.routes]
    schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=routes)
    schema["components"].setdefault("securitySchemes", {})["令牌"] = {"type": "http", "scheme": "bearer"}
    schema["security"] = [{"令牌": []}]
    return JSONResponse(schema)


@docs.get("/api/docs")
def api_docs(request: Request) -> Response:
    """Show the API's documentation from files of our own: it works with no network."""
    return render(request, "api_docs.html", {})


def _grade(grade: Grade, stands: Standing | None = None) -> GradeAnswer:
    parts = [
        Reason(
            indicator=str(part.get("indicator", "")),
            zh=str(part.get("zh", "")),
            points=float(part.get("points", 0)),
            weight=finite(part.get("weight")),
            sentence=masked(str(part.get("sentence") or "")),
            cap=str(part["cap"]) if part.get("cap") else None,
            evidence=[int(i) for i in part.get("evidence", [])],
        )
        for part in grade.contributions
    ]
    body = {
        name: getattr(grade, name) for name in GradeAnswer.model_fields if name not in ("contributions", "plausible")
    }
    body["missing"] = [str(item) for item in grade.missing]
    return GradeAnswer(**body, contributions=parts, plausible=plausible(stands, grade) or None)


def _plan(row: plans.PlanRow) -> dict[str, Any]:
    plan = row.plan
    return {
        "id": plan.id,
        "title": plan.title,
        "region_code": plan.region_code,
        "as_of": plan.as_of,
        "budget_cny": plan.budget_cny,
        "status": plan.status,
        "policy_hash": plan.policy_hash,
        "lines": row.lines,
        "sampled": row.sampled,
        "failed": row.failed,
        "expected": row.expected,
    }


def _alert(alert: Alert) -> AlertAnswer:
    hidden = {
        "title": masked(alert.title),
        "body": masked(alert.body),
        "reasons": [masked(str(reason)) for reason in alert.reasons],
    }
    return AlertAnswer.model_validate(alert).model_copy(update=hidden)
