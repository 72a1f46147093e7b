"""Cases: opened once, moved on by steps, closed only by a passed re-check or a person's proof."""

from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from casework.deadlines import WorkCalendar
from casework.limits import load_limits
from casework.rules import Done, check_closing, clocks, load_case_policy, next_step
from casework.steps import StepError, possible_steps, take
from store.tables import CalendarDay, Case, CaseStep, Clock
from tests.factories import NOW, make_account, make_case, make_signal

POLICY = load_case_policy()
OPENED = Done("opened", date(2026, 3, 2))


@pytest.mark.parametrize(
    ("done", "step"),
    [
        ([OPENED], "notified"),
        ([OPENED, Done("notified", date(2026, 3, 5))], "rectifying"),
        ([OPENED, Done("notified", date(2026, 3, 5)), Done("rectifying", date(2026, 3, 9))], "reported"),
        (
            [OPENED, Done("rectifying", date(2026, 3, 9)), Done("rechecking", date(2026, 5, 9), passed=False)],
            "announced",
        ),
        (
            [
                OPENED,
                Done("rechecking", date(2026, 5, 9), passed=False),
                Done("announced", date(2026, 5, 20)),
            ],
            "rechecking",
        ),
        ([OPENED, Done("closed", date(2026, 5, 9))], None),
    ],
)
def test_next_step(done: list[Done], step: str | None) -> None:
    found = next_step("failed_sample", done, POLICY)
    assert (found.step if found else None) == step


def test_clocks_start_and_stop_with_the_steps() -> None:
    done = [
        OPENED,
        Done("notified", date(2026, 3, 5)),
        Done("rectifying", date(2026, 3, 9)),
        Done("rechecking", date(2026, 5, 12), passed=False),
        Done("announced", date(2026, 5, 20)),
    ]
    running = clocks("failed_sample", done, POLICY, load_limits(), WorkCalendar())
    assert {clock.limit_id: (clock.due_on, clock.met_on) for clock in running} == {
        "SC01": (date(2026, 3, 17), date(2026, 3, 17)),  # the firm's right: it ends, nobody is late
        "SC13": (date(2026, 3, 9), date(2026, 3, 5)),
        "SC04": (date(2026, 5, 8), None),
        "SC05": (date(2026, 5, 25), date(2026, 5, 12)),
        "SC06": (date(2026, 7, 20), None),
        "SC07": (date(2026, 8, 18), None),
    }


@pytest.mark.parametrize(
    ("done", "closable"),
    [
        ([OPENED], False),
        ([OPENED, Done("rechecking", date(2026, 5, 9), passed=True)], True),
        ([OPENED, Done("rechecking", date(2026, 5, 9), passed=False)], False),
        ([OPENED, Done("closed", date(2026, 5, 9), proof=True)], True),
        ([OPENED, Done("closed", date(2026, 5, 9))], False),
        (
            [
                OPENED,
                Done("rechecking", date(2026, 5, 9), passed=True),
                Done("rechecking", date(2026, 6, 9), passed=False),
            ],
            False,
        ),
    ],
)
def test_closing_needs_a_passed_recheck_or_proof(done: list[Done], closable: bool) -> None:
    if closable:
        check_closing("failed_sample", done)
    else:
        with pytest.raises(StepError, match="复查合格"):
            check_closing("failed_sample", done)


@pytest.fixture
def case_id(sessions: sessionmaker[Session]) -> int:
    with sessions.begin() as session:
        case = make_case(session, make_signal(session), opened_on=date(2026, 3, 2))
        make_account(session, "city", "bureau", "9901")
        return case.id


def step(sessions: sessionmaker[Session], case_id: int, name: str, day: date, **changes: object) -> CaseStep:
    values: dict[str, object] = {"account_id": 1, "remark": "", "proof": None, "at": NOW}
    with sessions.begin() as session:
        return take(session, case_id, step=name, done_on=day, **(values | changes))  # type: ignore[arg-type]


def test_a_case_from_opening_to_closing(sessions: sessionmaker[Session], case_id: int) -> None:
    with sessions.begin() as session:
        session.add(CalendarDay(day=date(2026, 3, 17), working=False, note="本地放假"))
    step(sessions, case_id, "opened", date(2026, 3, 2))
    step(sessions, case_id, "notified", date(2026, 3, 5))
    step(sessions, case_id, "rectifying", date(2026, 3, 9))
    with pytest.raises(StepError, match="复查合格"):
        step(sessions, case_id, "closed", date(2026, 4, 1))
    step(sessions, case_id, "rechecking", date(2026, 5, 12), account_id=None, proof={"signal_id": 9, "passed": True})
    step(sessions, case_id, "closed", date(2026, 5, 12), account_id=None, proof={"signal_id": 9})
    with sessions() as session:
        case = session.get_one(Case, case_id)
        assert (case.state, case.closed_on) == ("closed", date(2026, 5, 12))
        due = {clock.limit_id: (clock.due_on, clock.met_on) for clock in session.scalars(select(Clock))}
    assert due["SC01"] == (date(2026, 3, 18), date(2026, 3, 18))  # the entered day off; a right ends by itself
    assert due["SC05"] == (date(2026, 5, 25), date(2026, 5, 12))


def test_a_person_s_proof_closes_too_but_the_system_s_word_does_not(
    sessions: sessionmaker[Session], case_id: int
) -> None:
    step(sessions, case_id, "opened", date(2026, 3, 2))
    with pytest.raises(StepError):
        step(sessions, case_id, "closed", date(2026, 4, 1), account_id=None, proof={"document": "x"})
    with pytest.raises(StepError):
        step(sessions, case_id, "closed", date(2026, 4, 1), proof={"document": " "})
    step(sessions, case_id, "closed", date(2026, 4, 1), proof={"document": "整改验收单 2026-17"})
    with pytest.raises(StepError, match="已销号"):
        step(sessions, case_id, "rectifying", date(2026, 4, 2))


def test_the_same_step_twice_is_one(sessions: sessionmaker[Session], case_id: int) -> None:
    first = step(sessions, case_id, "notified", date(2026, 3, 5), proof={"文号": "1"})
    assert step(sessions, case_id, "notified", date(2026, 3, 5), proof={"文号": "1"}).id == first.id
    with sessions() as session:
        assert len(session.scalars(select(CaseStep)).all()) == 1


@pytest.mark.parametrize(("name", "day"), [("singing", date(2026, 3, 5)), ("notified", date(2026, 3, 1))])
def test_impossible_steps_are_refused(sessions: sessionmaker[Session], case_id: int, name: str, day: date) -> None:
    with pytest.raises(StepError):
        step(sessions, case_id, name, day)


@pytest.mark.parametrize(
    ("state", "first"),
    [("opened", "notified"), ("rectifying", "reported"), ("rechecking", "announced"), ("announced", "rechecking")],
)
def test_possible_steps_start_with_the_usual_one(state: str, first: str) -> None:
    assert possible_steps("failed_sample", state)[0 if state != "rechecking" else 1][0] == first
    assert possible_steps("failed_sample", "closed") == []
