"""A firm's statement on its grade (陈述申辩): entered, answered, its document opened."""

import hashlib
import os
import secrets
from datetime import date
from pathlib import Path, PurePath

import anyio
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.datastructures import UploadFile

from api.auth import Principal
from api.clock import now, today
from api.deps import Caller, Config, Form, FormValues, Id, InScope, Reading, Writing, note, sessions_of
from api.errors import Refused, not_found
from api.exports import attachment
from jobs.settings import Settings
from store import statements
from store.reads import enterprises as reads
from store.reads.scope import Scope
from store.session import read_only, transaction
from store.tables import Enterprise, Statement

router = APIRouter(include_in_schema=False)

KINDS = (".pdf", ".ofd", ".doc", ".docx", ".xls", ".xlsx", ".jpg", ".jpeg", ".png", ".txt", ".zip")
LARGEST = 20 << 20
EARLIEST = date(2000, 1, 1)  # a year typed as 0026 is a slip


@router.post("/enterprises/{enterprise_id}/statements")
async def hand_in(
    request: Request, scope: InScope, enterprise_id: Id, principal: Caller, form: Form, settings: Config
) -> Response:
    """Enter what a firm says of its grade, with its document."""
    with read_only(sessions_of(request)) as session:
        if _firm(session, scope, enterprise_id) is None:
            raise not_found()
    file = await _keep(form, settings.var)
    try:
        return await run_in_threadpool(_hand_in, request, scope, enterprise_id, principal, form, settings, file)
    except Exception:
        if file is not None:
            await anyio.Path(settings.var / file.path).unlink(missing_ok=True)
        raise


def _hand_in(
    request: Request,
    scope: Scope,
    enterprise_id: int,
    principal: Principal,
    form: FormValues,
    settings: Settings,
    file: statements.KeptFile | None,
) -> Response:
    text = form.text("text", longest=5000, label="陈述内容")
    with transaction(sessions_of(request)) as session:
        firm = _firm(session, scope, enterprise_id)
        if firm is None:
            raise not_found()
        try:
            received = date.fromisoformat(form.text("received_on", longest=10, required=True, label="收到日期"))
        except ValueError:
            raise Refused(422, "收到日期应写作 年-月-日") from None
        if not EARLIEST <= received <= today(session, settings):
            raise Refused(422, f"收到日期应在 {EARLIEST} 与今天之间")
        try:
            row = statements.hand_in(
                session,
                firm,
                text=text,
                received_on=received,
                file=file,
                account_id=principal.account_id,
                at=now(session, settings),
            )
        except statements.StatementError as error:
            raise Refused(422, str(error)) from error
        detail: dict[str, object] = {
            "enterprise": firm.id,
            "file": file.name if file else "",
            "sha256": file.sha256 if file else "",
        }
        note(session, principal, "hand_in_statement", "statement", row.id, region_code=firm.region_code, detail=detail)
    return RedirectResponse(f"/enterprises/{enterprise_id}#statements", 303)


async def _keep(form: FormValues, var: Path) -> statements.KeptFile | None:
    """Write the document under a random name in the data folder; None when none was sent."""
    sent = form.maybe_upload("file")
    if sent is None:
        return None
    name = PurePath((sent.filename or "").replace("\\", "/")).name[:200]
    if PurePath(name).suffix.lower() not in KINDS:
        raise Refused(422, "材料的文件类型不在可收之列")
    place = Path("statements") / (secrets.token_hex(16) + PurePath(name).suffix.lower())
    await anyio.Path(var / place.parent).mkdir(parents=True, exist_ok=True)
    digest, size = await _write(sent, var / place)
    if not 0 < size <= LARGEST:
        await anyio.Path(var / place).unlink(missing_ok=True)
        raise Refused(422, "文件是空的" if size == 0 else "材料不能超过 20 MB")
    return statements.KeptFile(name, place.as_posix(), digest)


async def _write(sent: UploadFile, path: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    async with await anyio.open_file(path, "xb") as stream:
        while size <= LARGEST and (chunk := await sent.read(1 << 20)):
            digest.update(chunk)
            size += len(chunk)
            await stream.write(chunk)
        await stream.flush()
        await run_in_threadpool(os.fsync, stream.wrapped.fileno())
    return digest.hexdigest(), size


@router.get("/statements/{statement_id}/file")
def statement_file(session: Reading, scope: InScope, statement_id: Id, principal: Caller, settings: Config) -> Response:
    """Send a statement's document as it came, to be saved; it may hold personal data, so only to those who may."""
    row = reads.statement(session, scope, statement_id)
    if row is None or not row.file_path:
        raise not_found()
    if not principal.raw_text:
        raise Refused(403)
    root = settings.var.resolve()
    path = (root / row.file_path).resolve()
    if not path.is_relative_to(root) or not path.is_file():
        raise not_found()
    headers = {
        "Content-Disposition": attachment(f"陈述申辩{row.id}_{row.file_name}"),
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return FileResponse(path, media_type="application/octet-stream", headers=headers)


@router.post("/statements/{statement_id}/reply")
def reply(
    session: Writing, scope: InScope, statement_id: Id, principal: Caller, form: Form, settings: Config
) -> Response:
    """Answer a statement after review."""
    row = _statement(session, scope, statement_id)
    text = form.text("reply", longest=2000, required=True, label="复核意见")
    try:
        statements.reply(session, row.id, text=text, account_id=principal.account_id, at=now(session, settings))
    except statements.StatementError as error:
        raise Refused(409, str(error)) from error
    note(session, principal, "reply_statement", "statement", row.id, detail={"enterprise": row.enterprise_id})
    return RedirectResponse(f"/enterprises/{row.enterprise_id}#statements", 303)


@router.post("/statements/{statement_id}/withdraw")
def withdraw(session: Writing, scope: InScope, statement_id: Id, principal: Caller, settings: Config) -> Response:
    """Take back a statement that was entered by mistake."""
    row = _statement(session, scope, statement_id)
    try:
        statements.withdraw(session, row.id, account_id=principal.account_id, at=now(session, settings))
    except statements.StatementError as error:
        raise Refused(409, str(error)) from error
    note(session, principal, "withdraw_statement", "statement", row.id, detail={"enterprise": row.enterprise_id})
    return RedirectResponse(f"/enterprises/{row.enterprise_id}#statements", 303)


def _firm(session: Session, scope: Scope, enterprise_id: int) -> Enterprise | None:
    return session.scalar(select(Enterprise).where(Enterprise.id == enterprise_id, scope.where(Enterprise.region_code)))


def _statement(session: Session, scope: Scope, statement_id: int) -> Statement:
    row = reads.statement(session, scope, statement_id)
    if row is None:
        raise not_found()
    return row
