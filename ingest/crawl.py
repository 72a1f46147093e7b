"""A site -> the store: fetch into the archive, judge the run, then store what was found, or hold it back.

Fetching happens in a child process (the reactor cannot be started twice) that knows nothing of the store: it gets
its orders and reports each page. What it reports is kept in the frontier at once, so a crawl killed at any point
goes on where it was. Nothing becomes a signal before the run as a whole was found good.
"""

import hashlib
import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from ingest.declared import register_sources
from ingest.harvest import CarriedFile, Harvest, gather
from ingest.health import History, RunFacts, Verdict, judge
from ingest.http import as_address
from ingest.intake import Lookups, import_file
from ingest.pipelines import store_signals
from ingest.rows import Notice
from ingest.signal import RawSignal
from ingest.source import SourceSpec, find_source
from store.china_time import CHINA
from store.dialect import chunked, insert_ignore
from store.session import read_only
from store.tables import FrontierPage, Run, Signal, SourceCheck

GRACE_SECONDS = 60  # for starting and stopping, beyond the source's own cap
MAX_TRIES = 3
BATCH = 20


class CrawlFailed(Exception):
    """The crawl could not run at all; the message says what to do."""


@dataclass
class _Tally:
    """What the child reported, summed as it comes."""

    pages: int = 0
    unchanged: int = 0
    failed: int = 0
    bytes: int = 0
    listed: int | None = None
    newest_on: date | None = None
    walls: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    columns: set[str] = field(default_factory=set)
    surplus: set[str] = field(default_factory=set)
    start_failed: str = "站点没有应答"
    stopped: str = ""

    def add(self, event: dict[str, Any], start: str) -> None:
        state = event["state"]
        if event["url"] == start:
            self.start_failed = "" if state in ("fetched", "unchanged") else str(event.get("reason") or state)
        if state == "failed":
            self.failed += 1
            return
        if state == "refused":
            self.walls[event.get("wall") or "refused"] += 1
            return
        self.pages += 1
        self.unchanged += state == "unchanged"
        self.bytes += event.get("bytes", 0)
        if event.get("listed") is not None:
            self.listed = (self.listed or 0) + event["listed"]
        self.skipped.update(event.get("skipped", {}))
        self.columns.update(event.get("columns", ()))
        self.surplus.update(event.get("surplus", ()))
        dates = [event.get("newest_on"), *(item["published_on"] for item in event.get("items", ()))]
        known = [date.fromisoformat(one) for one in dates if one]
        self.newest_on = max([*known, *([self.newest_on] if self.newest_on else [])], default=None)


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
        orders = _orders(session, spec, start_url, now)
    fetch = (base_url or "").rstrip("/")
    orders |= {
        "archive": str(var / "archive"),
        "allow": list(allow),
        "on_loopback": _is_loopback(fetch or start_url),
        "public": spec.public_base(),
        "fetch": fetch,
    }
    tally = _fetch(sessions, spec, orders, start_url, now)
    return _publish(sessions, spec, tally, history, _Import(sessions, spec, var, now, key, run_id, lookups))


# --- fetching -------------------------------------------------------------------------------------------------------


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


def _orders(session: Session, spec: SourceSpec, start_url: str, now: datetime) -> dict[str, Any]:
    """Return the child's orders: the start, what waits, what to look at again, and what is done with."""
    rows = session.scalars(select(FrontierPage).where(FrontierPage.source_id == spec.id).order_by(FrontierPage.id))
    start: dict[str, Any] = {"url": start_url, "kind": "list", "depth": 0}
    again: list[dict[str, Any]] = []
    done: list[str] = []
    last = session.scalar(
        select(SourceCheck.verdict).where(SourceCheck.source_id == spec.id).order_by(SourceCheck.id.desc()).limit(1)
    )
    for row in rows:
        if row.url == start_url:
            if row.state == "done" and last in ("ok", "silent"):
                start |= {"etag": row.etag, "last_modified": row.last_modified}
        elif row.state in ("waiting", "held") or (row.state == "failed" and row.meta.get("tries", 1) < MAX_TRIES):
            again.append({"url": row.url, "kind": row.kind, "depth": row.depth, "meta": _said(row.meta)})
        elif row.kind != "list" and _is_recent(row, spec, now):
            again.append(
                {
                    "url": row.url,
                    "kind": row.kind,
                    "depth": row.depth,
                    "meta": _said(row.meta),
                    "etag": row.etag,
                    "last_modified": row.last_modified,
                    "content_hash": row.content_hash,
                }
            )
        elif row.kind != "list":
            done.append(row.url)
    return {"spec": spec.model_dump(mode="json"), "start": [start, *again], "done": done}


def _said(meta: dict[str, Any]) -> dict[str, Any]:
    return {key: meta[key] for key in ("title", "date", "name", "parent") if key in meta}


def _is_recent(row: FrontierPage, spec: SourceSpec, now: datetime) -> bool:
    if not spec.revisit_days or row.state != "done":
        return False
    return (now - row.found_at).days <= spec.revisit_days


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    address = as_address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _fetch(
    sessions: sessionmaker[Session], spec: SourceSpec, orders: dict[str, Any], start_url: str, now: datetime
) -> _Tally:
    tally = _Tally()
    waiting: list[dict[str, Any]] = []
    with _child(orders, spec.caps.seconds + GRACE_SECONDS) as lines:
        for line in lines:
            event = json.loads(line)
            if event["event"] == "end":
                tally.stopped = event["reason"] if event["reason"] in ("pages", "bytes", "seconds") else ""
                continue
            tally.add(event, start_url)
            waiting.append(event)
            if len(waiting) >= BATCH:
                _keep(sessions, spec, waiting, now)
                waiting = []
    _keep(sessions, spec, waiting, now)
    return tally


