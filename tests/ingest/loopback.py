"""A small site on loopback: pages by path, and a note of what was asked for."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Page = tuple[int, Mapping[str, str], bytes]
Handler = Callable[[BaseHTTPRequestHandler], None]


class Site:
    """Pages to serve: bytes or text, a (status, headers, body), or a function that answers by itself."""

    def __init__(self) -> None:
        self.pages: dict[str, str | bytes | Page | Handler] = {}
        self.asked: list[str] = []
        self.conditional: list[str] = []
        self.etags = False

    def base(self) -> str:
        """The site's address."""
        return f"http://127.0.0.1:{self.server.server_port}"

    server: ThreadingHTTPServer


@contextmanager
def serve(site: Site) -> Iterator[Site]:
    """Serve the site until the block ends."""

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            site.asked.append(self.path)
            if "If-None-Match" in self.headers:
                site.conditional.append(self.path)
            page = site.pages.get(self.path, site.pages.get(self.path.split("?")[0], (404, {}, b"no such page")))
            try:
                if callable(page):
                    page(self)
                    return
                status, headers, body = (200, {}, page) if isinstance(page, str | bytes) else page
                data = body.encode() if isinstance(body, str) else body
                etag = f'"{hash(data)}"'
                if site.etags and self.headers.get("If-None-Match") == etag:
                    self.send_response(304)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(status)
                if site.etags:
                    self.send_header("ETag", etag)
                for name, value in ({"Content-Type": "text/html; charset=utf-8"} | dict(headers)).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

    site.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    site.server.daemon_threads = True
    thread = threading.Thread(target=site.server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.server.shutdown()
        site.server.server_close()
        thread.join(5)


def notice_list(numbers: list[int], following: str = "") -> str:
    """A list page in the shape of a bureau's site."""
    entries = "".join(
        f'<li><a href="art_202603_{number}.html">关于电动自行车产品质量监督抽查情况的通告（第{number}号）</a>'
        f"<span>2026-03-{number:02d}</span></li>"
        for number in numbers
    )
    more = f'<a class="pageNext" href="{following}">下一页</a>' if following else ""
    return f'<html><title>通告公告</title><body><ul class="items">{entries}</ul>{more}</body></html>'


def notice(number: int, prose: str = "", extra: str = "") -> str:
    """A detail page in the shape of a bureau's site."""
    prose = (
        prose or f"近期组织第{number}次电动自行车产品质量监督抽查，共抽查{50 + number}批次，发现{number}批次不合格。"
    )
    return (
        f"<html><head><title>通告</title></head><body><h1>关于电动自行车产品质量监督抽查情况的通告（第{number}号）</h1>"
        f'<div class="info">发布时间：2026-03-{number:02d} 来源：某市市场监督管理局</div>'
        f'<div class="TRS_Editor"><p>{prose}</p>{extra}</div></body></html>'
    )


def failing_list(rows: int) -> str:
    """An annex in CSV: failed batches of one firm."""
    head = "序号,产品名称,标称生产企业名称,抽样日期,抽查结果,不合格项目,抽样编号\n"
    return head + "".join(
        f"{row},电动自行车,某某车业有限公司,2026-02-{row:02d},不合格,制动性能,CC-{row:03d}\n"
        for row in range(1, rows + 1)
    )
