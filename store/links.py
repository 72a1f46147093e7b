"""What people decide about a name's enterprise. A person's decision stands apart from the machine's guess and wins."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.tables import Enterprise, Link, Mention

DECISIONS = ("link", "none", "unsure")


class LinkError(ValueError):
    """The decision cannot be recorded; the message says why, in Chinese."""


def decide(
    session: Session,
    mention_id: int,
    decision: str,
    *,
    enterprise_id: int | None,
    account_id: int,
    at: datetime,
) -> Link:
    """Record that a mention is this enterprise ("link"), none in the register ("none"), or cannot be told ("unsure").

    Deciding again replaces the person's earlier decision. Raises LinkError for a mention without a link row, an
    unknown decision, or a link to an enterprise that is not there or was merged into another.
    """
    link = session.get(Link, mention_id)
    if link is None:
        raise LinkError("这条提及还没有经过机器关联")
    if decision not in DECISIONS:
        raise LinkError("没有这种决定")
    if decision == "link":
        target = session.get(Enterprise, enterprise_id) if enterprise_id else None
        if target is None:
            raise LinkError("没有选定企业，或企业不存在")
        if target.merged_into_id is not None:
            raise LinkError("该企业已并入另一家，请选合并后的企业")
    link.decided = decision
    link.decided_enterprise_id = enterprise_id if decision == "link" else None
    link.decided_by = account_id
    link.decided_at = at
    link.enterprise_id = link.decided_enterprise_id
    session.flush()
    return link


def withdraw(session: Session, mention_id: int) -> Link:
    """Take a person's decision back; the machine's guess is in force again. Raises LinkError when there is none."""
    link = session.get(Link, mention_id)
    if link is None or link.decided is None:
        raise LinkError("没有可撤销的决定")
    link.decided = None
    link.decided_enterprise_id = None
    link.decided_by = None
    link.decided_at = None
    link.enterprise_id = link.guess_enterprise_id if link.guess_decision == "link" else None
    session.flush()
    return link


def waiting_alike(session: Session, mention_id: int) -> list[int]:
    """Return the other mentions that wait for a person with the same name, role and region as this one."""
    one = session.get_one(Mention, mention_id)
    return list(
        session.scalars(
            select(Mention.id)
            .join(Link, Link.mention_id == Mention.id)
            .where(
                Mention.text == one.text,
                Mention.role == one.role,
                Mention.region_code.is_not_distinct_from(one.region_code),
                Mention.id != mention_id,
                Link.guess_decision == "review",
                Link.decided.is_(None),
            )
            .order_by(Mention.id)
        )
    )
