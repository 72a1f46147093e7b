"""RSS, Atom and sitemaps: one document, many items.

A feed gives its items at once; a sitemap gives addresses, which are read as details the way notices are. Under
`select` a yml may set `follow: true` to fetch each item's page instead of trusting the feed's summary.
"""

from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime

from lxml import etree

from ingest.platforms import listing_notice
from ingest.platforms.html import absolute, decode, find_date, parse, refuse_walls, text_of
from ingest.platforms.page import Item, Link, NotContent, Page, Parsed
from ingest.source import SourceSpec
from store.china_time import CHINA

MAX_ENTRIES = 5_000
_KNOWN_FIELDS = (
    "title link guid id pubdate published updated date description summary content encoded source author creator"
    " category comments enclosure rights contributor thumbnail group image modified issued"
)
_KNOWN = frozenset(_KNOWN_FIELDS.split())


def read(page: Page, spec: SourceSpec) -> Parsed:
    """Read a feed, a sitemap, or a page one of them led to. Raises `NotContent`."""
    if page.kind == "detail":
        return listing_notice.read(page, spec)
    root = parse_xml(page)
    name = _name(root)
    if name in ("urlset", "sitemapindex"):
        return _read_sitemap(root, page, name)
    if name not in ("rss", "feed", "rdf"):
        raise NotContent("wrong_type", f"不是 RSS、Atom 或站点地图（根元素 {name[:30]}）")
    return _read_feed(root, page, spec)


def parse_xml(page: Page) -> etree._Element:
    """Return the document's root. Raises `NotContent`; a document type or an entity is refused, in any encoding."""
    body = page.body.strip()
    if not body:
        raise NotContent("empty", "内容为空")
    if body[:200].lstrip().lower().startswith((b"<!doctype html", b"<html")):
        tree = parse(page.body, page.content_type)
        refuse_walls(tree, text_of(tree))
        raise NotContent("wrong_type", "返回的是网页，不是数据")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=False)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        root = _parse_leniently(page, parser)
    if root.getroottree().docinfo.internalDTD is not None:
        raise NotContent("wrong_type", "XML 含有文档类型声明，已拒绝")
    return root


def _parse_leniently(page: Page, parser: etree.XMLParser) -> etree._Element:
    """Read a feed whose declared encoding is wrong: decode it ourselves and drop the declaration."""
    text = decode(page.body, page.content_type).lstrip("\ufeff \r\n\t")
    if text.startswith("<?xml"):
        text = text[text.find("?>") + 2 :].lstrip()
    text = "".join(character for character in text if character >= " " or character in "\t\n\r")
    try:
        return etree.fromstring(text.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError) as failure:
        raise NotContent("wrong_type", "XML 不完整或有错") from failure


def _read_feed(root: etree._Element, page: Page, spec: SourceSpec) -> Parsed:
    entries = [node for node in root.iter() if _name(node) in ("item", "entry")][:MAX_ENTRIES]
    items: list[Item] = []
    links: list[Link] = []
    surplus: set[str] = set()
    skipped = {"no_title": 0, "no_key": 0}
    newest = None
    for entry in entries:
        fields = _fields(entry)
        surplus.update(name for name in fields if name not in _KNOWN)
        title = plain(_first(fields, "title"))
        if not title:
            skipped["no_title"] += 1
            continue
        url = absolute(page.url, _link(entry, fields))
        key = _first(fields, "guid", "id") or url
        if not key:
            skipped["no_key"] += 1
            continue
        published = read_moment(_first(fields, "pubdate", "published", "issued", "date", "updated", "modified"))
        if published and (newest is None or published > newest):
            newest = published
        if spec.select.get("follow") and url:
            links.append(Link(url, "detail", {"title": title, "date": published.isoformat() if published else None}))
            continue
        text = plain(_first(fields, "encoded", "content", "description", "summary")) or title
        outlet = plain(_first(fields, "source")) or None
        payload = {"outlet": outlet} if outlet else {}
        trust = spec.looked_up("trust", f"{_first(fields, 'category')} {outlet or ''}")
        items.append(Item(key[:500], title[:500], text, published, url, trust=trust, payload=payload))
    return Parsed(
        items=tuple(items),
        links=tuple(links),
        listed=len(entries),
        newest_on=newest,
        surplus=tuple(sorted(surplus)),
        skipped={reason: count for reason, count in skipped.items() if count},
    )


def _read_sitemap(root: etree._Element, page: Page, name: str) -> Parsed:
    links: list[Link] = []
    newest = None
    for entry in list(root)[:MAX_ENTRIES]:
        fields = _fields(entry)
        url = absolute(page.url, _first(fields, "loc"))
        if url is None or not listing_notice.same_site(url, page.url):
            continue
        changed = read_moment(_first(fields, "lastmod"))
        newest = max((day for day in (newest, changed) if day), default=None)
        kind = "list" if name == "sitemapindex" else "detail"
        links.append(Link(url, kind, {"date": changed.isoformat() if changed else None}))
    if not links:
        raise NotContent("layout", "站点地图中没有地址")
    return Parsed(links=tuple(links), listed=len(links), newest_on=newest)


def read_moment(text: str) -> date | None:
    """Return the day in China of an RFC 822 or ISO 8601 moment, or of any date the text holds."""
    moment: datetime | None = None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError):
            return find_date(text)
    if moment.tzinfo is None:
        return moment.date()
    return moment.astimezone(UTC).astimezone(CHINA).date()


def _fields(entry: etree._Element) -> dict[str, str]:
    """Return the entry's fields by local name in lower case; the first of several wins."""
    fields: dict[str, str] = {}
    for child in entry:
        name = _name(child)
        if name:
            fields.setdefault(name, "".join(map(str, child.itertext())).strip())
    return fields


def _first(fields: dict[str, str], *names: str) -> str:
    return next((fields[name] for name in names if fields.get(name)), "")


def _link(entry: etree._Element, fields: dict[str, str]) -> str | None:
    for child in entry:
        if _name(child) == "link" and child.get("href") and child.get("rel", "alternate") == "alternate":
            return str(child.get("href"))
    guid = fields.get("guid", "")
    return fields.get("link") or (guid if guid.startswith("http") else None)


def plain(value: str) -> str:
    """Return a field's text without mark-up; feeds put HTML into their summaries."""
    if "<" not in value and "&" not in value:
        return value.strip()
    try:
        return text_of(parse(f"<div>{value}</div>".encode("utf-8", "replace")))
    except NotContent:
        return value.strip()


def _name(node: etree._Element) -> str:
    return str(etree.QName(node).localname).lower() if isinstance(node.tag, str) else ""
