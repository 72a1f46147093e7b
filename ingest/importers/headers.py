"""Which row of a table is its header, and which canonical column each of its cells means. Clauses C5 and C6."""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ingest.importers.kinds import Kind, load_kind
from ingest.importers.text import fold
from ingest.importers.values import Cell, as_text

SEARCHED_ROWS = 20
_ALIASES = Path(__file__).parent.parent / "header_aliases.csv"
_TRAILING_BRACKET = re.compile(r"[(（\[【〔][^()（）\[\]【】〔〕]*[)）\]】〕]$")


@dataclass(frozen=True, slots=True)
class Merge:
    """A merged range of a sheet, both ends included, counted from 0."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, slots=True)
class Header:
    """A header found: its rows (0-based, both included), the names as written, and each field's columns."""

    top: int
    bottom: int
    names: tuple[str, ...]
    columns: Mapping[str, tuple[int, ...]]
    missing: tuple[str, ...]

    @property
    def unknown(self) -> tuple[int, ...]:
        """Columns with a name that means nothing to us."""
        known = {column for columns in self.columns.values() for column in columns}
        return tuple(i for i, name in enumerate(self.names) if name and i not in known)


class HeaderFinder:
    """Finds the header of a kind.

    `mapping` adds what an analyst said about this source's own headers; `defaults` are the fields whose value is
    known without a column, so that a table may lack it.
    """

    def __init__(
        self, kind: Kind, mapping: Mapping[str, str] | None = None, defaults: Mapping[str, str] | None = None
    ) -> None:
        self.defaults = {name: text for name, text in (defaults or {}).items() if name in {f.name for f in kind.fields}}
        self.mapping = dict(mapping or {})
        self._kind = kind
        self._names = _candidates(kind.name)
        for header, field in (mapping or {}).items():
            self._names = {**self._names, fold(header): ((field, False),)}
        self._required = frozenset(kind.required) - self.defaults.keys()

    def find(self, rows: Sequence[Sequence[Cell]], merges: Sequence[Merge] = ()) -> Header | None:
        """Return the best header within the first rows, with what it lacks; None when no row looks like one."""
        best: tuple[tuple[int, int, int], Header] | None = None
        shown = [[as_text(cell) for cell in row] for row in rows[:SEARCHED_ROWS]]
        singles = [self._match(at, at, row) for at, row in enumerate(shown)]
        for at, single in enumerate(singles):
            for candidate in (single, self._two_level(shown, at, singles, merges)):
                if candidate is None or not candidate.columns:
                    continue
                found = set(candidate.columns)
                score = (len(found & self._required), len(found), -at)
                if best is None or score > best[0]:
                    best = (score, candidate)
        if best is None or (best[0][1] < 2 and best[0][0] < min(1, len(self._required))):
            return None
        return self._with_upper_level(best[1], shown, merges)

    def shows_header(self, rows: Iterable[Sequence[Cell]]) -> bool:
        """True when a header that lacks nothing required, or at least part of one, stands in the rows."""
        return self.find(list(rows)) is not None

    def _match(self, top: int, bottom: int, row: Sequence[str]) -> Header:
        columns: dict[str, list[int]] = {}
        weak: list[tuple[int, tuple[tuple[str, bool], ...]]] = []
        for at, cell in enumerate(row):
            options = self._options(cell)
            if options and not options[0][1]:
                columns.setdefault(options[0][0], []).append(at)
            elif options:
                weak.append((at, options))
        claimed: set[str] = set(columns)
        for at, options in weak:  # an ambiguous name gives way to a clear one
            free = next((name for name, _ in options if name not in claimed), None)
            if free:
                claimed.add(free)
                columns[free] = [at]
        missing = tuple(name for name in self._kind.required if name not in columns and name not in self.defaults)
        names = tuple(" ".join(cell.split()) for cell in row)
        return Header(top, bottom, names, {name: tuple(at) for name, at in columns.items()}, missing)

    def _options(self, cell: str) -> tuple[tuple[str, bool], ...]:
        """Return the fields a header cell may mean, clear meanings first."""
        if not cell or len(cell) > 80:
            return ()
        name = fold(cell).strip("*:#")
        for variant in (name, _TRAILING_BRACKET.sub("", name).strip("*:#")):
            if not variant:
                continue
            if options := self._names.get(variant) or self._names.get(_simplified(variant)):
                return options
        return ()

    def _two_level(
        self, rows: Sequence[Sequence[str]], at: int, singles: Sequence[Header], merges: Sequence[Merge]
    ) -> Header | None:
        """Return rows `at` and `at + 1` read as one header, the lower name first; None when one of them is enough."""
        if at + 1 >= len(rows):
            return None
        upper, lower = rows[at], rows[at + 1]
        groups = _spread(upper, at, merges)
        names = []
        known_below = 0
        for i in range(max(len(upper), len(lower))):
            above = upper[i] if i < len(upper) else ""
            below = lower[i] if i < len(lower) else ""
            group = groups[i] if i < len(groups) else ""
            if not below:
                names.append(above)
            elif self._options(below):
                names.append(below)
                known_below += below != above
            elif group and self._options(group + below):
                names.append(group + below)
                known_below += 1
            else:
                names.append(below)
        if not known_below:
            return None
        self._name_by_group(names, upper, lower)
        own = [cell for i, cell in enumerate(lower) if cell and (i >= len(upper) or cell != upper[i])]
        if known_below * 2 < len(own):
            return None
        both = self._match(at, at + 1, names)
        alone = max(len(single.columns) for single in singles[at : at + 2])
        return both if len(both.columns) > alone else None

    def _name_by_group(self, names: list[str], upper: Sequence[str], lower: Sequence[str]) -> None:
        """Let a group's first column stand for the group when its own name means nothing and no other column is it."""
        said = {options[0][0] for name in names if (options := self._options(name))}
        for i, name in enumerate(names):
            group = upper[i] if i < len(upper) else ""
            if i < len(lower) and lower[i] and group and group != lower[i] and not self._options(name):
                options = self._options(group)
                if options and options[0][0] not in said:
                    names[i] = group
                    said.add(options[0][0])

    def _with_upper_level(self, header: Header, rows: Sequence[Sequence[str]], merges: Sequence[Merge]) -> Header:
        """Return the header with the row of group names above it, if merged cells show that there is one."""
        above = header.top - 1
        if above < 0:
            return header
        width = sum(1 for name in header.names if name)
        for merge in merges:
            down = merge.top <= above and merge.bottom == header.top and merge.left == merge.right
            group = merge.top == merge.bottom == above and 1 < merge.right - merge.left + 1 < width
            if down or group:
                return Header(above, header.bottom, header.names, header.columns, header.missing)
        return header


