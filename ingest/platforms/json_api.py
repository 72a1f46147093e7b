"""Interfaces that answer with records: JSON, or XML of the same shape.

Which field is what stands in the source's yml under `select`:

    records: data.list            where the records are; empty: the answer itself
    id, title, date, link:        one field each
    text: [Description, "Hazards[].Name"]   fields that make the text, each on its line
    keep: {field: regex}          only records that match
    record: {column: field}       columns of the typed record (recalls)
    mentions: {producer: field}   names, by role
    hazards: field                values translated by `lookups: {hazards: …}`
    ignore: [fields]              known and not taken
    page_param: name              the query parameter that counts pages, if the interface pages

A field may be a path: `A.B` an object's member, `A[].B` that member of each in a list.
"""

import json
import re
from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from lxml import etree

from ingest.importers.published import as_record
from ingest.platforms.feed import parse_xml, plain, read_moment
from ingest.platforms.html import absolute, decode, parse, refuse_walls, text_of
from ingest.platforms.page import Item, Link, NotContent, Page, Parsed
from ingest.source import SourceSpec

MAX_RECORDS = 50_000
_EMPTY = frozenset({"", "-", "--", "—", "——", "/", "无", "N/A", "n/a", "null", "None", "Unknown", "unknown"})


def read(page: Page, spec: SourceSpec) -> Parsed:
    """Read one answer. Raises `NotContent`."""
    records = _records(page, spec)
    items: list[Item] = []
    surplus: set[str] = set()
    columns: set[str] = set()
    skipped = {"bad_record": 0, "no_key": 0, "no_title": 0, "off_topic": 0}
    newest: date | None = None
    expected = _named_fields(spec)
    for record in records[:MAX_RECORDS]:
        if not isinstance(record, dict):
            skipped["bad_record"] += 1
            continue
        columns.update(record)
        surplus.update(name for name in record if name not in expected)
        published = read_moment(_one(record, spec.select.get("date")))
        newest = max((day for day in (newest, published) if day), default=None)
        if not _is_wanted(record, spec):
            skipped["off_topic"] += 1
            continue
        key, title = _one(record, spec.select.get("id")), _one(record, spec.select.get("title"))
        if not key or not title:
            skipped["no_title" if key else "no_key"] += 1
            continue
        items.append(_item(record, key, title, published, page, spec, surplus))
    links = _next_page(page, spec) if records else ()
    return Parsed(
        items=tuple(items),
        links=links,
        listed=len(records),
        newest_on=newest,
        columns=tuple(sorted(columns)),
        surplus=tuple(sorted(surplus)),
        skipped={reason: count for reason, count in skipped.items() if count},
    )


def _item(
    record: Mapping[str, Any],
    key: str,
    title: str,
    published: date | None,
    page: Page,
    spec: SourceSpec,
    surplus: set[str],
) -> Item:
    select = spec.select
    lines = [value for path in _list(select.get("text")) for value in values_at(record, path)]
    payload: dict[str, Any] = {}
    if hazards := select.get("hazards"):
        known = spec.lookups.get("hazards", {})
        said = [part.strip() for value in values_at(record, hazards) for part in re.split(r"[,;/]| - ", value)]
        payload["hazards"] = sorted({known[value] for value in said if known.get(value)})
        surplus.update(f"hazards:{value}" for value in said if value and value not in known)
    columns: dict[str, Any] = {
        column: number_in(_one(record, path)) if column == "units" else _one(record, path) or None
        for column, path in (select.get("record") or {}).items()
    }
    mentions = tuple(
        {"role": role, "text": name}
        for role, path in (select.get("mentions") or {}).items()
        for name in dict.fromkeys(values_at(record, path))
    )
    return Item(
        external_id=key[:500],
        title=title[:500],
        text="\n".join(dict.fromkeys(line for line in lines if line)) or title,
        published_on=published,
        url=absolute(page.url, _one(record, select.get("link"))),
        record_kind="recall" if spec.channel == "recall" else None,
        record={**_fixed(spec), **columns} if spec.channel == "recall" else {},
        mentions=mentions,
        payload=payload,
    )


