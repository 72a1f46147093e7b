"""What a crawl knows of a site's addresses: what to fetch, what to look at again, and what became of each page.

The frontier is a table, so a crawl killed at any point goes on where it was.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from ingest.source import SourceSpec
from store.dialect import chunked, insert_ignore
from store.tables import FrontierPage, SourceCheck

MAX_TRIES = 3


def orders(session: Session, spec: SourceSpec, start_url: str, now: datetime) -> dict[str, Any]:
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


def keep(sessions: sessionmaker[Session], spec: SourceSpec, events: list[dict[str, Any]], now: datetime) -> None:
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


def mark(session: Session, ids: Sequence[int], state: str) -> None:
    for chunk in chunked(ids, 500):
        for row in session.scalars(select(FrontierPage).where(FrontierPage.id.in_(chunk))):
            row.state = state
            row.meta = _said(row.meta)
