"""From the tables of a file to checked rows: header, ignored rows, column reading, row checks, duplicates.

Works on chunks and whole columns; a row is looked at by itself only when something about it is odd.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import chain, islice
from typing import Any

from ingest.importers.headers import SEARCHED_ROWS, Header, HeaderFinder, Merge
from ingest.importers.kinds import Kind, Layout
from ingest.importers.report import MAX_PROBLEMS, FailedRow, Rejected, RowProblem
from ingest.importers.text import DAMAGED, INVISIBLE, fold
from ingest.importers.values import CELL_LIMIT, EMPTY, Cell, ColumnReader, OddCell, as_text

MAX_COLUMNS, MAX_ROWS = 512, 1_000_000
CHUNK_ROWS = 4_000

Row = list[Cell]


@dataclass(slots=True)
class Columns:
    """Rows of plain text (see `is_plain`) column by column: of one width, none of them empty.

    Where they are `stripped`, no cell begins or ends with a blank; none is longer than `longest`.
    """

    cells: list[list[str]]
    stripped: bool
    longest: int

    def __len__(self) -> int:
        return len(self.cells[0])

    def rows(self) -> list[Row]:
        """Return the rows one by one."""
        return list(map(list, zip(*self.cells, strict=True)))


@dataclass(slots=True)
class Table:
    """One table of a file before anything is known about it.

    `first_row` is the number its first row has in the file; `odd_rows` are rows that are none, by that number.
    `blocks` are the rows that follow `rows`, where a reader has them in runs.
    """

    sheet: str
    rows: Iterable[Row]
    first_row: int = 1
    merges: Sequence[Merge] = ()
    epoch_1904: bool = False
    odd_rows: Mapping[int, OddCell] = field(default_factory=dict)
    row_numbers: Sequence[int] | None = None
    end: tuple[str, ...] | None = None  # the row that has to stand last, and is none itself
    blocks: Iterable[Columns | list[Row]] = ()


@dataclass(slots=True)
class Batch:
    """Checked rows of one table: the valid ones, column by column, and what became of the others."""

    sheet: str
    numbers: Sequence[int]
    fields: tuple[str, ...]
    columns: Sequence[Sequence[Any]]
    problems: list[RowProblem]
    failed: list[FailedRow]


@dataclass(slots=True)
class Tally:
    """The counts of a file while it is read."""

    read: int = 0
    valid: int = 0
    quarantined: int = 0
    ignored: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    unknown_headers: dict[str, list[str]] = field(default_factory=dict)  # each with a few cells under it


class TableReader:
    """Reads the tables of one file as one kind; what counts as a duplicate is remembered over all of them."""

    def __init__(self, kind: Kind, finder: HeaderFinder, *, today: date, keep_failed: bool = True) -> None:
        self.keep_failed = keep_failed
        self.told = 0
        self._kind = kind
        self._finder = finder
        self._today = today
        self._seen_rows: set[int] = set()
        self._seen_keys: set[int] = set()
        self._rows = 0
        self.tally = Tally()
        self.lacking: tuple[str, ...] | None = None
        self.tables = 0

    def read(self, table: Table) -> Iterator[Batch]:
        """Yield the checked rows of a table; nothing when it has no header of this kind (see `lacking`)."""
        rows = iter(table.rows)
        top = list(islice(rows, SEARCHED_ROWS))
        closed = _take_end(top, table)
        _check_width(top)
        layout, kind, finder = self._laid_out(top)
        header = finder.find(top, table.merges)
        if header is None:
            if self.lacking is None and not self.tally.unknown_headers:
                self._offer(_likely_header(top), top)
            return
        if header.missing:
            if self.lacking is None or len(header.missing) < len(self.lacking):
                self.lacking = header.missing
                self.tally.unknown_headers.clear()
                self._offer({at: header.names[at] for at in header.unknown}, top[header.bottom + 1 :])
            return
        if self._kind.refuse_personal and any(self._kind.field(name).type == "personal" for name in header.columns):
            raise Rejected("personal_data", "表中含姓名、电话等个人信息列，请去标识化后再导入")
        if self.tables == 0:  # what was noted of tables that are none of ours
            self.tally.unknown_headers.clear()
        self.tables += 1
        unknown = {at: header.names[at] for at in header.unknown}
        if layout:
            unknown = {at: name for at, name in unknown.items() if name not in layout.passed}
        if unknown:
            self.tally.warnings["unknown_column"] += len(unknown)
        self._offer(unknown, top[header.bottom + 1 :])
        self._count(ignored=header.top)
        sheet = _SheetReader(kind, finder, header, table, self)
        position = header.bottom + 1
        remaining: Iterator[Row] = chain(top[position:], rows)
        for chunk in chain(iter(lambda: list(islice(remaining, CHUNK_ROWS)), []), table.blocks):
            if isinstance(chunk, Columns) and (layout or len(chunk.cells) != sheet.width):
                chunk = chunk.rows()
            if not isinstance(chunk, Columns):
                closed = closed or _take_end(chunk, table)
                _check_width(chunk)
                if layout:
                    chunk = [row if self._concerns_us(row, layout, header) else [] for row in chunk]
            yield sheet.check(chunk, position)
            position += len(chunk)
            self._rows += len(chunk)
            if self._rows > MAX_ROWS:
                raise Rejected("limit_exceeded", f"超过 {MAX_ROWS:,} 行，请拆分后再导入")
        if not closed:
            raise Rejected("corrupt", "文件不完整：引号没有结束")

    def _offer(self, unknown: Mapping[int, str], rows: Sequence[Row]) -> None:
        """Note columns that mean nothing to us, for somebody to say what they are."""
        for at, name in unknown.items():
            cells = (as_text(row[at]).strip() for row in rows if at < len(row))
            said = list(dict.fromkeys(_safe(cell[:60]) for cell in cells if cell not in EMPTY))
            self.tally.unknown_headers.setdefault(_safe(name), said[:3])

    def _laid_out(self, top: Sequence[Row]) -> tuple[Layout | None, Kind, HeaderFinder]:
        """Return the foreign layout the first rows show, if any, and the kind and finder to read the table by."""
        for layout in self._kind.layouts:
            if any(set(layout.keys) <= {as_text(cell).strip() for cell in row} for row in top):
                kind = self._kind.in_layout(layout)
                today = self._today.isoformat()
                fixed = {name: today if text == "today" else text for name, text in layout.defaults.items()}
                return layout, kind, HeaderFinder(kind, self._finder.mapping, fixed | self._finder.defaults)
        return None, self._kind, self._finder

    def _concerns_us(self, row: Row, layout: Layout, header: Header) -> bool:
        """False for a record an authority publishes about another country's goods: it is passed over, and counted."""
        for name, pattern in layout.only.items():
            cell = next((as_text(row[at]) for at, n in enumerate(header.names) if n == name and at < len(row)), "")
            if not re.search(pattern, cell):
                self.tally.warnings["out_of_scope"] += any(row)
                return False
        return True

    def _count(self, *, valid: int = 0, quarantined: int = 0, ignored: int = 0) -> None:
        self.tally.valid += valid
        self.tally.quarantined += quarantined
        self.tally.ignored += ignored
        self.tally.read += valid + quarantined + ignored


