"""CSV and other separated text. Clauses C3 and C5."""

import codecs
import csv
import io
from collections.abc import Iterator
from itertools import chain

from ingest.importers.headers import SEARCHED_ROWS, HeaderFinder
from ingest.importers.report import Rejected
from ingest.importers.tables import Row, Table
from ingest.importers.text import DAMAGED, is_misread, reading_order, split_bom

SEPARATORS = ",;\t"
_HEAD = 65_536
_PIECE = 1 << 20
END = ("\x00end of file\x00",)
"""The row after the last: a table that ends without it was cut inside a quote."""

csv.field_size_limit(2**31 - 1)


def read_delimited(data: bytes, finder: HeaderFinder) -> Table:
    """Return the table of a separated text file. Raises Rejected: bad_encoding, no_header, corrupt (while read)."""
    marked, body = split_bom(data)
    unknown: list[tuple[str, str]] = []  # readings that are possible, but show no header
    for encoding, errors in reading_order(marked):
        try:
            head = _decode_head(body, encoding, errors)
        except UnicodeDecodeError:
            continue
        found = [(finder.find(_top_rows(head, separator)), separator) for separator in SEPARATORS]
        known = [(len(header.columns), -SEPARATORS.index(mark), mark) for header, mark in found if header]
        if errors == "strict":
            if not _is_valid(body, encoding):
                continue
            unknown.append((encoding, head))
        if known:
            return Table("", _rows(body, encoding, errors, max(known)[2]), end=END)
    if not unknown or any(_is_damaged(head, finder) for _, head in unknown):
        raise Rejected("bad_encoding", "无法识别文字编码，请另存为 UTF-8 或 GB18030 后再导入")
    _, head = unknown[0]
    widest = max(SEPARATORS, key=lambda mark: max(map(len, _top_rows(head, mark)), default=0))
    return Table("", [list(row) for row in _top_rows(head, widest)])  # to show what stands where a header should


def _is_damaged(head: str, finder: HeaderFinder) -> bool:
    """True when a possible reading shows text lost before, UTF-16 without its mark, or Chinese misread and saved."""
    if DAMAGED.search(head) or head.count("\x00") * 50 > len(head):
        return True
    return is_misread(head, lambda text: _shows(text, finder))


def _decode_head(body: bytes, encoding: str, errors: str) -> str:
    """Return the first characters; a character cut at the end of the piece is left out."""
    piece = body[:_HEAD]
    return codecs.getincrementaldecoder(encoding)(errors).decode(piece, final=len(piece) == len(body))


def _is_valid(body: bytes, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        for start in range(0, len(body), _PIECE):
            decoder.decode(body[start : start + _PIECE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _shows(text: str, finder: HeaderFinder) -> bool:
    return any(finder.find(_top_rows(text, separator)) is not None for separator in SEPARATORS)


def _top_rows(text: str, separator: str) -> list[list[str]]:
    """Return the first rows without judging quotes."""
    rows: list[list[str]] = []
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
        rows.append([cell.replace("\x00", "") for cell in row])
        if len(rows) >= SEARCHED_ROWS:
            break
    return rows


def _rows(body: bytes, encoding: str, errors: str, separator: str) -> Iterator[Row]:
    """Return an iterator of all rows, and after them the row END: an open quote would have swallowed it."""
    lines = io.TextIOWrapper(io.BytesIO(body), encoding, errors, newline="")
    return csv.reader(chain(lines, END), delimiter=separator)  # type: ignore[return-value]
