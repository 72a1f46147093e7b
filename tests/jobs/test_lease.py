"""The lease: one holder at a time, a growing token, and no write under an old one."""

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from jobs.lease import Held, LeaseLost, acquire, still_held, this_process
from store.dialect import database_now
from store.tables import Lease, Region

Sessions = sessionmaker[Session]


def run_out(sessions: Sessions) -> None:
    """Let the lease's time pass."""
    with sessions.begin() as session:
        session.execute(update(Lease).values(expires_at=database_now(session)))


def test_one_holds_it_and_may_renew(sessions: Sessions) -> None:
    assert acquire(sessions, "x", "a") == Held("x", "a", 1)
    assert acquire(sessions, "x", "b") is None
    assert acquire(sessions, "x", "a") == Held("x", "a", 1)
    assert acquire(sessions, "y", "b") == Held("y", "b", 1)


def test_a_lease_that_ran_out_goes_to_the_next_under_a_higher_token(sessions: Sessions) -> None:
    acquire(sessions, "x", "a")
    run_out(sessions)
    assert acquire(sessions, "x", "b") == Held("x", "b", 2)
    assert acquire(sessions, "x", "a") is None
    run_out(sessions)
    assert acquire(sessions, "x", "a") == Held("x", "a", 3)


def test_one_s_own_lease_that_ran_out_is_a_new_one(sessions: Sessions) -> None:
    old = acquire(sessions, "x", "a")
    run_out(sessions)
    assert acquire(sessions, "x", "a") == Held("x", "a", 2)
    assert old is not None
    with sessions() as session, pytest.raises(LeaseLost):
        still_held(session, old)


def test_a_hung_holder_s_write_is_refused(sessions: Sessions) -> None:
    hung = acquire(sessions, "x", "a")
    assert hung is not None

    def write() -> None:
        with sessions.begin() as session:
            session.add(Region(code="990000", name="甲省", short_name="甲", level="province"))
            session.flush()
            still_held(session, hung)

    run_out(sessions)
    with pytest.raises(LeaseLost, match="ran out"):
        write()
    acquire(sessions, "x", "b")
    with pytest.raises(LeaseLost, match="held by b"):
        write()
    with sessions() as session:
        assert session.scalars(select(Region)).all() == []


def test_every_process_has_its_own_name() -> None:
    assert this_process() != this_process()
