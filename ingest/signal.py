"""What every importer and spider hands on: one item, its typed record, the names in it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

CHANNELS = (
    "sampling",
    "complaint",
    "opinion",
    "recall",
    "injury",
    "licence",
    "case",
    "inspection",
    "self_check",
    "monitoring",
    "credit",
    "notice",
)


@dataclass(frozen=True, slots=True)
class RawMention:
    """A name as written, and in which role the record gives it."""

    role: str  # producer | sampled | consigner | respondent | holder | text
    text: str
    uscc: str | None = None
    region_code: str | None = None
    address: str | None = None
    denied: bool = False


@dataclass(frozen=True, slots=True)
class RawSignal:
    """One item of risk information before it is stored.

    `record` names a typed table ("sampling_result", "complaint", …) and holds its columns, without the ones
    every record copies from its signal. `external_id` is the source's own id; without one, the content hash
    takes its place, so the same bytes never make two signals.
    """

    source_id: str
    channel: str
    trust: str
    title: str
    text: str
    occurred_on: date
    known_at: datetime
    external_id: str | None = None
    parent_external_id: str | None = None
    url: str | None = None
    region_code: str | None = None
    record_kind: str | None = None
    record: Mapping[str, Any] = field(default_factory=dict)
    mentions: tuple[RawMention, ...] = ()
    payload: Mapping[str, Any] = field(default_factory=dict)
    damaged: tuple[tuple[int, int], ...] = ()
    flags: tuple[str, ...] = ()
    file_place: str | None = None
    archive_path: str | None = None

    @property
    def content_hash(self) -> str:
        """SHA-256 over what the item says and where it comes from."""
        body = "\x1f".join((self.channel, self.title, self.text, self.occurred_on.isoformat()))
        return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()
