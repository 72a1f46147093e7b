"""What a firm says of its grade (陈述申辩): handed in, answered, taken back. It changes no grade by itself."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.tables import Enterprise, Grade, Statement


class StatementError(ValueError):
    """The statement cannot be kept or answered; the message says why, in Chinese."""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A document that came with a statement, as it lies in the data folder."""

    name: str
    path: str
    sha256: str


def hand_in(
    session: Session,
    enterprise: Enterprise,
    *,
    text: str,
    received_on: date,
    file: KeptFile | None,
    account_id: int,
    at: datetime,
) -> Statement:
    """Keep a firm's statement beside the grade it speaks of, the newest one. It needs a text or a document."""
    if not text.strip() and file is None:
        raise StatementError("请填写陈述内容或上传材料")
    grade = session.scalars(
        select(Grade)
        .where(Grade.enterprise_id == enterprise.id, Grade.product_id == "")
        .order_by(Grade.as_of.desc(), Grade.score.desc())
        .limit(1)
    ).first()
    row = Statement(
        enterprise_id=enterprise.id,
        about_as_of=grade.as_of if grade else None,
        about_level=grade.level if grade else None,
        text=text.strip(),
        received_on=received_on,
        file_name=file.name if file else None,
        file_path=file.path if file else None,
        file_sha256=file.sha256 if file else None,
        account_id=account_id,
        made_at=at,
    )
    session.add(row)
    session.flush()
    return row


def reply(session: Session, statement_id: int, *, text: str, account_id: int, at: datetime) -> Statement:
    """Keep what was answered after a review. StatementError when it was answered or taken back before."""
    row = session.get_one(Statement, statement_id)
    if row.withdrawn_at is not None:
        raise StatementError("这份陈述已撤回")
    if row.replied_at is not None:
        raise StatementError("这份陈述已经答复过")
    if not text.strip():
        raise StatementError("请填写复核意见")
    row.reply, row.replied_by, row.replied_at = text.strip(), account_id, at
    session.flush()
    return row


def withdraw(session: Session, statement_id: int, *, account_id: int, at: datetime) -> Statement:
    """Take back a statement that was entered by mistake; it stays in the store. StatementError when answered."""
    row = session.get_one(Statement, statement_id)
    if row.withdrawn_at is not None:
        raise StatementError("这份陈述已撤回")
    if row.replied_at is not None:
        raise StatementError("已答复的陈述不能撤回")
    row.withdrawn_at, row.withdrawn_by = at, account_id
    session.flush()
    return row
