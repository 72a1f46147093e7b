"""The policy of a grade and the batches behind the colours: only what is in reach."""

from datetime import date

from sqlalchemy import select

from jobs import grade
from jobs.settings import Settings
from store.china_time import end_of
from store.reads.areas import placed_batches
from store.reads.grades import policy_body
from store.reads.scope import NOTHING, PROVINCE, Scope
from store.tables import Enterprise, Grade, SamplingResult
from tests.jobs.test_grade import Office


def test_policy_and_batches(sessions):
    office = Office(sessions)
    maker = office.enterprise("甲电缆厂")
    with sessions.begin() as session:
        session.get_one(Enterprise, maker).region_code = "370102"
    signal = office.signal(
        [(maker, "producer", {})],
        day=date(2026, 3, 1),
        record=SamplingResult(outcome="fail", safety_failed=True, product_id="cable"),
    )
    grade.run(sessions, Settings(), date(2026, 3, 31))
    with sessions() as session:
        hashes = session.scalars(select(Grade.policy_hash).where(Grade.enterprise_id == maker)).all()
        assert hashes
        assert all("thresholds" in (policy_body(session, one) or "") for one in hashes)
        for scope, expected in ((PROVINCE, [signal]), (Scope("3702"), []), (NOTHING, [])):
            batches = placed_batches(session, scope, date(2025, 1, 1), end_of(date(2026, 3, 31)))
            assert [batch.signal_id for batch in batches] == expected
