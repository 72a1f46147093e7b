"""One's own account, its API tokens; for administrators all accounts and the audit trail."""

import re
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import delete, select

from api import auth
from api.deps import Caller, Config, Form, Id, Paging, Reading, Writing, note
from api.errors import Refused, not_found
from api.exports import send_table
from api.rendering import render
from api.words import details, word
from store import audit
from store.export import Cell
from store.passwords import hash_password, verify_password, weakness
from store.reads import accounts as reads
from store.reads import regions
from store.reads.page import EXPORT
from store.reads.scope import PROVINCE
from store.tables import Account, LoginSession

router = APIRouter(include_in_schema=False)

ROLES = ("admin", "analyst", "bureau", "reader")
USERNAME = re.compile(r"[A-Za-z0-9_.\-]{3,40}")
REGION = re.compile(r"(\d{2}|\d{4}|\d{6})?")


@router.get("/account")
def own_account(request: Request, session: Reading, principal: Caller) -> Response:
    """Show one's own account and tokens."""
    return _account_page(request, session, principal, "", "")


@router.post("/account/password")
def change_password(request: Request, session: Writing, principal: Caller, form: Form) -> Response:
    """Change one's own password; every other session of the account ends."""
    account = session.get_one(Account, principal.account_id)
    old, new = form.secret("old"), form.secret("new")
    if not verify_password(old, account.password_hash)[0]:
        note(session, principal, "change_password", "account", principal.username, outcome="refused")
        return _account_page(request, session, principal, "原密码不正确", "", status=422)
    if problem := weakness(new, principal.username):
        return _account_page(request, session, principal, problem, "", status=422)
    account.password_hash = hash_password(new)
    account.password_changed_at = datetime.now(UTC)
    auth.end_sessions(session, account.id, keep=principal.session_hash)
    note(session, principal, "change_password", "account", principal.username)
    return RedirectResponse("/account?done=password", 303)


@router.post("/account/tokens")
def create_token(request: Request, session: Writing, principal: Caller) -> Response:
    """Make an API token; it is shown this once and only its hash is kept."""
    if principal.kind != "browser":
        raise Refused(403)
    token, row = auth.open_session(
        session,
        principal.account_id,
        ip=principal.ip,
        now=datetime.now(UTC),
        life=auth.TOKEN_LIFE,
        kind="api",
    )
    session.flush()
    note(session, principal, "create_token", "token", row.token_hash[:12])
    return _account_page(request, session, principal, "", token)


@router.post("/account/tokens/{token_id}/revoke")
def revoke_token(session: Writing, principal: Caller, token_id: str) -> Response:
    """End one of one's own tokens at once."""
    if not re.fullmatch(r"[0-9a-f]{12}", token_id):
        raise not_found()
    row = session.scalar(
        select(LoginSession).where(
            LoginSession.account_id == principal.account_id,
            LoginSession.kind == "api",
            LoginSession.token_hash.startswith(token_id),
        )
    )
    if row is None:
        raise not_found()
    session.execute(delete(LoginSession).where(LoginSession.token_hash == row.token_hash))
    note(session, principal, "revoke_token", "token", token_id)
    return RedirectResponse("/account?done=token", 303)


@router.get("/accounts")
def account_list(request: Request, session: Reading, settings: Config) -> Response:
    """List the accounts."""
    return _accounts_page(request, session, settings.province_code, "")


@router.get("/accounts.xlsx")
def account_export(request: Request, session: Reading, principal: Caller) -> Response:
    """Send the accounts as a workbook; no secret is in it."""
    rows: list[list[Cell]] = [
        [
            row.username,
            row.display_name,
            word(row.role, "account_role"),
            row.region_code,
            row.active,
            row.raw_text,
            row.created_at,
        ]
        for row in reads.listing(session)
    ]
    headers = ["账号", "姓名", "角色", "辖区代码", "启用", "可看原文", "建立时间"]
    return send_table(request, principal, title="账号", headers=headers, rows=rows, total=len(rows))


