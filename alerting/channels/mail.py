"""E-mail through the office's SMTP server, plain text, with a Chinese subject."""

import email.policy
import smtplib
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from alerting.channels.message import Message, SendError

REPLY_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Mail:
    """Sends through one server; a 4xx answer is tried again, a 5xx answer means the address is no good."""

    host: str
    port: int
    sender: str
    timeout_seconds: float = 30.0

    def send(self, message: Message, address: str, secret: str | None, now: datetime) -> str:
        """Send the message; the message id is the mail's Message-ID, so that a repeat can be told."""
        try:
            mail = compose(message, self.sender, address, now)
        except ValueError:
            raise SendError("邮件地址写法有误", again=False, gone=True) from None
        try:
            with smtplib.SMTP(self.host, self.port, timeout=self.timeout_seconds) as server:
                refused = server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as error:
            code, reply = next(iter(error.recipients.values()))
            raise _failure(code, reply) from None
        except smtplib.SMTPResponseException as error:
            raise _failure(error.smtp_code, error.smtp_error) from None
        except (smtplib.SMTPException, OSError) as error:
            raise SendError(f"邮件服务器无法连接：{type(error).__name__}", again=True) from None
        return "250 邮件服务器已接收" if not refused else "250 部分接收"


def compose(message: Message, sender: str, address: str, now: datetime) -> EmailMessage:
    """Return the mail. Raises ValueError for an address no mail can go to."""
    if any(character in address for character in "\r\n,;<> ") or address.count("@") != 1:
        raise ValueError("not an address")
    mail = EmailMessage(policy=email.policy.SMTP)
    mail["Subject"] = message.subject.replace("\r", " ").replace("\n", " ")
    mail["From"] = Address("质安雷达", addr_spec=sender)
    mail["To"] = address
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{message.id}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text, charset="utf-8", cte="base64")
    return mail


def _failure(code: int, reply: bytes | str) -> SendError:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    said = f"{code} {text[:REPLY_CHARACTERS]}"
    again = 400 <= code < 500 or code < 0
    return SendError(said, again=again, gone=code in (550, 551, 553))
