"""The ways out, against real receivers on loopback: what arrives, what it is signed with, what each answer means."""

import base64
import email
import email.policy
import hashlib
import hmac
import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from alerting.channels import Message, SendError
from alerting.channels.mail import Mail
from alerting.channels.message import Item
from alerting.channels.webhook import Reply, Webhook, judged, retry_after, signed_headers
from alerting.compose import message_of
from alerting.policy import load_alert_policy
from ingest.http import GuardedClient
from store.tables import Alert

NOW = datetime(2026, 10, 31, 1, 0, tzinfo=UTC)
POLICY = load_alert_policy()


def make_message(**changes: Any) -> Message:
    item = Item(7, "A06", "yellow", "甲公司：连续不合格", ("两批不合格",), "990101", NOW, NOW + timedelta(days=3))
    values: dict[str, Any] = {
        "id": "msg_1",
        "subject": "【黄色预警】甲公司",
        "text": "正文",
        "items": (item,),
        "tier": 1,
    }
    return Message(**(values | changes))


def make_alert(number: int, colour: str = "yellow") -> Alert:
    return Alert(
        id=number, rule="A06", cause_key=f"k{number}", colour=colour, title="甲公司 充电器：连续或重复不合格",
        body="", reasons=["2026-10-20 再次不合格"], evidence=[], region_code="990101", state="open", raised_at=NOW,
        acknowledge_by=NOW + timedelta(hours=24), report_by=NOW + timedelta(hours=72), escalation_tier=1,
        policy_hash="",
    )  # fmt: skip


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with GuardedClient(("localhost", "127.0.0.1"), 3) as client:
        yield Webhook(client)


def test_a_receiver_can_verify_and_tell_a_repeat(httpserver: HTTPServer, webhook: Webhook) -> None:
    received: list[Request] = []

    def take(request: Request) -> Response:
        received.append(request)
        return Response("收到", status=202)

    httpserver.expect_request("/hook").respond_with_handler(take)
    secret = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
    for moment in (NOW, NOW + timedelta(minutes=5)):
        assert webhook.send(make_message(), httpserver.url_for("/hook"), secret, moment) == "HTTP 202 收到"
    first, second = received
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == "msg_1"
    body = first.get_data()
    signed = b".".join((b"msg_1", first.headers["webhook-timestamp"].encode(), body))
    expected = hmac.digest(b"0123456789abcdef01234567", signed, hashlib.sha256)
    assert first.headers["webhook-signature"] == "v1," + base64.b64encode(expected).decode()
    assert int(first.headers["webhook-timestamp"]) == int(NOW.timestamp())
    alert = json.loads(body)["data"]["alerts"][0]
    assert (alert["id"], alert["colour"], alert["reasons"]) == (7, "yellow", ["两批不合格"])


@pytest.mark.parametrize("status", range(200, 600))
def test_every_answer_means_something(status: int) -> None:
    reply = Reply(status, {"Retry-After": "7"}, "x")
    if status < 300:
        assert judged(reply, NOW) == f"HTTP {status} x"
        return
    with pytest.raises(SendError) as caught:
        judged(reply, NOW)
    again = status in (408, 425, 429) or status >= 500
    assert (caught.value.again, caught.value.gone) == (again, status == 410)
    assert caught.value.wait_seconds == (7 if again else None)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        ("Sat, 31 Oct 2026 01:01:30 GMT", 90),
        ("Sat, 31 Oct 2026 00:00:00 GMT", 0),
        ("soon", None),
        ("-5", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds


def test_a_redirect_is_not_followed(httpserver: HTTPServer, webhook: Webhook) -> None:
    httpserver.expect_request("/hook").respond_with_data("", status=302, headers={"Location": "/other"})
    with pytest.raises(SendError) as caught:
        webhook.send(make_message(), httpserver.url_for("/hook"), None, NOW)
    assert not caught.value.again
    assert len(httpserver.log) == 1


def test_a_private_address_nobody_allowed_is_refused_for_good() -> None:
    with GuardedClient((), 3) as client, pytest.raises(SendError) as caught:
        Webhook(client).send(make_message(), "http://127.0.0.1:9/hook", "s3cret", NOW)
    assert not caught.value.again
    assert "127.0.0.1" not in caught.value.reply


def test_trouble_on_the_way_is_tried_again_and_tells_no_secret(webhook: Webhook) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(SendError) as caught:
        webhook.send(make_message(), f"http://127.0.0.1:{port}/hook?token=s3cret", "s3cret", NOW)
    assert caught.value.again
    assert "s3cret" not in caught.value.reply


def test_without_a_secret_there_is_no_signature() -> None:
    assert "webhook-signature" not in signed_headers("msg_1", b"{}", None, NOW)
    assert "webhook-signature" in signed_headers("msg_1", b"{}", "plain", NOW)


class Mailbox:
    """An SMTP server's handler that keeps what it takes, or answers as told."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.answer = "250 OK"
        self.rcpt_answer = "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.rcpt_answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt_answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.answer.startswith("250"):
            self.taken.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return self.answer


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, Mail]]:
    box = Mailbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, Mail("127.0.0.1", port, "zhian@bureau.example", 5)
    controller.stop()


def test_a_mail_arrives_readable_and_recognisable(mailbox: tuple[Mailbox, Mail]) -> None:
    box, mail = mailbox
    message = message_of("msg_9", [make_alert(1), make_alert(2, "red")], 2, POLICY, synthetic=True)
    mail.send(message, "duty@city.example", None, NOW)
    (got,) = box.taken
    assert got["Subject"] == "【虚构】【预警汇总】2 条，最高为红色"
    assert got["Message-ID"] == "<msg_9@bureau.example>"
    text = got.get_content()
    assert text.startswith("【演示数据，纯属虚构】")
    assert text.index("【红色·特别严重】") < text.index("【黄色·较重】")
    assert "签收期限：2026-11-01 09:00" in text  # Asia/Shanghai
    assert "现上报到第 2 级" in text


@pytest.mark.parametrize(
    ("answer", "again", "gone"),
    [("451 greylisted", True, False), ("421 busy", True, False), ("550 no such user", False, True),
     ("552 too big", False, False)],
)  # fmt: skip
@pytest.mark.parametrize("stage", ["answer", "rcpt_answer"])
def test_the_server_s_answer_decides(
    mailbox: tuple[Mailbox, Mail], stage: str, answer: str, again: bool, gone: bool
) -> None:
    box, mail = mailbox
    setattr(box, stage, answer)
    with pytest.raises(SendError) as caught:
        mail.send(make_message(), "duty@city.example", None, NOW)
    assert (caught.value.again, caught.value.gone) == (again, gone)
    assert box.taken == []


@pytest.mark.parametrize("address", ["no-at", "a@b@c", "a@b.example\r\nBcc: x@y", "a@b.example, c@d.example", ""])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(SendError) as caught:
        Mail("127.0.0.1", 9, "zhian@bureau.example").send(make_message(), address, None, NOW)
    assert (caught.value.again, caught.value.gone) == (False, True)


def test_a_server_that_is_down_is_tried_again() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(SendError) as caught:
        Mail("127.0.0.1", port, "zhian@bureau.example", 2).send(make_message(), "a@b.example", None, NOW)
    assert caught.value.again


def test_a_title_cannot_add_a_header(mailbox: tuple[Mailbox, Mail]) -> None:
    box, mail = mailbox
    mail.send(make_message(subject="甲\r\nBcc: thief@x.example"), "duty@city.example", None, NOW)
    assert box.taken[0]["Bcc"] is None
