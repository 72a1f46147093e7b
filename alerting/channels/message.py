"""What is sent, what a channel promises, and the one error it raises."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Item:
    """One alert inside a message: ids, level and short reasons; never the text of a complaint or post."""

    alert_id: int
    rule: str
    colour: str
    title: str
    reasons: tuple[str, ...]
    region_code: str | None
    acknowledge_by: datetime
    report_by: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one recipient. `id` is the same at every try, so that a receiver can drop a repeat."""

    id: str
    subject: str
    text: str
    items: tuple[Item, ...]
    tier: int
    synthetic: bool = False


class SendError(Exception):
    """The message was not taken. `again`: whether another try makes sense; `gone`: the address is no more.

    `wait_seconds` is what the receiver asked for. The text holds no address, secret or header.
    """

    def __init__(self, reply: str, *, again: bool, wait_seconds: float | None = None, gone: bool = False) -> None:
        super().__init__(reply)
        self.reply = reply
        self.again = again
        self.wait_seconds = wait_seconds
        self.gone = gone


class Channel(Protocol):
    """A way out."""

    def send(self, message: Message, address: str, secret: str | None, now: datetime) -> str:
        """Send the message and return the receiver's reply. Raises SendError when it was not taken."""
        ...
