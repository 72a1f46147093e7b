"""Keeping the audit chain's head outside the database, so that a cut tail shows."""

import json
import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from jobs.settings import Settings
from store.audit import Anchor, AuditTrail, head, verify
from store.session import read_only


def anchor_file(settings: Settings) -> Path:
    """Return where the heads are kept; it belongs on a disk the database's administrators cannot write."""
    return settings.var / "audit-heads.jsonl"


def run(sessions: sessionmaker[Session], settings: Settings, as_of: date) -> dict[str, Any]:
    """Append the chain's head to the file outside the database, once it has moved on."""
    with read_only(sessions) as session:
        newest = head(session)
    kept = anchors(settings)
    if newest is None or (kept and kept[-1] == newest):
        return {"entries": newest.entry_id if newest else 0, "written": 0}
    line = json.dumps({"day": as_of.isoformat(), "at": datetime.now(UTC).isoformat(), "entry_id": newest.entry_id,
                       "hash": newest.hash})  # fmt: skip
    path = anchor_file(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())
    return {"entries": newest.entry_id, "written": 1}


def anchors(settings: Settings) -> list[Anchor]:
    """Return the heads kept so far; a half-written last line (power loss) is passed over."""
    path = anchor_file(settings)
    if not path.exists():
        return []
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            fields = json.loads(line)
            kept.append(Anchor(int(fields["entry_id"]), str(fields["hash"])))
        except (ValueError, KeyError):
            continue
    return kept


def check(sessions: sessionmaker[Session], settings: Settings) -> AuditTrail:
    """Walk the whole chain against the heads kept outside."""
    with read_only(sessions) as session:
        return verify(session, anchors(settings))
