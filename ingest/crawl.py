"""A site -> the store: fetch into the archive, judge the run, then store what was found, or hold it back.

Fetching happens in a child process (`fetching`), and what it reports is kept in the frontier (`frontier`). Nothing
becomes a signal before the run as a whole was found good.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from ingest.declared import register_sources
from ingest.fetching import CrawlFailed, Tally, fetch
from ingest.frontier import mark, orders
from ingest.harvest import CarriedFile, Harvest, gather
from ingest.health import History, RunFacts, Verdict, judge
from ingest.http import as_address
from ingest.intake import Lookups, import_file
from ingest.pipelines import store_signals
from ingest.rows import Notice
from ingest.signal import RawSignal
from ingest.source import SourceSpec, find_source
from store.china_time import CHINA
from store.session import read_only
from store.tables import FrontierPage, Run, Signal, SourceCheck

__all__ = ["CrawlFailed", "crawl"]


def crawl(
    sessions: sessionmaker[Session],
    source_id: str,
    *,
    var: Path,
    now: datetime,
    spec: SourceSpec | None = None,
    base_url: str | None = None,
    key: bytes = b"",
    allow: Sequence[str] = (),
    run_id: int | None = None,
    lookups: Lookups | None = None,
) -> dict[str, Any]:
    """Crawl one source and store what is new; return the counts, with the verdict under `status`.

    `now` is the date the source's freshness is judged on. `base_url` fetches the same pages from another address
    (a mirror, a demonstration on loopback); they are still known by the source's own. `key` and `lookups` are
    the importers' for the files a notice carries. Running it again fetches only what is new or changed.

    Raises `BadSource` for a source that cannot be used and `CrawlFailed` when the child cannot run.
    """
    spec = spec or find_source(source_id)
    with sessions.begin() as session:
        register_sources(session, [spec])
        start_url = spec.start_url(_since(session, spec, now))
        history = _history(session, spec.id)
        ordered = orders(session, spec, start_url, now)
    mirror = (base_url or "").rstrip("/")
    ordered |= {
        "archive": str(var / "archive"),
        "allow": list(allow),
        "on_loopback": _is_loopback(mirror or start_url),
        "public": spec.public_base(),
        "fetch": mirror,
    }
    tally = fetch(sessions, spec, ordered, start_url, now)
    return _publish(sessions, spec, tally, history, _Import(sessions, spec, var, now, key, run_id, lookups))


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    address = as_address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _since(session: Session, spec: SourceSpec, now: datetime) -> date:
    """Return from when to ask: a week before the newest item known, else the backfill."""
    newest = session.scalar(
        select(SourceCheck.newest_on)
        .where(SourceCheck.source_id == spec.id, SourceCheck.verdict.in_(("ok", "silent")))
        .order_by(SourceCheck.id.desc())
        .limit(1)
    )
    return (newest - timedelta(days=7)) if newest else (now.date() - timedelta(days=spec.backfill_days))


def _history(session: Session, source_id: str) -> History:
    rows = session.execute(
        select(Run.counts)
        .join(SourceCheck, SourceCheck.run_id == Run.id)
        .where(SourceCheck.source_id == source_id, SourceCheck.verdict.in_(("ok", "silent")))
        .order_by(Run.id.desc())
        .limit(30)
    ).scalars()
    counts = list(rows)[::-1]
    listed = [one["listed"] for one in counts if one.get("listed") is not None]
    columns = next((frozenset(one["columns"]) for one in reversed(counts) if one.get("columns")), frozenset())
    newest = session.scalar(
        select(func.max(SourceCheck.newest_on)).where(
            SourceCheck.source_id == source_id, SourceCheck.verdict.in_(("ok", "silent"))
        )
    )
    return History(listed, [one.get("items", 0) for one in counts], columns, newest)


def _publish(
    sessions: sessionmaker[Session], spec: SourceSpec, tally: Tally, history: History, import_: "_Import"
) -> dict[str, Any]:
    now = import_.now
    with read_only(sessions) as session:
        fetched = select(FrontierPage).where(FrontierPage.source_id == spec.id, FrontierPage.state == "fetched")
        rows = list(session.scalars(fetched.order_by(FrontierPage.id)))
    torn = [row for row in rows if row.kind == "attachment" and not _is_whole(import_.var, row)]
    if torn:
        with sessions.begin() as session:
            mark(session, [row.id for row in torn], "waiting")
        rows = [row for row in rows if row not in torn]
    harvest = gather(rows, spec, import_.var, now)
    facts = _facts(tally, harvest)
    verdict = judge(facts, spec.expect, history, now.astimezone(CHINA).date())
    counts: dict[str, Any] = {
        "status": "ok" if verdict.verdict == "silent" else verdict.verdict,
        "verdict": verdict.verdict,
        "pages": tally.pages,
        "unchanged": tally.unchanged,
        "failed": tally.failed,
        "refused": sum(tally.walls.values()),
        "bytes": tally.bytes,
        "listed": tally.listed,
        "items": len(harvest.signals),
        "columns": sorted(facts.columns),
        "stored": 0,
        "files": 0,
        "rows": 0,
    }
    if verdict.holds_back:
        with sessions.begin() as session:
            mark(session, [row.id for row in rows], "held")
            _record(session, spec.id, verdict, now, import_.run_id)
        return counts
    carrying = {file.page_id for file in harvest.files}
    with sessions.begin() as session:
        stored = store_signals(session, harvest.signals, run_id=import_.run_id)
        edited = [_revision(signal) for signal in stored.conflicts]
        counts["stored"] = stored.added + store_signals(session, edited, run_id=import_.run_id).added
        mark(session, [row.id for row in rows if row.id not in carrying], "done")
        _record(session, spec.id, verdict, now, import_.run_id)
    # A page with files is done only when they are in: killed in between, the next run imports them.
    for file in harvest.files:
        counts["rows"] += import_(file)
        counts["files"] += 1
    with sessions.begin() as session:
        mark(session, sorted(carrying), "done")
    return counts


def _is_whole(var: Path, row: FrontierPage) -> bool:
    """True when the archived file is the one that was fetched: a power cut may have left less of it."""
    try:
        content = (var / "archive" / str(row.archive_path)).read_bytes()
    except OSError:
        return False
    return hashlib.sha256(content).hexdigest() == row.content_hash


def _revision(signal: RawSignal) -> RawSignal:
    """Return an edited item as a signal of its own beside the first: evidence is never overwritten."""
    return replace(
        signal,
        external_id=f"{signal.external_id}#{signal.content_hash[:12]}",
        parent_external_id=signal.external_id,
        flags=(*signal.flags, "revised"),
    )


def _record(session: Session, source_id: str, verdict: Verdict, now: datetime, run_id: int | None) -> None:
    session.add(
        SourceCheck(
            source_id=source_id,
            run_id=run_id,
            checked_at=now,
            verdict=verdict.verdict,
            newest_on=verdict.newest_on,
            findings=[finding.to_json() for finding in verdict.findings],
        )
    )


def _facts(tally: Tally, harvest: Harvest) -> RunFacts:
    return RunFacts(
        pages=tally.pages,
        failed=tally.failed,
        walls=tally.walls,
        listed=tally.listed,
        start_failed=tally.start_failed,
        new_items=len(harvest.signals),
        newest_on=tally.newest_on,
        characters=sum(len(signal.text) for signal in harvest.signals),
        damaged_characters=sum(end - start for signal in harvest.signals for start, end in signal.damaged),
        rows_read=harvest.rows_read,
        rows_quarantined=harvest.rows_quarantined,
        columns=frozenset(tally.columns),
        surplus=frozenset(tally.surplus),
        skipped=tally.skipped,
        contradictions=harvest.contradictions,
        stopped=tally.stopped,
    )


@dataclass(frozen=True)
class _Import:
    """How this run's files go through the importers."""

    sessions: sessionmaker[Session]
    spec: SourceSpec
    var: Path
    now: datetime
    key: bytes
    run_id: int | None
    lookups: Lookups | None

    def __call__(self, file: CarriedFile) -> int:
        """Import one file; return how many rows it added."""
        assert self.spec.attachments is not None
        imported = import_file(
            self.sessions,
            file.path,
            kind=self.spec.attachments.kind,
            source_id=self.spec.id,
            received_at=self.now,
            known="record",
            var=self.var,
            key=self.key,
            run_id=self.run_id,
            name=file.name,
            notice=self._notice(file.notice_url),
            defaults=file.defaults,
            lookups=self.lookups,
        )
        return imported.added

    def _notice(self, url: str) -> Notice | None:
        """Return the stored notice a file hangs under; it was stored before its files."""
        with read_only(self.sessions) as session:
            day = session.scalar(
                select(Signal.occurred_on).where(Signal.source_id == self.spec.id, Signal.external_id == url)
            )
        return Notice(url, day) if day else None
