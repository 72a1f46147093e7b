"""Crawling the sources that are declared: each one its own run, so that one site's trouble is its own."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from ingest.crawl import CrawlFailed, crawl
from ingest.declared import register_sources
from ingest.intake import Lookups
from ingest.source import SOURCES, SourceSpec, find_source, load_sources
from jobs.imports import make_lookups
from jobs.opening import secret_key
from jobs.runs import recorded_run
from jobs.settings import Settings
from store.china_time import CHINA
from store.session import read_only
from store.tables import Source

log = structlog.get_logger()


def run(
    sessions: sessionmaker[Session],
    settings: Settings,
    as_of: date,
    *,
    source_ids: Sequence[str] = (),
    folder: Path = SOURCES,
    base_url: str | None = None,
    lookups: Lookups | None = None,
) -> dict[str, Any]:
    """Crawl the named sources, or every active one in `folder`; return the counts of each.

    A source that cannot be crawled is reported under its name and does not stop the others.
    """
    specs = _chosen(sessions, folder, source_ids)
    lookups = lookups or make_lookups(sessions, settings)
    return {spec.id: crawl_one(sessions, settings, as_of, spec, base_url=base_url, lookups=lookups) for spec in specs}


def crawl_one(
    sessions: sessionmaker[Session],
    settings: Settings,
    as_of: date,
    spec: SourceSpec,
    *,
    base_url: str | None = None,
    lookups: Lookups | None = None,
) -> dict[str, Any]:
    """Crawl one source as a recorded run and return its counts; a failure is counted, not raised."""
    with sessions.begin() as session:
        register_sources(session, [spec])
    try:
        with recorded_run(sessions, "crawl", as_of=as_of, source_id=spec.id) as (run_id, counts):
            found = crawl(
                sessions,
                spec.id,
                var=settings.var,
                now=moment(as_of),
                spec=spec,
                base_url=base_url,
                key=secret_key(settings),
                allow=settings.outbound_allow,
                run_id=run_id,
                lookups=lookups or make_lookups(sessions, settings),
            )
            counts.update(found)
            result = dict(found)
    except CrawlFailed as failure:
        log.warning("crawl_failed", source=spec.id, reason=str(failure))
        return {"status": "failed", "error": str(failure)}
    log.info("crawled", source=spec.id, verdict=result["verdict"], items=result["items"])
    return result


def moment(as_of: date) -> datetime:
    """Return when `as_of` is: now, while that day lasts in China; else its last minute."""
    now = datetime.now(UTC)
    return now if now.astimezone(CHINA).date() == as_of else datetime.combine(as_of, time(23, 59), CHINA)


def _chosen(sessions: sessionmaker[Session], folder: Path, source_ids: Sequence[str]) -> list[SourceSpec]:
    if source_ids:
        return [find_source(source_id, (folder, SOURCES)) for source_id in source_ids]
    # A switch set in the page wins over the yml: an office turns a shipped source on or off without editing files.
    with read_only(sessions) as session:
        switches = {row.id: row.active for row in session.scalars(select(Source))}
    return [spec for spec in load_sources(folder).values() if switches.get(spec.id, spec.active)]
