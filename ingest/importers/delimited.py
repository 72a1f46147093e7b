"""CSV and other separated text. Clauses C3 and C5.

A file is read in blocks of lines. Where no cell of a block is quoted, which is nearly everywhere, its columns are cut
out of the text at once; only the other blocks go through the csv module row by row.
"""

import codecs
import csv
import io
from collections.abc import Iterator
from itertools import chain
from typing import Any

from ingest.importers.headers import SEARCHED_ROWS, HeaderFinder
from ingest.importers.report import Rejected
from ingest.importers.tables import Columns, Row, Table
from ingest.importers.text import DAMAGED, is_misread, is_plain, reading_order, split_bom

SEPARATORS = ",;\t"
_HEAD = 65_536
_PIECE = 1 << 15
_LINE_END = "␤"  # stands for a line's end while it is cut, for it is a printable mark
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
            blocks = _blocks(_decoded(body, encoding, errors), max(known)[2])
            first = next(blocks)
            return Table("", first.rows() if isinstance(first, Columns) else first, blocks=blocks, end=END)
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
    try:
        for _ in _decoded(body, encoding, "strict"):
            pass
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


def _decoded(body: bytes, encoding: str, errors: str) -> Iterator[str]:
    """Yield the text in pieces small enough to stay in the processor's cache until their cells were read."""
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    for start in range(0, len(body), _PIECE):
        yield decoder.decode(body[start : start + _PIECE])
    yield decoder.decode(b"", final=True)


def _blocks(pieces: Iterator[str], separator: str) -> Iterator[Columns | list[Row]]:
    """Yield all rows, and after them the row END: an open quote would have swallowed it."""
    held, enough = "", 0
    waiting: list[str] = []
    for piece in pieces:
        waiting.append(piece)
        if sum(map(len, waiting)) < enough:
            continue
        held = "".join(waiting)
        cut = 1 + max(held.rfind("\n"), held.rfind("\r", 0, -1))  # a last \r may be half of an \r\n
        block = _block(held[:cut], separator) if cut else None
        if block is None:  # no row ends here: look again when there is twice as much
            waiting, enough = [held], 2 * len(held)
            continue
        yield block
        waiting, enough = [held[cut:]], 0
    yield _csv_rows("".join(waiting), separator)


def _block(text: str, separator: str) -> Columns | list[Row] | None:
    """Return the rows of whole lines; None when a quoted cell goes on after them."""
    if '"' not in text and (columns := _columns(text.replace("\r\n", "\n"), separator)):
        return columns
    rows = _csv_rows(text, separator)
    return rows if rows.pop() == list(END) else None


def _columns(text: str, separator: str) -> Columns | None:
    """Return the cells of lines without quotes; None when the lines or their text are not all alike and plain."""
    lines = text.count("\n")
    width = text.count(separator, 0, text.find("\n")) + 1
    if _LINE_END in text or "\n" + separator * (width - 1) + "\n" in "\n" + text:  # an empty row
        return None
    marked = text.replace("\n", separator + _LINE_END + separator)
    if not is_plain(marked if separator.isprintable() else marked.replace(separator, "")):
        return None
    cells = marked.split(separator)
    cells.pop()
    if len(cells) != lines * (width + 1) or cells[width :: width + 1].count(_LINE_END) != lines:
        return None
    stripped = " " not in marked or not (marked[0] == " " or separator + " " in marked or " " + separator in marked)
    return Columns([cells[at :: width + 1] for at in range(width)], stripped)


def _csv_rows(text: str, separator: str) -> list[Any]:
    return list(csv.reader(chain(io.StringIO(text, newline=""), END), delimiter=separator))
