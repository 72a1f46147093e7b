"""From the store to alerts and cases: what changed is told once, to the right office, and followed to its end."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from jobs import ledger, notify
from store.tables import Alert, Case, CaseStep, Clock, Complaint, Contact, Delivery, Enterprise, Inspection, Label
from tests.alerting.outbox_world import Inbox, add_contact
from tests.factories import make_account, make_enterprise, make_grade, make_link, make_signal, make_tag
from tests.jobs.office import NOON, TODAY, add_result, make_settings

Sessions = sessionmaker[Session]


def raise_all(sessions: Sessions, folder: Path) -> list[tuple[str, str, str | None]]:
    notify.run(sessions, make_settings(folder), TODAY, now=NOON)
    with sessions() as session:
        rows = session.scalars(select(Alert).order_by(Alert.cause_key)).all()
    return [(alert.rule, alert.colour, alert.region_code) for alert in rows]


def add_text(session: Session, firm: Enterprise | None, *, days_ago: int = 3, trust: str = "media", **changes: object):  # type: ignore[no-untyped-def]
    """A tagged report of a fire."""
    known_at = NOON - timedelta(days=days_ago)
    signal = make_signal(
        session, channel="opinion", trust=trust, occurred_on=known_at.date(), known_at=known_at,
        source_id=str(changes.pop("source_id", "outlet")), region_code=changes.pop("region_code", "990101"),
    )  # fmt: skip
    if firm is not None:
        make_link(session, signal, firm, role="text")
    make_tag(session, signal, kind="relevance", code="relevant", probability=0.9)
    make_tag(session, signal, kind="product", code="ebike_charger", probability=0.9)
    make_tag(session, signal, kind="hazard", code="fire", probability=0.9)
    if "deaths" in changes:
        make_tag(session, signal, kind="outcome", code="death", detail={"deaths": changes["deaths"], "injured": 0})
    return signal


def test_two_failures_in_a_row_are_told_once(sessions: Sessions, tmp_path: Path) -> None:
    with sessions.begin() as session:
        firm = make_enterprise(session)
        add_result(session, firm, 200, "fail", product_id="cable")
        add_result(session, firm, 10, "fail", product_id="cable")
    assert raise_all(sessions, tmp_path) == [("A06", "yellow", "990101")]
    assert raise_all(sessions, tmp_path) == [("A06", "yellow", "990101")]


def test_a_death_told_by_an_authority_is_red_and_a_lone_post_waits(sessions: Sessions, tmp_path: Path) -> None:
    with sessions.begin() as session:
        firm = make_enterprise(session)
        add_text(session, firm, trust="official", deaths=1)
        add_text(session, None, trust="social", days_ago=5, source_id="forum")
    assert raise_all(sessions, tmp_path) == [
        ("A01", "red", "990101"), ("A03", "orange", "990101"), ("A09", "blue", "990101"),
    ]  # fmt: skip


def test_a_person_s_no_takes_a_tag_away(sessions: Sessions, tmp_path: Path) -> None:
    with sessions.begin() as session:
        account = make_account(session, "analyst")
        for kind, code in (("hazard", "fire"), ("relevance", "relevant")):
            signal = add_text(session, None, trust="official")
            session.add(
                Label(signal_id=signal.id, kind=kind, code=code, decision="no", account_id=account.id, decided_at=NOON)
            )
    assert raise_all(sessions, tmp_path) == []


def test_a_grade_that_rose_is_told_and_one_that_fell_is_not(sessions: Sessions, tmp_path: Path) -> None:
    with sessions.begin() as session:
        for level, before in (("D", "B"), ("C", "A"), ("C", "D"), ("D", None), ("D", "U")):
            make_grade(session, make_enterprise(session), level=level, previous_level=before, as_of=TODAY)
    assert [rule for rule, _, _ in raise_all(sessions, tmp_path)] == ["G01", "G02"]


def test_a_wave_of_complaints_of_different_people_is_told_and_a_flood_of_one_is_not(
    sessions: Sessions, tmp_path: Path
) -> None:
    with sessions.begin() as session:
        charger, honest = make_enterprise(session), make_enterprise(session, region_code="990203")
        for number in range(16):
            firm = (charger, honest)[number % 2]
            known_at = NOON - timedelta(days=number % 6)
            signal = make_signal(session, channel="complaint", trust="verified", known_at=known_at,
                                 occurred_on=known_at.date(), region_code=firm.region_code)  # fmt: skip
            make_link(session, signal, firm, role="respondent")
            session.add(
                Complaint(
                    signal_id=signal.id, occurred_on=signal.occurred_on, known_at=known_at, number=f"T{number}",
                    kind="complaint", issue="质量", verified=False,
                    claimant_hash=f"person{number}" if firm is charger else "one person",
                )
            )  # fmt: skip
    assert raise_all(sessions, tmp_path) == [("A07", "yellow", "990101")]


def test_what_was_not_known_yet_raises_nothing(sessions: Sessions, tmp_path: Path) -> None:
    with sessions.begin() as session:
        firm = make_enterprise(session)
        add_result(session, firm, 200, "fail", product_id="cable")
        add_result(session, firm, 0, "fail", product_id="cable")  # known the day after
    assert raise_all(sessions, tmp_path) == []


def test_it_reaches_the_bureau_without_a_word_of_the_text(sessions: Sessions, tmp_path: Path) -> None:
    with sessions.begin() as session:
        signal = add_text(session, make_enterprise(session), trust="official", deaths=1)
        secret_text = signal.text
        add_contact(session, "990100")
        add_contact(session, "", tier=3)
    settings = make_settings(tmp_path)
    notify.run(sessions, settings, TODAY, now=NOON)
    inbox = Inbox()
    counts = notify.deliver(sessions, settings, now=NOON, channels={"webhook": inbox})
    assert counts["sent"] == 2
    assert all(message.synthetic and message.subject.startswith("【虚构】") for message in inbox.messages)
    assert all(secret_text not in message.text for message in inbox.messages)
    late = notify.deliver(sessions, settings, now=NOON + timedelta(hours=9), channels={"webhook": inbox})
    assert (late["escalated"], late["sent"]) == (2, 2)
    assert {message.tier for message in inbox.messages} == {1, 3}


def test_thousands_at_once_become_a_digest_and_none_is_lost(sessions: Sessions, tmp_path: Path) -> None:
    with sessions.begin() as session:
        add_contact(session, "990100")
        for _ in range(300):
            make_grade(session, make_enterprise(session), level="C", previous_level="A", as_of=TODAY)
    settings = make_settings(tmp_path)
    assert notify.run(sessions, settings, TODAY, now=NOON)["alerts"] == 300
    inbox = Inbox()
    notify.deliver(sessions, settings, now=NOON, channels={"webhook": inbox})
    assert [len(message.items) for message in inbox.messages] == [300]
    with sessions() as session:
        assert session.scalar(select(func.count()).where(Delivery.status == "sent")) == 300


def test_each_failure_opens_one_case_with_its_clocks(sessions: Sessions, tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    with sessions.begin() as session:
        firm = make_enterprise(session)
        add_result(session, firm, 90, "fail", product_id="cable")
        add_result(session, firm, 80, "pass", product_id="cable")
        add_result(session, firm, 70, "fail", product_id="cable", recheck=True)
    assert [ledger.run(sessions, settings, TODAY)["opened"] for _ in range(2)] == [1, 0]
    with sessions() as session:
        case = session.scalars(select(Case)).one()
        assert case.enterprise_id == firm.id
        assert case.title.endswith("电线电缆 抽检不合格")
        assert case.opened_on == TODAY - timedelta(days=89)
        assert case.state == "rechecking"  # the re-check of day 70 failed
        assert {clock.limit_id for clock in session.scalars(select(Clock))} == {"SC01", "SC13"}


def test_a_passed_recheck_closes_the_case_of_that_product_alone(sessions: Sessions, tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    with sessions.begin() as session:
        firm, other = make_enterprise(session), make_enterprise(session)
        add_result(session, firm, 90, "fail", product_id="cable")
        add_result(session, firm, 90, "fail", product_id="ebike_charger")
        add_result(session, other, 90, "fail", product_id="cable")
        add_result(session, firm, 100, "pass", product_id="cable", recheck=True)  # before it: proves nothing
        add_result(session, firm, 20, "pass", product_id="cable", recheck=True)
    counts = ledger.run(sessions, settings, TODAY)
    assert (counts["opened"], counts["rechecks"], counts["closed"]) == (3, 1, 1)
    again = ledger.run(sessions, settings, TODAY)
    assert (again["opened"], again["rechecks"], again["closed"]) == (0, 0, 0)
    with sessions() as session:
        rows = session.execute(select(Case.enterprise_id, Case.product_id, Case.state).order_by(Case.id)).all()
        assert [(row.product_id, row.state) for row in rows if row.enterprise_id == firm.id] == [
            ("cable", "closed"), ("ebike_charger", "opened"),
        ]  # fmt: skip
        proof = session.scalars(select(CaseStep).where(CaseStep.step == "closed")).one().proof
        assert set(proof) == {"signal_id"}


def test_paper_rectification_that_fails_again_stays_open(sessions: Sessions, tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    with sessions.begin() as session:
        firm = make_enterprise(session)
        add_result(session, firm, 200, "fail", product_id="cable")
        signal = make_signal(session, channel="inspection", known_at=NOON - timedelta(days=100),
                             occurred_on=date(2026, 7, 20))  # fmt: skip
        make_link(session, signal, firm, role="text")
        session.add(
            Inspection(signal_id=signal.id, occurred_on=signal.occurred_on, known_at=signal.known_at, kind="recheck",
                       product_id="cable", passed=False)
        )  # fmt: skip
    ledger.run(sessions, settings, TODAY)
    with sessions() as session:
        case = session.scalars(select(Case)).one()
        assert (case.state, case.closed_on) == ("rechecking", None)


def test_a_missed_deadline_of_a_case_is_told(sessions: Sessions, tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    with sessions.begin() as session:
        add_result(session, make_enterprise(session), 120, "fail", product_id="cable")
    ledger.run(sessions, settings, TODAY)
    with sessions.begin() as session:
        case = session.scalars(select(Case)).one()
        from casework.steps import take

        take(
            session, case.id, step="rectifying", done_on=TODAY - timedelta(days=80), account_id=None, remark="", at=NOON
        )
    assert [(rule, colour) for rule, colour, _ in raise_all(sessions, tmp_path)] == [
        ("A10", "yellow"), ("A10", "orange"),
    ]  # fmt: skip


def test_a_serious_hazard_opens_a_case_through_its_alert(sessions: Sessions, tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    with sessions.begin() as session:
        signal = add_text(session, make_enterprise(session), trust="official", deaths=1)
    raise_all(sessions, tmp_path)
    # A01 and A03 rest on the same signal: one hazard, one case.
    assert [ledger.run(sessions, settings, TODAY)["opened"] for _ in range(2)] == [1, 0]
    with sessions() as session:
        case = session.scalars(select(Case)).one()
        assert (case.kind, case.signal_id) == ("hazard", signal.id)


@pytest.mark.parametrize("smtp", ["", "mail.bureau.example"])
def test_only_channels_that_are_configured_are_used(sessions: Sessions, tmp_path: Path, smtp: str) -> None:
    with sessions.begin() as session:
        session.add(Contact(region_code="", name="值班", channel="email", address="a@b.example", tier=1, active=True))
    from alerting.policy import load_alert_policy
    from ingest.http import GuardedClient

    with GuardedClient() as client:
        channels = notify.channels_of(make_settings(tmp_path, smtp_host=smtp), client, load_alert_policy())
    assert sorted(channels) == (["email", "webhook"] if smtp else ["webhook"])
