"""Records a foreign authority publishes as XML of its own, such as the weekly file of EU Safety Gate. Clause C2."""

from typing import Any

from lxml import etree

from ingest.importers.kinds import Kind
from ingest.importers.markup import local_name, parse_checked
from ingest.importers.report import Rejected
from ingest.importers.structured import spread, table_of
from ingest.importers.tables import Table


def read_published(data: bytes, kind: Kind) -> Table:
    """Return the records of an XML file as a table, record n as row n; no document type, no entity.

    What stands beside the list of records (the day of a weekly file) is said of each record that does not say it
    itself. Raises Rejected: xml_forbidden, corrupt, nesting_too_deep, type_mismatch.
    """
    root = parse_checked(data)
    names = {layout.element for layout in kind.layouts if layout.element}
    records = [element for element in root.iter() if local_name(element) in names and len(element)]
    if not records:
        raise Rejected("type_mismatch", "XML 中没有可识别的召回记录")
    return table_of(spread(_said_around(element) | as_record(element)) for element in records)


def as_record(node: etree._Element) -> dict[str, Any]:
    """Return an element's children as a record: a leaf is its text, a name that repeats a list."""
    record: dict[str, Any] = {}
    for child in node:
        if not (name := local_name(child)):
            continue
        value: Any = as_record(child) if len(child) else (child.text or "").strip()
        if name in record:
            held = record[name]
            record[name] = [*held, value] if isinstance(held, list) else [held, value]
        else:
            record[name] = value
    return record


def _said_around(element: etree._Element) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for above in element.iterancestors():
        leaves = {local_name(child): (child.text or "").strip() for child in above if not len(child)}
        beside = {str(name): str(text) for name, text in above.attrib.items()} | leaves
        said = {name: text for name, text in beside.items() if name and text} | said
    return said
