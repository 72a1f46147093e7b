"""Fetching a site in a child process: its orders, its time, and what it reports of each page.

The reactor cannot be started twice in one process, and the child knows nothing of the store: what it reports is kept
in the frontier at once.
"""

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from ingest.frontier import keep
from ingest.source import SourceSpec

GRACE_SECONDS = 60  # for starting and stopping, beyond the source's own cap
BATCH = 20


class CrawlFailed(Exception):
    """The crawl could not run at all; the message says what to do."""


@dataclass
class Tally:
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
            closed = "closed_file" if event.get("kind") == "attachment" else "closed"
            self.walls[event.get("wall") or closed] += 1
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


def fetch(
    sessions: sessionmaker[Session], spec: SourceSpec, orders: dict[str, Any], start_url: str, now: datetime
) -> Tally:
    tally = Tally()
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
                keep(sessions, spec, waiting, now)
                waiting = []
    keep(sessions, spec, waiting, now)
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
