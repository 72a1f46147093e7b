"""Tables in HTML pages, and in files that only call themselves .xls. Clause C7."""

from collections.abc import Iterator
from typing import Any

from lxml import etree, html

from ingest.importers.headers import HeaderFinder, Merge
from ingest.importers.report import Rejected
from ingest.importers.tables import Row, Table
from ingest.importers.text import INVISIBLE, readings

MAX_SPAN, MAX_DEPTH = 512, 64
_MAX_CELLS = 4_000_000
_HIDDEN = ("script", "style", "noscript", "template")


def read_html(data: bytes, finder: HeaderFinder) -> list[Table]:
    """Return the tables of a page, each nested one once. Raises Rejected: no_header, nesting_too_deep, bad_encoding."""
    seen = False
    for _, errors, text in readings(data):
        tables = list(_tables(text))
        seen = seen or errors == "strict"
        if any(finder.find(_head(table), table.merges) is not None for table in tables):
            return tables
    if not seen:
        raise Rejected("bad_encoding", "无法识别文字编码")
    raise Rejected("no_header", "网页中没有可识别的表格")


def _head(table: Table) -> list[Row]:
    return list(table.rows)[:20]


def _tables(text: str) -> Iterator[Table]:
    # the parser would end a text at a control character; as an invisible mark it is taken out later, and told
    instead = "\u200b" if text.count("\x00") * 50 < len(text) else ""
    text = INVISIBLE.sub(lambda mark: mark[0] if mark[0] > "\x9f" else instead, text)
    parser = html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, huge_tree=False)
    try:
        root = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return
    _check_depth(root)
    for number, table in enumerate(root.iter("table"), start=1):
        rows, merges, numbers = _grid(table)
        yield Table(f"表{number}", rows, merges=merges, row_numbers=numbers)


def _check_depth(root: Any) -> None:
    depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > MAX_DEPTH:
            raise Rejected("nesting_too_deep", f"嵌套超过 {MAX_DEPTH} 层")


def _grid(table: Any) -> tuple[list[Row], list[Merge], list[int]]:
    """Return the table's own rows with spans expanded; rows of tables inside it are theirs alone."""
    rows: list[Row] = []
    merges: list[Merge] = []
    pending: dict[int, tuple[int, str]] = {}  # column -> rows still covered, value
    cells = 0
    for tr in _own(table, "tr"):
        row: Row = []
        at = 0
        filled = False
        spans = dict(pending)
        for td in _own(tr, ("td", "th")):
            while at in spans:
                row.append(spans[at][1])
                at += 1
            value = _text(td)
            wide, deep = _span(td, "colspan"), _span(td, "rowspan")
            filled = filled or bool(value)
            if deep > 1 or wide > 1:
                merges.append(Merge(len(rows), at, len(rows) + deep - 1, at + wide - 1))
            for _ in range(wide):
                row.append(value)
                if deep > 1:
                    pending[at] = (deep, value)
                at += 1
        while at in spans:
            row.append(spans[at][1])
            at += 1
        pending = {column: (left - 1, value) for column, (left, value) in pending.items() if left > 1}
        if not filled:
            row = [""] * len(row)
        cells += len(row)
        if cells > _MAX_CELLS:
            raise Rejected("limit_exceeded", "表格过大")
        rows.append(row)
    return rows, merges, list(range(1, len(rows) + 1))


def _own(element: Any, tags: str | tuple[str, ...]) -> Iterator[Any]:
    """Yield descendants of these tags that belong to this table, not to one inside it."""
    wanted = (tags,) if isinstance(tags, str) else tags
    for child in element:
        if not isinstance(child.tag, str) or child.tag == "table":
            continue
        if child.tag in wanted:
            yield child
        elif child.tag not in ("td", "th"):
            yield from _own(child, wanted)


def _text(cell: Any) -> str:
    pieces: list[str] = []

    def walk(element: Any) -> None:
        if isinstance(element.tag, str) and element.tag not in (*_HIDDEN, "table"):
            if element.tag in ("br", "p", "div", "li") and pieces:
                pieces.append(" ")
            pieces.append(element.text or "")
            for child in element:
                walk(child)
                pieces.append(child.tail or "")

    walk(cell)
    return " ".join("".join(pieces).split())


def _span(cell: Any, name: str) -> int:
    written = str(cell.get(name) or "1").strip()
    return max(1, min(MAX_SPAN, int(written))) if written.isdigit() and len(written) < 10 else 1
