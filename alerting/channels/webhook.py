"""Webhooks in the manner of Standard Webhooks: id, timestamp and an HMAC over `id.timestamp.body`."""

import base64
import binascii
import email.utils
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from alerting.channels.message import Message, SendError
from ingest.http import GuardedClient, OutboundFailed, OutboundRefused

RETRIED = frozenset({408, 425, 429})
GONE = 410
REPLY_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Reply:
    """What the receiver answered."""

    status: int
    headers: Mapping[str, str]
    text: str


class Webhook:
    """Posts alerts as JSON; 2xx means taken, everything else is a typed failure."""

    def __init__(self, client: GuardedClient) -> None:
        self._client = client

    def send(self, message: Message, address: str, secret: str | None, now: datetime) -> str:
        """Post the message, signed when the contact has a secret. Redirects are not followed."""
        body = json.dumps(payload(message, now), ensure_ascii=False, separators=(",", ":")).encode()
        headers = {"content-type": "application/json; charset=utf-8", **signed_headers(message.id, body, secret, now)}
        try:
            status, answered, text = self._client.post(address, content=body, headers=headers)
        except OutboundRefused:
            # An administrator can still allow the address, but not within the retry schedule's minutes.
            raise SendError("地址不在允许访问的范围内", again=False) from None
        except OutboundFailed as error:
            raise SendError(f"连接失败：{error}", again=True) from None
        return judged(Reply(status, answered, text), now)


def payload(message: Message, now: datetime) -> dict[str, Any]:
    """Return the JSON body: a type, when, and the alerts by id."""
    return {
        "type": "alert.digest" if len(message.items) > 1 else "alert.raised",
        "timestamp": now.astimezone(UTC).isoformat(timespec="seconds"),
        "data": {
            "subject": message.subject,
            "tier": message.tier,
            "synthetic": message.synthetic,
            "alerts": [
                {
                    "id": item.alert_id,
                    "rule": item.rule,
                    "colour": item.colour,
                    "title": item.title,
                    "reasons": list(item.reasons),
                    "region_code": item.region_code,
                    "acknowledge_by": item.acknowledge_by.isoformat(),
                    "report_by": item.report_by.isoformat(),
                }
                for item in message.items
            ],
        },
    }


def signed_headers(message_id: str, body: bytes, secret: str | None, now: datetime) -> dict[str, str]:
    """Return the Standard Webhooks headers; without a secret there is no signature."""
    stamp = str(int(now.timestamp()))
    headers = {"webhook-id": message_id, "webhook-timestamp": stamp}
    if secret:
        signed = b".".join((message_id.encode(), stamp.encode(), body))
        digest = hmac.digest(_key(secret), signed, hashlib.sha256)
        headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
    return headers


def judged(reply: Reply, now: datetime) -> str:
    """Return the reply's text when the receiver took the message; raise what kind of failure it is otherwise."""
    said = f"HTTP {reply.status} {reply.text[:REPLY_CHARACTERS]}".strip()
    if 200 <= reply.status < 300:
        return said
    again = reply.status in RETRIED or reply.status >= 500
    wait = retry_after({k.lower(): v for k, v in reply.headers.items()}.get("retry-after"), now) if again else None
    raise SendError(said, again=again, wait_seconds=wait, gone=reply.status == GONE)


def retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds a Retry-After header asks for, given as seconds or as a date; None when it says nothing."""
    if not value:
        return None
    if value.strip().isdigit():
        return float(value.strip())
    try:
        return max((email.utils.parsedate_to_datetime(value) - now).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None


def _key(secret: str) -> bytes:
    """Standard Webhooks secrets are `whsec_` and base64; any other text is taken as it is."""
    if secret.startswith("whsec_"):
        try:
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            return secret.encode()
    return secret.encode()
