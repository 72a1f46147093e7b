"""CSV and other separated text. Clauses C3 and C5.

A file is read in blocks of lines. Where no cell of a block is quoted, which is nearly everywhere, its columns are cut
out of the text at once; only the other blocks go through the csv module row by row.
"""

import codecs
import csv
import io
from collections import deque
from collections.abc import Iterator
from itertools import chain
from sys import getsizeof
from typing import Any

from ingest.importers.headers import SEARCHED_ROWS, HeaderFinder
from ingest.importers.report import Rejected
from ingest.importers.tables import Columns, Row, Table
from ingest.importers.text import DAMAGED, is_misread, is_plain, reading_order, split_bom

SEPARATORS = ",;\t"
MIB = 1024 * 1024
_HEAD = 65_536
_PIECE = 16_000
_MOST_HELD = 288 * MIB  # of a file's bytes and its text; the reading process may have half as much again
_LINE_END = "¶"  # stands for a line's end while the text is cut: a printable mark, and no more than a byte
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
        text = _Text(body, encoding, errors)
        if errors == "strict":
            if not text.is_valid():
                continue
            unknown.append((encoding, head))
        if known:
            blocks = _blocks(text.pieces(), max(known)[2])
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


class _Text:
    """The text of a file. What was decoded to see whether all of it can be is kept, as far as memory goes."""

    def __init__(self, body: bytes, encoding: str, errors: str) -> None:
        self._body = body
        self._decoder = codecs.getincrementaldecoder(encoding)(errors)
        self._kept: deque[str] = deque()
        self._resume = (0, self._decoder.getstate())

    def is_valid(self) -> bool:
        """True when the whole can be decoded; asked at most once, before the pieces are taken."""
        room = _MOST_HELD - len(self._body)
        try:
            for end, piece in self._decode(0):
                room -= getsizeof(piece)
                if room > 0:
                    self._kept.append(piece)
                    self._resume = (end, self._decoder.getstate())
        except UnicodeDecodeError:
            return False
        return True

    def pieces(self) -> Iterator[str]:
        """Yield the text in pieces so small that the processor's cache holds their cells while they are read."""
        start, state = self._resume
        while self._kept:
            yield from _small(self._kept.popleft())
        self._decoder.setstate(state)
        for _, piece in self._decode(start):
            yield from _small(piece)

    def _decode(self, start: int) -> Iterator[tuple[int, str]]:
        body = memoryview(self._body)
        for at in range(start, len(body), MIB):
            end = at + MIB
            yield end, self._decoder.decode(body[at:end], final=end >= len(body))


def _small(text: str) -> Iterator[str]:
    return (text[at : at + _PIECE] for at in range(0, len(text), _PIECE))


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
    if '"' not in text and (columns := _columns(text, separator)):
        return columns
    rows = _csv_rows(text, separator)
    return rows if rows.pop() == list(END) else None


def _columns(text: str, separator: str) -> Columns | None:
    """Return the cells of lines without quotes; None when the lines or their text are not all alike and plain."""
    end = "\r\n" if text.endswith("\r\n") else "\n"
    lines = text.count(end)
    width = text.count(separator, 0, text.find(end)) + 1
    empty = end + separator * (width - 1) + end
    if _LINE_END in text or text.startswith(empty[len(end) :]) or empty in text:
        return None
    marked = text.replace(end, separator + _LINE_END + separator)
    if not is_plain(marked if separator.isprintable() else marked.replace(separator, "")):
        return None
    cells = marked.split(separator)
    cells.pop()
    if len(cells) != lines * (width + 1) or cells[width :: width + 1].count(_LINE_END) != lines:
        return None
    stripped = " " not in marked or not (marked[0] == " " or separator + " " in marked or " " + separator in marked)
    return Columns([cells[at :: width + 1] for at in range(width)], stripped, longest=len(text))


def _csv_rows(text: str, separator: str) -> list[Any]:
    return list(csv.reader(chain(io.StringIO(text, newline=""), END), delimiter=separator))
