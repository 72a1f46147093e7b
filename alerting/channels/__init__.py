"""Ways out. A channel has one method, `send`, which returns the receiver's reply or raises `SendError`."""

from alerting.channels.message import Channel, Message, SendError

__all__ = ["Channel", "Message", "SendError"]
