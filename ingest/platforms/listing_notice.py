"""Notices as SAMR and provincial bureaus publish them: list pages, detail pages, attachments.

Lists are `ul.items li a` or one of its cousins with a date beside each title, and a link to the next page;
details have an `h1`, 发布时间 and the text in `.TRS_Editor` or one of its cousins. A source's yml may name other
selectors under `select`: items, next, title, body, attachments.
"""

import re
from datetime import date
from functools import lru_cache
from pathlib import PurePosixPath
from typing import cast
from urllib.parse import unquote, urlsplit

import lxml.html
from lxml.cssselect import CSSSelector, SelectorError

from ingest.platforms.html import absolute, find_date, find_published, parse, refuse_walls, text_of
from ingest.platforms.page import Item, Link, NotContent, Page, Parsed
from ingest.source import SourceSpec

LIST_ITEMS = (
    "ul.items li, ul.gettonggao li, div.seeList li, div.list-section li, ul.list li, ul.news-list li, div.xxgk_list li"
    ", ul.wztable li, div.default_pgContainer li, table.list-table tr"
)
NEXT_PAGE = "a.pageNext, a.next, a.next-page, li.next a"
BODY = (
    ".TRS_Editor, .trs_editor_view, .Custom_UnionStyle, #zoom, .article-content, .article_con, .bt-content"
    ", .xxgk_content, .view.TRS_UEDITOR, .content, article"
)
TITLE = "h1, .article-title, .xxgk_title, .title"
MAX_LINKS = 500  # one list page never has more; a page that does is a trap


def read(page: Page, spec: SourceSpec) -> Parsed:
    """Read a list or a detail page. Raises `NotContent`."""
    tree = parse(page.body, page.content_type)
    whole = text_of(tree)
    refuse_walls(tree, whole)
    return _read_list(tree, page, spec) if page.kind == "list" else _read_detail(tree, whole, page, spec)


def _read_list(tree: lxml.html.HtmlElement, page: Page, spec: SourceSpec) -> Parsed:
    links: list[Link] = []
    listed, newest, skipped = 0, None, {"no_link": 0, "off_topic": 0}
    relevant = re.compile(spec.relevant) if spec.relevant else None
    seen = set()
    for entry in choose(tree, spec, "items", LIST_ITEMS)[:MAX_LINKS]:
        anchors = entry.xpath(".//a[@href]") if entry.tag != "a" else [entry]
        anchor = next((one for one in anchors if absolute(page.url, one.get("href"))), None)
        if anchor is None:
            skipped["no_link"] += not entry.xpath(".//th")  # a table's own heading is no odd record
            continue
        url = absolute(page.url, anchor.get("href"))
        if url is None or url in seen or not same_site(url, page.url):
            continue
        seen.add(url)
        listed += 1
        title = (anchor.get("title") or text_of(anchor)).strip()
        published = find_date(text_of(entry).replace(title, " ")) or find_date(url)
        if published and (newest is None or published > newest):
            newest = published
        if relevant and not relevant.search(title):
            skipped["off_topic"] += 1
            continue
        meta = {"title": title, "date": published.isoformat() if published else None}
        links.append(Link(url, kind_of(url, spec), meta))
    if not listed:
        raise NotContent("layout", "列表页上没有找到任何条目，版式可能已改")
    for anchor in choose(tree, spec, "next", NEXT_PAGE)[:1]:
        following = absolute(page.url, anchor.get("href") or anchor.get("tagname"))
        if following and following != page.url and same_site(following, page.url):
            links.append(Link(following, "list"))
    return Parsed(
        links=tuple(links),
        listed=listed,
        newest_on=newest,
        skipped={reason: count for reason, count in skipped.items() if count},
    )


def _read_detail(tree: lxml.html.HtmlElement, whole: str, page: Page, spec: SourceSpec) -> Parsed:
    bodies = choose(tree, spec, "body", BODY)
    if not bodies:
        raise NotContent("layout", "详情页上没有找到正文，版式可能已改")
    body = max(bodies, key=lambda one: len(one.text_content()))
    titles = [text_of(one).replace("\n", " ") for one in choose(tree, spec, "title", TITLE)]
    title = next((one for one in titles if one), "") or str(page.meta.get("title") or "")
    if not title:
        raise NotContent("layout", "详情页上没有找到标题，版式可能已改")
    published = find_published(whole) or find_date(str(page.meta.get("date") or "")) or find_date(page.url)
    tables = [
        table for table in body.iter("table") if len(table.xpath(".//tr")) > 1 and not table.xpath("./ancestor::table")
    ]
    level = spec.looked_up("level", title)
    item = Item(
        external_id=page.url,
        title=title[:500],
        text=text_of(body, tables=False),
        published_on=published,
        url=page.url,
        payload={"level": level} if level else {},
        tables=tuple(lxml.html.tostring(table, encoding="unicode", with_tail=False) for table in tables),
    )
    return Parsed(items=(item,), links=tuple(_attachments(tree, page, spec, published)))


def _attachments(tree: lxml.html.HtmlElement, page: Page, spec: SourceSpec, published: date | None) -> list[Link]:
    if spec.attachments is None:
        return []
    wanted = re.compile(spec.attachments.names) if spec.attachments.names else None
    links: dict[str, Link] = {}
    for anchor in tree.xpath("//a[@href]")[:2000]:
        url = absolute(page.url, anchor.get("href"))
        if url is None or not is_attachment(url, spec) or len(links) >= 20:
            continue
        name = text_of(anchor).replace("\n", " ") or PurePosixPath(unquote(urlsplit(url).path)).name
        if wanted is None or wanted.search(name):
            said = {"name": name[:200], "parent": page.url, "date": published.isoformat() if published else None}
            links.setdefault(url, Link(url, "attachment", said))
    return list(links.values())


@lru_cache(maxsize=256)
def _compiled(selector: str) -> CSSSelector:
    return CSSSelector(selector, translator="html")


def choose(tree: lxml.html.HtmlElement, spec: SourceSpec, name: str, default: str) -> list[lxml.html.HtmlElement]:
    """Return the elements of the source's own selector under `select: name`, else of the platform's."""
    selector = str(spec.select.get(name) or default)
    try:
        found = cast(list[lxml.html.HtmlElement], _compiled(selector)(tree))
    except SelectorError as failure:
        raise NotContent("layout", f"选择器 {name} 写法有误：{selector}") from failure
    return found


def is_attachment(url: str, spec: SourceSpec) -> bool:
    """True when the address ends like one of the files this source wants."""
    return spec.attachments is not None and PurePosixPath(urlsplit(url).path.lower()).suffix in spec.attachments.types


def kind_of(url: str, spec: SourceSpec) -> str:
    """Return what a list entry leads to: a file at once, or a page about it."""
    return "attachment" if is_attachment(url, spec) else "detail"


def same_site(url: str, page_url: str) -> bool:
    """True when both addresses have one host; a crawl never wanders to another."""
    return urlsplit(url).netloc == urlsplit(page_url).netloc
