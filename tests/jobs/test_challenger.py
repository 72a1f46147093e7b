"""The challenger on the store: beside the grade, never in it, and only promoted when it wins."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session, sessionmaker

from jobs import challenger, grade, standing
from jobs.settings import Settings
from store.tables import Enterprise, EnterpriseRole, Grade, Link, Mention, Run, SamplingResult, Signal, Source

AS_OF = date(2026, 6, 30)


@pytest.fixture
def sessions(sqlite_engine) -> sessionmaker[Session]:
    """Many rows: SQLite alone will do, nothing here depends on the database."""
    return sessionmaker(sqlite_engine, expire_on_commit=False)


def fill(sessions: sessionmaker[Session], firms: int, batches: int) -> None:
    """Store a history in which every fifth firm fails half its batches, and nobody else."""
    start = datetime(2024, 1, 1, tzinfo=UTC)
    with sessions.begin() as session:
        session.add(Source(id="notice", title="通告", channel="sampling", trust="official", platform="import"))
        session.flush()
        ids = range(1, firms + 1)
        session.execute(
            insert(Enterprise), [{"id": n, "name": f"企业{n}", "name_key": f"企业{n}", "known_at": start} for n in ids]
        )
        session.execute(
            insert(EnterpriseRole),
            [{"enterprise_id": n, "role": "producer", "product_id": "rebar", "known_at": start} for n in ids],
        )
        for number in range(batches):
            firm, day = number % firms + 1, date(2024, 1, 2) + timedelta(days=number * 900 // batches)
            at = datetime(day.year, day.month, day.day, tzinfo=UTC)
            bad = firm % 5 == 0 and (number // firms) % 2 == 0
            common = {"occurred_on": day, "known_at": at}
            session.execute(
                insert(Signal).values(
                    id=number + 1,
                    source_id="notice",
                    external_id=str(number),
                    content_hash="",
                    channel="sampling",
                    trust="official",
                    title="",
                    text="",
                    damaged=[],
                    payload={},
                    flags=[],
                    **common,
                )
            )
            session.execute(
                insert(SamplingResult).values(
                    signal_id=number + 1,
                    outcome="fail" if bad else "pass",
                    product_id="rebar",
                    channel="production",
                    failed_items=[],
                    **common,
                )
            )
            session.execute(
                insert(Mention).values(id=number + 1, signal_id=number + 1, role="producer", text=str(firm))
            )
            session.execute(
                insert(Link).values(
                    mention_id=number + 1,
                    enterprise_id=firm,
                    guess_decision="link",
                    method="uscc",
                    score=1.0,
                    version="1",
                    reasons=[],
                    candidates=[],
                )
            )


def test_probabilities_stand_beside_the_grades_and_follow_the_truth(sessions):
    fill(sessions, firms=40, batches=600)
    grade.run(sessions, Settings(), AS_OF)
    with sessions() as session:
        before = {row.id: (row.score, row.level) for row in session.scalars(select(Grade))}
    counts = challenger.run(sessions, Settings(), AS_OF)
    with sessions() as session:
        rows = session.scalars(select(Grade)).all()
        assert {row.id: (row.score, row.level) for row in rows} == before
        lines = [row for row in rows if row.product_id]
        bad = [row.challenger for row in lines if row.enterprise_id % 5 == 0]
        good = [row.challenger for row in lines if row.enterprise_id % 5]
        assert len(lines) == counts["scored"] == 40
        assert min(bad) > max(good)
        assert standing.promoted(session, AS_OF) is counts["promoted"]
        found = standing.standing(session, AS_OF)
    assert found is not None
    assert (found.promoted, found.since) == (counts["promoted"], AS_OF)
    assert {one["zh"] for one in found.verdict["coverage"]} == {"合格", "不合格"}
    assert found.verdict["moved"]["base_rate"]["then"] > 0
    assert found.plausible(1.0).may_fail
    assert not found.plausible(min(good)).may_fail
    assert found.plausible(None) is None


def test_what_was_learnt_stays_beside_later_gradings_until_the_next_run(sessions):
    fill(sessions, firms=40, batches=600)
    grade.run(sessions, Settings(), AS_OF)
    challenger.run(sessions, Settings(), AS_OF)
    later = AS_OF + timedelta(days=3)
    for day in (AS_OF, later, AS_OF - timedelta(days=1)):
        grade.run(sessions, Settings(), day)

    def said(day):
        with sessions() as session:
            lines = select(Grade).where(Grade.as_of == day, Grade.product_id != "")
            return {row.enterprise_id: row.challenger for row in session.scalars(lines)}

    assert len(said(AS_OF)) == 40
    assert None not in said(AS_OF).values()
    assert said(later) == said(AS_OF)
    assert set(said(AS_OF - timedelta(days=1)).values()) == {None}, "an earlier day does not know it yet"
    with sessions.begin() as session:
        session.execute(delete(SamplingResult))
    challenger.run(sessions, Settings(), later)
    grade.run(sessions, Settings(), later + timedelta(days=1))
    assert set(said(later).values()) == {None}
    assert set(said(later + timedelta(days=1)).values()) == {None}


def test_a_promotion_goes_with_the_next_back_test_that_says_otherwise(sessions):
    days = [(date(2026, 1, 31), True), (date(2026, 2, 28), True), (date(2026, 3, 31), False)]
    at = datetime(2026, 4, 1, tzinfo=UTC)
    with sessions.begin() as session:
        session.add_all(
            Run(
                job="challenger",
                status="ok",
                as_of=day,
                counts={"promoted": won},
                started_at=at,
                finished_at=at,
                code_version="",
            )
            for day, won in days
        )
    with sessions() as session:
        assert not standing.promoted(session, date(2026, 1, 1))
        assert standing.standing(session, date(2026, 1, 1)) is None
        assert standing.promoted(session, date(2026, 3, 15))
        assert standing.standing(session, date(2026, 3, 15)).since == date(2026, 1, 31)
        assert not standing.promoted(session, date(2026, 3, 31))
        found = standing.standing(session, date(2026, 4, 30))
        assert [one[2] for one in found.history] == [False, True, True]


def test_with_little_history_nothing_is_learnt(sessions):
    fill(sessions, firms=5, batches=20)
    grade.run(sessions, Settings(), AS_OF)
    counts = challenger.run(sessions, Settings(), AS_OF)
    assert counts["promoted"] is False
    with sessions() as session:
        assert session.scalars(select(Grade.challenger)).all().count(None) == 10
        assert not standing.promoted(session, AS_OF)
