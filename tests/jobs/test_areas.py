"""Region × product states in the store: flagged, kept to their review, lifted, and led back to their batches."""

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from jobs import areas
from jobs.settings import Settings
from store.reads import areas as reads
from store.reads.page import PageRequest
from store.reads.scope import PROVINCE, Scope
from store.tables import AreaState, Enterprise
from tests import factories

DAY = date(2026, 3, 31)


def fill(sessions: sessionmaker[Session]) -> None:
    """Two counties with a dozen batches each; three of four firms fail in one of them."""
    with sessions.begin() as session:
        factories.make_region(session, "990101", name="明河县")
        for region, failing in (("990101", 3), ("990201", 0)):
            for number in range(4):
                firm = factories.make_enterprise(session, region_code=region)
                for batch in range(3):
                    day = DAY - timedelta(days=20 + batch)
                    known = datetime(day.year, day.month, day.day, 4, tzinfo=UTC)
                    signal = factories.make_signal(session, region_code=region, occurred_on=day, known_at=known)
                    outcome = "fail" if number < failing else "pass"
                    factories.make_sample(session, firm, signal=signal, outcome=outcome)


def states(sessions: sessionmaker[Session]) -> list[tuple[date, str, date, date, int]]:
    with sessions() as session:
        rows = session.scalars(select(AreaState).order_by(AreaState.as_of))
        return [(row.as_of, row.colour, row.started_on, row.review_on, row.id) for row in rows]


def test_a_flag_starts_is_kept_to_its_review_and_is_lifted(sessions: sessionmaker[Session]) -> None:
    fill(sessions)
    review = DAY + timedelta(days=91)
    soon, late, after = DAY + timedelta(days=30), DAY + timedelta(days=400), DAY + timedelta(days=430)
    for day in (DAY, soon, late, after):
        areas.run(sessions, Settings(), day)
    found = states(sessions)
    assert [(day, colour, start) for day, colour, start, *_ in found] == [
        (DAY, "yellow", DAY),
        (soon, "yellow", DAY),
        (late, "none", DAY),
    ]
    assert found[0][3] == review


def test_judging_a_day_again_changes_nothing(sessions: sessionmaker[Session]) -> None:
    fill(sessions)
    areas.run(sessions, Settings(), DAY)
    areas.run(sessions, Settings(), DAY + timedelta(days=30))
    first = states(sessions)
    assert areas.run(sessions, Settings(), DAY)["yellow"] == 1
    assert states(sessions) == first


def test_a_state_leads_to_every_batch_it_counts(sessions: sessionmaker[Session]) -> None:
    fill(sessions)
    areas.run(sessions, Settings(), DAY)
    with sessions() as session:
        row = reads.listing(session, PROVINCE, reads.AreaFilter(), PageRequest()).rows[0]
        assert row.region_zh == "明河县"
        file = reads.one(session, PROVINCE, row.state.id)
        assert file is not None
        assert len(file.batches) == row.state.batches == 12
        assert sum(one.outcome == "fail" for one in file.batches) == row.state.failures == 9
        assert len({one.enterprise_id for one in file.batches if one.outcome == "fail"}) == 3
        assert reads.one(session, Scope("9902"), row.state.id) is None
        assert reads.listing(session, Scope("9902"), reads.AreaFilter(), PageRequest()).total == 0


def test_merged_entries_are_one_enterprise(sessions: sessionmaker[Session]) -> None:
    fill(sessions)
    with sessions.begin() as session:
        firms = session.scalars(
            select(Enterprise).where(Enterprise.region_code == "990101").order_by(Enterprise.id)
        ).all()
        kept, firms[1].region_code = firms[0].id, "990201"
        firms[1].merged_into_id = firms[2].merged_into_id = firms[0].id
    areas.run(sessions, Settings(), DAY)
    with sessions() as session:
        row = reads.listing(session, PROVINCE, reads.AreaFilter(), PageRequest()).rows[0]
        assert (row.state.region_code, row.state.batches, row.state.failing_enterprises) == ("990101", 12, 1)
        file = reads.one(session, PROVINCE, row.state.id)
        assert file is not None
        assert {one.enterprise_id for one in file.batches if one.outcome == "fail"} == {kept}