class _SheetReader:
    """Checks the rows under one header."""

    def __init__(self, kind: Kind, finder: HeaderFinder, header: Header, table: Table, file: TableReader) -> None:
        self._kind, self._finder, self._header, self._table, self._file = kind, finder, header, table, file
        self.width = max((i + 1 for i, name in enumerate(header.names) if name), default=0)
        self._defaults = {name: text for name, text in finder.defaults.items() if name not in header.columns}
        present = header.columns.keys() | self._defaults.keys()
        self._fields = tuple(f for f in kind.fields if f.name in present and f.type not in ("seq", "passed"))
        self._readers = {f.name: ColumnReader(f, epoch_1904=table.epoch_1904, today=file._today) for f in self._fields}
        self._names = tuple(f.name for f in self._fields)
        self._seq = {*header.columns.get("seq", ()), *header.columns.get("about_rejection", ())}
        self._unknown = header.unknown
        self._folded_names = [fold(name) for name in header.names]
        self._first_name = next((name for name in self._folded_names if name), "")
        self._values: dict[str, Sequence[Any]] = {}

    def check(self, rows: Columns | list[Row], position: int) -> Batch:
        """Return the rows checked; `position` is the 0-based place of the first of them in the table."""
        numbers = self._numbers(position, len(rows))
        problems: list[RowProblem] = []
        failed: list[FailedRow] = []
        bad: dict[int, list[tuple[str, str, str]]] = {}  # row in chunk -> (class, column, raw)
        repaired: list[tuple[int, str, str, Cell]] = []
        columns: Sequence[Sequence[Cell]]
        said: dict[str, Any]  # what is known of all cells
        if isinstance(rows, Columns):
            columns = rows.cells
            said = {"stripped": rows.stripped, "longest": rows.longest}
        else:
            said = {}
            numbers, rows = self._without_empty(numbers, rows)
            if self._table.odd_rows:
                for index, number in enumerate(numbers):
                    if odd := self._table.odd_rows.get(number):
                        bad[index] = [(odd.reason, "", odd.raw)]
            if set(map(len, rows)) != {self.width}:
                self._square(rows, bad)
            self._clean(rows, bad)
            columns = list(zip(*rows, strict=True))
        count = len(numbers)
        readings: list[Sequence[Any]] = []
        for field_ in self._fields:
            cells = self._cells(field_.name, field_.joined, columns, count, bad)
            column = self._readers[field_.name].read(cells, **({} if field_.name in self._defaults else said))
            readings.append(column.values)
            for index, reason in column.faults.items():
                bad.setdefault(index, []).append((reason, self._column_name(field_.name), as_text(cells[index])))
            for index, reason in column.repaired.items():
                repaired.append((index, self._column_name(field_.name), reason, cells[index]))
        self._values = dict(zip(self._names, readings, strict=True))
        for at in self._unknown:
            if columns and max(map(len, map(as_text, columns[at]))) > CELL_LIMIT:
                for index, cell in enumerate(columns[at]):
                    if len(as_text(cell)) > CELL_LIMIT:
                        bad.setdefault(index, []).append(("field_too_long", self._header.names[at], as_text(cell)))
        if self._table.odd_rows:
            for index, number in enumerate(numbers):  # a row that is none has no other faults
                if number in self._table.odd_rows:
                    bad[index] = bad[index][:1]
        self._excuse_visits(bad)
        self._check_contradiction(bad)
        ignored = {i for i in bad if self._is_ignored([column[i] for column in columns], numbers[i])}
        for index, name, reason, cell in repaired:
            if index not in ignored:
                self._file.tally.warnings[reason] += 1
                problems.append(self._problem(numbers[index], name, reason, cell, rejected=False))
        self._check_duplicates(columns, count, bad)
        for index in sorted(bad.keys() - ignored):
            for place, (reason, name, raw) in enumerate(bad[index]):
                if place == 0:
                    self._file.tally.reasons[reason] += 1
                if self._file.told < MAX_PROBLEMS:
                    self._file.told += 1
                    problems.append(RowProblem(self._table.sheet, numbers[index], name, reason, _safe(raw[:1000])))
            if self._file.keep_failed:
                received = self._as_received([column[index] for column in columns])
                failed.append(FailedRow(self._table.sheet, numbers[index], bad[index][0][0], received))
        out = bad.keys()
        if out:
            kept = [i for i in range(count) if i not in out]
            valid_numbers: Sequence[int] = [numbers[i] for i in kept]
            readings = [[column[i] for i in kept] for column in readings]
        else:
            valid_numbers = numbers
        self._file._count(valid=len(valid_numbers), quarantined=len(out) - len(ignored), ignored=len(ignored))
        return Batch(self._table.sheet, valid_numbers, self._names, readings, problems, failed)

    def _numbers(self, position: int, count: int) -> Sequence[int]:
        if self._table.row_numbers is not None:
            return self._table.row_numbers[position : position + count]
        start = self._table.first_row + position
        return range(start, start + count)

    def _without_empty(self, numbers: Sequence[int], rows: list[Row]) -> tuple[Sequence[int], list[Row]]:
        if all(map(any, rows)) or self._table.odd_rows:
            return numbers, rows
        filled = [index for index, row in enumerate(rows) if any(row)]
        self._file._count(ignored=len(rows) - len(filled))
        return [numbers[index] for index in filled], [rows[index] for index in filled]

    def _square(self, rows: list[Row], bad: dict[int, list[tuple[str, str, str]]]) -> None:
        """Give every row the header's width. A short row ends empty; a long one may only be empty beyond."""
        width = self.width
        for index, row in enumerate(rows):
            if len(row) < width:
                rows[index] = row + [""] * (width - len(row))
            elif len(row) > width:
                surplus = [as_text(cell) for cell in row[width:]]
                if any(INVISIBLE.sub("", cell).strip() not in EMPTY for cell in surplus):
                    bad.setdefault(index, []).append(("column_mismatch", "", " ".join(surplus)))
                rows[index] = row[:width]

    def _clean(self, rows: list[Row], bad: dict[int, list[tuple[str, str, str]]]) -> None:
        """Take out invisible marks; quarantine what was damaged before it came. Clause C3."""
        try:
            text = "".join(chain.from_iterable(rows))  # type: ignore[arg-type]
        except TypeError:
            text = "".join(cell for row in rows for cell in row if isinstance(cell, str))
        damaged = "\ufffd" in text or "锟斤拷" in text
        if text.isprintable() and not damaged:
            return
        damaged = damaged or DAMAGED.search(text) is not None
        invisible = INVISIBLE.search(text) is not None
        if not damaged and not invisible:
            return
        for index, row in enumerate(rows):
            for at, cell in enumerate(row):
                if not isinstance(cell, str):
                    continue
                if damaged and DAMAGED.search(cell):
                    bad.setdefault(index, []).insert(0, ("bad_encoding", self._header.names[at], cell))
                if invisible and INVISIBLE.search(cell):
                    row[at] = INVISIBLE.sub("", cell)
                    self._file.tally.warnings["invisible_removed"] += 1

    def _cells(
        self,
        name: str,
        joined: bool,
        columns: Sequence[Sequence[Cell]],
        count: int,
        bad: dict[int, list[tuple[str, str, str]]],
    ) -> Sequence[Cell]:
        """Return the one cell a row has for a field: of several columns the one that says something. Clause C6."""
        if name in self._defaults:
            return (self._defaults[name],) * count
        at = self._header.columns[name]
        if len(at) == 1:
            return columns[at[0]] if columns else ()
        if not columns:
            return ()
        same_name = len({fold(self._header.names[i]) for i in at}) == 1
        chosen: list[Cell] = []
        for index, cells in enumerate(zip(*(columns[i] for i in at), strict=True)):
            said: dict[str, Cell] = {}
            for cell in cells:
                text = as_text(cell).strip()
                if isinstance(cell, OddCell) or text not in EMPTY:
                    said.setdefault(text, cell)
            if len(said) > 1 and not (joined and not same_name):
                bad.setdefault(index, []).append(("ambiguous_column", self._header.names[at[0]], " | ".join(said)))
            if len(said) > 1 and joined and not same_name:
                chosen.append(" ".join(said))
            else:
                chosen.append(next(iter(said.values()), cells[0]))
        return chosen

    def _excuse_visits(self, bad: dict[int, list[tuple[str, str, str]]]) -> None:
        """A visit at which nothing could be sampled needs no result."""
        visit, result = self._kind.visit, self._kind.result
        if visit is None or result is None or visit not in self._values:
            return
        excuse = ("missing_required", self._column_name(result))
        for index in [i for i in bad if self._values[visit][i] in ("no_sample", "refused")]:
            bad[index] = [problem for problem in bad[index] if problem[:2] != excuse]
            if not bad[index]:
                del bad[index]

    def _check_contradiction(self, bad: dict[int, list[tuple[str, str, str]]]) -> None:
        """A passed batch with failed items, or a failed one without, contradicts itself. Clause C9."""
        result, items = self._kind.result, self._kind.items
        if not result or not items or items not in self._values:
            return
        outcomes = self._values[result]
        has_items = list(map(bool, self._values[items]))
        if set(zip(outcomes, has_items, strict=True)) <= {("pass", False), ("fail", True), (None, False)}:
            return
        for index, (outcome, has_item) in enumerate(zip(outcomes, has_items, strict=True)):
            if index not in bad and ((outcome == "pass" and has_item) or (outcome == "fail" and not has_item)):
                raw = as_text(self._values[items][index])
                bad[index] = [("inconsistent", self._column_name(items), raw)]

    def _check_duplicates(
        self, columns: Sequence[Sequence[Cell]], count: int, bad: dict[int, list[tuple[str, str, str]]]
    ) -> None:
        others = [[as_text(cell).strip() for cell in columns[i]] for i in self._unknown] if columns else []
        prints = list(map(hash, zip(*self._values.values(), *others, strict=True))) if columns else []
        keys = self._keys(count)
        seen_rows, seen_keys = self._file._seen_rows, self._file._seen_keys
        fresh = set(prints)
        if not bad and len(fresh) == count and seen_rows.isdisjoint(fresh):
            if keys is None:
                seen_rows |= fresh
                return
            fresh_keys = set(map(hash, keys))
            if len(fresh_keys) == count and seen_keys.isdisjoint(fresh_keys):
                seen_rows |= fresh
                seen_keys |= fresh_keys
                return
        for index in range(count):
            if index in bad:
                continue
            if prints[index] in seen_rows:
                bad[index] = [("duplicate_row", "", "")]
                continue
            if keys is not None:
                key = hash(keys[index])
                if key in seen_keys:
                    column = self._kind.key[0] if self._kind.key[0] in self._header.columns else self._kind.key_else[0]
                    bad[index] = [("duplicate_key", self._column_name(column), " ".join(map(str, keys[index])))]
                    continue
                seen_keys.add(key)
            seen_rows.add(prints[index])

    def _keys(self, count: int) -> list[tuple[Any, ...]] | None:
        if not self._kind.key:
            return None
        nothing = [None] * count
        own = list(zip(*(self._values.get(name, nothing) for name in self._kind.key), strict=True))
        if not self._kind.key_else:
            return own
        other = list(zip(*(self._values.get(name, nothing) for name in self._kind.key_else), strict=True))
        return [key if all(key) else instead for key, instead in zip(own, other, strict=True)]

    def _is_ignored(self, row: Row, number: int) -> bool:
        """True for blank rows, totals, notes and repeated headers. Clause C4."""
        if number in self._table.odd_rows:
            return False
        first, filled = "", ""  # the first text of all, and the first beside the running number
        for at, cell in enumerate(row):
            text = as_text(cell).strip()
            if text:
                first = first or text
                if at not in self._seq:
                    filled = text
                    break
        if not filled or _is_note(first) or _is_note(filled):
            return True
        if fold(first) != self._first_name:
            return False
        return [fold(as_text(cell)) for cell in row] == self._folded_names[: len(row)]

    def _column_name(self, field_name: str) -> str:
        columns = self._header.columns.get(field_name)
        return self._header.names[columns[0]] if columns else field_name

    def _problem(self, number: int, column: str, reason: str, cell: Cell, *, rejected: bool) -> RowProblem:
        return RowProblem(self._table.sheet, number, column, reason, _safe(as_text(cell)[:1000]), rejected)

    def _as_received(self, row: Row) -> dict[str, str]:
        cells: dict[str, str] = {}
        for name, cell in zip(self._header.names, row, strict=False):
            if name:
                text = _safe(as_text(cell))
                cells[name] = cells.get(name) or text
        return cells


