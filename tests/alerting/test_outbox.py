"""The outbox: once in the ledger, at least once at the receiver, under one id, and nobody left unwarned."""

import threading
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from alerting.answers import AnswerError, answer
from alerting.channels import Message, SendError
from alerting.escalation import escalate_due
from alerting.outbox import deliver_due
from store.tables import Acknowledgement, Alert, Contact, Delivery
from tests.alerting.outbox_world import NOW, POLICY, Inbox, add_contact, deliveries, make_draft, raise_alerts
from tests.factories import make_account

Sessions = sessionmaker[Session]


def send(sessions: Sessions, inbox: Inbox, after: float = 0) -> dict[str, int]:
    return deliver_due(sessions, {"webhook": inbox}, NOW + timedelta(seconds=after), policy=POLICY)


def escalate(sessions: Sessions, hours: float) -> dict[str, int]:
    with sessions.begin() as session:
        return escalate_due(session, POLICY, NOW + timedelta(hours=hours))


def test_one_cause_is_one_alert_however_often_it_is_found(sessions: Sessions) -> None:
    with sessions.begin() as session:
        add_contact(session)
    first = raise_alerts(sessions, make_draft(1), make_draft(2))
    again = raise_alerts(sessions, make_draft(1), make_draft(2), make_draft(3))
    assert (first["alerts"], first["deliveries"]) == (2, 2)
    assert (again["alerts"], again["known"], again["deliveries"]) == (1, 2, 1)
    assert len(deliveries(sessions)) == 3


def test_the_nearest_office_is_told(sessions: Sessions) -> None:
    with sessions.begin() as session:
        add_contact(session, "", address="province")
        add_contact(session, "990100", address="city")
        add_contact(session, "990102", address="other county")
        add_contact(session, "990300", address="other city")
        add_contact(session, "990101", address="retired", active=False)
    raise_alerts(sessions, make_draft(1), make_draft(2, region_code="990102"), make_draft(3, region_code="990901"),
                 make_draft(4, region_code=None))  # fmt: skip
    inbox = Inbox()
    send(sessions, inbox)
    assert sorted(address for _, address, _ in inbox.received) == ["city", "other county", "province", "province"]


def test_a_receiver_that_hangs_holds_up_nobody_else(sessions: Sessions) -> None:
    with sessions.begin() as session:
        add_contact(session, "990100", address="hangs")
        add_contact(session, "990200", address="answers")
    raise_alerts(sessions, make_draft(1), make_draft(2, region_code="990201"))
    answered = threading.Event()

    class Hanging(Inbox):
        def send(self, message: Message, address: str, secret: str | None, now: datetime) -> str:
            if address == "answers":
                answered.set()
            elif not answered.wait(20):
                raise SendError("无人应答", again=True)
            return super().send(message, address, secret, now)

    assert send(sessions, Hanging()) == {"sent": 2, "put_off": 0, "dead": 0, "no_channel": 0}


def test_an_alert_nobody_answers_for_stays_visible(sessions: Sessions) -> None:
    counts = raise_alerts(sessions, make_draft(1))
    assert (counts["alerts"], counts["unrouted"], counts["deliveries"]) == (1, 1, 0)


def test_a_rule_that_only_shows_sends_nothing(sessions: Sessions) -> None:
    with sessions.begin() as session:
        add_contact(session)
    counts = raise_alerts(sessions, make_draft(1, rule="A09", deliver=False))
    assert (counts["alerts"], counts["deliveries"]) == (1, 0)
    assert escalate(sessions, 1000)["escalated"] == 0


def test_a_failed_try_is_repeated_on_schedule_under_the_same_id(sessions: Sessions) -> None:
    with sessions.begin() as session:
        add_contact(session)
    raise_alerts(sessions, make_draft(1))
    inbox = Inbox(lambda _message, number: SendError("HTTP 503", again=True) if number <= 2 else None)
    assert send(sessions, inbox)["put_off"] == 1
    assert send(sessions, inbox, 3) == {"sent": 0, "put_off": 0, "dead": 0, "no_channel": 0}  # 5 s less a tenth
    assert send(sessions, inbox, 6)["put_off"] == 1
    assert send(sessions, inbox, 6 + 331)["sent"] == 1
    assert send(sessions, inbox, 10**6)["sent"] == 0
    (row,) = deliveries(sessions)
    assert (row.status, row.attempts, [row.message_id]) == ("sent", 3, list(inbox.tries))


@pytest.mark.parametrize(("asked", "waited"), [(60, 60), (2, 4.5), (10**9, 3600)])
def test_the_receiver_s_wish_to_wait_is_honoured_up_to_a_cap(sessions: Sessions, asked: float, waited: float) -> None:
    with sessions.begin() as session:
        add_contact(session)
    raise_alerts(sessions, make_draft(1))
    inbox = Inbox(lambda _m, number: SendError("HTTP 429", again=True, wait_seconds=asked) if number == 1 else None)
    send(sessions, inbox)
    assert send(sessions, inbox, waited - 0.1)["sent"] == 0
    assert send(sessions, inbox, waited * 1.3)["sent"] == 1


