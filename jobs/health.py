"""Looking at every source once a day, also at those that did not run: silence is only seen by looking."""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from ingest.health import Finding, quiet_for
from ingest.source import Expect
from jobs.crawl import moment
from jobs.runs import recorded_run
from jobs.settings import Settings
from store.tables import Signal, Source, SourceCheck

UNSEEN_DAYS = 3  # a scheduled source with no run for this long is not being watched


def run(sessions: sessionmaker[Session], settings: Settings, as_of: date) -> dict[str, Any]:
    """Write a check for each source whose standing changed since its last one; return how many stand how."""
    with recorded_run(sessions, "health", as_of=as_of) as (run_id, counts):
        with sessions.begin() as session:
            for source in session.scalars(select(Source).where(Source.active).order_by(Source.id)):
                verdict = _check(session, source, as_of, run_id)
                counts[verdict] = counts.get(verdict, 0) + 1
        return dict(counts)


def _check(session: Session, source: Source, as_of: date, run_id: int) -> str:
    """Judge one source and write a row when that says something new; return the verdict in force."""
    last = session.scalars(
        select(SourceCheck).where(SourceCheck.source_id == source.id).order_by(SourceCheck.id.desc()).limit(1)
    ).first()
    if last is not None and last.verdict in ("suspect", "failed"):
        return last.verdict
    expect = Expect.model_validate(source.expect) if source.expect else Expect(within_days=None)
    newest = session.scalar(
        select(func.max(Signal.occurred_on)).where(Signal.source_id == source.id, Signal.occurred_on <= as_of)
    )
    newest = max((day for day in (newest, last.newest_on if last else None) if day), default=None)
    findings = [finding for finding in (quiet_for(newest, expect, as_of), _unseen(source, last, as_of)) if finding]
    verdict = "silent" if findings else "ok"
    if last is None or last.verdict != verdict:
        session.add(
            SourceCheck(
                source_id=source.id,
                run_id=run_id,
                checked_at=moment(as_of),
                verdict=verdict,
                newest_on=newest,
                findings=[finding.to_json() for finding in findings],
            )
        )
    return verdict


def _unseen(source: Source, last: SourceCheck | None, as_of: date) -> Finding | None:
    if not source.schedule or source.platform == "import" or last is None:
        return None
    if last.checked_at.date() >= as_of - timedelta(days=UNSEEN_DAYS):
        return None
    age = (as_of - last.checked_at.date()).days
    return Finding("unseen", f"已 {age} 天没有运行过", age, UNSEEN_DAYS)
