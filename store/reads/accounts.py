"""Accounts, their tokens and the audit trail. For administrators; one's own tokens for everyone."""

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from store.reads.page import Page, PageRequest
from store.tables import Account, AuditEntry, LoginSession


def listing(session: Session) -> list[Account]:
    """Return every account, the active ones first."""
    return list(session.scalars(select(Account).order_by(Account.active.desc(), Account.role, Account.username)))


def tokens(session: Session, account_id: int) -> list[LoginSession]:
    """Return the API tokens of an account, the newest first."""
    return list(
        session.scalars(
            select(LoginSession)
            .where(LoginSession.account_id == account_id, LoginSession.kind == "api")
            .order_by(LoginSession.created_at.desc())
        )
    )


def acts(session: Session) -> list[str]:
    """Return the kinds of act the trail holds."""
    return list(session.scalars(select(AuditEntry.act).distinct().order_by(AuditEntry.act).limit(200)))


def audit_trail(session: Session, page: PageRequest, words: str, act: str) -> Page[AuditEntry]:
    """Return the acts that match, the newest first."""
    conditions = []
    if words:
        conditions.append(
            or_(
                AuditEntry.username.contains(words, autoescape=True),
                AuditEntry.target_id.contains(words, autoescape=True),
            )
        )
    if act:
        conditions.append(AuditEntry.act == act)
    total = session.scalar(select(func.count()).select_from(AuditEntry).where(*conditions)) or 0
    rows = session.scalars(
        select(AuditEntry).where(*conditions).order_by(AuditEntry.id.desc()).offset(page.offset).limit(page.size)
    )
    return Page(list(rows), total, page.number, page.size)
