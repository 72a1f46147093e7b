"""News lists: a page of headlines, each leading to an article with its outlet, and much around it that is not news."""

import re

import lxml.html

from ingest.platforms import listing_notice
from ingest.platforms.html import find_date, find_published, parse, refuse_walls, text_of
from ingest.platforms.page import Item, NotContent, Page, Parsed
from ingest.source import SourceSpec

BODY = (
    "#article-content, .article-content, .article_content, #artibody, .TRS_Editor, .content_text, .text_con, .news_txt"
    ", .detail-content, #content, article"
)
_OUTLET = re.compile(r"(?:来源|稿源|信息来源)\s{0,2}[:：]\s{0,3}([\u4e00-\u9fffA-Za-z0-9·《》]{2,20})")
MIN_TEXT = 30


def read(page: Page, spec: SourceSpec) -> Parsed:
    """Read a list of headlines, or an article. Raises `NotContent`."""
    if page.kind == "list":
        return listing_notice.read(page, spec)
    tree = parse(page.body, page.content_type)
    whole = text_of(tree)
    refuse_walls(tree, whole)
    titles = [
        text_of(one).replace("\n", " ") for one in listing_notice.choose(tree, spec, "title", listing_notice.TITLE)
    ]
    title = next((one for one in titles if one), "") or str(page.meta.get("title") or "")
    bodies = listing_notice.choose(tree, spec, "body", BODY)
    body = max(bodies, key=lambda one: len(one.text_content())) if bodies else _densest(tree)
    text = text_of(body) if body is not None else ""
    if not title or len(text) < MIN_TEXT:
        raise NotContent("layout", "没有找到新闻正文，版式可能已改")
    outlet = _OUTLET.search(whole)
    payload = {"outlet": outlet.group(1)} if outlet else {}
    published = (
        find_published(whole)
        or find_date(str(page.meta.get("date") or ""))
        or find_date(page.url)
        or find_date(whole[:2000])
    )
    trust = spec.looked_up("trust", payload.get("outlet", ""))
    item = Item(page.url, title[:500], text, published, page.url, trust=trust, payload=payload)
    return Parsed(items=(item,))


def _densest(tree: lxml.html.HtmlElement) -> lxml.html.HtmlElement | None:
    """Return the element whose own paragraphs hold the most text outside links: the article, on a page of menus."""
    best, most = None, 0
    for element in tree.iter("div", "td", "section", "main"):
        paragraphs = [child for child in element if child.tag == "p"]
        length = sum(len(one.text_content()) for one in paragraphs)
        length -= 2 * sum(len(link.text_content()) for one in paragraphs for link in one.iter("a"))
        if length > most:
            best, most = element, length
    return best
