"""What endpoints are given: who is asking, a session on the store, the checked values of a form."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Path, Query, Request
from sqlalchemy.orm import Session, sessionmaker
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from api import auth
from api.access import ROUTES, Act, may
from api.auth import Principal
from api.errors import Refused, SignInNeeded
from jobs.settings import Settings
from store import audit
from store.reads.page import PAGE_SIZE, PageRequest
from store.reads.scope import Scope
from store.session import read_only, transaction

COOKIE = "zhian_session"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LARGEST_INTEGER = 2**63 - 1

Id = Annotated[int, Path(ge=1, le=LARGEST_INTEGER, description="编号")]


def settings_of(request: Request) -> Settings:
    """Return the service's settings."""
    settings: Settings = request.app.state.settings
    return settings


def sessions_of(request: Request) -> sessionmaker[Session]:
    """Return the factory of sessions on the store."""
    sessions: sessionmaker[Session] = request.app.state.sessions
    return sessions


def client_address(request: Request) -> str:
    """Return the caller's address as the server saw it; no forwarded header is believed."""
    return request.client.host if request.client else "unknown"


def authorise(request: Request) -> None:
    """Refuse the request unless the table of routes lets its caller through; what is not listed is refused."""
    route = request.scope.get("route")
    method = "GET" if request.method == "HEAD" else request.method
    act = ROUTES.get((method, getattr(route, "path", "")))
    request.state.principal = None
    request.state.act = act
    if "\x00" in request.url.path or any("\x00" in value for value in request.query_params.values()):
        raise Refused(422)
    principal = _principal(request)
    request.state.principal = principal
    if act is Act.OPEN:
        return
    if act is None:
        raise Refused(404)
    if principal is None:
        raise SignInNeeded
    if not may(principal.role, act):
        with transaction(sessions_of(request)) as session:
            note(session, principal, f"{method} {request.url.path}"[:200], "route", "", outcome="refused")
        raise Refused(403)


def _principal(request: Request) -> Principal | None:
    sessions = sessions_of(request)
    idle = timedelta(minutes=settings_of(request).session_idle_minutes)
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    by_token = scheme.lower() == "bearer" and request.url.path.startswith("/api/")
    token = bearer.strip() if by_token else request.cookies.get(COOKIE, "")
    with read_only(sessions) as session:
        principal = auth.principal_of(
            session, token, kind="api" if by_token else "browser", ip=client_address(request), idle=idle
        )
        stale = principal is not None and auth.seen_long_ago(session, principal.session_hash)
    if principal is not None and stale:
        with transaction(sessions) as session:
            auth.touch(session, principal.session_hash)
    return principal