def test_what_cannot_be_delivered_is_kept_as_dead_and_told_to_the_next_tier(sessions: Sessions) -> None:
    with sessions.begin() as session:
        add_contact(session, tier=1)
        add_contact(session, tier=2, address="lead")
    raise_alerts(sessions, make_draft(1))
    inbox = Inbox(lambda message, _: SendError("HTTP 410", again=False, gone=True) if message.tier == 1 else None)
    assert send(sessions, inbox)["dead"] == 1
    assert send(sessions, inbox)["sent"] == 1
    with sessions() as session:
        contact = session.scalars(select(Contact).where(Contact.tier == 1)).one()
        assert not contact.active
        assert session.scalars(select(Alert)).one().escalation_tier == 2
    assert [(row.status, row.reply) for row in deliveries(sessions)] == [("dead", "HTTP 410"), ("sent", "ok")]


def test_after_the_last_try_it_is_dead(sessions: Sessions) -> None:
    with sessions.begin() as session:
        add_contact(session)
    raise_alerts(sessions, make_draft(1))
    inbox = Inbox(lambda _message, _number: SendError("HTTP 500", again=True))
    after = 0.0
    for wait in POLICY.delivery.retry_seconds:
        assert send(sessions, inbox, after)["put_off"] == 1
        after += wait * 1.2
    assert send(sessions, inbox, after)["dead"] == 1
    assert send(sessions, inbox, after * 2) == {"sent": 0, "put_off": 0, "dead": 0, "no_channel": 0}
    assert len(inbox.tries) == 1


def test_a_claim_whose_sender_died_falls_due_again_with_the_same_id(sessions: Sessions) -> None:
    with sessions.begin() as session:
        add_contact(session)
    raise_alerts(sessions, make_draft(1))

    class Killed(BaseException):
        pass

    seen: list[str] = []

    class Dying(Inbox):
        def send(self, message, address, secret, now):  # type: ignore[no-untyped-def]
            seen.append(message.id)
            raise Killed

    with pytest.raises(Killed):
        send(sessions, Dying())
    inbox = Inbox()
    assert send(sessions, inbox, 10)["sent"] == 0  # the lease of the dead sender still runs
    assert send(sessions, inbox, POLICY.delivery.lease_seconds + 1)["sent"] == 1
    assert [message_id for message_id, _, _ in inbox.received] == seen
    assert [(row.status, row.attempts) for row in deliveries(sessions)] == [("sent", 2)]


def test_a_row_another_process_took_in_between_is_left_alone(sessions: Sessions) -> None:
    with sessions.begin() as session:
        add_contact(session)
    raise_alerts(sessions, make_draft(1), make_draft(2))

    class Rival(Inbox):
        """While the first message is on its way, another process takes the second."""

        def send(self, message, address, secret, now):  # type: ignore[no-untyped-def]
            with sessions.begin() as session:
                session.execute(
                    update(Delivery)
                    .where(Delivery.status == "waiting")
                    .values(status="sending", attempts=1, next_at=NOW + timedelta(hours=1))
                )
            return super().send(message, address, secret, now)

    rival = Rival()
    assert send(sessions, rival)["sent"] == 1
    assert len(rival.received) == 1


def test_a_channel_that_is_not_set_up_leaves_the_message_waiting(sessions: Sessions) -> None:
    with sessions.begin() as session:
        add_contact(session, channel="email", address="a@b.example")
    raise_alerts(sessions, make_draft(1))
    assert send(sessions, Inbox())["no_channel"] == 1
    assert [(row.status, row.attempts) for row in deliveries(sessions)] == [("waiting", 0)]


def test_many_at_once_travel_in_one_digest_and_the_red_ones_alone(sessions: Sessions) -> None:
    with sessions.begin() as session:
        add_contact(session)
        add_contact(session, "990300", address="quiet city")
    drafts = [make_draft(n) for n in range(500)] + [make_draft(900, colour="red")]
    drafts.append(make_draft(901, region_code="990301"))
    counts = raise_alerts(sessions, *drafts)
    assert (counts["alerts"], counts["deliveries"]) == (502, 502)
    inbox = Inbox()
    assert send(sessions, inbox)["sent"] == 3
    assert sorted(len(message.items) for message in inbox.messages) == [1, 1, 500]
    assert {row.status for row in deliveries(sessions)} == {"sent"}
    digest = max(inbox.messages, key=lambda message: len(message.items))
    assert digest.subject == "【预警汇总】500 条，最高为黄色"


