"""Accounts from the command line: made, given a new password, listed. There is no default password."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, sessionmaker

from store.audit import Act, append
from store.passwords import hash_password, weakness
from store.session import read_only
from store.tables import Account, LoginSession

ROLES = {"admin": "管理员", "analyst": "省级分析员", "bureau": "市县局", "reader": "只读"}


class AccountError(ValueError):
    """The account cannot be made or changed; the message says why, in Chinese."""


@dataclass(frozen=True, slots=True)
class AccountRow:
    """What the list shows of an account."""

    username: str
    display_name: str
    role: str
    region_code: str
    active: bool


def create(
    sessions: sessionmaker[Session],
    username: str,
    password: str,
    *,
    role: str,
    region_code: str = "",
    display_name: str | None = None,
    raw_text: bool = False,
) -> int:
    """Make an account and return its id. Raises AccountError for a weak password, a taken name, a wrong role."""
    username = username.strip()
    if role not in ROLES:
        raise AccountError(f"角色应为 {'、'.join(ROLES)} 之一")
    if not username:
        raise AccountError("账号名不能为空")
    if role == "bureau" and not region_code:
        raise AccountError("市县局账号须指定地区代码（前缀），例如 3701")
    if region_code and not region_code.isdigit():
        raise AccountError("地区代码应为行政区划代码的前几位数字")
    if problem := weakness(password, username):
        raise AccountError(problem)
    now = datetime.now(UTC)
    with sessions.begin() as session:
        if session.scalar(select(Account.id).where(Account.username == username)) is not None:
            raise AccountError(f"账号 {username} 已存在")
        account = Account(
            username=username,
            display_name=display_name or ROLES[role],
            password_hash=hash_password(password),
            role=role,
            region_code=region_code,
            raw_text=raw_text,
            active=True,
            created_at=now,
            password_changed_at=now,
        )
        session.add(account)
        session.flush()
        append(
            session,
            Act(
                at=now,
                username="命令行",
                act="account.create",
                target_kind="account",
                target_id=str(account.id),
                region_code=region_code or None,
                detail={"username": username, "role": role},
            ),
        )
        return account.id


def reset(sessions: sessionmaker[Session], username: str, password: str) -> None:
    """Give an account a new password and end all its sessions. Raises AccountError when that cannot be done."""
    if problem := weakness(password, username):
        raise AccountError(problem)
    now = datetime.now(UTC)
    with sessions.begin() as session:
        account = session.scalar(select(Account).where(Account.username == username))
        if account is None:
            raise AccountError(f"没有账号 {username}")
        account.password_hash = hash_password(password)
        account.password_changed_at = now
        session.execute(delete(LoginSession).where(LoginSession.account_id == account.id))
        append(
            session,
            Act(
                at=now,
                username="命令行",
                act="account.reset",
                target_kind="account",
                target_id=str(account.id),
                detail={"username": username},
            ),
        )


def listed(sessions: sessionmaker[Session]) -> list[AccountRow]:
    """Return every account by name."""
    with read_only(sessions) as session:
        return [
            AccountRow(row.username, row.display_name, row.role, row.region_code, row.active)
            for row in session.scalars(select(Account).order_by(Account.username))
        ]
