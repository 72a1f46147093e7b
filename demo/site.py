"""The bureau's web site and the outlets' feeds of the province: static pages, served on loopback, crawled for real."""

import html
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta, timezone
from email.utils import format_datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from demo.files import sampling_workbook, table_csv
from demo.firms import Firm, trades
from demo.records import Post, Sample

_PER_PAGE = 20
_CHINA = timezone(timedelta(hours=8))
_PAGE = """<!DOCTYPE html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>{title}</title></head>
<body><p class="banner">虚构·海岳省市场监督管理局（演示站点，内容均为虚构）</p>
{body}
</body></html>
"""


def write_site(folder: Path, samples: list[Sample], firms: dict[int, Firm], rng: random.Random) -> int:
    """Write the notices of the provincial samples: list pages, notices, attachments; return how many notices."""
    notices = folder / "notices"
    notices.mkdir(parents=True)
    entries = []
    for number, group in enumerate(_groups(samples), start=1):
        entries.append(_write_notice(notices, number, group, firms, rng))
    entries.sort(reverse=True)
    pages = [entries[start : start + _PER_PAGE] for start in range(0, len(entries), _PER_PAGE)]
    for place, page in enumerate(pages):
        items = "\n".join(
            f'<li><a href="{name}">{html.escape(title)}</a><span>{day}</span></li>' for day, name, title in page
        )
        following = f'<a class="pageNext" href="index_{place + 1}.html">下一页</a>' if place + 1 < len(pages) else ""
        body = f'<h1>抽查公告</h1><ul class="items">{items}</ul>{following}'
        name = "index.html" if place == 0 else f"index_{place}.html"
        (notices / name).write_text(_PAGE.format(title="抽查公告", body=body), "utf-8")
    (folder / "robots.txt").write_text("User-agent: *\nAllow: /\n", "utf-8")
    return len(entries)


def _groups(samples: list[Sample]) -> Iterator[list[Sample]]:
    """Provincial samples by category and half-year, as one notice covers them."""
    groups: dict[tuple[str, str], list[Sample]] = {}
    for sample in samples:
        half = f"{sample.on.year}{'上' if sample.on.month <= 6 else '下'}"
        groups.setdefault((trades()[sample.product_id].category, half), []).append(sample)
    for key in sorted(groups):
        yield sorted(groups[key], key=lambda sample: sample.number)


def _write_notice(
    folder: Path, number: int, samples: list[Sample], firms: dict[int, Firm], rng: random.Random
) -> tuple[str, str, str]:
    day = max(sample.published for sample in samples)
    product = f"{trades()[samples[0].product_id].category}等"
    half = f"{samples[0].on.year}年{'上' if samples[0].on.month <= 6 else '下'}半年"
    title = f"关于{half}{product}产品质量省级监督抽查情况的通告"
    name = f"art_{day:%Y%m}_{number:05d}.html"
    failed = [sample for sample in samples if sample.outcome == "不合格"]
    tested = [sample for sample in samples if sample.tested]
    makers = len({sample.producer for sample in samples})
    rate = f"{100 * len(failed) / max(1, len(tested)):.1f}"
    prose = (
        f"近期，海岳省市场监督管理局组织开展了{product}产品质量省级监督抽查。本次共抽查{makers}家企业生产的{len(tested)}批次产品，"
        f"发现{len(failed)}批次产品不合格，不合格发现率为{rate}%。对不合格产品及企业，已责成属地市场监管部门依法处理。"
    )
    in_page = len(samples) <= 12 and number % 2 == 0
    table = _html_table(samples, firms) if in_page else ""
    attached = ""
    if not in_page:
        stem = f"annex_{number:05d}"
        if number % 3 == 0:
            _csv_annex(folder / f"{stem}.csv", samples)
            attached = f'<p>附件：<a href="{stem}.csv">附件1 抽查结果名单.csv</a></p>'
        else:
            sampling_workbook(
                folder / f"{stem}.xlsx", f"{half}{product}", {"抽查结果": samples}, firms, number % 6, rng
            )
            attached = f'<p>附件：<a href="{stem}.xlsx">附件1 抽查结果名单.xlsx</a></p>'
    body = (
        f"<h1>{html.escape(title)}</h1><p>发布时间：{day.isoformat()}　信息来源：海岳省市场监督管理局</p>"
        f'<div class="TRS_Editor"><p>{prose}</p>{table}{attached}<p>海岳省市场监督管理局　{day.isoformat()}</p></div>'
    )
    (folder / name).write_text(_PAGE.format(title=html.escape(title), body=body), "utf-8")
    return day.isoformat(), name, title


_TABLE_HEADERS = """
序号 抽样编号 产品名称 标称生产企业名称 被抽样单位 规格型号 生产日期/批号 抽样日期 抽样情况 检验结论 不合格项目 承检机构
"""
_ANNEX_HEADERS = """
抽样编号 产品名称 标称生产企业名称 被抽样单位名称 统一社会信用代码 规格型号
抽样日期 抽样情况 抽查结果 不合格项目 承检机构
"""


def _html_table(samples: list[Sample], firms: dict[int, Firm]) -> str:
    """A table with one row a sample; every value escaped, line breaks inside a name kept as the page has them."""
    rows = ["<tr>" + "".join(f"<th>{header}</th>" for header in _TABLE_HEADERS.split()) + "</tr>"]
    for number, sample in enumerate(samples, start=1):
        cells = (
            str(number), sample.number, sample.written_product, sample.producer_written, sample.seller_written,
            sample.spec, sample.batch, sample.on.isoformat(),
            "已抽样" if sample.tested else sample.outcome, sample.outcome if sample.tested else "",
            "、".join(item for item, _, _ in sample.items) or "/", sample.laboratory,
        )  # fmt: skip
        rows.append("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>")
    return f'<table class="MsoNormalTable" border="1">{"".join(rows)}</table>'


def _csv_annex(path: Path, samples: list[Sample]) -> None:
    rows = [
        (s.number, s.written_product, s.producer_written.replace("\u200b", ""), s.seller_written.replace("\u200b", ""),
         s.producer_code, s.spec, s.on.isoformat(), "已抽样" if s.tested else s.outcome,
         s.outcome if s.tested else "", "、".join(item for item, _, _ in s.items), s.laboratory)
        for s in samples
    ]  # fmt: skip
    table_csv(path, _ANNEX_HEADERS.split(), rows, "gb18030")


def write_feed(path: Path, title: str, posts: list[Post]) -> None:
    """Write the last items of an outlet as RSS 2.0."""
    path.parent.mkdir(parents=True, exist_ok=True)
    items = []
    for post in posts:
        at = datetime.combine(post.on, time.fromisoformat(post.time), _CHINA)
        items.append(
            f"<item><title>{html.escape(post.title)}</title><link>{post.url}</link><guid>{post.number}</guid>"
            f"<pubDate>{format_datetime(at)}</pubDate><description>{html.escape(post.text)}</description></item>"
        )
    path.write_text(
        f'<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel><title>{title}</title>'
        f"<link>http://haiyue.example/</link><description>虚构</description>\n"
        + "\n".join(items)
        + "\n</channel></rss>\n",
        "utf-8",
    )


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the demonstration's output is for what it found."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve the folder on loopback while the block runs; yield the base address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_QuietHandler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


def newest(posts: list[Post], outlet_medium: str, until: date, count: int) -> list[Post]:
    """The last `count` posts of a medium up to a day, newest first, as a feed shows them."""
    fitting = [post for post in posts if post.medium == outlet_medium and post.on <= until]
    return sorted(fitting, key=lambda post: (post.on, post.number), reverse=True)[:count]
