"""What a derived result rests on, as one hash: when it has not changed, the step need not run again."""

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from jobs.known_facts import end_of
from jobs.runs import code_version, recorded_run
from store import tables
from store.session import read_only


def basis_of(session: Session, as_of: date, *extra: object) -> str:
    """Return a hash over everything grades and alerts of a day are derived from.

    Evidence is append-only, so counts and newest ids tell whether any was added; people's decisions count by number
    and by the time of the newest one. `extra` adds what else the result depends on, such as policy hashes.
    """
    signal, link, label, merge = tables.Signal, tables.Link, tables.Label, tables.Merge
    parts: Sequence[Any] = [
        session.execute(select(func.count(signal.id), func.max(signal.id)).where(signal.known_at < end_of(as_of))),
        session.execute(select(func.count(tables.Tag.id), func.max(tables.Tag.version))),
        session.execute(select(func.count(link.mention_id), func.count(link.enterprise_id), func.max(link.decided_at))),
        session.execute(select(func.count(label.id), func.max(label.withdrawn_at))),
        session.execute(select(func.count(merge.id), func.max(merge.undone_at))),
        session.execute(select(func.count(tables.EnterpriseRole.id))),
        session.execute(select(func.count(tables.Enterprise.id), func.count(tables.Enterprise.merged_into_id))),
        session.execute(select(func.count(tables.ClusterMember.signal_id), func.sum(tables.ClusterMember.cluster_id))),
        session.execute(select(func.count(tables.Override.id), func.max(tables.Override.withdrawn_at))),
    ]
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
