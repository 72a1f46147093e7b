"""Signing in and out."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import delete, select

from api import auth
from api.deps import COOKIE, Caller, Config, Form, client_address, note, sessions_of
from api.rendering import render
from store import audit
from store.session import transaction
from store.tables import Account, LoginSession

router = APIRouter(include_in_schema=False)


@router.get("/sign-in")
def sign_in_page(request: Request, next: Annotated[str, Query(max_length=2000)] = "/") -> Response:
    """Show the form, or go on when already signed in."""
    if request.state.principal is not None:
        return RedirectResponse(auth.safe_next(next), 303)
    return render(request, "sign_in.html", {"next": auth.safe_next(next), "message": "", "username": ""})


@router.post("/sign-in")
def sign_in(request: Request, form: Form, settings: Config) -> Response:
    """Open a session under a fresh id; the attempt is kept whatever comes of it."""
    username = form.text("username", longest=100)
    password = form.secret("password")
    target = auth.safe_next(form.text("next", longest=2000))
    address = client_address(request)
    now = datetime.now(UTC)
    token, message, status = "", "", 200
    with transaction(sessions_of(request)) as session:
        old = request.cookies.get(COOKIE, "")
        try:
            token = auth.sign_in(session, username, password, ip=address, now=now, settings=settings)
        except auth.TooManyAttempts:
            message, status = "尝试次数过多，请几分钟后再试", 429
        except auth.WrongPassword:
            message, status = "账号或密码不正确", 401
        if old:
            session.execute(delete(LoginSession).where(LoginSession.token_hash == auth.token_hash(old)))
        account = session.scalar(select(Account).where(Account.username == username)) if token else None
        audit.append(
            session,
            audit.Act(
                at=now,
                username=username,
                act="sign_in",
                target_kind="account",
                target_id=username,
                account_id=account.id if account else None,
                region_code=account.region_code if account else None,
                ip=address,
                outcome="done" if token else "refused",
            ),
        )
    if not token:
        context = {"next": target, "message": message, "username": username}
        return render(request, "sign_in.html", context, status=status)
    response = RedirectResponse(target, 303)
    response.set_cookie(
        COOKIE,
        token,
        max_age=settings.session_hours * 3600,
        httponly=True,
        samesite="lax",
        secure=settings.secure_cookies,
        path="/",
    )
    return response


@router.post("/sign-out")
def sign_out(request: Request, principal: Caller) -> Response:
    """End the session at once."""
    with transaction(sessions_of(request)) as session:
        session.execute(delete(LoginSession).where(LoginSession.token_hash == principal.session_hash))
        note(session, principal, "sign_out", "account", principal.username)
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(COOKIE, path="/")
    return response
