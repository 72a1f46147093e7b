"""Two dozen ways a site misbehaves: each crawl ends within its caps, and nothing of a suspect run is stored."""

import gzip
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from ingest.crawl import crawl
from ingest.source import SourceSpec
from store.session import make_sessions
from store.tables import FrontierPage, Signal
from tests.ingest.loopback import Site, failing_list, notice, notice_list, serve

NOW = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)
PAGES, DEPTH, SECONDS = 25, 4, 4
Answer = Callable[[BaseHTTPRequestHandler], None]

LIST = "/notices/index.html"
DETAIL = "/notices/art_202603_5.html"


def reply(body: bytes, status: int = 200, **headers: str) -> Answer:
    """An answer with headers exactly as said."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in ({"Content-Type": "text/html; charset=utf-8"} | headers).items():
            request.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers and "Transfer_Encoding" not in headers:
            request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)
        request.wfile.flush()
        request.close_connection = True

    return answer


def dripping(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", "1000000")
    request.end_headers()
    for _ in range(80):
        request.wfile.write(b"x")
        request.wfile.flush()
        time.sleep(0.1)


def endless(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Type", "text/html")
    request.end_headers()
    for _ in range(400):
        request.wfile.write(b"<p>" + b"x" * 100_000)


def hang_up(request: BaseHTTPRequestHandler) -> None:
    request.close_connection = True
    request.connection.close()


def redirect(to: str) -> Answer:
    return reply(b"", 302, Location=to)


def calendar(request: BaseHTTPRequestHandler) -> None:
    number = int((request.path.split("month=")[1:] or ["0"])[0])
    page = notice_list([5]).replace("</body>", f'<a class="pageNext" href="{LIST}?month={number + 1}">下月</a></body>')
    page = page.replace("art_202603_5", f"art_202603_5_{number}")
    reply(page.encode())(request)


def sessions_in_urls(request: BaseHTTPRequestHandler) -> None:
    mark = f"{time.monotonic_ns()}"
    page = (
        notice_list([5])
        .replace(".html", f".html;jsessionid={mark}?sid={mark}")
        .replace("</body>", f'<a class="pageNext" href="{LIST};jsessionid={mark}?PHPSESSID={mark}">下一页</a></body>')
    )
    reply(page.encode())(request)


def cut_short(request: BaseHTTPRequestHandler) -> None:
    """A list sent in pieces, of which the last never comes, on a connection closed for writing."""
    request.send_response(200)
    request.send_header("Content-Type", "text/html")
    request.send_header("Transfer-Encoding", "chunked")
    request.end_headers()
    request.wfile.write(b"40\r\n<ul class='items'><li><a href='art_202603_5.html'>")
    request.wfile.flush()
    request.connection.shutdown(socket.SHUT_WR)
    request.close_connection = True


def asks_for_a_cookie(request: BaseHTTPRequestHandler) -> None:
    if request.headers.get("Cookie"):
        reply(notice_list([5]).encode())(request)
    else:
        reply(b"", 302, Location=LIST, Set_Cookie="seen=1")(request)


def endless_headers(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(20_000):
        request.wfile.write(f"X-{number}: {'y' * 500}\r\n".encode())
    request.close_connection = True


def with_annexes(*links: str) -> str:
    return notice(5, extra="".join(f'<p><a href="{link}">附件：不合格产品名单.csv</a></p>' for link in links))


CAPTCHA = (
    "<html><title>安全验证</title><body>请完成滑块验证<div id='nc_1_wrapper'></div>"
    "<form><input name='captcha'></form></body>"
)
ANNEX = failing_list(2).encode("gb18030")
LOGIN = "<html><title>统一身份认证</title><body><form><input type='password'></form>请先登录</body></html>".encode()
BOMB = gzip.compress(b"<p>" * 40_000_000, 9)

# What happens on which path, and the verdict the run must get; "ok" where the rest of the site is sound.
BEHAVIOURS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "calendar trap": ({LIST: calendar}, {"ok", "suspect"}),
    "session ids in addresses": ({LIST: sessions_in_urls}, {"ok"}),
    "redirect loop": ({LIST: redirect(LIST)}, {"failed"}),
    "redirect chain": ({LIST: redirect("/r1"), **{f"/r{n}": redirect(f"/r{n + 1}") for n in range(1, 9)}}, {"failed"}),
    "redirect to a private address": ({LIST: redirect("http://169.254.169.254/latest/")}, {"failed"}),
    "redirect off the site": ({LIST: redirect("http://localhost:9/")}, {"failed"}),
    "redirect to a file": ({LIST: redirect("file:///etc/passwd")}, {"failed"}),
    "giant body": ({LIST: endless}, {"failed"}),
    "giant declared length": ({LIST: reply(b"x", Content_Length="99999999999")}, {"failed"}),
    "slow body": ({LIST: dripping}, {"failed"}),
    "length longer than body": ({LIST: reply(b"<ul class='items'>", Content_Length="5000")}, {"failed"}),
    "connection closed": ({LIST: hang_up}, {"failed"}),
    "gzip bomb": ({LIST: reply(BOMB, Content_Encoding="gzip")}, {"failed"}),
    "broken gzip": ({LIST: reply(b"\x1f\x8b not gzip", Content_Encoding="gzip")}, {"failed"}),
    "wrong charset": ({LIST: reply(notice_list([5]).encode("gb18030"))}, {"ok"}),
    "login served as 200": ({LIST: LOGIN}, {"failed"}),
    "details are logins": ({DETAIL: LOGIN}, {"suspect"}),
    "soft 404": ({DETAIL: "<title>提示</title><p>您访问的页面不存在</p>".encode()}, {"suspect"}),
    "robots 5xx": ({"/robots.txt": reply(b"", 503)}, {"failed"}),
    "robots is a login page": ({"/robots.txt": LOGIN}, {"ok"}),
    "robots hangs": ({"/robots.txt": dripping}, {"failed"}),
    "nothing but links": (
        {LIST: "<ul class='items'>" + "".join(f"<li><a href='/{n}'>抽查{n}</a></li>" for n in range(20_000)) + "</ul>"},
        {"suspect"},
    ),
    "deep nesting": ({LIST: "<div>" * 50_000 + "x"}, {"failed"}),
    "binary as page": ({LIST: bytes(range(256)) * 400}, {"failed"}),
    "empty page": ({LIST: b""}, {"failed"}),
    "base points elsewhere": (
        {LIST: notice_list([5]).replace("<body>", '<base href="http://10.0.0.1/"><body>')},
        {"ok"},
    ),
    "links to other schemes": (
        {LIST: "<ul class='items'><li><a href='javascript:x()'>a</a></li><li><a href='file:///etc/passwd'>b</a></li></ul>"},
        {"failed"},
    ),
    "captcha served as 200": ({LIST: CAPTCHA.encode()}, {"failed"}),
    "error in JSON served as 200": (
        {LIST: reply(b'{"code":500,"msg":"error"}', Content_Type="application/json")}, {"failed"},
    ),
    "image as page": ({LIST: reply(b"\x89PNG\r\n\x1a\n" + bytes(500), Content_Type="image/png")}, {"failed"}),
    "empty list": ({LIST: notice_list([])}, {"failed", "suspect"}),
    "changed layout": (
        {LIST: "<div id='app'></div><script>var list=[{title:'抽查',href:'art_202603_5.html'}]</script>"},
        {"failed"},
    ),
    "dates in the future": ({LIST: notice_list([5]).replace("2026-03-05", "2036-03-05"),
                             DETAIL: notice(5).replace("2026-03-05", "2036-03-05")}, {"ok", "suspect"}),
    "one notice listed a hundred times": (
        {LIST: notice_list([5] * 100)}, {"ok"},
    ),
    "one address under many spellings": (
        {LIST: notice_list([5]).replace("</ul>", "".join(
            f"<li><a href='./x/../art_202603_5.html#{n}'>关于监督抽查的通告</a></li>" for n in range(9)) + "</ul>")},
        {"ok"},
    ),
    "pages that point at each other": (
        {LIST: notice_list([5], "b.html"), "/notices/b.html": notice_list([5], "index.html")}, {"ok"},
    ),
    "refresh to elsewhere": (
        {LIST: '<html><meta http-equiv="refresh" content="0;url=http://10.0.0.1/"><body></body></html>'}, {"failed"},
    ),
    "cookie before content": ({LIST: asks_for_a_cookie}, {"failed"}),
    "half closed": ({LIST: cut_short}, {"failed"}),
    "endless headers": ({LIST: endless_headers}, {"failed"}),
    "unknown encoding of content": ({LIST: reply(b"\x00\x01", Content_Encoding="zstd-x")}, {"failed"}),
    "part of a page": ({LIST: reply(notice_list([5]).encode()[:40], 206, Content_Range="bytes 0-39/400")}, {"failed"}),
    "robots refuses everything": (
        {"/robots.txt": reply(b"User-agent: *\nDisallow: /\n", Content_Type="text/plain")},
        {"failed"},
    ),
    "annexes with names that climb": (
        {DETAIL: with_annexes("../../../../etc/passwd.csv", "/notices/..%2f..%2fevil.csv", "a.csv?name=../../x.csv"),
         "/etc/passwd.csv": ANNEX, "/notices/..%2f..%2fevil.csv": ANNEX, "/notices/a.csv": ANNEX}, {"ok"},
    ),
    "annex named outside by its header": (
        {DETAIL: with_annexes("a.csv"), "/notices/a.csv": reply(
            ANNEX, Content_Type="text/csv", Content_Disposition='attachment; filename="../../../evil.csv"')}, {"ok"},
    ),
    "annex on an inner host": ({DETAIL: with_annexes("http://10.0.0.1/a.csv", "http://169.254.169.254/b.csv")}, {"ok"}),
    "annex is a login page": ({DETAIL: with_annexes("a.csv"), "/notices/a.csv": LOGIN}, {"ok", "suspect"}),
    "annex is a bomb": (
        {DETAIL: with_annexes("a.xlsx"), "/notices/a.xlsx": reply(BOMB, Content_Type="application/vnd.ms-excel")},
        {"ok", "suspect"},
    ),
    "markup and marks in titles": (
        {DETAIL: notice(5).replace("关于电动", "<script>alert(1)</script>关于\u202e\u200b电动")}, {"ok"},
    ),
    "5xx": ({LIST: reply(b"", 500)}, {"failed"}),
    "too many requests": ({LIST: reply(b"", 429, Retry_After="3600")}, {"failed"}),
}  # fmt: skip


@pytest.fixture
def site() -> Iterator[Site]:
    with serve(Site()) as site:
        site.pages[LIST] = notice_list([5])
        site.pages[DETAIL] = notice(5)
        yield site


def test_two_dozen_behaviours() -> None:
    assert len(BEHAVIOURS) >= 24


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_a_hostile_site_ends_within_its_caps(sqlite_engine: Engine, site: Site, tmp_path: Path, behaviour: str) -> None:
    pages, verdicts = BEHAVIOURS[behaviour]
    site.pages |= pages
    spec = SourceSpec.model_validate(
        {
            "id": "hostile",
            "title": "恶意站点",
            "platform": "listing_notice",
            "base": "http://hostile.example",
            "url": "{base}" + LIST,
            "caps": {"pages": PAGES, "megabytes": 8, "page_megabytes": 2, "seconds": SECONDS, "depth": DEPTH},
            "expect": {"at_least": 1, "at_most": 400},
            "attachments": {"kind": "sampling"},
        }
    )
    sessions = make_sessions(sqlite_engine)
    started = time.monotonic()
    outcome = crawl(sessions, spec.id, var=tmp_path, now=NOW, spec=spec, base_url=site.base(), allow=["127.0.0.1"])
    assert time.monotonic() - started < SECONDS + 45
    assert outcome["verdict"] in verdicts
    assert outcome["pages"] + outcome["failed"] + outcome["refused"] <= PAGES + 16  # a few were already under way
    assert outcome["bytes"] <= 8 * 1024 * 1024 + 2 * 1024 * 1024
    with sessions() as session:
        stored = session.scalar(select(func.count()).select_from(Signal)) or 0
        depths = session.scalars(select(FrontierPage.depth)).all()
        texts = session.scalars(select(Signal.text)).all()
    assert max(depths, default=0) <= DEPTH + 1
    assert not any("密码" in text or "登录" in text for text in texts)
    if outcome["verdict"] in ("suspect", "failed"):
        assert stored == 0
    assert not any("alert(1)" in text for text in texts)
    assert {path.name.partition("-")[0] for path in tmp_path.iterdir()} <= {"archive", "files", "store.db"}
    assert list(tmp_path.parent.rglob("evil*")) == []
    if behaviour in ("one notice listed a hundred times", "one address under many spellings"):
        assert stored == 1
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) < 12 * 1024 * 1024
