"""CSV and other separated text. Clauses C3 and C5."""

import csv
import io
from collections.abc import Iterator

from ingest.importers.headers import SEARCHED_ROWS, HeaderFinder
from ingest.importers.report import Rejected
from ingest.importers.tables import Row, Table
from ingest.importers.text import DAMAGED, is_misread, readings

SEPARATORS = ",;\t"
_HEAD = 65_536
_END = "\x00end of file\x00"

csv.field_size_limit(2**31 - 1)


def read_delimited(data: bytes, finder: HeaderFinder) -> Table:
    """Return the table of a separated text file. Raises Rejected: bad_encoding, no_header, corrupt (while read)."""
    strict_reading = False
    damaged_header = False
    text = ""
    for _, errors, text in readings(data):
        strict_reading = strict_reading or errors == "strict"
        best: tuple[int, int, str] | None = None
        for order, separator in enumerate(SEPARATORS):
            top = _top_rows(text, separator)
            header = finder.find(top)
            if header is None:
                damaged_header = damaged_header or any(DAMAGED.search(cell) for row in top for cell in row)
                continue
            score = (len(header.columns), -order, separator)
            best = max(best, score) if best else score
        if best:
            return Table("", _rows(text, best[2]))
    if not strict_reading or damaged_header or is_misread(text[:_HEAD], lambda t: _shows(t, finder)):
        raise Rejected("bad_encoding", "无法识别文字编码，请另存为 UTF-8 或 GB18030 后再导入")
    raise Rejected("no_header", f"前 {SEARCHED_ROWS} 行中没有可识别的表头")


def _shows(text: str, finder: HeaderFinder) -> bool:
    return any(finder.find(_top_rows(text, separator)) is not None for separator in SEPARATORS)


def _top_rows(text: str, separator: str) -> list[list[str]]:
    """Return the first rows without judging quotes."""
    rows: list[list[str]] = []
    lines = io.StringIO(text[:_HEAD], newline="")
    for row in csv.reader(lines, delimiter=separator):
        rows.append([cell.replace("\x00", "") for cell in row])
        if len(rows) >= SEARCHED_ROWS:
            break
    return rows


def _rows(text: str, separator: str) -> Iterator[Row]:
    """Yield all rows; an open quote at the end of the file means that it was cut."""
    lines = _closed_lines(text)
    previous: list[str] | None = None
    for row in csv.reader(lines, delimiter=separator):
        if previous is not None:
            yield previous  # type: ignore[misc]
        previous = row
    if previous != [_END]:
        raise Rejected("corrupt", "文件不完整：引号没有结束")


def _closed_lines(text: str) -> Iterator[str]:
    yield from io.StringIO(text, newline="")
    if text and text[-1] not in "\r\n":
        yield "\n"
    yield _END