def _fixed(spec: SourceSpec) -> dict[str, Any]:
    """Columns that are the same for every record of a source."""
    return dict(spec.select.get("always") or {})


def _records(page: Page, spec: SourceSpec) -> list[Any]:
    text = decode(page.body, page.content_type).strip()
    if not text:
        raise NotContent("empty", "接口返回为空")
    if text.startswith("<"):
        return _records_of_xml(page, spec)
    try:
        content = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as failure:
        raise NotContent("wrong_type", "接口返回的 JSON 不完整或有错") from failure
    for step in filter(None, str(spec.select.get("records") or "").split(".")):
        if not isinstance(content, dict) or step not in content:
            raise NotContent("layout", f"接口返回中没有 {step}，格式可能已改")
        content = content[step]
    if not isinstance(content, list):
        raise NotContent("layout", "接口返回的不是记录清单，格式可能已改")
    return content


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _records_of_xml(page: Page, spec: SourceSpec) -> list[Any]:
    if page.body[:300].lower().lstrip().startswith((b"<!doctype html", b"<html")):
        tree = parse(page.body, page.content_type)
        refuse_walls(tree, text_of(tree))
        raise NotContent("wrong_type", "接口返回的是网页，不是数据")
    root = parse_xml(page)
    name = str(spec.select.get("records") or "").split(".")[-1]
    found = [node for node in root.iter() if isinstance(node.tag, str) and etree.QName(node).localname == name]
    if not found:
        raise NotContent("layout", f"返回的 XML 中没有 {name}，格式可能已改")
    return [as_record(node) for node in found]


def values_at(record: Any, path: str) -> list[str]:
    """Return the texts at `path`, blanks and dashes left out; a missing step gives none."""
    found = [record]
    for step in path.split("."):
        name = step.removesuffix("[]")
        reached = [one.get(name) for one in found if isinstance(one, dict)]
        found = [each for one in reached for each in (one if isinstance(one, list) else [one])]
    texts = (
        plain(_clean(str(one))) for one in found if isinstance(one, str | int | float) and not isinstance(one, bool)
    )
    return [text for text in texts if text not in _EMPTY]


def _clean(text: str) -> str:
    return text.replace("\u200b", "").replace("\ufeff", "").replace("\xa0", " ").strip()


def _one(record: Any, path: Any) -> str:
    found = values_at(record, str(path)) if path else []
    return found[0] if found else ""


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [str(one) for one in value or ()]


def _is_wanted(record: Mapping[str, Any], spec: SourceSpec) -> bool:
    return all(
        any(re.search(pattern, value) for value in values_at(record, path))
        for path, pattern in (spec.select.get("keep") or {}).items()
    )


def _named_fields(spec: SourceSpec) -> frozenset[str]:
    """The top-level fields the yml speaks of, taken or ignored."""
    select = spec.select
    paths = [select.get(name) for name in ("id", "title", "date", "link", "hazards")]
    paths += [*_list(select.get("text")), *_list(select.get("ignore")), *(select.get("keep") or {})]
    paths += [*(select.get("record") or {}).values(), *(select.get("mentions") or {}).values()]
    return frozenset(re.split(r"[.\[]", str(path))[0] for path in paths if path)


def number_in(text: str) -> int | None:
    """Return the first whole number in free text ("About 3,200", "8616件"), or None."""
    found = re.search(r"\d[\d,]*", text)
    number = int(found.group().replace(",", "")) if found else None
    return number if number is not None and number < 2**31 else None


def _next_page(page: Page, spec: SourceSpec) -> tuple[Link, ...]:
    name = spec.select.get("page_param")
    if not name:
        return ()
    parts = urlsplit(page.url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    current = query.get(str(name), "1")
    query[str(name)] = str(int(current) + 1 if current.isdigit() else 2)
    return (Link(urlunsplit(parts._replace(query=urlencode(query))), "list"),)
