"""Labelling: a person says what a text says, by keyboard."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from api.deps import LARGEST_INTEGER, Caller, Form, Id, InScope, Reading, Writing, note
from api.errors import Refused, not_found
from api.highlight import pieces
from api.rendering import masked, render
from store import labels as decisions
from store.reads import labels as reads
from store.tables import JobRequest

router = APIRouter(include_in_schema=False)


@router.get("/labelling")
def labelling_page(
    request: Request,
    session: Reading,
    scope: InScope,
    principal: Caller,
    signal: Annotated[int | None, Query(ge=1, le=LARGEST_INTEGER)] = None,
    skip: Annotated[int, Query(ge=0, le=100_000)] = 0,
) -> Response:
    """Show the signal that is worth most to label now, or the one asked for."""
    signal_id = signal or reads.next_signal(session, scope, principal.account_id, skip)
    task = reads.task(session, scope, signal_id, principal.account_id) if signal_id else None
    if signal is not None and task is None:
        raise not_found()
    context = {
        "task": task,
        "skip": skip,
        "chosen": signal is not None,
        "pieces": pieces(masked(task.signal.text), task.tags, []) if task else [],
        "progress": reads.progress(session, principal.account_id),
        "models": reads.models(session),
    }
    return render(request, "labelling.html", context)


@router.post("/labelling/{signal_id}")
def save_labels(
    request: Request, session: Writing, scope: InScope, signal_id: Id, principal: Caller, form: Form
) -> Response:
    """Keep the answers and go on to the next signal."""
    task = reads.task(session, scope, signal_id, principal.account_id)
    if task is None:
        raise not_found()
    vocabulary = request.app.state.vocabulary
    known = {"hazard": vocabulary.hazards, "violation": vocabulary.violations, "product": vocabulary.products}
    asked = {("relevance", "relevant")} | {(one.kind, one.code) for one in task.proposals}
    verdicts: list[decisions.Verdict] = []
    for name, value in form.items():
        kind, _, code = name.partition(":")
        if kind not in decisions.KINDS or not code or value == "":
            continue
        if value not in decisions.DECISIONS:
            raise Refused(422, "标注内容不在可选值之内")
        if (kind, code) not in asked and code not in known.get(kind, {}):
            raise Refused(422, "没有这个标签")
        verdicts.append(decisions.Verdict(kind, code, value))
    added_kind, _, added = form.text("add", longest=120).partition(":")
    if added:
        if added not in known.get(added_kind, {}):
            raise Refused(422, "没有这个标签")
        verdicts.append(decisions.Verdict(added_kind, added, "yes"))
    if not verdicts:
        raise Refused(422, "没有选择任何标注")
    decisions.save(session, signal_id, verdicts, account_id=principal.account_id, at=datetime.now(UTC))
    note(session, principal, "label", "signal", signal_id, detail={"labels": len(verdicts)})
    return RedirectResponse("/labelling", 303)


@router.post("/labelling/undo/{label_id}")
def undo_labels(session: Writing, principal: Caller, label_id: Id) -> Response:
    """Take one's last answers back and show that signal again."""
    signal_id = decisions.withdraw(session, label_id, account_id=principal.account_id, at=datetime.now(UTC))
    if signal_id is None:
        raise not_found()
    note(session, principal, "undo_label", "signal", signal_id)
    return RedirectResponse(f"/labelling?signal={signal_id}", 303)


@router.post("/models/training")
def ask_for_training(session: Writing, principal: Caller) -> Response:
    """Ask the worker for a candidate trained on the corpus and every label there is; nothing is put in force."""
    return _asked(session, principal, "train", {})


@router.post("/models/accepted")
def accept_model(session: Writing, principal: Caller, form: Form) -> Response:
    """Ask the worker to put a candidate in force, or without a number the model that ships."""
    chosen = form.text("model", longest=20)
    if chosen and not any(str(model.id) == chosen for model in reads.models(session)):
        raise not_found()
    return _asked(session, principal, "accept_model", {"model_id": int(chosen) if chosen else None})


def _asked(session: Writing, principal: Caller, job: str, arguments: dict[str, int | None]) -> Response:
    row = JobRequest(
        job=job, arguments=arguments, account_id=principal.account_id, requested_at=datetime.now(UTC), status="waiting"
    )
    session.add(row)
    session.flush()
    note(session, principal, "request_job", "job_request", row.id, detail={"job": job, **arguments})
    return RedirectResponse(f"/jobs/{row.id}", 303)
