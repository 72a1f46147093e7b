"""A grade set aside by two people: for whom, from when, until when, and what the scorecard goes on from."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from alerting.policy import load_alert_policy
from jobs import grade as job
from jobs.candidates import candidates_on
from jobs.observe import observe
from jobs.settings import Settings
from nlp.taxonomy import load_taxonomy
from scoring.policy import load_policy
from scoring.sampling import load_rules
from scoring.sampling.reasons import Setting, explain
from store import overrides
from store.reads.overrides import listing, track_record
from store.reads.page import PageRequest
from store.reads.scope import PROVINCE, Scope
from store.tables import Account, Enterprise, Grade, SamplingResult
from tests.factories import make_account
from tests.jobs.test_grade import Office

Sessions = sessionmaker[Session]
MADE = datetime(2026, 7, 1, 4, tzinfo=UTC)
APPROVED = datetime(2026, 7, 2, 4, tzinfo=UTC)
EXPIRES = date(2026, 7, 31)


@pytest.fixture
def firm(sessions: Sessions) -> int:
    """A maker of chargers with one clean batch, graded at the end of June, and three people."""
    office = Office(sessions)
    maker = office.enterprise("甲充电器厂", product_id="ebike_charger")
    record = SamplingResult(outcome="pass", product_id="ebike_charger", channel="production")
    office.signal([(maker, "producer", {})], day=date(2026, 3, 1), record=record)
    with sessions.begin() as session:
        session.get_one(Enterprise, maker).region_code = "370101"
        for name in ("maker", "approver", "third"):
            make_account(session, name)
    run(sessions, date(2026, 6, 30))
    return maker


def run(sessions: Sessions, day: date) -> None:
    job.run(sessions, Settings(), day)


def account(session: Session, name: str) -> int:
    return session.scalars(select(Account.id).where(Account.username == name)).one()


def ask(sessions: Sessions, firm: int, value: str = "D", product_id: str = "", **changes: Any) -> int:
    with sessions.begin() as session:
        grade = session.scalars(
            select(Grade).where(Grade.enterprise_id == firm, Grade.product_id == product_id).order_by(Grade.as_of)
        ).first()
        assert grade is not None
        told = {"reason": "现场发现仍在生产不合格品", "expires_on": EXPIRES, "at": MADE, **changes}
        return overrides.propose(session, grade, value, account_id=account(session, "maker"), **told).id


def approve(sessions: Sessions, override_id: int, at: datetime = APPROVED) -> None:
    with sessions.begin() as session:
        who = account(session, "approver")
        overrides.decide(session, override_id, approve=True, account_id=who, remark="", at=at)


def seen(sessions: Sessions, day: date, product_id: str = "") -> tuple[Any, ...]:
    with sessions() as session:
        row = session.scalars(select(Grade).where(Grade.as_of == day, Grade.product_id == product_id)).one()
        return row.level, row.machine_level, row.previous_level, row.measure


def test_it_holds_from_its_approval_to_its_last_day_and_no_other(sessions: Sessions, firm: int) -> None:
    approve(sessions, ask(sessions, firm))
    days = [date(2026, 7, 1), date(2026, 7, 2), EXPIRES, date(2026, 8, 1), date(2026, 9, 1)]
    for day in days:
        run(sessions, day)
    strict, mild = load_policy().measure(4, "D"), load_policy().measure(4, "A")
    assert strict != mild
    assert [seen(sessions, day) for day in days] == [
        ("A", None, "A", mild),
        ("D", "A", "A", strict),
        ("D", "A", "D", strict),
        ("A", None, "D", mild),
        ("A", None, "A", mild),
    ]


def test_looking_back_shows_an_earlier_day_as_it_was_known(sessions: Sessions, firm: int) -> None:
    approve(sessions, ask(sessions, firm))
    run(sessions, date(2026, 6, 30))
    assert seen(sessions, date(2026, 6, 30))[:2] == ("A", None)


def test_withdrawn_it_ends_at_once_and_grading_again_says_the_same(sessions: Sessions, firm: int) -> None:
    override = ask(sessions, firm)
    approve(sessions, override)
    day = date(2026, 7, 10)
    run(sessions, day)
    with sessions.begin() as session:
        who = account(session, "maker")
        overrides.withdraw(session, override, account_id=who, at=datetime(2026, 7, 10, 6, tzinfo=UTC))
        overrides.apply(session, day, load_policy().hash, load_policy().measure, firm)
    after = seen(sessions, day)
    assert after[:2] == ("A", None)
    run(sessions, day)
    assert seen(sessions, day) == after
    run(sessions, date(2026, 7, 5))  # it held that day, and a later withdrawal does not change it
    assert seen(sessions, date(2026, 7, 5))[:2] == ("D", "A")


def test_over_all_lines_it_reaches_each_line_and_one_of_a_line_only_that(sessions: Sessions, firm: int) -> None:
    approve(sessions, ask(sessions, firm, "C"))
    approve(sessions, ask(sessions, firm, "D", "ebike_charger"))
    run(sessions, date(2026, 7, 5))
    assert seen(sessions, date(2026, 7, 5))[0] == "C"
    assert seen(sessions, date(2026, 7, 5), "ebike_charger")[:2] == ("D", "A")


def test_the_scorecard_goes_on_from_its_own_grade(sessions: Sessions, firm: int) -> None:
    """Set to D by a person, a firm that the scorecard calls A is A again after: no step-by-step way back."""
    approve(sessions, ask(sessions, firm))
    run(sessions, date(2026, 7, 5))
    with sessions() as session:
        before = job.previous_grades(session, date(2026, 7, 6))
    assert before[firm, "", "producer"].level == "A"


def test_the_planner_and_the_alerts_go_by_the_grade_in_force(sessions: Sessions, firm: int) -> None:
    override = ask(sessions, firm)
    approve(sessions, override)
    day, taxonomy = date(2026, 7, 5), load_taxonomy(Settings().lexicon_dir)
    run(sessions, day)
    with sessions() as session:
        found = candidates_on(session, taxonomy, load_rules(), day)
        assert [one.grade_level for one in found] == ["D"]
        why = explain(found[0], "risk", load_rules(), Setting(1))
        assert f"等级 D（人工调整第 {override} 号，系统分级 A）" in why
        rises = observe(session, taxonomy, load_alert_policy(), day).rises
        assert [(one.previous_level, one.level) for one in rises] == [("A", "D")]
        assert any("现场发现仍在生产不合格品" in reason for reason in rises[0].reasons)
    run(sessions, day + timedelta(days=1))
    with sessions() as session:
        assert observe(session, taxonomy, load_alert_policy(), day + timedelta(days=1)).rises == []


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"value": "A"}, "不需要调整"),
        ({"reason": " "}, "理由"),
        ({"expires_on": date(2026, 6, 30)}, "有效期"),
        ({"expires_on": date(2028, 1, 1)}, "有效期"),
    ],
)
def test_what_says_nothing_or_never_ends_is_refused(
    sessions: Sessions, firm: int, changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(overrides.OverrideError, match=complaint):
        ask(sessions, firm, **changes)


def test_nobody_approves_their_own(sessions: Sessions, firm: int) -> None:
    override = ask(sessions, firm)
    with sessions() as session:
        who = account(session, "maker")
        with pytest.raises(overrides.OverrideError, match="另一人"):
            overrides.decide(session, override, approve=True, account_id=who, remark="", at=APPROVED)
    run(sessions, date(2026, 7, 5))
    assert seen(sessions, date(2026, 7, 5))[:2] == ("A", None)


def test_it_is_decided_once_and_asked_for_once(sessions: Sessions, firm: int) -> None:
    override = ask(sessions, firm)
    with pytest.raises(overrides.OverrideError, match="待批准"):
        ask(sessions, firm, "C")
    approve(sessions, override)
    with pytest.raises(overrides.OverrideError, match="办理过"):
        approve(sessions, override)


def test_a_proposal_nobody_took_up_in_time_stands_in_no_ones_way(sessions: Sessions, firm: int) -> None:
    lapsed = ask(sessions, firm)
    late = datetime.combine(EXPIRES + timedelta(days=1), MADE.timetz())
    again = ask(sessions, firm, expires_on=EXPIRES + timedelta(days=30), at=late)
    with pytest.raises(overrides.OverrideError, match="有效期已过"):
        approve(sessions, lapsed, at=late)
    approve(sessions, again, at=late)


@pytest.mark.parametrize(("outcome", "right"), [("fail", 1), ("pass", 0)])
def test_the_next_sample_says_who_was_right(sessions: Sessions, firm: int, outcome: str, right: int) -> None:
    approve(sessions, ask(sessions, firm))
    office = Office.__new__(Office)
    office.sessions, office.numbers = sessions, iter(range(100, 200))  # type: ignore[assignment]
    day = date(2026, 7, 20)
    for when, result in ((date(2026, 7, 1), "fail"), (day, outcome), (date(2026, 8, 1), "fail")):
        record = SamplingResult(outcome=result, product_id="ebike_charger", channel="production")
        office.signal([(firm, "producer", {})], day=when, record=record)
    with sessions() as session:
        early, late = day - timedelta(days=1), day + timedelta(days=1)
        assert [one.tested for one in track_record(session, PROVINCE, early)] == [0, 0]
        assert [
            (one.harsher, one.approved, one.tested, one.right) for one in track_record(session, PROVINCE, late)
        ] == [
            (True, 1, 1, right),
            (False, 0, 0, 0),
        ]
        row = listing(session, PROVINCE, late, PageRequest()).rows[0]
        assert (row.state, row.later and row.later.occurred_on, row.right) == ("holding", day, bool(right))
        assert listing(session, Scope("3702"), late, PageRequest()).total == 0
        states = [
            listing(session, PROVINCE, on, PageRequest()).rows[0].state
            for on in (date(2026, 7, 1), date(2026, 7, 2), date(2026, 8, 1))
        ]
        assert states == ["waiting", "holding", "expired"]