def test_escalation_goes_tier_by_tier_once_each(sessions: Sessions) -> None:
    with sessions.begin() as session:
        for tier in (1, 2, 3):
            add_contact(session, tier=tier, address=f"tier{tier}")
    raise_alerts(sessions, make_draft(1))
    inbox = Inbox()
    send(sessions, inbox)
    assert escalate(sessions, 23.9)["escalated"] == 0
    assert escalate(sessions, 24)["escalated"] == 1
    assert escalate(sessions, 24)["escalated"] == 0
    assert escalate(sessions, 48)["escalated"] == 1
    assert escalate(sessions, 1000)["escalated"] == 0
    send(sessions, inbox, 3600 * 50)
    assert sorted(address for _, address, _ in inbox.received) == ["tier1", "tier2", "tier3"]
    assert [message.tier for message in inbox.messages] == [1, 2, 3]


def test_a_tier_without_anybody_is_skipped(sessions: Sessions) -> None:
    with sessions.begin() as session:
        add_contact(session, tier=1)
        add_contact(session, "", tier=3, address="province")
    raise_alerts(sessions, make_draft(1))
    escalate(sessions, 24)
    with sessions() as session:
        assert session.scalars(select(Alert)).one().escalation_tier == 3
    assert escalate(sessions, 48)["escalated"] == 0


def test_an_acknowledgement_stops_it_and_calls_off_what_waits(sessions: Sessions) -> None:
    with sessions.begin() as session:
        add_contact(session)
        add_contact(session, tier=2)
        account = make_account(session, "city", "bureau", "9901")
    raise_alerts(sessions, make_draft(1))
    with sessions.begin() as session:
        made = answer(session, 1, kind="acknowledge", account_id=account.id, remark="", at=NOW)
        assert made is not None
    with sessions.begin() as session:
        assert answer(session, 1, kind="acknowledge", account_id=account.id, remark="", at=NOW) is None
    assert send(sessions, Inbox())["sent"] == 0
    assert escalate(sessions, 25)["escalated"] == 0
    assert [row.status for row in deliveries(sessions)] == ["cancelled"]


def test_acknowledged_and_left_alone_is_opened_again(sessions: Sessions) -> None:
    with sessions.begin() as session:
        add_contact(session)
        add_contact(session, tier=2)
        account = make_account(session, "city", "bureau", "9901")
    raise_alerts(sessions, make_draft(1), make_draft(2))
    with sessions.begin() as session:
        for alert_id in (1, 2):
            answer(session, alert_id, kind="acknowledge", account_id=account.id, remark="", at=NOW)
        answer(session, 2, kind="handle", account_id=account.id, remark="已派人", at=NOW)
    assert escalate(sessions, 71)["reopened"] == 0
    assert escalate(sessions, 72)["reopened"] == 1
    with sessions() as session:
        assert session.scalars(select(Alert.state).order_by(Alert.id)).all() == ["open", "handling"]
        assert session.scalars(select(Alert.escalation_tier).order_by(Alert.id)).all() == [2, 1]


def test_acknowledging_the_first_of_a_digest_does_not_hold_back_the_others(sessions: Sessions) -> None:
    with sessions.begin() as session:
        add_contact(session)
        account = make_account(session, "city", "bureau", "9901")
    raise_alerts(sessions, *(make_draft(n) for n in range(20)))
    with sessions.begin() as session:
        answer(session, 1, kind="acknowledge", account_id=account.id, remark="", at=NOW)
        answer(session, 2, kind="acknowledge", account_id=account.id, remark="", at=NOW)
    inbox = Inbox()
    send(sessions, inbox)
    assert [len(message.items) for message in inbox.messages] == [19]


@pytest.mark.parametrize(
    ("states", "kind", "remark", "said"),
    [
        ([], "report", "情况", "不能反馈"),
        (["acknowledge"], "verify", "", "不能核查"),
        (["acknowledge"], "close", " ", "须写明情况"),
        (["acknowledge", "close"], "handle", "", "不能处置"),
        ([], "sing", "", "没有"),
    ],
)
def test_answers_follow_the_life_of_an_alert(
    sessions: Sessions, states: list[str], kind: str, remark: str, said: str
) -> None:
    raise_alerts(sessions, make_draft(1))
    with sessions.begin() as session:
        account = make_account(session, "city", "bureau", "9901")
        for state in states:
            answer(session, 1, kind=state, account_id=account.id, remark="已处理", at=NOW)
    with sessions() as session, pytest.raises(AnswerError, match=said):
        answer(session, 1, kind=kind, account_id=account.id, remark=remark, at=NOW)


def test_the_whole_life_leaves_every_answer(sessions: Sessions) -> None:
    raise_alerts(sessions, make_draft(1))
    with sessions.begin() as session:
        account = make_account(session, "city", "bureau", "9901")
        for kind in ("acknowledge", "return", "acknowledge", "handle", "report", "verify", "close"):
            answer(session, 1, kind=kind, account_id=account.id, remark="情况属实", at=NOW)
    with sessions() as session:
        assert session.scalars(select(Alert.state)).one() == "closed"
        assert session.scalar(select(func.count()).select_from(Acknowledgement)) == 7