async def protect(request: Request, _authorised: Annotated[None, Depends(authorise)]) -> AsyncIterator[None]:
    """Refuse a change that another site could have made the browser send; keep the form for the endpoint.

    The body is read only after the caller was let through, so strangers cannot make us store their uploads.
    """
    request.state.form = FormData()
    if request.method in SAFE_METHODS:
        yield
        return
    _same_site(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        try:
            request.state.form = await request.form(max_files=1, max_fields=200)
        except HTTPException as error:
            raise Refused(400 if error.status_code < 413 else error.status_code) from error
    try:
        _own_page(request)
        yield
    finally:
        await request.state.form.close()


def _own_page(request: Request) -> None:
    """Check the token that our own pages carry; signing in has none yet, and API tokens never travel by themselves."""
    principal: Principal | None = request.state.principal
    if principal is None or principal.kind == "api" or request.state.act is Act.OPEN:
        return
    sent = request.headers.get("X-CSRF-Token") or request.state.form.get("csrf")
    if not isinstance(sent, str) or not auth.same(sent, principal.csrf):
        raise Refused(403, "页面已过期，请返回刷新后再试")


def _same_site(request: Request) -> None:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in ("same-origin", "none"):
        raise Refused(403, "请求不是从本系统页面发出的")
    origin = request.headers.get("Origin")
    if origin is None:
        return
    try:
        host = urlsplit(origin).netloc
    except ValueError:
        host = ""
    if not host or host.lower() != request.headers.get("Host", "").lower():
        raise Refused(403, "请求不是从本系统页面发出的")


def signed_in(request: Request) -> Principal:
    """Return who is asking; only on routes that need signing in."""
    principal: Principal | None = request.state.principal
    if principal is None:
        raise SignInNeeded
    return principal


def scope_of(request: Request) -> Scope:
    """Return the regions the caller may see."""
    return signed_in(request).scope


def reading(request: Request) -> Iterator[Session]:
    """Yield a session for reading."""
    with read_only(sessions_of(request)) as session:
        yield session


def writing(request: Request) -> Iterator[Session]:
    """Yield a session whose work is kept when the endpoint returns, before the answer is sent."""
    with transaction(sessions_of(request)) as session:
        yield session


def number_of(text: str) -> int | None:
    """Return the whole number from 0 that the store can hold and the text writes in plain digits, else None."""
    if len(text) > 19 or not (text.isascii() and text.isdigit()):
        return None
    number = int(text)
    return number if number <= LARGEST_INTEGER else None


class FormValues:
    """The text fields and the file of a submitted form."""

    def __init__(self, form: FormData) -> None:
        self._form = form

    def text(self, name: str, *, longest: int = 500, required: bool = False, label: str = "") -> str:
        """Return a field stripped of blanks; refuses NULs, lone surrogates and what is too long."""
        return self._checked(name, strip=True, longest=longest, required=required, label=label)

    def long_text(self, name: str, *, longest: int, label: str = "") -> str:
        """Return a field with its blanks, whose lines mean something; checked as `text` is."""
        return self._checked(name, strip=False, longest=longest, required=True, label=label)

    def _checked(self, name: str, *, strip: bool, longest: int, required: bool, label: str) -> str:
        value = self._form.get(name, "")
        text = value if isinstance(value, str) else ""
        if strip:
            text = text.strip()
        if required and not text.strip():
            raise Refused(422, f"请填写{label or name}")
        if len(text) > longest:
            raise Refused(422, f"{label or name}过长（最多 {longest} 字）")
        if "\x00" in text or any(0xD800 <= ord(character) <= 0xDFFF for character in text):
            raise Refused(422, f"{label or name}含有无法保存的字符")
        return text

    def items(self) -> list[tuple[str, str]]:
        """Return the text fields by name, the token left out."""
        return [(name, value) for name, value in self._form.multi_items() if isinstance(value, str) and name != "csrf"]

    def secret(self, name: str) -> str:
        """Return a password as it was typed, blanks included."""
        value = self._form.get(name, "")
        return value[:1000] if isinstance(value, str) else ""

    def choice(self, name: str, choices: object, *, label: str = "") -> str:
        """Return a field that must be one of the choices."""
        text = self.text(name, required=True, label=label)
        if text not in choices:  # type: ignore[operator]
            raise Refused(422, f"{label or name}不在可选值之内")
        return text

    def integer(self, name: str, *, label: str = "", least: int = 1) -> int:
        """Return a field that must be a whole number within 64 bits."""
        text = self.text(name, required=True, label=label, longest=19)
        number = number_of(text)
        if number is None or number < least:
            raise Refused(422, f"{label or name}应为整数")
        return number

    def upload(self, name: str) -> UploadFile:
        """Return the file that was sent; refused when there is none."""
        value = self.maybe_upload(name)
        if value is None:
            raise Refused(422, "请选择要上传的文件")
        return value

    def maybe_upload(self, name: str) -> UploadFile | None:
        """Return the file that was sent, or None."""
        value = self._form.get(name)
        return value if isinstance(value, UploadFile) and value.filename else None


def form_values(request: Request) -> FormValues:
    """Return the submitted form, already checked to come from our own page."""
    return FormValues(request.state.form)


def page_request(
    page: Annotated[int, Query(ge=1, le=1_000_000, description="第几页，从 1 起")] = 1,
    size: Annotated[int, Query(ge=1, le=200, description="每页行数")] = PAGE_SIZE,
) -> PageRequest:
    """Return the page that was asked for."""
    return PageRequest(page, size)


def note(
    session: Session,
    principal: Principal,
    act: str,
    target_kind: str,
    target_id: object,
    *,
    outcome: str = "done",
    region_code: str | None = None,
    detail: dict[str, object] | None = None,
) -> None:
    """Write the act to the audit chain, in the act's own transaction: what cannot be recorded does not happen."""
    audit.append(
        session,
        audit.Act(
            at=datetime.now(UTC),
            username=principal.username,
            act=act,
            target_kind=target_kind,
            target_id=str(target_id),
            account_id=principal.account_id,
            region_code=region_code if region_code is not None else principal.region_code,
            ip=principal.ip,
            outcome=outcome,
            detail=detail or {},
        ),
    )


Reading = Annotated[Session, Depends(reading, scope="function")]
Writing = Annotated[Session, Depends(writing, scope="function")]
Caller = Annotated[Principal, Depends(signed_in)]
InScope = Annotated[Scope, Depends(scope_of)]
Form = Annotated[FormValues, Depends(form_values)]
Paging = Annotated[PageRequest, Depends(page_request)]
Config = Annotated[Settings, Depends(settings_of)]
