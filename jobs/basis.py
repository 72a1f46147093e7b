"""What a derived result rests on, as one hash: when it has not changed, the step need not run again."""

import hashlib
import json
from collections.abc import Callable
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from jobs.runs import code_version, recorded_run
from store import tables
from store.china_time import end_of
from store.session import read_only


def basis_of(session: Session, as_of: date, *extra: object) -> str:
    """Return a hash over everything grades and alerts of a day are derived from.

    Evidence is append-only, so counts and newest ids tell whether any was added; people's decisions count by number
    and by the time of the newest one. `extra` adds what else the result depends on, such as policy hashes.
    """
    signal, mention, link, tag = tables.Signal, tables.Mention, tables.Link, tables.Tag
    member, label, merge = tables.ClusterMember, tables.Label, tables.Merge
    role, firm, override = tables.EnterpriseRole, tables.Enterprise, tables.Override
    end = end_of(as_of)
    known = signal.known_at < end
    statements = (
        select(func.count(signal.id), func.max(signal.id)).where(known),
        select(func.count(tag.id), func.max(tag.version)).join(signal, signal.id == tag.signal_id).where(known),
        select(func.count(link.mention_id), func.count(link.enterprise_id), func.max(link.decided_at))
        .join(mention, mention.id == link.mention_id)
        .join(signal, signal.id == mention.signal_id)
        .where(known),
        select(func.count(member.signal_id), func.sum(member.cluster_id))
        .join(signal, signal.id == member.signal_id)
        .where(known),
        select(func.count(role.id)).where(role.known_at < end),
        select(func.count(firm.id), func.count(firm.merged_into_id)).where(firm.known_at < end),
        select(func.count(label.id), func.max(label.withdrawn_at)),
        select(func.count(merge.id), func.max(merge.undone_at)),
        select(func.count(override.id), func.max(override.approved_at)).where(override.approved_at < end),
        select(func.count(override.id), func.max(override.withdrawn_at)).where(override.withdrawn_at < end),
    )
    parts = [session.execute(statement) for statement in statements]
    facts = [[str(value) for value in part.one()] for part in parts]
    body = json.dumps([facts, as_of.isoformat(), code_version(), [str(item) for item in extra]])
    return hashlib.sha256(body.encode()).hexdigest()[:32]


def unless_unchanged(
    sessions: sessionmaker[Session], step: str, as_of: date, basis: str, work: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """Do the work unless the step was last done well on this day with the same basis; return its counts.

    The step leaves a run of its own, "step:…", with the basis it rested on.
    """
    job = f"step:{step}"
    with read_only(sessions) as session:
        last = session.scalar(
            select(tables.Run.counts)
            .where(tables.Run.job == job, tables.Run.as_of == as_of, tables.Run.status == "ok")
            .order_by(tables.Run.id.desc())
            .limit(1)
        )
    if last is not None and last.get("basis") == basis:
        return {**{key: value for key, value in last.items() if key != "basis"}, "unchanged": 1}
    with recorded_run(sessions, job, as_of=as_of) as (_, kept):
        counts = work()
        kept.update(counts)
        kept["basis"] = basis
    return dict(counts)
