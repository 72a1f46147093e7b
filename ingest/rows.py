"""From a checked row to a signal, as the kind's declaration says: sentence, record columns, mentions, dates."""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any

from ingest.importers.kinds import Kind, SignalSpec
from ingest.importers.report import ReadRow
from ingest.importers.values import parse_date
from ingest.signal import RawMention, RawSignal
from store.china_time import CHINA

_SLOT = re.compile(r"\{(\w+)\}")
_BETWEEN_ITEMS = re.compile(r"[、；;|║\n]+")


@dataclass(frozen=True, slots=True)
class Notice:
    """The notice a file hangs under: its rows stand under it and were public from its day on."""

    external_id: str
    published_on: date | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What a row does not say itself: where it came from, and the look-ups of this office."""

    source_id: str
    received_at: datetime
    known: str = "record"  # record | now
    trust: str | None = None  # the source's own class, else the kind's
    region_code: str | None = None  # where the row names no place
    notice: Notice | None = None
    key: bytes | None = None  # for claimant hashes; without it no claimant is kept at all
    locate: Callable[[str], str | None] | None = None
    product_of: Callable[[str], str | None] | None = None
    is_safety_item: Callable[[str], bool] | None = None


class RowConverter:
    """Turns the rows of one kind into signals."""

    def __init__(self, kind: Kind, context: Context) -> None:
        if kind.signal is None:
            raise ValueError(f"rows of {kind.name} are not signals")
        self._kind, self._spec, self._context = kind, kind.signal, context
        self._personal = frozenset(field.name for field in kind.fields if field.type in ("personal", "seq"))
        self._words = {
            field.name: {value: word for word, value in reversed(list((field.choices or {}).items()))}
            for field in kind.fields
            if field.choices
        }
        self._pending: ReadRow | None = None
        self._located: dict[str, str | None] = {}
        self._products: dict[str, str | None] = {}

    def feed(self, rows: Iterable[ReadRow]) -> Iterator[RawSignal]:
        """Yield a signal for each row; rows that go on about one item (a batch's further failures) become one.

        The last item waits, for it may go on with the next rows: see `finish`.
        """
        for row in rows:
            if self._pending is not None and (both := self._together(self._pending, row)) is not None:
                self._pending = both
                continue
            if self._pending is not None:
                yield self._signal(self._pending)
            self._pending = row

    def finish(self) -> Iterator[RawSignal]:
        """Yield the item that waited."""
        if self._pending is not None:
            row, self._pending = self._pending, None
            yield self._signal(row)

    def _together(self, first: ReadRow, second: ReadRow) -> ReadRow | None:
        gathered = self._spec.gathers
        if not gathered or not self._own_id(first.values) or first.sheet != second.sheet:
            return None
        for name in first.values.keys() | second.values.keys():
            if name not in gathered and name != "seq" and first.values.get(name) != second.values.get(name):
                return None
        values = dict(first.values)
        for name in gathered:
            said = [v for v in (first.values.get(name), second.values.get(name)) if v]
            values[name] = "；".join(said) or None
        return replace(first, values=values)

    def _own_id(self, values: Mapping[str, Any]) -> str | None:
        return next((str(values[name]) for name in self._spec.external_id if values.get(name)), None)

    def _signal(self, row: ReadRow) -> RawSignal:
        values = {name: value for name, value in row.values.items() if value is not None}
        payload = {name: _plain(value) for name, value in values.items() if name not in self._personal}
        occurred_on = values[self._spec.event_date]
        region = self._region(values)
        record = self._record(values)
        trust = self._context.trust or self._spec.trust
        if trust == "social" and record.get("verified"):
            trust = "verified"
        return RawSignal(
            source_id=self._context.source_id,
            channel=self._spec.channel,
            trust=trust,
            title=self._sentence(self._spec.title, " ", values)[:500],
            text=self._sentence(self._spec.text, self._spec.separator, values),
            occurred_on=occurred_on,
            known_at=self._known_at(values, occurred_on),
            external_id=self._own_id(values) or _fingerprint(self._kind.name, payload),
            parent_external_id=self._context.notice.external_id if self._context.notice else None,
            url=values.get(self._spec.url) if self._spec.url else None,
            region_code=region,
            record_kind=self._spec.record,
            record=record,
            mentions=tuple(self._mentions(values, region)),
            payload=payload,
            file_place=f"{row.sheet}!{row.row}" if row.sheet else str(row.row),
        )

    def _known_at(self, values: Mapping[str, Any], occurred_on: date) -> datetime:
        if self._context.known == "now":
            return self._context.received_at
        own = values.get(self._spec.known_date) if self._spec.known_date else None
        if own is None and self._context.notice is not None:
            own = self._context.notice.published_on
        day = max(own, occurred_on) if own else occurred_on + timedelta(days=self._spec.known_delay_days)
        return min(datetime.combine(day, time(), CHINA), self._context.received_at)

    def _sentence(self, parts: tuple[tuple[str, ...], ...], separator: str, values: Mapping[str, Any]) -> str:
        said = []
        for wordings in parts:
            for wording in wordings:
                if all(name in values for name in _slots(wording)):
                    said.append(_SLOT.sub(lambda slot: self._shown(slot[1], values[slot[1]]), wording))
                    break
        return separator.join(said)

    def _shown(self, name: str, value: Any) -> str:
        words = self._words.get(name)
        if words and value in words:
            return str(words[value])
        return value.isoformat() if isinstance(value, date) else str(value)

    def _region(self, values: Mapping[str, Any]) -> str | None:
        for name in self._spec.region:
            place = values.get(name)
            if place and (code := self._locate(str(place))):
                return code
        return self._context.region_code

    def _locate(self, place: str) -> str | None:
        if re.fullmatch(r"[1-9][0-9]{5}", place):
            return place
        if self._context.locate is None:
            return None
        if place not in self._located:
            self._located[place] = self._context.locate(place)
        return self._located[place]

    def _mentions(self, values: Mapping[str, Any], region: str | None) -> Iterator[RawMention]:
        for spec in self._spec.mentions:
            name = values.get(spec.name)
            if not name:
                continue
            address = values.get(spec.address) if spec.address else None
            place = values.get(spec.region) if spec.region else None
            yield RawMention(
                role=spec.role,
                text=str(name),
                uscc=values.get(spec.uscc) if spec.uscc else None,
                region_code=next(
                    (code for said in (place, address) if said and (code := self._locate(str(said)))), None
                ),
                address=address,
                denied=spec.denied is not None and bool(values.get(spec.denied)),
            )

    def _record(self, values: Mapping[str, Any]) -> dict[str, Any]:
        if self._spec.record is None:
            return {}
        record = {name: self._column(rule, values) for name, rule in self._spec.columns.items()}
        product = values.get(self._spec.product) if self._spec.product else None
        record["product_raw"] = product
        record["product_id"] = self._product(str(product)) if product else None
        return record

    def _product(self, name: str) -> str | None:
        if self._context.product_of is None:
            return None
        if name not in self._products:
            self._products[name] = self._context.product_of(name)
        return self._products[name]

    def _column(self, rule: Any, values: Mapping[str, Any]) -> Any:
        """Return a record column by its rule: a field's name, or one of the ways declared in docs/import.md."""
        if isinstance(rule, str):
            return values.get(rule)
        default = rule.get("else")
        if "value" in rule:
            return rule["value"]
        if "date" in rule:
            return parse_date(str(values.get(rule["date"]) or ""))
        if "first" in rule:
            return next((values[name] for name in rule["first"] if values.get(name) is not None), default)
        if "contains" in rule:
            said = "\n".join(str(values[name]) for name in rule["in"] if values.get(name) is not None)
            return next((value for word, value in rule["contains"].items() if word in said), default)
        if "items" in rule:
            return _items(*(str(values.get(name) or "") for name in rule["items"]))
        if "safety" in rule:
            check = self._context.is_safety_item
            said = str(values.get(rule["safety"]) or "")
            flagged = any(word in str(values.get(rule["flag"]) or "") for word in rule["words"])
            return flagged or bool(check and any(check(item) for item in _BETWEEN_ITEMS.split(said) if item.strip()))
        if "claimant" in rule:
            return self._claimant([str(values[name]) for name in rule["claimant"] if values.get(name)])
        raise ValueError(f"{self._kind.name}.yml: unknown rule {rule!r}")

    def _claimant(self, said: list[str]) -> str | None:
        """Return a keyed hash of who complained: the phone's digits, else the name."""
        if not said or self._context.key is None:
            return None
        digits = re.sub(r"\D", "", said[0])
        who = digits[-11:] if len(digits) >= 7 else "".join(said[0].split())
        return hmac.new(self._context.key, who.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:32]


@cache
def _slots(part: str) -> tuple[str, ...]:
    return tuple(_SLOT.findall(part))


def _items(items: str, measured: str, limits: str) -> list[dict[str, str | None]]:
    """Return failed items with what was measured and allowed, where the three lists are equally long."""
    names = [part.strip() for part in _BETWEEN_ITEMS.split(items) if part.strip()]
    values = [part.strip() for part in _BETWEEN_ITEMS.split(measured) if part.strip()]
    allowed = [part.strip() for part in _BETWEEN_ITEMS.split(limits) if part.strip()]
    return [
        {
            "item": name,
            "measured": values[i] if len(values) == len(names) else (measured or None),
            "limit": allowed[i] if len(allowed) == len(names) else (limits or None),
        }
        for i, name in enumerate(names)
    ]


def _fingerprint(kind: str, payload: Mapping[str, Any]) -> str:
    body = json.dumps([kind, payload], ensure_ascii=False, sort_keys=True)
    return "sha256:" + hashlib.sha256(body.encode("utf-8", "replace")).hexdigest()


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def check_signal_spec(kind: Kind) -> None:
    """Raise ValueError where a kind's signal names fields the kind does not have."""
    spec: SignalSpec | None = kind.signal
    if spec is None:
        return
    known = {field.name for field in kind.fields}
    named = {name for part in (*spec.title, *spec.text) for wording in part for name in _slots(wording)}
    for rule in spec.columns.values():
        if isinstance(rule, str):
            named.add(rule)
            continue
        for key in ("first", "in", "items", "claimant"):
            named |= set(rule.get(key, ()))
        named |= {rule[key] for key in ("safety", "flag", "date") if key in rule}
    if unknown := named - known:
        raise ValueError(f"{kind.name}.yml: the signal names unknown fields {sorted(unknown)}")
