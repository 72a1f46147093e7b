"""Signing in and out: passwords, sessions kept on the server, and the slowing down of guesses."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from api.access import Act, may
from jobs.settings import Settings
from store.passwords import verify_password
from store.reads.scope import NOTHING, Scope
from store.tables import Account, LoginAttempt, LoginSession

ATTEMPT_WINDOW = timedelta(minutes=5)
ATTEMPTS_PER_NAME = 10
ATTEMPTS_PER_ADDRESS = 30
ATTEMPTS_IN_ALL = 1000
SEEN_EVERY = timedelta(minutes=1)
TOKEN_LIFE = timedelta(days=90)


class TooManyAttempts(Exception):
    """Too many failed attempts of late; the caller should wait."""


class WrongPassword(Exception):
    """Unknown name, wrong password or closed account: the caller is not told which."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking, and what they may reach."""

    account_id: int
    username: str
    display_name: str
    role: str
    region_code: str
    raw_text: bool
    csrf: str
    kind: str
    session_hash: str
    ip: str | None

    @property
    def scope(self) -> Scope:
        """The regions in reach: the whole province only for a role that works for it."""
        if self.region_code == "" and self.role == "bureau":
            return NOTHING
        return Scope(self.region_code)

    def may(self, act: str) -> bool:
        """True when the role carries the act."""
        return may(self.role, Act(act))


def token_hash(token: str) -> str:
    """Return what the store keeps of a session or API token."""
    return hashlib.sha256(token.encode()).hexdigest()


def same(one: str, other: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())


def sign_in(session: Session, username: str, password: str, *, ip: str, now: datetime, settings: Settings) -> str:
    """Check a name and password and open a session; return its token, which is shown to nobody else.

    Raises TooManyAttempts or WrongPassword; the attempt is recorded by the caller's transaction either way,
    so the caller keeps the transaction in both cases.
    """
    since = now - ATTEMPT_WINDOW
    failed = select(func.count()).select_from(LoginAttempt).where(LoginAttempt.at > since, ~LoginAttempt.succeeded)
    if (
        (session.scalar(failed.where(LoginAttempt.username == username)) or 0) >= ATTEMPTS_PER_NAME
        or (session.scalar(failed.where(LoginAttempt.ip == ip)) or 0) >= ATTEMPTS_PER_ADDRESS
        or (session.scalar(failed) or 0) >= ATTEMPTS_IN_ALL
    ):
        raise TooManyAttempts
    account = session.scalar(select(Account).where(Account.username == username))
    right, newer_hash = verify_password(password, account.password_hash if account else None)
    accepted = right and account is not None and account.active
    session.add(LoginAttempt(username=username, ip=ip, at=now, succeeded=accepted))
    if not accepted or account is None:
        raise WrongPassword
    if newer_hash is not None:
        account.password_hash = newer_hash
    session.execute(delete(LoginSession).where(LoginSession.expires_at < now))
    token, _ = open_session(session, account.id, ip=ip, now=now, life=timedelta(hours=settings.session_hours))
    return token


def open_session(
    session: Session, account_id: int, *, ip: str | None, now: datetime, life: timedelta, kind: str = "browser"
) -> tuple[str, LoginSession]:
    """Add a session under a fresh random token and return both; only the token's hash is stored."""
    token = secrets.token_urlsafe(32)
    row = LoginSession(
        token_hash=token_hash(token),
        account_id=account_id,
        csrf=secrets.token_urlsafe(32),
        kind=kind,
        created_at=now,
        seen_at=now,
        expires_at=now + life,
        ip=ip,
    )
    session.add(row)
    return token, row


def principal_of(session: Session, token: str, *, kind: str, ip: str | None, idle: timedelta) -> Principal | None:
    """Return who a token stands for, or None when it is unknown, too old, idle too long or its account closed."""
    if not token or len(token) > 200:
        return None
    found = session.execute(
        select(LoginSession, Account)
        .join(Account, Account.id == LoginSession.account_id)
        .where(LoginSession.token_hash == token_hash(token), LoginSession.kind == kind, Account.active)
    ).one_or_none()
    now = datetime.now(UTC)
    if found is None or found[0].expires_at < now or (kind == "browser" and found[0].seen_at + idle < now):
        return None
    row, account = found
    return Principal(
        account_id=account.id,
        username=account.username,
        display_name=account.display_name,
        role=account.role,
        region_code=account.region_code,
        raw_text=account.raw_text,
        csrf=row.csrf,
        kind=kind,
        session_hash=row.token_hash,
        ip=ip,
    )


def seen_long_ago(session: Session, session_hash: str) -> bool:
    """True when a session's last use was noted long enough ago to note it again."""
    seen_at = session.scalar(select(LoginSession.seen_at).where(LoginSession.token_hash == session_hash))
    return seen_at is not None and seen_at < datetime.now(UTC) - SEEN_EVERY


def touch(session: Session, session_hash: str) -> None:
    """Note that a session was just used; at most once a minute, so that reading does not become writing."""
    now = datetime.now(UTC)
    session.execute(
        update(LoginSession)
        .where(LoginSession.token_hash == session_hash, LoginSession.seen_at < now - SEEN_EVERY)
        .values(seen_at=now)
    )


def end_sessions(session: Session, account_id: int, *, keep: str | None = None) -> None:
    """End all sessions and tokens of an account, but for the one kept."""
    statement = delete(LoginSession).where(LoginSession.account_id == account_id)
    session.execute(statement.where(LoginSession.token_hash != keep) if keep else statement)


def safe_next(target: str | None) -> str:
    """Return a relative path of this service to go to after signing in; anything else becomes the front page."""
    if (
        not target
        or not target.startswith("/")
        or target.startswith(("//", "/sign-"))
        or "\\" in target
        or any(ord(character) < 0x20 for character in target)
    ):
        return "/"
    return target
