"""Grades over time and the batches behind the colours: only what is in reach."""

from datetime import date

from jobs import backtest, grade
from jobs.settings import Settings
from store.china_time import end_of
from store.reads.areas import placed_batches
from store.reads.grades import grade_history, latest_verdict, policy_body
from store.reads.scope import NOTHING, PROVINCE, Scope
from store.tables import Enterprise, SamplingResult
from tests.jobs.test_grade import Office


def test_history_verdict_policy_and_batches(sessions):
    office = Office(sessions)
    maker = office.enterprise("甲电缆厂")
    with sessions.begin() as session:
        session.get_one(Enterprise, maker).region_code = "370102"
    signal = office.signal(
        [(maker, "producer", {})],
        day=date(2026, 3, 1),
        record=SamplingResult(outcome="fail", safety_failed=True, product_id="cable"),
    )
    for day in (date(2026, 2, 28), date(2026, 3, 31)):
        grade.run(sessions, Settings(), day)
    backtest.run(sessions, Settings(), date(2026, 3, 31))
    with sessions() as session:
        points = grade_history(session, Scope("3701"), maker)
        assert [(point.as_of, point.level) for point in points] == [(date(2026, 2, 28), "U"), (date(2026, 3, 31), "C")]
        assert points[1].low <= points[1].score <= points[1].high
        assert grade_history(session, Scope("3702"), maker) == []
        verdict = latest_verdict(session, "backtest")
        assert verdict is not None
        assert verdict[0] == date(2026, 3, 31)
        assert latest_verdict(session, "challenger") is None
        assert "thresholds" in (policy_body(session, points[1].policy_hash) or "")
        for scope, expected in ((PROVINCE, [signal]), (Scope("3702"), []), (NOTHING, [])):
            batches = placed_batches(session, scope, date(2025, 1, 1), end_of(date(2026, 3, 31)))
            assert [batch.signal_id for batch in batches] == expected
