"""The audit chain: every act is in it, and no edit, removal or cut goes unseen."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from store.audit import Act, Anchor, append, head, verify
from store.tables import AuditEntry, Region

AT = datetime(2026, 5, 1, 8, tzinfo=UTC)


def act(number: int) -> Act:
    return Act(AT, "analyst", "plan.issue", "plan", str(number), detail={"费用": 1200.5, "n": number})


def filled(sessions: sessionmaker[Session], count: int = 5) -> Anchor:
    with sessions.begin() as session:
        for number in range(count):
            append(session, act(number))
        anchor = head(session)
    assert anchor is not None
    return anchor


def test_an_untouched_chain_holds(sessions: sessionmaker[Session]) -> None:
    anchor = filled(sessions)
    with sessions() as session:
        trail = verify(session, [anchor])
    assert (trail.entries, trail.broken) == (5, ())


@pytest.mark.parametrize(
    ("column", "value"),
    [("username", "x"), ("act", "x"), ("target_id", "9"), ("outcome", "refused"), ("detail", {"n": 7}), ("ip", "::1")],
)
def test_an_edit_shows(sessions: sessionmaker[Session], column: str, value: object) -> None:
    filled(sessions)
    with sessions.begin() as session:
        session.execute(update(AuditEntry).where(AuditEntry.id == 3).values({column: value}))
    with sessions() as session:
        assert verify(session).broken == ("第 3 条的内容被改动",)


def test_a_removed_row_shows(sessions: sessionmaker[Session]) -> None:
    filled(sessions)
    with sessions.begin() as session:
        session.execute(delete(AuditEntry).where(AuditEntry.id == 2))
    with sessions() as session:
        assert verify(session).broken == ("第 3 条与前一条不相连",)


def test_a_cut_tail_shows_only_against_the_anchor_outside(sessions: sessionmaker[Session]) -> None:
    anchor = filled(sessions)
    with sessions.begin() as session:
        session.execute(delete(AuditEntry).where(AuditEntry.id >= 4))
    with sessions() as session:
        assert verify(session).holds
        assert verify(session, [anchor]).broken == ("库外留存的第 5 条已不在审计链中",)


def test_an_act_whose_entry_fails_does_not_happen(
    sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = filled(sessions, 1).hash
    monkeypatch.setattr("store.audit.entry_hash", lambda _entry: taken)

    def add_region_and_record() -> None:
        with sessions.begin() as session:
            session.add(Region(code="370000", name="某省", short_name="某", level="province"))
            append(session, act(1))

    with pytest.raises(IntegrityError):
        add_region_and_record()
    with sessions() as session:
        assert session.scalars(select(Region)).all() == []
