"""The child process of a crawl: `python -m ingest.spiders.child`, orders on stdin, one JSON line a page on stdout."""

import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

from scrapy.crawler import CrawlerProcess

from ingest.settings import scrapy_settings
from ingest.source import SourceSpec
from ingest.spiders.site import Known, Orders, SiteSpider

MEMORY_BYTES = 2 * 1024**3


def main() -> None:
    """Run one crawl to its end or its caps."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    words: dict[str, Any] = json.load(sys.stdin)
    # Nothing but our lines may reach the parent: whatever prints goes to stderr.
    lines = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1 << 16)
    os.dup2(2, 1)

    def report(event: dict[str, Any]) -> None:
        lines.write(json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n")
        lines.flush()

    spec = SourceSpec.model_validate(words["spec"])
    orders = Orders(
        spec=spec,
        start=tuple(Known(**known) for known in words["start"]),
        done=frozenset(words["done"]),
        archive=Path(words["archive"]),
        public=words["public"],
        fetch=words["fetch"],
    )
    settings = scrapy_settings(spec, allow=words["allow"], on_loopback=words["on_loopback"])
    process = CrawlerProcess(settings)
    crawler = process.create_crawler(SiteSpider)
    process.crawl(crawler, orders=orders, report=report)
    process.start()
    reason = crawler.stats.get_value("finish_reason", "") if crawler.stats else ""
    report({"event": "end", "reason": "seconds" if reason == "closespider_timeout" else reason})


if __name__ == "__main__":
    main()
