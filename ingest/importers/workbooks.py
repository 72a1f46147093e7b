"""XLSX and XLS sheets. Values come from calamine; what it does not tell (formulas without a value, error cells,
the date epoch) from the parts themselves. Nothing is evaluated or fetched. Clause C7."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any

import python_calamine as calamine
from lxml import etree

from ingest.importers.archives import open_archive
from ingest.importers.headers import SEARCHED_ROWS, Merge
from ingest.importers.markup import check_part, looks_like_xml
from ingest.importers.ole import read_ole
from ingest.importers.report import Rejected
from ingest.importers.tables import MAX_COLUMNS, MAX_ROWS, Row, Table
from ingest.importers.values import OddCell

_MAX_CELLS = 16_000_000  # a stray cell far away makes a dense sheet of empty ones; beyond this it is refused
_SMALL_PART = 4 * 1024 * 1024
_FILLED_CELL = re.compile(
    rb"""<(?:\w+:)?c\s(?:[^>]*?\s)?r=["']([A-Z]{1,4})([0-9]{1,8})["'][^>]*(?<!/)>\s*<(?:\w+:)?(?:v|is|f)\b"""
)
_ROW = re.compile(rb"""<(?:\w+:)?row\s(?:[^>]*?\s)?r=["']([0-9]{1,9})["']""")
_ODD_MARKS = (b"<f", b":f", b't="e"', b"t='e'")

CellPlace = tuple[int, int]


def is_workbook(entries: dict[str, bytes]) -> bool:
    """True when the entries of an archive are those of an XLSX workbook."""
    return "[Content_Types].xml" in entries and any(name.lower().endswith("xl/workbook.xml") for name in entries)


def read_xlsx(data: bytes, warnings: Counter[str]) -> Iterator[Table]:
    """Yield the visible sheets of an XLSX file.

    Raises Rejected: corrupt, encrypted, unsafe_archive, too_large_expanded, xml_forbidden, type_mismatch.
    """
    entries = open_archive(data)
    for name, body in entries.items():
        if looks_like_xml(name, body):
            check_part(body)
    if not is_workbook(entries):
        if "[Content_Types].xml" not in entries and "xl/workbook.xml" not in entries:
            raise Rejected("type_mismatch", "这是压缩包，不是表格文件")
        if any(name.startswith("xl/") for name in entries) and not any(n.startswith("xl/workbook") for n in entries):
            raise Rejected("corrupt", "工作簿缺少必需的部件")
        raise Rejected("type_mismatch", "不是 Excel 工作簿")
    if b"macroEnabled" in entries["[Content_Types].xml"]:
        raise Rejected("unsafe_archive", "文件含宏，请另存为不含宏的 .xlsx")
    parts = _sheet_parts(entries)
    odd = {number: _odd_cells(body) for number, body in enumerate(parts) if any(mark in body for mark in _ODD_MARKS)}
    for body in parts:
        _check_extent(body)
    epoch_1904 = re.search(rb"""date1904=["'](?:1|true)["']""", entries.get("xl/workbook.xml", b"")) is not None
    del entries
    yield from _sheets(data, warnings, odd, epoch_1904)


def read_xls(data: bytes, warnings: Counter[str]) -> Iterator[Table]:
    """Yield the visible sheets of an old binary workbook. Raises Rejected: corrupt, encrypted, type_mismatch."""
    workbook = read_ole(data)
    odd = [{place: OddCell(reason, lost=True) for place, reason in cells.items()} for cells in workbook.odd_cells]
    yield from _sheets(data, warnings, dict(enumerate(odd)), workbook.epoch_1904)


def _sheets(
    data: bytes, warnings: Counter[str], odd: dict[int, dict[CellPlace, OddCell]], epoch_1904: bool
) -> Iterator[Table]:
    try:
        book = calamine.CalamineWorkbook.from_filelike(BytesIO(data))
        sheets = book.sheets_metadata
    except calamine.PasswordError as locked:
        raise Rejected("encrypted", "文件有密码，请去除密码后再导入") from locked
    except Exception as broken:
        raise Rejected("corrupt", "工作簿无法读取") from broken
    for index, sheet in enumerate(sheets):
        if sheet.typ != calamine.SheetTypeEnum.WorkSheet:
            continue
        if sheet.visible != calamine.SheetVisibleEnum.Visible:
            warnings["hidden_sheet"] += 1
            continue
        try:
            opened = book.get_sheet_by_index(index)
            yield _table(opened, odd.get(index, {}), epoch_1904)
        except calamine.CalamineError as broken:
            raise Rejected("corrupt", f"工作表 {sheet.name} 无法读取") from broken


