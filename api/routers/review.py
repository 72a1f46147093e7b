"""Where people decide what the machine would not guess: whose name it is, and which entries are one firm."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.auth import Principal
from api.deps import LARGEST_INTEGER, Caller, Form, Id, InScope, Paging, Reading, Writing, note, number_of
from api.errors import Refused, not_found
from api.exports import send_table
from api.rendering import masked, render
from api.words import word
from store import links as decisions
from store import merges as merging
from store.export import Cell
from store.reads import enterprises, regions
from store.reads import links as reads
from store.reads.page import EXPORT, PageRequest
from store.reads.scope import signals_in
from store.tables import Enterprise, JobRequest, Mention, Merge, Signal

router = APIRouter(include_in_schema=False)

Number = Annotated[int | None, Query(ge=1, le=LARGEST_INTEGER)]


@router.get("/review")
def review_page(
    request: Request,
    session: Reading,
    scope: InScope,
    mention: Number = None,
    at: Annotated[int, Query(ge=1, le=1_000_000, description="队列中的第几条")] = 1,
    q: Annotated[str, Query(max_length=100, description="另找企业")] = "",
) -> Response:
    """Show one name that waits, with the firms it may stand for."""
    found = reads.queue(session, scope, PageRequest(at, 1), mention_id=mention)
    row = found.rows[0] if found.rows else None
    more = enterprises.named_like(session, scope, q.strip(), 9) if len(q.strip()) >= 2 else []
    firms = [*(one.enterprise for one in row.candidates), *more] if row else more
    context = {
        "row": row,
        "others": reads.same_candidate(session, scope, row) if row else [],
        "total": found.total,
        "at": at,
        "q": q.strip(),
        "more": more,
        "decided": reads.decided(session, scope),
        "names": regions.names(
            session, [*(firm.region_code for firm in firms), row.mention.region_code if row else None]
        ),
    }
    return render(request, "review.html", context)


@router.get("/review.xlsx")
def review_export(request: Request, session: Reading, scope: InScope, principal: Caller) -> Response:
    """Send the queue as a workbook."""
    found = reads.queue(session, scope, EXPORT)
    headers = ["提及编号", "名称", "角色", "信号编号", "信号标题", "机器得分", "候选企业", "同名待核"]
    rows: list[list[Cell]] = [
        [
            row.mention.id,
            row.mention.text,
            word(row.mention.role, "mention_role"),
            row.signal.id,
            masked(row.signal.title),
            round(row.link.score, 3),
            "；".join(f"{one.enterprise.name}（{one.score:.2f}）" for one in row.candidates),
            row.alike,
        ]
        for row in found.rows
    ]
    return send_table(request, principal, title="待核关联", headers=headers, rows=rows, total=found.total)


@router.post("/review/{mention_id}")
def decide(session: Writing, scope: InScope, mention_id: Id, principal: Caller, form: Form) -> Response:
    """Record a decision on a name, and on the same name elsewhere when asked to."""
    signal = session.scalar(
        select(Signal).join(Mention, Mention.signal_id == Signal.id).where(Mention.id == mention_id, signals_in(scope))
    )
    if signal is None:
        raise not_found()
    sent = form.text("decision", required=True, label="决定", longest=30)
    at = max(1, min(form.integer("at", label="位置"), 1_000_000)) if form.text("at") else 1
    now = datetime.now(UTC)
    try:
        if sent == "withdraw":
            decisions.withdraw(session, mention_id)
            note(session, principal, "decide_link", "mention", mention_id, detail={"decision": "withdraw"})
            return RedirectResponse(f"/review?mention={mention_id}", 303)
        decision, _, chosen = sent.partition(":")
        enterprise_id = number_of(chosen)
        if enterprise_id is not None:
            firm = session.get(Enterprise, enterprise_id)
            if firm is None or not scope.covers(firm.region_code):
                raise not_found()
        ids = [mention_id]
        if form.text("alike") == "true":
            ids += reads.still_waiting(session, scope, decisions.waiting_alike(session, mention_id))
        if decision == "link":
            sent_too = (number_of(value) for name, value in form.items() if name == "also")
            ticked = [one for one in sent_too if one is not None]
            ids += [one for one in reads.still_waiting(session, scope, ticked) if one not in ids]
        for one in ids:
            decisions.decide(
                session, one, decision, enterprise_id=enterprise_id, account_id=principal.account_id, at=now
            )
    except decisions.LinkError as error:
        raise Refused(409, str(error)) from error
    detail: dict[str, object] = {"decision": decision, "enterprise": enterprise_id, "names": len(ids)}
    note(session, principal, "decide_link", "mention", mention_id, detail=detail)
    return RedirectResponse(f"/review?at={at + (decision == 'unsure')}", 303)


@router.get("/merges")
def merge_page(
    request: Request,
    session: Reading,
    scope: InScope,
    page: Paging,
    kept: Number = None,
    merged: Number = None,
) -> Response:
    """Show merges made, pairs that may be one firm, and the form to merge two."""
    found = reads.merges(session, scope, page, kept=kept if merged is None else None)
    pairs = reads.likely_pairs(session, scope)
    chosen = [
        firm
        for firm_id in (kept, merged)
        if firm_id is not None
        and (firm := session.get(Enterprise, firm_id)) is not None
        and scope.covers(firm.region_code)
    ]
    codes = [firm.region_code for pair in pairs for firm in (pair.one, pair.other)]
    context = {
        "page": found,
        "pairs": pairs,
        "kept": chosen[0] if chosen else None,
        "merged": chosen[1] if len(chosen) > 1 else None,
        "names": regions.names(session, codes),
    }
    return render(request, "merges.html", context)


@router.post("/merges")
def merge(session: Writing, scope: InScope, principal: Caller, form: Form) -> Response:
    """Let one entry go into another."""
    kept_id, merged_id = form.integer("kept_id", label="保留的企业"), form.integer("merged_id", label="并入的企业")
    for firm_id in (kept_id, merged_id):
        firm = session.get(Enterprise, firm_id)
        if firm is None or not scope.covers(firm.region_code):
            raise not_found()
    try:
        row = merging.merge(
            session,
            kept_id,
            merged_id,
            reason=form.text("reason", longest=500),
            account_id=principal.account_id,
            at=datetime.now(UTC),
            conflict_accepted=form.text("conflict") == "true",
        )
    except merging.MergeError as error:
        raise Refused(409, str(error)) from error
    note(session, principal, "merge", "merge", row.id, detail={"kept": kept_id, "merged": merged_id})
    _grade_again(session, principal)
    return RedirectResponse("/merges", 303)


@router.post("/merges/{merge_id}/undo")
def undo_merge(session: Writing, scope: InScope, merge_id: Id, principal: Caller) -> Response:
    """Take a merge back."""
    row = session.get(Merge, merge_id)
    kept = session.get(Enterprise, row.kept_id) if row else None
    if row is None or kept is None or not scope.covers(kept.region_code):
        raise not_found()
    try:
        merging.undo(session, merge_id, account_id=principal.account_id, at=datetime.now(UTC))
    except merging.MergeError as error:
        raise Refused(409, str(error)) from error
    note(session, principal, "undo_merge", "merge", merge_id)
    _grade_again(session, principal)
    return RedirectResponse("/merges", 303)


def _grade_again(session: Session, principal: Principal) -> None:
    """Ask the worker to grade, once for all merges that wait: grades and plan candidates follow at once."""
    waiting = select(JobRequest.id).where(JobRequest.job == "grade", JobRequest.status == "waiting")
    if session.scalar(waiting.limit(1)) is None:
        now = datetime.now(UTC)
        session.add(
            JobRequest(job="grade", arguments={}, account_id=principal.account_id, requested_at=now, status="waiting")
        )
