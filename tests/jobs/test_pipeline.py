"""The whole path on a small store: every step leaves a run, and a second run changes nothing."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from jobs.basis import basis_of, unless_unchanged
from jobs.pipeline import quarter_ends, run_all
from store.tables import Base, Grade, Label, Run
from tests.factories import make_account, make_enterprise, make_signal
from tests.jobs.office import NOON, TODAY, add_result, fill, make_settings

Sessions = sessionmaker[Session]


def digest(sessions: Sessions) -> dict[str, list[str]]:
    """Every row of every table but the runs, without when it was written and by which run."""
    found = {}
    with sessions() as session:
        for table in Base.metadata.sorted_tables:
            if table.name in ("run", "source_check"):
                continue
            columns = [
                c for c in table.columns if c.name not in ("run_id", "recorded_at", "first_used_at", "trained_at")
            ]
            found[table.name] = sorted(str(tuple(row)) for row in session.execute(select(*columns)))
    return found


def test_a_second_run_changes_nothing(sessions: Sessions, tmp_path: Path) -> None:
    fill(sessions, 6)
    with sessions.begin() as session:
        firm = make_enterprise(session)
        add_result(session, firm, 300, "fail", product_id="cable")
        add_result(session, firm, 10, "fail", product_id="cable")
    settings = make_settings(tmp_path)
    told: list[tuple[str, int, int]] = []
    first = run_all(sessions, settings, TODAY, lambda *step: told.append(step), now=NOON)
    before = digest(sessions)
    second = run_all(sessions, settings, TODAY, now=NOON)
    assert digest(sessions) == before
    assert first["notify"]["alerts"] > 0
    assert first["ledger"]["opened"] == 3
    assert first["history"]["graded"] > 0
    assert second["history"]["graded"] == 0
    assert (second["grade"]["unchanged"], second["notify"]["unchanged"]) == (1, 1)
    assert [number for _, number, _ in told] == list(range(len(first) + 1))
    with sessions() as session:
        ran = set(session.scalars(select(Run.job).where(Run.status == "ok")))
    assert {"tag", "reposts", "resolve", "grade", "ledger", "notify", "outcome", "health"} <= ran


def test_a_new_fact_or_a_person_s_decision_grades_again(sessions: Sessions, tmp_path: Path) -> None:
    fill(sessions, 3)
    settings = make_settings(tmp_path)
    run_all(sessions, settings, TODAY, now=NOON)
    with sessions.begin() as session:
        add_result(session, make_enterprise(session, known_at=NOON), 20, "fail", product_id="cable")
    again = run_all(sessions, settings, TODAY, now=NOON)
    assert "unchanged" not in again["grade"]
    assert again["history"]["graded"] == 0  # the fact was not known at any past quarter's end
    with sessions.begin() as session:
        account = make_account(session, "analyst")
        session.add(
            Label(signal_id=1, kind="product", code="cable", decision="no", account_id=account.id, decided_at=NOON)
        )
    assert "unchanged" not in run_all(sessions, settings, TODAY, now=NOON)["grade"]


def test_an_empty_store_runs_through(sessions: Sessions, tmp_path: Path) -> None:
    counts = run_all(sessions, make_settings(tmp_path), TODAY, now=NOON)
    assert counts["grade"]["enterprises"] == 0
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Grade)) == 0


def test_the_basis_knows_only_what_was_known_then(sessions: Sessions) -> None:
    with sessions.begin() as session:
        make_signal(session)
    with sessions() as session:
        past, today = basis_of(session, date(2026, 1, 1)), basis_of(session, TODAY)
    with sessions.begin() as session:
        make_signal(session)
    with sessions() as session:
        assert basis_of(session, date(2026, 1, 1)) == past
        assert basis_of(session, TODAY) != today
        assert basis_of(session, TODAY, "policy") != basis_of(session, TODAY)


def test_work_that_failed_is_not_taken_for_done(sessions: Sessions) -> None:
    def fail() -> dict[str, int]:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        unless_unchanged(sessions, "x", TODAY, "same", fail)
    assert unless_unchanged(sessions, "x", TODAY, "same", lambda: {"n": 1}) == {"n": 1}
    assert unless_unchanged(sessions, "x", TODAY, "same", fail) == {"n": 1, "unchanged": 1}
    assert unless_unchanged(sessions, "x", TODAY, "other", lambda: {"n": 2}) == {"n": 2}


@pytest.mark.parametrize(
    ("as_of", "ends"),
    [
        (date(2026, 10, 31), [date(2026, 3, 31), date(2026, 6, 30), date(2026, 9, 30)]),
        (date(2026, 9, 30), [date(2025, 12, 31), date(2026, 3, 31), date(2026, 6, 30)]),
        (date(2026, 1, 1), [date(2025, 6, 30), date(2025, 9, 30), date(2025, 12, 31)]),
    ],
)
def test_quarter_ends(as_of: date, ends: list[date]) -> None:
    assert quarter_ends(as_of, 3) == ends