@contextmanager
def _child(orders: dict[str, Any], seconds: float) -> Iterator[Iterator[str]]:
    """Yield the lines of a crawl's child process; it never outlives its time or this block."""
    child = subprocess.Popen(
        [sys.executable, "-m", "ingest.spiders.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    assert child.stdin
    assert child.stdout
    assert child.stderr
    complaints: list[str] = []
    listener = threading.Thread(target=lambda: complaints.extend(child.stderr or ()), daemon=True)
    listener.start()
    timer = threading.Timer(seconds, child.kill)
    timer.start()
    try:
        child.stdin.write(json.dumps(orders, ensure_ascii=False))
        child.stdin.close()
        yield iter(child.stdout)
        code = child.wait()
        listener.join(5)
        if code > 0:
            raise CrawlFailed(f"抓取进程异常退出（{code}）：{(complaints or [''])[-1].strip()[:300]}")
    finally:
        timer.cancel()
        if child.poll() is None:
            child.kill()
            child.wait()
        listener.join(5)
        child.stdout.close()
        child.stderr.close()


def _keep(sessions: sessionmaker[Session], spec: SourceSpec, events: list[dict[str, Any]], now: datetime) -> None:
    """Write what became of some pages, and the addresses they led to, in one transaction."""
    if not events:
        return
    with sessions.begin() as session:
        found = [link for event in events for link in event.get("found", ())]
        pages = [{"url": event["url"], "kind": event.get("kind", "detail"), "depth": 0, "meta": {}} for event in events]
        insert_ignore(
            session,
            FrontierPage.__table__,  # type: ignore[arg-type]
            [_waiting(spec, link, now) for link in {one["url"]: one for one in [*pages, *found]}.values()],
            key=["source_id", "url"],
        )
        for event in events:
            row = session.scalars(
                select(FrontierPage).where(FrontierPage.source_id == spec.id, FrontierPage.url == event["url"])
            ).one()
            _apply(row, event, now)


def _waiting(spec: SourceSpec, link: dict[str, Any], now: datetime) -> dict[str, Any]:
    return {
        "source_id": spec.id,
        "url": link["url"],
        "kind": link["kind"],
        "depth": link["depth"],
        "state": "waiting",
        "found_at": now,
        "meta": link["meta"],
    }


def _apply(row: FrontierPage, event: dict[str, Any], now: datetime) -> None:
    state = event["state"]
    row.reason = event.get("reason")
    row.fetched_at = now
    if state == "unchanged":
        row.state = "done"
    elif state == "fetched":
        row.state = "fetched"
        row.etag, row.last_modified = event["etag"], event["last_modified"]
        revised = row.content_hash is not None and row.content_hash != event["content_hash"] and row.kind == "detail"
        row.content_hash, row.archive_path = event["content_hash"], event["archive_path"]
        row.meta = {**_said(row.meta), "items": event["items"], "revised": revised}
    else:
        row.state = state
        row.archive_path = event.get("archive_path") or row.archive_path
        row.meta = {**_said(row.meta), "tries": row.meta.get("tries", 0) + 1}


# --- storing --------------------------------------------------------------------------------------------------------


def _publish(
    sessions: sessionmaker[Session], spec: SourceSpec, tally: _Tally, history: History, import_: "_Import"
) -> dict[str, Any]:
    now = import_.now
    with read_only(sessions) as session:
        fetched = select(FrontierPage).where(FrontierPage.source_id == spec.id, FrontierPage.state == "fetched")
        rows = list(session.scalars(fetched.order_by(FrontierPage.id)))
    torn = [row for row in rows if row.kind == "attachment" and not _is_whole(import_.var, row)]
    if torn:
        with sessions.begin() as session:
            _mark(session, [row.id for row in torn], "waiting")
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
            _mark(session, [row.id for row in rows], "held")
            _record(session, spec.id, verdict, now, import_.run_id)
        return counts
    carrying = {file.page_id for file in harvest.files}
    with sessions.begin() as session:
        stored = store_signals(session, harvest.signals, run_id=import_.run_id)
        edited = [_revision(signal) for signal in stored.conflicts]
        counts["stored"] = stored.added + store_signals(session, edited, run_id=import_.run_id).added
        _mark(session, [row.id for row in rows if row.id not in carrying], "done")
        _record(session, spec.id, verdict, now, import_.run_id)
    # A page with files is done only when they are in: killed in between, the next run imports them.
    for file in harvest.files:
        counts["rows"] += import_(file)
        counts["files"] += 1
    with sessions.begin() as session:
        _mark(session, sorted(carrying), "done")
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


def _mark(session: Session, ids: Sequence[int], state: str) -> None:
    for chunk in chunked(ids, 500):
        for row in session.scalars(select(FrontierPage).where(FrontierPage.id.in_(chunk))):
            row.state = state
            row.meta = _said(row.meta)


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


def _facts(tally: _Tally, harvest: Harvest) -> RunFacts:
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
        with self.sessions() as session:
            day = session.scalar(
                select(Signal.occurred_on).where(Signal.source_id == self.spec.id, Signal.external_id == url)
            )
        return Notice(url, day) if day else None
