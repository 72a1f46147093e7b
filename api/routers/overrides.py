"""Setting a grade aside: one person asks, another approves; and how often that was right."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.clock import now, today
from api.deps import Caller, Config, Form, Id, InScope, Paging, Reading, Writing, note
from api.errors import Refused, not_found
from api.exports import send_table
from api.grading import policy_of
from api.rendering import masked, render
from api.words import word
from store import overrides
from store.export import Cell
from store.reads import overrides as reads
from store.reads import regions
from store.reads.enterprises import current_as_of
from store.reads.page import EXPORT
from store.reads.scope import Scope
from store.tables import Enterprise, Grade, Override

router = APIRouter(include_in_schema=False)

State = Annotated[
    Literal["", "waiting", "holding", "expired", "refused", "withdrawn"], Query(description="人工调整的状态")
]


@router.get("/overrides")
def override_list(
    request: Request, session: Reading, scope: InScope, page: Paging, settings: Config, state: State = ""
) -> Response:
    """List the overrides in reach, those that wait for a second person first, and how often they were right."""
    day = today(session, settings)
    context = {
        "page": reads.listing(session, scope, day, page, state=state),
        "record": reads.track_record(session, scope, day),
        "state": state,
        "today": day,
    }
    return render(request, "overrides.html", context)


@router.get("/overrides.xlsx")
def override_export(
    request: Request, session: Reading, scope: InScope, principal: Caller, settings: Config, state: State = ""
) -> Response:
    """Send the filtered overrides as a workbook."""
    found = reads.listing(session, scope, today(session, settings), EXPORT, state=state)
    names = regions.names(session, [row.region_code for row in found.rows])
    named = request.app.state.vocabulary.name
    headers = [
        "编号",
        "企业编号",
        "企业名称",
        "所在地区",
        "身份",
        "产品线",
        "系统分级",
        "调整为",
        "理由",
        "状态",
        "提出人",
        "提出时间",
        "办理人",
        "批准时间",
        "意见",
        "有效期至",
        "撤回时间",
        "此后第一批抽检日期",
        "此后第一批抽检结果",
        "抽检记录编号",
        "与调整方向一致",
    ]
    rows: list[list[Cell]] = [
        [
            row.override.id,
            row.enterprise_id,
            row.enterprise_name,
            names.get(row.region_code or "", row.region_code),
            word(row.override.role, "grade_role"),
            named(row.override.product_id, "product") if row.override.product_id else "全部",
            row.override.set_aside,
            row.override.value,
            masked(row.override.reason),
            word(row.state, "override_state"),
            row.maker,
            row.override.made_at,
            row.approver,
            row.override.approved_at,
            masked(row.override.remark),
            row.override.expires_on,
            row.override.withdrawn_at,
            row.later.occurred_on if row.later else None,
            ("不合格" if row.later.failed else "合格") if row.later else None,
            row.later.signal_id if row.later else None,
            None if row.right is None else "是" if row.right else "否",
        ]
        for row in found.rows
    ]
    return send_table(request, principal, title="人工调整", headers=headers, rows=rows, total=found.total)


@router.post("/enterprises/{enterprise_id}/overrides")
def propose(
    session: Writing, scope: InScope, enterprise_id: Id, principal: Caller, form: Form, settings: Config
) -> Response:
    """Ask for another grade; it takes effect when somebody else approves."""
    firm = session.scalar(select(Enterprise).where(Enterprise.id == enterprise_id, scope.where(Enterprise.region_code)))
    if firm is None:
        raise not_found()
    grade = session.get(Grade, form.integer("grade_id", label="等级"))
    if grade is None or grade.enterprise_id != firm.id or grade.as_of != current_as_of(session):
        raise Refused(409, "这一等级已有更新，请刷新后再试")
    value = form.choice("value", overrides.LEVELS, label="调整后的等级")
    reason = form.text("reason", longest=1000, required=True, label="理由")
    try:
        expires = date.fromisoformat(form.text("expires_on", longest=10, required=True, label="有效期"))
        row = overrides.propose(
            session,
            grade,
            value,
            reason=reason,
            expires_on=expires,
            account_id=principal.account_id,
            at=now(session, settings),
        )
    except overrides.OverrideError as error:
        raise Refused(409, str(error)) from error
    except ValueError:
        raise Refused(422, "有效期应写作 年-月-日") from None
    detail: dict[str, object] = {
        "enterprise": firm.id,
        "product": grade.product_id,
        "from": row.set_aside,
        "to": value,
        "reason": reason,
        "expires": expires.isoformat(),
    }
    note(session, principal, "propose_override", "override", row.id, region_code=firm.region_code, detail=detail)
    return RedirectResponse(f"/enterprises/{firm.id}#overrides", 303)


@router.post("/overrides/{override_id}/decide")
def decide(
    session: Writing, scope: InScope, override_id: Id, principal: Caller, form: Form, settings: Config
) -> Response:
    """Approve or refuse what another person asked for."""
    firm = _firm(session, scope, override_id)
    approve = form.choice("decision", ("approve", "refuse"), label="意见") == "approve"
    remark = form.text("remark", longest=500)
    try:
        row = overrides.decide(
            session,
            override_id,
            approve=approve,
            account_id=principal.account_id,
            remark=remark,
            at=now(session, settings),
        )
    except overrides.OverrideError as error:
        raise Refused(409, str(error)) from error
    if approve:
        _apply(session, firm)
    act = "approve_override" if approve else "refuse_override"
    detail: dict[str, object] = {"enterprise": firm.id, "from": row.set_aside, "to": row.value, "remark": remark}
    note(session, principal, act, "override", row.id, region_code=firm.region_code, detail=detail)
    return RedirectResponse(f"/enterprises/{firm.id}#overrides", 303)


@router.post("/overrides/{override_id}/withdraw")
def withdraw(session: Writing, scope: InScope, override_id: Id, principal: Caller, settings: Config) -> Response:
    """End an override before its last day."""
    firm = _firm(session, scope, override_id)
    try:
        row = overrides.withdraw(session, override_id, account_id=principal.account_id, at=now(session, settings))
    except overrides.OverrideError as error:
        raise Refused(409, str(error)) from error
    _apply(session, firm)
    detail: dict[str, object] = {"enterprise": firm.id, "from": row.set_aside, "to": row.value}
    note(session, principal, "withdraw_override", "override", row.id, region_code=firm.region_code, detail=detail)
    return RedirectResponse(f"/enterprises/{firm.id}#overrides", 303)


def _firm(session: Session, scope: Scope, override_id: int) -> Enterprise:
    """Return the firm an override stands for now; 404 when it is out of reach."""
    firm = session.scalar(
        select(Enterprise)
        .join(Override, Override.enterprise_id == Enterprise.id)
        .where(Override.id == override_id, Override.target_kind == "grade", scope.where(Enterprise.region_code))
    )
    if firm is None:
        raise not_found()
    return session.get_one(Enterprise, firm.merged_into_id) if firm.merged_into_id else firm


def _apply(session: Session, firm: Enterprise) -> None:
    """Let the newest grading follow at once; earlier days stay as they were known."""
    newest = session.scalars(
        select(Grade).where(Grade.enterprise_id == firm.id).order_by(Grade.as_of.desc(), Grade.id.desc()).limit(1)
    ).first()
    policy = policy_of(session, newest.policy_hash) if newest else None
    if newest is not None and policy is not None:
        overrides.apply(session, newest.as_of, newest.policy_hash, policy.measure, firm.id)