def _spread(row: Sequence[str], at: int, merges: Sequence[Merge]) -> list[str]:
    """Return the upper level with each group's name over all its columns."""
    spread = list(row)
    if merges:
        for merge in merges:
            if merge.top <= at <= merge.bottom and merge.left < len(spread):
                for i in range(merge.left, min(merge.right + 1, len(spread))):
                    spread[i] = spread[merge.left]
        return spread
    for i in range(1, len(spread)):
        spread[i] = spread[i] or spread[i - 1]
    return spread


@cache
def alias_rows() -> tuple[tuple[str, str, bool], ...]:
    with _ALIASES.open(encoding="utf-8", newline="") as file:
        return tuple(
            (row["canonical_field"], fold(row["alias"]), row["ambiguous"] == "yes") for row in csv.DictReader(file)
        )


@cache
def meanings() -> Mapping[str, str]:
    """Return what each field is called in Chinese, for messages to those who sent a file."""
    with _ALIASES.open(encoding="utf-8", newline="") as file:
        return {row["canonical_field"]: row["meaning_zh"] for row in csv.DictReader(file)}


@cache
def _candidates(kind_name: str) -> Mapping[str, tuple[tuple[str, bool], ...]]:
    """Return for each known header the kind's fields it may mean, clear meanings and required fields first."""
    order = {field.name: (not field.required, i) for i, field in enumerate(load_kind(kind_name).fields)}
    found: dict[str, set[tuple[str, bool]]] = {}
    for field, alias, ambiguous in alias_rows():
        if field in order:
            found.setdefault(alias, set()).add((field, ambiguous))
    for name in order:
        found.setdefault(fold(name), set()).add((name, False))
    return {
        alias: tuple(sorted(options, key=lambda option: (option[1], order[option[0]])))
        for alias, options in found.items()
    }


@cache
def _converter() -> object:
    import opencc

    return opencc.OpenCC("t2s")


@cache
def _simplified(name: str) -> str:
    clean = name.encode("utf-8", "replace").decode("utf-8")
    return str(_converter().convert(clean))  # type: ignore[attr-defined]
