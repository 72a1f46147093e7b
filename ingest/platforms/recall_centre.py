"""Recall centre pages: a list of announcements, each a title and one table of names and values.

As the national defective product centre publishes them (domain/foreign_feeds.yaml, recall_announcement_cn).
"""

import re
from typing import Any

import lxml.html

from ingest.platforms import listing_notice
from ingest.platforms.html import find_date, find_published, parse, refuse_walls, text_of
from ingest.platforms.json_api import number_in
from ingest.platforms.page import Item, NotContent, Page, Parsed
from ingest.source import SourceSpec

# Label without blanks and punctuation -> column of the recall record; None: known, kept in the payload only.
LABELS: dict[str, str | None] = {
    "生产者名称": "maker",
    "召回生产者名称": "maker",
    "生产者": "maker",
    "召回实施者": "maker",
    "产品名称": "product_raw",
    "召回产品名称": "product_raw",
    "品牌": "brand",
    "商标": "brand",
    "涉及数量": "units",
    "召回数量": "units",
    "型号规格": "spec_model",
    "规格型号": "spec_model",
    "型号": "spec_model",
    "生产批号批次": "batch_no",
    "生产批号": "batch_no",
    "生产起止日期": None,
    "产品描述及外观照片": None,
    "存在的缺陷": "defect",
    "缺陷描述": "defect",
    "可能导致的后果": "consequence",
    "可能后果": "consequence",
    "避免损害发生的应急处置方式": None,
    "具体召回措施": "remedy",
    "补救措施": "remedy",
    "召回编号": "number",
    "召回负责机构": None,
    "召回联系方式": None,
    "召回进度安排": None,
    "其他需要报告的内容": None,
    "其他信息": None,
}
_EMPTY = frozenset({"", "-", "—", "——", "/", "无", "暂无"})
_MARKS = re.compile(r"[\s:：/／、（）()*]+")


def read(page: Page, spec: SourceSpec) -> Parsed:
    """Read a list of announcements, or one. Raises `NotContent`."""
    if page.kind == "list":
        return listing_notice.read(page, spec)
    tree = parse(page.body, page.content_type)
    whole = text_of(tree)
    refuse_walls(tree, whole)
    values, surplus = _pairs(tree)
    title = next((text_of(one) for one in listing_notice.choose(tree, spec, "title", listing_notice.TITLE)), "")
    title = (title or str(page.meta.get("title") or "")).replace("\n", " ")
    columns = {LABELS[label]: value for label, value in values.items() if LABELS[label]}
    if not columns.get("maker") or not columns.get("product_raw"):
        raise NotContent("layout", "召回公告中没有找到生产者和产品，版式可能已改")
    published = find_published(whole) or find_date(str(page.meta.get("date") or "")) or find_date(page.url)
    maker = columns.pop("maker")
    record: dict[str, Any] = {name: value for name, value in columns.items() if name}
    record["units"] = number_in(columns.get("units", ""))
    record |= {"authority": "国家市场监督管理总局", "country": "CN", **(spec.select.get("always") or {})}
    record["ordered"] = spec.looked_up("recall_type", title + whole) == "ordered"
    item = Item(
        external_id=page.url,
        title=title[:500],
        text="\n".join(f"{label}：{value}" for label, value in values.items() if label not in _PRIVATE),
        published_on=published,
        url=page.url,
        record_kind="recall",
        record=record,
        mentions=({"role": "producer", "text": str(maker)},),
    )
    return Parsed(items=(item,), surplus=tuple(sorted(surplus)))


_PRIVATE = frozenset({"召回联系方式"})  # the firm's contact, often somebody's mobile


def _pairs(tree: lxml.html.HtmlElement) -> tuple[dict[str, str], set[str]]:
    """Return the announcement's values by their known labels, and the labels nobody has seen before."""
    values: dict[str, str] = {}
    surplus: set[str] = set()
    for row in tree.iter("tr"):
        cells = [cell for cell in row if cell.tag in ("td", "th")]
        for left, right in zip(cells[::2], cells[1::2], strict=False):
            label = _MARKS.sub("", text_of(left))
            value = text_of(right)
            if label in LABELS:
                if value not in _EMPTY:
                    values.setdefault(label, value)
            elif 1 < len(label) <= 20:
                surplus.add(label)
    return values, surplus
