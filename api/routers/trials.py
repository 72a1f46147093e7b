"""Trying another policy: who would move. Nothing is adopted here."""

from datetime import UTC, date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from api.auth import Principal
from api.clock import today
from api.deps import Caller, Config, Form, Id, InScope, Paging, Reading, note, sessions_of
from api.errors import Refused, not_found
from api.exports import send_table
from api.rendering import render
from api.words import word
from jobs.settings import Settings
from scoring.policy import PolicyError, load_policies, parse_policy, policy_in_force
from scoring.whatif import differences, rehearse
from store.export import Cell, Sheet
from store.reads import regions
from store.reads import trials as reads
from store.reads.enterprises import RANK, current_as_of
from store.reads.page import EXPORT
from store.reads.scope import Scope
from store.session import read_only, transaction
from store.tables import JobRequest, PolicyTrial

router = APIRouter(include_in_schema=False)

LARGEST = 200_000
Level = Annotated[Literal["", "A", "B", "C", "D", "U"], Query(description="等级")]


@router.get("/whatif")
def trial_list(
    request: Request,
    session: Reading,
    scope: InScope,
    settings: Config,
    start: Annotated[int | None, Query(alias="from", ge=1, le=2**63 - 1)] = None,
) -> Response:
    """Show recent trials and the policy in force, to be changed and tried."""
    day = current_as_of(session) or today(session, settings)
    earlier = session.get(PolicyTrial, start) if start else None
    try:
        body = earlier.body if earlier else policy_in_force(load_policies(settings.policy_dir), day).body
    except PolicyError:
        body = ""
    return _page(request, session, scope, body=body, as_of=day)


def _page(
    request: Request, session: Session, scope: Scope, *, body: str, as_of: date, error: str = "", status: int = 200
) -> Response:
    context = {"trials": reads.recent(session, scope), "body": body, "as_of": as_of, "error": error}
    return render(request, "trials.html", context, status=status)


@router.post("/whatif")
async def try_policy(request: Request, scope: InScope, principal: Caller, form: Form, settings: Config) -> Response:
    """Check the policy and ask for its trial; what is wrong with it is said at once, beside the text."""
    sent = form.maybe_upload("file")
    if sent is None:
        body = form.long_text("body", longest=LARGEST, label="政策全文")
    else:
        raw = await sent.read(LARGEST + 1)
        if len(raw) > LARGEST:
            raise Refused(422, "政策文件过大")
        try:
            body = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise Refused(422, "政策文件应为 UTF-8 编码的文本") from None
    body = body.replace("\r\n", "\n")
    try:
        day = date.fromisoformat(form.text("as_of", longest=10, required=True, label="日期"))
    except ValueError:
        raise Refused(422, "日期应写作 年-月-日") from None
    return await run_in_threadpool(_ask, request, scope, principal, settings, body, day)


def _ask(request: Request, scope: Scope, principal: Principal, settings: Settings, body: str, day: date) -> Response:
    try:
        policy = parse_policy(body, place="政策")
        rehearse(policy, day)
        now = policy_in_force(load_policies(settings.policy_dir), day)
    except PolicyError as error:
        with read_only(sessions_of(request)) as session:
            return _page(request, session, scope, body=body, as_of=day, error=str(error), status=422)
    changed = differences(now, policy)
    with transaction(sessions_of(request)) as session:
        trial = PolicyTrial(
            body=body,
            version=policy.version[:80],
            hash=policy.hash,
            against_version=now.version,
            against_hash=now.hash,
            differences=[list(one) for one in changed],
            as_of=day,
            account_id=principal.account_id,
            asked_at=datetime.now(UTC),
        )
        session.add(trial)
        session.flush()
        asked = JobRequest(
            job="whatif",
            arguments={"trial_id": trial.id, "as_of": day.isoformat()},
            account_id=principal.account_id,
            requested_at=datetime.now(UTC),
            status="waiting",
        )
        session.add(asked)
        session.flush()
        trial.request_id = asked.id
        detail: dict[str, object] = {"policy": policy.hash, "changes": len(changed)}
        note(session, principal, "try_policy", "policy_trial", trial.id, detail=detail)
        trial_id = trial.id
    return RedirectResponse(f"/whatif/{trial_id}", 303)


@router.get("/whatif/{trial_id}.xlsx")
def trial_export(
    request: Request,
    session: Reading,
    scope: InScope,
    principal: Caller,
    trial_id: Id,
    level: Level = "",
    then: Level = "",
) -> Response:
    """Send the firms a trial would move as a workbook, with what was changed in the policy."""
    file = reads.one(session, scope, trial_id, EXPORT, level=level, level_then=then)
    if file is None:
        raise not_found()
    names = regions.names(session, [row.region_code for row in file.moves.rows])
    headers = ["企业编号", "企业名称", "所在地区", "身份", "现行等级", "试算等级", "现行得分", "试算得分", "原因"]
    rows: list[list[Cell]] = [
        [
            row.move.enterprise_id,
            row.enterprise_name,
            names.get(row.region_code or "", row.region_code),
            word(row.move.role, "grade_role"),
            row.move.level,
            row.move.level_then,
            row.move.score,
            row.move.score_then,
            row.move.cause,
        ]
        for row in file.moves.rows
    ]
    trial = file.row.trial
    changed = Sheet("改动", ["位置", "现行", "试算"], [list(one) for one in trial.differences], [])
    return send_table(
        request,
        principal,
        title=f"政策试算_{trial.against_version}_{trial.version}"[:60],
        headers=headers,
        rows=rows,
        total=file.moves.total,
        extra=[changed],
        notes=[f"按 {trial.as_of} 已知的记录试算，不改任何等级；现行 {trial.against_hash}，试算 {trial.hash}"],
    )


@router.get("/whatif/{trial_id}")
def trial_page(
    request: Request,
    session: Reading,
    scope: InScope,
    trial_id: Id,
    page: Paging,
    level: Level = "",
    then: Level = "",
) -> Response:
    """Show what a trial changes in the policy and whom it would move."""
    file = reads.one(session, scope, trial_id, page, level=level, level_then=then)
    if file is None:
        raise not_found()
    context = {
        "file": file,
        "wanted": {"level": level, "then": then},
        "worse": sum(count for (now, later), count in file.counts.items() if RANK[later] > RANK[now]),
        "names": regions.names(session, [row.region_code for row in file.moves.rows]),
    }
    return render(request, "trial.html", context)
