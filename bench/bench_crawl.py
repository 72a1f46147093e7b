"""Pages a second of our crawl of a list of addresses against bare Scrapy, in one run on loopback.

Run: python bench/bench_crawl.py [--pages 2000]
Both spiders fetch the same 20 kB detail pages, take title, date and text from each and hand an item on. Bare Scrapy
has its default middlewares and settings but robots, delay and log; ours has all of its guards, archive and reports.
On a busy machine the ratio by processor time is the one to trust.
"""

import argparse
import json
import multiprocessing
import re
import tempfile
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

BODY = (
    '<html><head><meta charset="utf-8"><title>通告</title></head><body><h1>关于第{n}批产品质量监督抽查的通告</h1>'
    '<div>发布时间：2026-03-05</div><div class="TRS_Editor">'
    + "<p>共抽查53批次，发现5批次不合格。</p>" * 300
    + "</div></body></html>"
)


class _Pages(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        number = "".join(re.findall(r"\d+", self.path)[-1:]) or "0"
        found = self.path != "/robots.txt"
        body = BODY.replace("{n}", number).encode() if found else b""
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _serve(ports: Any) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Pages)
    ports.put(server.server_port)
    server.serve_forever()


def _bare(base: str, pages: int, answers: Any) -> None:
    import scrapy
    from scrapy.crawler import CrawlerProcess

    counts = {"items": 0, "start": 0.0, "end": 0.0, "cpu": 0.0, "used": 0.0}

    class Bare(scrapy.Spider):  # type: ignore[misc]
        name = "bare"

        async def start(self) -> Any:
            for number in range(pages):
                yield scrapy.Request(f"{base}/art_{number}.html")

        def parse(self, response: Any) -> Any:
            if not counts["items"]:
                counts["start"], counts["cpu"] = time.perf_counter(), time.process_time()
            counts["items"] += 1
            counts["end"] = time.perf_counter()
            counts["used"] = time.process_time() - counts["cpu"]
            yield {
                "title": response.css("h1::text").get(),
                "date": re.search(r"20\d\d-\d\d-\d\d", response.text).group(),
                "text": "\n".join(response.css(".TRS_Editor p::text").getall()),
            }

    settings = {"LOG_LEVEL": "ERROR", "TELNETCONSOLE_ENABLED": False, "LOG_INSTALL_ROOT_HANDLER": False}
    process = CrawlerProcess(settings)
    process.crawl(Bare)
    process.start()
    answers.put((counts["items"], counts["end"] - counts["start"], counts["used"]))


def _ours(base: str, pages: int, answers: Any) -> None:
    from scrapy.crawler import CrawlerProcess

    from ingest.settings import scrapy_settings
    from ingest.source import SourceSpec
    from ingest.spiders.site import Known, Orders, SiteSpider

    spec = SourceSpec.model_validate(
        {
            "id": "bench",
            "title": "测速",
            "platform": "listing_notice",
            "url": f"{base}/art_0.html",
            "caps": {"pages": pages + 1, "megabytes": 5000},
        }
    )
    events: list[tuple[float, float, str]] = []
    with tempfile.TemporaryDirectory() as archive, open("/dev/null", "w") as sink:

        def report(event: dict[str, Any]) -> None:
            sink.write(json.dumps(event, ensure_ascii=False))
            events.append((time.perf_counter(), time.process_time(), event["state"]))

        orders = Orders(
            spec=spec,
            start=tuple(Known(f"{base}/art_{number}.html", "detail", 0) for number in range(pages)),
            done=frozenset(),
            archive=Path(archive),
        )
        process = CrawlerProcess(scrapy_settings(spec, allow=["127.0.0.1"], on_loopback=True))
        process.crawl(process.create_crawler(SiteSpider), orders=orders, report=report)
        process.start()
    # From the first page on, as for bare Scrapy: what an engine needs to start is not what a page costs.
    fetched = sum(state == "fetched" for _at, _cpu, state in events)
    answers.put((fetched, events[-1][0] - events[0][0], events[-1][1] - events[0][1]))


def main() -> None:
    """Run both, twice, alternating; print each one's best and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=1_500)
    pages = parser.parse_args().pages
    context = multiprocessing.get_context("spawn")
    ports, answers = context.Queue(), context.Queue()
    server = context.Process(target=_serve, args=(ports,), daemon=True)
    server.start()
    base = f"http://127.0.0.1:{ports.get()}"
    best = {"bare Scrapy": 0.0, "ours": 0.0}
    least = {"bare Scrapy": float("inf"), "ours": float("inf")}
    for _ in range(2):
        for name, run in (("bare Scrapy", _bare), ("ours", _ours)):
            child = context.Process(target=run, args=(base, pages, answers))
            child.start()
            items, seconds, cpu = answers.get()
            child.join()
            if items < pages:
                raise SystemExit(f"{name} brought {items} of {pages} pages")
            best[name] = max(best[name], items / seconds)
            least[name] = min(least[name], cpu / items)
    server.terminate()
    for name, speed in best.items():
        print(json.dumps({"way": name, "pages/s": round(speed), "cpu_ms/page": round(least[name] * 1000, 2)}))
    ratio, cpu_ratio = best["ours"] / best["bare Scrapy"], least["bare Scrapy"] / least["ours"]
    summary = {"ratio": round(ratio, 3), "ratio_by_cpu": round(cpu_ratio, 3), "goal": ">= 0.9"}
    print(json.dumps({"way": "ours to bare Scrapy", **summary}))


if __name__ == "__main__":
    main()
