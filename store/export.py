"""Tables -> files for a spreadsheet: XLSX and CSV that open in Excel with Chinese intact and no live formula.

Text that a spreadsheet would run as a formula gets a leading apostrophe; real numbers and dates stay what they are.
Times are written in Asia/Shanghai. Nothing is cut silently: a cell longer than Excel allows says that it was cut,
and rows beyond one sheet's limit go on in the next sheet.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import xlsxwriter

from store.china_time import CHINA

SHEET_ROWS = 1_000_000  # Excel stops at 1,048,576 rows including the heading and the notes
CELL_CHARACTERS = 32_767
CUT_MARK = "…（内容过长，已截断）"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_RISKY_STARTS = frozenset("=+-@\t\r\n\0＝＋－＠")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_BAD_IN_SHEET_NAME = re.compile(r"[\[\]:*?/\\']")

Cell = str | int | float | bool | date | datetime | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: Chinese headers, rows in the same order, and notes printed above the table."""

    title: str
    headers: Sequence[str]
    rows: Iterable[Sequence[Cell]]
    notes: Sequence[str] = field(default_factory=tuple)


def neutral(text: str) -> str:
    """Return the text so that no spreadsheet takes it for a formula; unprintable characters are dropped."""
    clean = _UNPRINTABLE.sub("", text)
    starts = {text[:1], clean[:1]}  # a dropped character must not bare a formula behind it
    return f"'{clean}" if starts & _RISKY_STARTS else clean


def to_csv(headers: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return a CSV file in UTF-8 with a byte-order mark, which Excel needs to read Chinese."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([neutral(header) for header in headers])
    for row in rows:
        writer.writerow([_csv_cell(cell) for cell in row])
    return out.getvalue().encode("utf-8-sig")


def to_xlsx(sheets: Sequence[Sheet], *, created_at: datetime | None = None) -> bytes:
    """Return a workbook with one sheet a table, headings frozen and filterable, codes kept as text.

    `created_at` fixes the time in the file's properties, so that the same rows give the same bytes.
    """
    out = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": False,
        "default_date_format": "yyyy-mm-dd",
    }
    with xlsxwriter.Workbook(out, options) as book:
        if created_at is not None:
            book.set_properties({"created": created_at.astimezone(UTC).replace(tzinfo=None)})
        formats = {
            "head": book.add_format({"bold": True, "bg_color": "#E8EEF4", "border": 1, "text_wrap": True}),
            "text": book.add_format({"num_format": "@"}),
            "date": book.add_format({"num_format": "yyyy-mm-dd"}),
            "time": book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
            "note": book.add_format({"italic": True, "font_color": "#555555"}),
        }
        used: set[str] = set()
        for sheet in sheets:
            _write_sheet(book, formats, sheet, used)
    return out.getvalue()


def _write_sheet(book: Any, formats: dict[str, Any], sheet: Sheet, used: set[str]) -> None:
    rows = iter(sheet.rows)
    first = next(rows, None)
    part = 1
    while True:
        page = book.add_worksheet(_sheet_name(sheet.title, part, used))
        for number, note in enumerate(sheet.notes):
            page.write_string(number, 0, neutral(note), formats["note"])
        top = len(sheet.notes)
        widths = [_width(header) for header in sheet.headers]
        for column, header in enumerate(sheet.headers):
            page.write_string(top, column, neutral(header), formats["head"])
        page.freeze_panes(top + 1, 0)
        line = top
        while first is not None and line - top < SHEET_ROWS:
            line += 1
            for column, cell in enumerate(first):
                _write_cell(page, line, column, cell, formats)
                if line - top <= 200 and column < len(widths):
                    widths[column] = max(widths[column], _width(_csv_cell(cell)))
            first = next(rows, None)
        if sheet.headers:
            page.autofilter(top, 0, max(line, top), len(sheet.headers) - 1)
        for column, width in enumerate(widths):
            page.set_column(column, column, min(width + 2, 60))
        if first is None:
            return
        part += 1


def _write_cell(page: Any, row: int, column: int, cell: Cell, formats: dict[str, Any]) -> None:
    match cell:
        case None:
            page.write_blank(row, column, None)
        case bool():
            page.write_string(row, column, "是" if cell else "否", formats["text"])
        case int() | float():
            if _is_plain_number(cell):
                page.write_number(row, column, cell)
            else:
                page.write_string(row, column, str(cell), formats["text"])
        case datetime():
            page.write_datetime(row, column, _local(cell).replace(tzinfo=None), formats["time"])
        case date():
            page.write_datetime(row, column, cell, formats["date"])
        case _:
            text = neutral(str(cell))
            if len(text) > CELL_CHARACTERS:
                text = text[: CELL_CHARACTERS - len(CUT_MARK)] + CUT_MARK
            page.write_string(row, column, text, formats["text"])


def _is_plain_number(number: int | float) -> bool:
    # Excel keeps 15 significant digits; a longer integer is an identifier and would be changed. NaN is no number.
    return abs(number) < 10**15


def _csv_cell(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "是" if cell else "否"
        case int() | float():
            return str(cell)
        case datetime():
            return _local(cell).strftime("%Y-%m-%d %H:%M")
        case date():
            return cell.isoformat()
        case _:
            return neutral(str(cell))


def _local(moment: datetime) -> datetime:
    return moment.astimezone(CHINA) if moment.tzinfo else moment


def _width(text: str) -> int:
    first_line = text.split("\n", 1)[0][:80]
    return sum(2 if ord(letter) > 0x2E7F else 1 for letter in first_line)


def _sheet_name(title: str, part: int, used: set[str]) -> str:
    base = _BAD_IN_SHEET_NAME.sub(" ", _UNPRINTABLE.sub("", title)).strip()[:24] or "表"
    for suffix in _suffixes(part):
        name = f"{base}{suffix}"
        if name.lower() not in used:
            used.add(name.lower())
            return name
    raise AssertionError("the suffixes never end")


def _suffixes(part: int) -> Iterator[str]:
    yield "" if part == 1 else f" ({part})"
    number = part + 1
    while True:
        yield f" ({number})"
        number += 1
