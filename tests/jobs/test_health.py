"""The daily look at every source: silence is written down once, also for a source that did not run."""

from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from jobs import health
from jobs.settings import Settings
from store.reads.page import PageRequest
from store.reads.scope import NOTHING, PROVINCE, Scope
from store.reads.sources import list_sources, source_detail
from store.tables import SourceCheck
from tests.factories import make_signal, make_source


def check(source_id: str, verdict: str, day: date, **changes: object) -> SourceCheck:
    values: dict[str, object] = {
        "source_id": source_id,
        "checked_at": datetime(day.year, day.month, day.day, 6, tzinfo=UTC),
        "verdict": verdict,
        "newest_on": day,
        "findings": [],
    }
    return SourceCheck(**(values | changes))


def test_a_silent_source_is_seen_once(sessions: sessionmaker[Session], tmp_path: Path) -> None:
    with sessions.begin() as session:
        lively = {"platform": "feed", "schedule": "*/30 * * * *", "expect": {"within_days": 3}, "region_code": "990100"}
        make_source(session, id="lively", **lively)
        make_source(session, id="quiet", **(lively | {"region_code": "990200"}))
        make_source(session, id="upload", region_code=None)
        make_signal(session, source_id="lively", occurred_on=date(2026, 3, 9))
        make_signal(session, source_id="quiet", occurred_on=date(2026, 2, 1))
        session.add_all([check("lively", "ok", date(2026, 3, 9)), check("quiet", "ok", date(2026, 2, 1))])
    settings = Settings(var=tmp_path)
    assert health.run(sessions, settings, date(2026, 3, 10)) == {"ok": 2, "silent": 1}
    assert health.run(sessions, settings, date(2026, 3, 10)) == {"ok": 2, "silent": 1}
    with sessions() as session:
        checks = session.scalars(
            select(SourceCheck).where(SourceCheck.source_id == "quiet").order_by(SourceCheck.id)
        ).all()
        assert [one.verdict for one in checks] == ["ok", "silent"]
        assert [finding["check"] for finding in checks[1].findings] == ["silence", "unseen"]
        rows = list_sources(session, PROVINCE, PageRequest()).rows
        assert [(row.id, row.verdict, row.signals) for row in rows] == [
            ("quiet", "silent", 1),
            ("lively", "ok", 1),
            ("upload", "ok", 0),
        ]
        # A city sees its own sources and those that serve everybody; nobody else's.
        assert {row.id for row in list_sources(session, Scope("9901"), PageRequest()).rows} == {"lively", "upload"}
        assert list_sources(session, NOTHING, PageRequest()).rows == []
        assert source_detail(session, Scope("9901"), "quiet") is None
        detail = source_detail(session, Scope("9902"), "quiet")
        assert detail is not None
        assert [one.verdict for one in detail.checks] == ["silent", "ok"]


def test_a_suspect_source_stays_suspect_until_it_ran_well(sessions: sessionmaker[Session], tmp_path: Path) -> None:
    with sessions.begin() as session:
        make_source(session, id="broken", platform="feed", schedule="0 6 * * *", expect={"within_days": 3})
        session.add(check("broken", "suspect", date(2026, 3, 9)))
    assert health.run(sessions, Settings(var=tmp_path), date(2026, 3, 10)) == {"suspect": 1}
