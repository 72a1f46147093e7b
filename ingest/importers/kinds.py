"""The kinds of table an office sends, each declared in `kinds/<kind>.yml`: its columns, and the signal a row becomes.

A new kind is a new file, not new code. What stands behind a type of column is in `values.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_FOLDER = Path(__file__).parent / "kinds"

TYPES = (
    "seq",
    "name",
    "line",
    "text",
    "date",
    "result",
    "number",
    "count",
    "link",
    "id",
    "uscc",
    "choice",
    "personal",
    "passed",
)


@dataclass(frozen=True, slots=True)
class Field:
    """One canonical column of a kind.

    `shown` is its name in the machine-readable report, None when it is not given out. A `gate` field has to be
    in the table for it to be of this kind at all. `choices` maps words as written to canonical values.
    A `joined` field may be spread over several columns whose values are put together instead of compared.
    """

    name: str
    type: str
    required: bool = False
    shown: str | None = None
    choices: Mapping[str, Any] | None = None
    joined: bool = False


_ABOUT_REJECTION = Field("about_rejection", "passed")  # what we add to rejected rows; they come back with it


@dataclass(frozen=True, slots=True)
class MentionSpec:
    """Which columns name an enterprise in a role."""

    role: str
    name: str
    uscc: str | None = None
    address: str | None = None
    region: str | None = None
    denied: str | None = None


@dataclass(frozen=True, slots=True)
class SignalSpec:
    """How a row becomes a signal. Parts of a sentence are left out when the field they show is empty.

    Of a part written as several, the first that can be said is.

    Rows that follow each other, carry the same own id and differ in the `gathers` fields alone make one signal.
    """

    channel: str
    trust: str
    event_date: str
    known_date: str | None
    known_delay_days: int
    external_id: tuple[str, ...]
    title: tuple[tuple[str, ...], ...]
    text: tuple[tuple[str, ...], ...]
    separator: str
    url: str | None
    region: tuple[str, ...]
    mentions: tuple[MentionSpec, ...]
    record: str | None
    columns: Mapping[str, Any]
    product: str | None
    gathers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """How one foreign authority publishes what a kind holds, told by the headers it alone uses together.

    Records may be nested: a member of a member stands under `A.B`. `lacks` are required fields it never has,
    `defaults` fields that are the same in all its records (`today`: the day the file came), `only` the records
    that concern us: a pattern some value of the column must match.
    """

    title: str
    keys: tuple[str, ...]
    element: str | None = None  # the XML element that is one record
    lacks: tuple[str, ...] = ()
    defaults: Mapping[str, str] = field(default_factory=dict)
    only: Mapping[str, str] = field(default_factory=dict)
    passed: frozenset[str] = frozenset()  # columns known and not taken


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of table: its title, columns, key and checks, and the signal its rows become (None: a register)."""

    name: str
    title: str
    fields: tuple[Field, ...]
    key: tuple[str, ...] = ()
    key_else: tuple[str, ...] = ()  # a row without `key` is told apart by these
    result: str | None = None  # the fields that must not contradict each other: outcome and failed items
    items: str | None = None
    visit: str | None = None  # the field that says that nothing was sampled, and so nothing was found
    refuse_personal: bool = False
    signal: SignalSpec | None = None
    layouts: tuple[Layout, ...] = ()

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns without which a table is not of this kind."""
        return tuple(field.name for field in self.fields if field.required)

    def field(self, name: str) -> Field:
        """Return the column of that name."""
        return next(field for field in self.fields if field.name == name)

    def in_layout(self, layout: Layout) -> "Kind":
        """Return the kind as that authority publishes it: without demanding what it never says."""
        fields = tuple(replace(field, required=False) if field.name in layout.lacks else field for field in self.fields)
        return replace(self, fields=fields)


def kind_names() -> tuple[str, ...]:
    """Names of all declared kinds."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.yml")))


@cache
def load_kind(name: str) -> Kind:
    """Return the kind of that name. Raises KeyError when none is declared, ValueError when its file is wrong."""
    if name not in kind_names():
        raise KeyError(name)
    declared = yaml.load((_FOLDER / f"{name}.yml").read_text("utf-8"), Loader=yaml.CSafeLoader)
    fields = (*(_field(name, key, spec or {}) for key, spec in declared["fields"].items()), _ABOUT_REJECTION)
    known = {field.name for field in fields}
    signal = _signal(declared["signal"]) if "signal" in declared else None
    kind = Kind(
        name=name,
        title=declared["title"],
        fields=fields,
        key=tuple(declared.get("key", ())),
        key_else=tuple(declared.get("key_else", ())),
        result=declared.get("result"),
        items=declared.get("items"),
        visit=declared.get("visit"),
        refuse_personal=declared.get("refuse_personal", False),
        signal=signal,
        layouts=tuple(_layout(title, spec) for title, spec in declared.get("layouts", {}).items()),
    )
    named = {*kind.key, *kind.key_else, kind.result, kind.items, kind.visit} - {None}
    if signal:
        named |= {signal.event_date, *signal.external_id, *signal.region}
        named |= {mention.name for mention in signal.mentions}
    if unknown := named - known:
        raise ValueError(f"{name}.yml names columns it does not declare: {sorted(map(str, unknown))}")
    return kind


def _field(kind: str, name: str, spec: Mapping[str, Any]) -> Field:
    field = Field(
        name=name,
        type=spec.get("type", "line"),
        required=spec.get("required", False),
        shown=spec.get("shown"),
        choices=spec.get("choices"),
        joined=spec.get("joined", False),
    )
    if field.type not in TYPES:
        raise ValueError(f"{kind}.yml: {name} has the unknown type {field.type!r}")
    return field


def _layout(title: str, spec: Mapping[str, Any]) -> Layout:
    return Layout(
        title=title,
        keys=tuple(spec["keys"]),
        element=spec.get("element"),
        lacks=tuple(spec.get("lacks", ())),
        defaults=spec.get("defaults", {}),
        only=spec.get("only", {}),
        passed=frozenset(spec.get("passed", ())),
    )


def _signal(spec: Mapping[str, Any]) -> SignalSpec:
    return SignalSpec(
        channel=spec["channel"],
        trust=spec["trust"],
        event_date=spec["event_date"],
        known_date=spec.get("known_date"),
        known_delay_days=spec.get("known_delay_days", 0),
        external_id=tuple(spec.get("external_id", ())),
        title=tuple(map(_wordings, spec["title"])),
        text=tuple(map(_wordings, spec["text"])),
        separator=spec.get("separator", "，"),
        url=spec.get("url"),
        region=tuple(spec.get("region", ())),
        mentions=tuple(MentionSpec(**mention) for mention in spec.get("mentions", ())),
        record=spec.get("record"),
        columns=spec.get("columns", {}),
        product=spec.get("product"),
        gathers=tuple(spec.get("gathers", ())),
    )


def _wordings(part: str | list[str]) -> tuple[str, ...]:
    return (part,) if isinstance(part, str) else tuple(part)
