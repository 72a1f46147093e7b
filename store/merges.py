"""Two entries are one enterprise: a person's decision, undone as easily as it was made.

Links stay where they were: readers follow `merged_into_id`. That is why undoing a merge in the middle of a chain
puts everything back as if it had never been made.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.tables import Enterprise, Merge


class MergeError(ValueError):
    """The merge cannot be made or undone; the message says why, in Chinese."""


def merge(
    session: Session,
    kept_id: int,
    merged_id: int,
    *,
    reason: str,
    account_id: int,
    at: datetime,
    conflict_accepted: bool = False,
) -> Merge:
    """Let `merged_id` go into `kept_id` and return the decision.

    Raises MergeError when one is not there or already merged, when both are the same, without a reason, or when
    both have credit codes that differ and the person did not say that this is known.
    """
    kept, merged = session.get(Enterprise, kept_id), session.get(Enterprise, merged_id)
    if kept is None or merged is None:
        raise MergeError("企业不存在")
    if kept_id == merged_id:
        raise MergeError("不能并入自身")
    if merged.merged_into_id is not None:
        raise MergeError("该企业已并入另一家，请先撤销原来的合并")
    if kept.merged_into_id is not None:
        raise MergeError("保留的一方已并入另一家，请选最终保留的企业")
    if not reason.strip():
        raise MergeError("合并须写明理由")
    if kept.uscc and merged.uscc and kept.uscc != merged.uscc and not conflict_accepted:
        raise MergeError("两家的统一社会信用代码不同，多半不是同一家；确认无误请勾选“代码不同仍合并”")
    merged.merged_into_id = kept_id
    row = Merge(kept_id=kept_id, merged_id=merged_id, reason=reason.strip(), account_id=account_id, merged_at=at)
    session.add(row)
    session.flush()
    return row


def undo(session: Session, merge_id: int, *, account_id: int, at: datetime) -> Merge:
    """Take a merge back; others of the same chain stay. Raises MergeError when it is not there or undone already."""
    row = session.get(Merge, merge_id)
    if row is None:
        raise MergeError("没有这次合并")
    if row.undone_at is not None:
        raise MergeError("这次合并已经撤销")
    row.undone_at, row.undone_by = at, account_id
    session.get_one(Enterprise, row.merged_id).merged_into_id = None
    session.flush()
    return row


def entries_of(session: Session, enterprise_id: int) -> list[int]:
    """Return the enterprise and every entry that went into it, directly or along a chain."""
    found = [enterprise_id]
    frontier = [enterprise_id]
    while frontier:
        frontier = [
            entry
            for entry in session.scalars(select(Enterprise.id).where(Enterprise.merged_into_id.in_(frontier)))
            if entry not in found
        ]
        found += frontier
    return found


def owners_of(session: Session, enterprise_ids: Iterable[int]) -> dict[int, int]:
    """Return for each of these enterprises, and each entry merged into one, also in a chain, the enterprise it is."""
    owners = {one: one for one in enterprise_ids}
    merged = select(Enterprise.id, Enterprise.merged_into_id).where(Enterprise.merged_into_id.is_not(None))
    into: dict[int, list[int]] = {}
    for row in session.execute(merged):
        into.setdefault(row.merged_into_id, []).append(row.id)
    frontier = list(owners)
    while frontier:
        kept = frontier.pop()
        for entry in into.get(kept, ()):
            if entry not in owners:
                owners[entry] = owners[kept]
                frontier.append(entry)
    return owners
