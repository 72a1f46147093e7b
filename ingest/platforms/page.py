"""What a platform reads and what it hands on."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any


class NotContent(Exception):
    """The page answered, but is not what was asked for: a login wall, a captcha, an error page.

    `reason` is one of login, captcha, error_page, empty, wrong_type, layout.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Page:
    """One fetched page."""

    url: str
    kind: str  # list | detail | attachment
    body: bytes
    content_type: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)  # what the page before it said: title, date


@dataclass(frozen=True, slots=True)
class Link:
    """An address worth fetching, and what the page it stood on says about it."""

    url: str
    kind: str  # list | detail | attachment
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Item:
    """One item of risk information as a page gives it."""

    external_id: str
    title: str
    text: str
    published_on: date | None
    url: str | None = None
    channel: str | None = None  # None: the source's
    trust: str | None = None  # None: the source's
    record_kind: str | None = None
    record: Mapping[str, Any] = field(default_factory=dict)
    mentions: tuple[Mapping[str, Any], ...] = ()
    payload: Mapping[str, Any] = field(default_factory=dict)
    tables: tuple[str, ...] = ()  # HTML of tables that stand in the text

    def to_json(self) -> dict[str, Any]:
        """Return the item as plain values; `from_json` takes it back."""
        values = asdict(self)
        values["published_on"] = self.published_on.isoformat() if self.published_on else None
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Item":
        """Return the item that `to_json` wrote."""
        published = values["published_on"]
        return cls(
            **{
                **values,
                "published_on": date.fromisoformat(published) if published else None,
                "mentions": tuple(values["mentions"]),
                "tables": tuple(values["tables"]),
            }
        )


@dataclass(frozen=True, slots=True)
class Parsed:
    """What one page gave: items, further addresses, and how many entries it listed (None: it is no list)."""

    items: tuple[Item, ...] = ()
    links: tuple[Link, ...] = ()
    listed: int | None = None
    newest_on: date | None = None
    columns: tuple[str, ...] = ()  # field names of an API's records
    surplus: tuple[str, ...] = ()  # fields nobody asked for: a new column announces itself
    skipped: Mapping[str, int] = field(default_factory=dict)  # odd records, by reason
