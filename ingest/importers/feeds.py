"""RSS and Atom. An item becomes a row under the names of its elements. Clauses C1 and C2."""

from typing import Any

from lxml import etree

from ingest.importers.markup import local_name, parse_checked
from ingest.importers.report import Rejected
from ingest.importers.tables import Row, Table

_COLUMNS = ("guid", "title", "link", "published_on", "summary", "author")
_NAMES = {
    "guid": ("guid", "id"),
    "title": ("title",),
    "published_on": ("pubDate", "published", "updated", "date", "issued"),
    "summary": ("description", "summary", "encoded", "content"),
    "author": ("author", "creator"),
}


def is_feed(root_tag: str) -> bool:
    """True for the root element of RSS 2.0, Atom or RSS 1.0."""
    return root_tag in ("rss", "feed", "RDF")


def read_feed(data: bytes) -> Table:
    """Return the items of a feed, item n as row n. Raises Rejected: xml_forbidden, corrupt, type_mismatch."""
    root = parse_checked(data)
    if not is_feed(local_name(root)):
        raise Rejected("type_mismatch", "不是 RSS 或 Atom 订阅")
    rows: list[Row] = [list(_COLUMNS)]
    for element in root.iter():
        if local_name(element) in ("item", "entry"):
            rows.append([_value(element, column) for column in _COLUMNS])
    return Table("", rows, first_row=0)


def _value(item: Any, column: str) -> str:
    if column == "link":
        return _link(item)
    # an element of the feed's own language counts before one of an extension, such as media:title
    own = etree.QName(item).namespace
    children = sorted((child for child in item if local_name(child)), key=lambda c: etree.QName(c).namespace != own)
    for name in _NAMES[column]:
        for child in children:
            if local_name(child) == name and (text := "".join(child.itertext()).strip()):
                return text
    return ""


def _link(item: Any) -> str:
    found = ""
    for child in item:
        if local_name(child) != "link":
            continue
        target = (child.get("href") or child.text or "").strip()
        if target and child.get("rel", "alternate") == "alternate":
            return target
        found = found or target
    return found