_NOTE = re.compile(
    r"(?:本页|本頁|本表)?(?:合[计計]|[总總][计計]|小[计計])(?:$|[:：(（0-9共])|"
    r"(?:[注註]|[备備][注註]|[说說]明|附[注註])(?:$|[0-9]{0,2}[:：.、])|"
    r"(?:填[报報]|填表|[制製]表|[审審]核|[复複]核|批准)[^\s:：]{0,4}(?:$|[:：])"
)
_NOTE_STARTS = frozenset("合总總小本注註备備说說附填制製审審复複批")


def _is_note(text: str) -> bool:
    return text[:1] in _NOTE_STARTS and _NOTE.match(fold(text[:40])) is not None


def _safe(text: str) -> str:
    """Return the text as it can be kept and sent: without lone surrogates."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _likely_header(rows: Sequence[Row]) -> dict[int, str]:
    """Return the names by column of the row that most looks like a header nobody has explained to us yet."""
    best: dict[int, str] = {}
    for row in rows:
        said = {at: " ".join(as_text(cell).split()) for at, cell in enumerate(row) if not isinstance(cell, OddCell)}
        names = {at: name for at, name in said.items() if name and len(name) <= 80 and not name[0].isdigit()}
        if len(names) > max(len(best), 1) and len(set(names.values())) == len(names):
            best = names
    return best


def _take_end(rows: list[Row], table: Table) -> bool:
    """Take the table's end row off `rows`; True when it stood there, or the table has none."""
    if table.end is None:
        return True
    if rows and rows[-1] == list(table.end):
        rows.pop()
        return True
    return False


def _check_width(rows: Sequence[Row]) -> None:
    if max(map(len, rows), default=0) > MAX_COLUMNS and any(
        any(as_text(cell).strip() for cell in row[MAX_COLUMNS:]) for row in rows
    ):
        raise Rejected("limit_exceeded", f"超过 {MAX_COLUMNS} 列")