def _table(sheet: Any, odd: dict[CellPlace, OddCell], epoch_1904: bool) -> Table:
    merges = [Merge(first[0], first[1], last[0], last[1]) for first, last in sheet.merged_cell_ranges or ()]
    _, left = sheet.start or (0, 0)
    rows: Iterator[Row] = iter(sheet.iter_rows())
    if left:  # the reader leaves out the blank columns before the first
        margin: Row = [""] * left
        rows = (margin + row for row in rows)
    if odd:
        rows = _with_odd(rows, odd)
    if down := [merge for merge in merges if merge.bottom > merge.top]:
        rows = _filled(rows, down)
    return Table(sheet.name, rows, merges=merges, epoch_1904=epoch_1904)


def _with_odd(rows: Iterator[Row], odd: dict[CellPlace, OddCell]) -> Iterator[Row]:
    by_row: dict[int, list[tuple[int, OddCell]]] = {}
    for (place, column), cell in odd.items():
        by_row.setdefault(place, []).append((column, cell))
    for number, row in enumerate(rows):
        for column, cell in by_row.get(number, ()):
            if column < len(row):
                row[column] = cell
        yield row


def _filled(rows: Iterator[Row], merges: Sequence[Merge]) -> Iterator[Row]:
    """Yield the rows with the value of a vertical merge in each of its rows; a row with nothing else stays blank."""
    starts: dict[int, list[Merge]] = {}
    for merge in merges:
        starts.setdefault(merge.top, []).append(merge)
    active: list[tuple[Merge, Any]] = []
    for number, row in enumerate(rows):
        active = [item for item in active if item[0].bottom >= number]
        if active and any(cell != "" for cell in row):
            for merge, value in active:
                if merge.left < len(row) and row[merge.left] == "":
                    row[merge.left] = value
        for merge in starts.get(number, ()):
            if merge.left < len(row):
                active.append((merge, row[merge.left]))
        yield row


def _sheet_parts(entries: dict[str, bytes]) -> list[bytes]:
    """Return the XML of each sheet in the book's order, empty where there is none."""
    try:
        relations = etree.fromstring(entries.get("xl/_rels/workbook.xml.rels", b"<none/>"), _parser())
        targets = {str(r.get("Id")): str(r.get("Target")) for r in relations}
        workbook = etree.fromstring(entries["xl/workbook.xml"], _parser())
    except (etree.XMLSyntaxError, KeyError) as broken:
        raise Rejected("corrupt", "工作簿部件损坏") from broken
    parts = []
    for sheet in workbook.iter("{*}sheet"):
        name = next((str(value) for key, value in sheet.attrib.items() if str(key).endswith("}id")), "")
        target = targets.get(name, "")
        path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        parts.append(entries.get(path, b""))
    return parts


def _parser() -> Any:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


def _odd_cells(part: bytes) -> dict[CellPlace, OddCell]:
    """Return the cells of a sheet that hold an error, or a formula whose value was never saved."""
    found: dict[CellPlace, OddCell] = {}
    try:
        row, column = -1, -1  # a row or cell without its number stands after the one before
        for event, cell in etree.iterparse(
            BytesIO(part), events=("start", "end"), tag=("{*}row", "{*}c"),
            resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True,
        ):  # fmt: skip
            if event == "start":
                if etree.QName(cell).localname == "row":
                    number = cell.get("r") or ""
                    row, column = int(number) - 1 if number.isdecimal() and len(number) < 9 else row + 1, -1
                continue
            if etree.QName(cell).localname == "row":
                cell.clear()
                continue
            formula, value = cell.find("{*}f"), cell.findtext("{*}v")
            row, column = place = _place(cell.get("r") or "") or (row, column + 1)
            if cell.get("t") == "e":
                found[place] = OddCell("error_cell", value or "", lost=True)
            elif formula is not None and not value and cell.get("t") != "str":
                found[place] = OddCell("formula_no_value", f"={formula.text or ''}"[:200], lost=True)
            cell.clear()
    except etree.XMLSyntaxError as broken:
        raise Rejected("corrupt", "工作表部件损坏") from broken
    return found


def _check_extent(part: bytes) -> None:
    """Refuse a sheet whose used range is too large, before a reader makes room for all of it."""
    if len(part) < _SMALL_PART:
        cells = _FILLED_CELL.findall(part)
        rows = max((int(row) for _, row in cells), default=0)
        width = max(map(_column_number, {letters for letters, _ in cells}), default=0)
    else:  # the width of a large sheet is checked row by row
        rows, width = max(map(int, _ROW.findall(part)), default=0), 1
    if width > MAX_COLUMNS:
        raise Rejected("limit_exceeded", f"超过 {MAX_COLUMNS} 列")
    if rows > MAX_ROWS + SEARCHED_ROWS or rows * width > _MAX_CELLS:
        raise Rejected("limit_exceeded", f"超过 {MAX_ROWS:,} 行或区域过大")


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _place(reference: str) -> CellPlace | None:
    found = re.fullmatch(r"([A-Z]{1,3})([0-9]{1,7})", reference)
    return (int(found[2]) - 1, _column_number(found[1].encode()) - 1) if found else None