@router.post("/accounts")
def create_account(request: Request, session: Writing, principal: Caller, form: Form, settings: Config) -> Response:
    """Open an account."""
    username = form.text("username", required=True, label="账号", longest=40)
    role = form.choice("role", ROLES, label="角色")
    region = form.text("region_code", longest=6)
    password = form.secret("password")
    problem = weakness(password, username)
    if not USERNAME.fullmatch(username):
        problem = "账号由 3–40 个字母、数字、点、横线组成"
    elif not REGION.fullmatch(region) or (role == "bureau" and not region):
        problem = "市级监管账号要选辖区"
    elif session.scalar(select(Account.id).where(Account.username == username)) is not None:
        problem = "账号已存在"
    if problem:
        return _accounts_page(request, session, settings.province_code, problem, status=422)
    now = datetime.now(UTC)
    account = Account(
        username=username,
        display_name=form.text("display_name", required=True, label="姓名", longest=40),
        password_hash=hash_password(password),
        role=role,
        region_code=region,
        raw_text=form.text("raw_text") == "true",
        created_at=now,
        password_changed_at=now,
    )
    session.add(account)
    session.flush()
    note(session, principal, "create_account", "account", username, detail={"role": role, "region": region})
    return RedirectResponse("/accounts", 303)


@router.post("/accounts/{account_id}")
def change_account(session: Writing, principal: Caller, account_id: Id, form: Form) -> Response:
    """Change role, region, rights or state of an account; its sessions and tokens end at once."""
    account = session.get(Account, account_id)
    if account is None:
        raise not_found()
    role = form.choice("role", ROLES, label="角色")
    region = form.text("region_code", longest=6)
    active = form.text("active") == "true"
    if account.id == principal.account_id and (role != "admin" or not active):
        raise Refused(409, "不能停用自己或取消自己的管理员角色")
    if not REGION.fullmatch(region) or (role == "bureau" and not region):
        raise Refused(422, "市级监管账号要选辖区")
    before = {"role": account.role, "region": account.region_code, "active": account.active, "raw": account.raw_text}
    account.role, account.region_code, account.active = role, region, active
    account.raw_text = form.text("raw_text") == "true"
    if password := form.secret("password"):
        if problem := weakness(password, account.username):
            raise Refused(422, problem)
        account.password_hash = hash_password(password)
        account.password_changed_at = datetime.now(UTC)
    auth.end_sessions(session, account.id, keep=principal.session_hash if account.id == principal.account_id else None)
    after = {"role": role, "region": region, "active": active, "raw": account.raw_text, "password": bool(password)}
    note(session, principal, "change_account", "account", account.username, detail={"before": before, "after": after})
    return RedirectResponse("/accounts", 303)


@router.get("/audit")
def audit_page(
    request: Request,
    session: Reading,
    page: Paging,
    q: Annotated[str, Query(max_length=100)] = "",
    act: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """Show the audit trail and whether its chain holds."""
    context = {
        "page": reads.audit_trail(session, page, q.strip(), act),
        "q": q.strip(),
        "act": act,
        "acts": reads.acts(session),
        "trail": audit.verify(session),
    }
    return render(request, "audit.html", context)


@router.get("/audit.xlsx")
def audit_export(
    request: Request,
    session: Reading,
    principal: Caller,
    q: Annotated[str, Query(max_length=100)] = "",
    act: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """Send the filtered audit trail as a workbook."""
    found = reads.audit_trail(session, EXPORT, q.strip(), act)
    headers = ["编号", "时间", "账号", "操作", "对象类型", "对象", "辖区", "地址", "结果", "详情", "校验值"]
    rows: list[list[Cell]] = [
        [
            row.id,
            row.at,
            row.username,
            word(row.act, "act"),
            word(row.target_kind, "target"),
            row.target_id,
            row.region_code,
            row.ip,
            word(row.outcome, "audit_outcome"),
            details(row.detail),
            row.hash,
        ]
        for row in found.rows
    ]
    return send_table(request, principal, title="审计记录", headers=headers, rows=rows, total=found.total)


def _account_page(
    request: Request, session: Reading, principal: Caller, problem: str, token: str, *, status: int = 200
) -> Response:
    context = {
        "account": session.get_one(Account, principal.account_id),
        "tokens": reads.tokens(session, principal.account_id),
        "problem": problem,
        "token": token,
        "done": request.query_params.get("done", ""),
        "names": regions.names(session, [principal.region_code.ljust(6, "0")] if principal.region_code else []),
    }
    return render(request, "account.html", context, status=status)


def _accounts_page(request: Request, session: Reading, province: str, problem: str, *, status: int = 200) -> Response:
    rows = reads.listing(session)
    context = {
        "rows": rows,
        "problem": problem,
        "roles": ROLES,
        "regions": regions.choices(session, PROVINCE, province),
        "names": regions.names(session, [row.region_code.ljust(6, "0") for row in rows if row.region_code]),
    }
    return render(request, "accounts.html", context, status=status)
