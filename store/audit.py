"""The trail of acts: appended in the transaction of the act itself, each row's hash covering the row before.

Because act and entry share a transaction, an act whose entry cannot be written does not happen. An edit, a removed
row or a swapped order breaks the chain; a cut tail shows only against a head kept outside the store (`head`,
`AuditTrail.broken` with `anchors`).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.dialect import serialise
from store.tables import AuditEntry

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Act:
    """Who did what to which thing, when, from where, and whether it was done or refused."""

    at: datetime
    username: str
    act: str
    target_kind: str
    target_id: str
    account_id: int | None = None
    region_code: str | None = None
    ip: str | None = None
    outcome: str = "done"  # done | refused
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Anchor:
    """The chain's newest entry at some moment, as kept outside the store."""

    entry_id: int
    hash: str


@dataclass(frozen=True, slots=True)
class AuditTrail:
    """What a check of the chain found: how many entries, and where it breaks (empty when it holds)."""

    entries: int
    broken: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """True when nothing was changed, removed or cut."""
        return not self.broken


def append(session: Session, act: Act) -> AuditEntry:
    """Add the act to the chain in the caller's transaction and return the row.

    Any failure is the caller's failure: let it end the transaction, so that no act goes unrecorded.
    """
    serialise(session, "audit")
    last = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).first()
    entry = AuditEntry(
        at=act.at.astimezone(UTC),
        account_id=act.account_id,
        username=act.username,
        act=act.act,
        target_kind=act.target_kind,
        target_id=act.target_id,
        region_code=act.region_code,
        ip=act.ip,
        outcome=act.outcome,
        detail=json.loads(json.dumps(dict(act.detail), ensure_ascii=False, default=str)),
        previous_hash=last.hash if last else GENESIS,
        hash="",
    )
    entry.hash = entry_hash(entry)
    session.add(entry)
    session.flush()
    return entry


def entry_hash(entry: AuditEntry) -> str:
    """Return the SHA-256 over everything the entry says and the hash of the entry before it."""
    body = json.dumps(
        [
            entry.previous_hash,
            entry.at.astimezone(UTC).isoformat(),
            entry.account_id,
            entry.username,
            entry.act,
            entry.target_kind,
            entry.target_id,
            entry.region_code,
            entry.ip,
            entry.outcome,
            entry.detail,
        ],
        ensure_ascii=True,
        sort_keys=True,
        separators=(",", ":"),
    )
    return hashlib.sha256(body.encode()).hexdigest()


def head(session: Session) -> Anchor | None:
    """Return the newest entry, to be kept outside the store; None while nothing happened."""
    last = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).first()
    return Anchor(last.id, last.hash) if last else None


def verify(session: Session, anchors: Sequence[Anchor] = ()) -> AuditTrail:
    """Walk the whole chain and return every place where it does not hold.

    Each anchor must still be in the chain under its id and hash; that is what shows a cut tail.
    """
    broken: list[str] = []
    hashes: dict[int, str] = {}
    previous = GENESIS
    count = 0
    for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.id).execution_options(yield_per=1000)):
        count += 1
        if entry.previous_hash != previous:
            broken.append(f"第 {entry.id} 条与前一条不相连")
        if entry_hash(entry) != entry.hash:
            broken.append(f"第 {entry.id} 条的内容被改动")
        previous = entry.hash
        hashes[entry.id] = entry.hash
    for anchor in anchors:
        if hashes.get(anchor.entry_id) != anchor.hash:
            broken.append(f"库外留存的第 {anchor.entry_id} 条已不在审计链中")
    return AuditTrail(count, tuple(broken))
