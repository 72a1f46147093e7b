"""The spider: fetches what it is told and what the pages lead to, within the source's caps."""

import hashlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import scrapy
from scrapy.exceptions import CloseSpider
from scrapy.http import Request, Response
from scrapy.spidermiddlewares.httperror import HttpError

from ingest.platforms import NotContent, Page, Parsed, read_page
from ingest.source import SourceSpec

# Anything but a redirect comes to us, so that each page ends in a row that says what became of it.
ANSWERS = [code for code in range(400, 600) if code != 407] + [304]


@dataclass(frozen=True, slots=True)
class Known:
    """What the frontier knows of an address."""

    url: str
    kind: str
    depth: int
    etag: str | None = None
    last_modified: str | None = None
    content_hash: str | None = None
    meta: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Orders:
    """One crawl: where to start, what was left over, what need not be fetched again."""

    spec: SourceSpec
    start: tuple[Known, ...]
    done: frozenset[str]
    archive: Path
    public: str = ""  # the site's own address, by which pages are known …
    fetch: str = ""  # … and the one they are fetched from instead, where these differ

    def outward(self, url: str) -> str:
        """Return the address to fetch `url` from."""
        return self.fetch + url[len(self.public) :] if self.fetch and url.startswith(self.public + "/") else url

    def inward(self, url: str) -> str:
        """Return the address by which what was fetched from `url` is known."""
        return self.public + url[len(self.fetch) :] if self.fetch and url.startswith(self.fetch + "/") else url


class SiteSpider(scrapy.Spider):
    """Walks one source; reports each page through `report` and keeps nothing else."""

    name = "site"

    def __init__(self, orders: Orders, report: Callable[[dict[str, Any]], None], **arguments: Any) -> None:
        super().__init__(**arguments)
        self.orders = orders
        self.report = report
        self.hosts = frozenset(
            {urlsplit(orders.outward(known.url)).netloc.lower() for known in orders.start[:1]} | set(orders.spec.hosts)
        )
        self._seen = set(orders.done)
        self._pages = self._bytes = 0
        self.stopped = ""

    async def start(self) -> AsyncIterator[Request]:
        """Yield the start and whatever an earlier run left waiting."""
        for known in self.orders.start:
            if (request := self._request(known)) is not None:
                yield request

    def _request(self, known: Known) -> Request | None:
        if known.url in self._seen or known.depth > self.orders.spec.caps.depth:
            return None
        self._seen.add(known.url)
        headers = {}
        if known.etag:
            headers["If-None-Match"] = known.etag
        if known.last_modified:
            headers["If-Modified-Since"] = known.last_modified
        try:
            return Request(
                self.orders.outward(known.url),
                callback=self._arrived,
                errback=self._failed,
                headers=headers,
                dont_filter=True,
                # The newest list first, then its details and files, then older lists.
                priority={"list": 0, "detail": 2, "attachment": 1}[known.kind] - known.depth // 10,
                meta={"known": known, "handle_httpstatus_list": ANSWERS, "max_retry_times": None},
            )
        except ValueError:
            self.report({"event": "page", "url": known.url, "state": "refused", "reason": "网址写法有误"})
            return None

    def _arrived(self, response: Response) -> Iterator[Request]:
        known: Known = response.meta["known"]
        self._count(response)
        if response.status == 304:
            self.report({"event": "page", "url": known.url, "kind": known.kind, "state": "unchanged"})
            return
        if response.status >= 400:
            self._give_up(known, "failed", f"HTTP {response.status}")
            return
        digest = hashlib.sha256(response.body).hexdigest()
        facts = {
            "event": "page",
            "url": known.url,
            "kind": known.kind,
            "etag": _header(response, "ETag"),
            "last_modified": _header(response, "Last-Modified"),
            "content_hash": digest,
        }
        if digest == known.content_hash and known.kind != "list":
            self.report({**facts, "state": "unchanged"})
            return
        content_type = _header(response, "Content-Type") or ""
        facts["archive_path"] = _keep(self.orders.archive, response.body, digest, known, content_type)
        try:
            parsed = self._read(
                Page(self.orders.inward(response.url), known.kind, response.body, content_type, known.meta or {})
            )
        except NotContent as wall:
            self.report({**facts, "state": "refused", "reason": f"{wall.reason}：{wall}", "wall": wall.reason})
            return
        links = [link for link in parsed.links if link.url not in self._seen]
        if known.kind == "list" and parsed.listed and not links and known.depth > 0:
            links = []
        self.report(
            {
                **facts,
                "state": "fetched",
                "bytes": len(response.body),
                "items": [item.to_json() for item in parsed.items],
                "listed": parsed.listed,
                "newest_on": parsed.newest_on.isoformat() if parsed.newest_on else None,
                "columns": list(parsed.columns),
                "surplus": list(parsed.surplus),
                "skipped": dict(parsed.skipped),
                "found": [
                    {"url": link.url, "kind": link.kind, "depth": _depth(known, link.kind), "meta": dict(link.meta)}
                    for link in links
                ],
            }
        )
        for link in links:
            request = self._request(Known(link.url, link.kind, _depth(known, link.kind), meta=dict(link.meta)))
            if request is not None:
                yield request

    def _read(self, page: Page) -> Parsed:
        if page.kind == "attachment":
            _refuse_pretended_file(page)
            return Parsed()
        return read_page(page, self.orders.spec)

    def _failed(self, failure: Any) -> None:
        request = failure.request
        known: Known = request.meta["known"]
        error = failure.value
        if isinstance(error, HttpError):
            self._give_up(known, "failed", f"HTTP {error.response.status}")
            return
        message = str(error).strip("[]'\" ") or type(error).__name__
        refused = "refused:" in message or "robots" in message
        if "refused:" in message:
            message = message.split("refused:")[-1].strip(" '\"])>")
        elif "robots" in message:
            message = "robots.txt 不允许"
        else:
            message = f"{type(error).__name__}"
        self._give_up(known, "refused" if refused else "failed", message)

    def _give_up(self, known: Known, state: str, reason: str) -> None:
        self.report({"event": "page", "url": known.url, "kind": known.kind, "state": state, "reason": reason[:300]})

    def _count(self, response: Response) -> None:
        self._pages += 1
        self._bytes += len(response.body)
        caps = self.orders.spec.caps
        if self._pages >= caps.pages:
            self._stop("pages")
        elif self._bytes >= caps.megabytes * 1024 * 1024:
            self._stop("bytes")

    def _stop(self, reason: str) -> None:
        if not self.stopped:
            self.stopped = reason
            self.crawler.engine.close_spider(self, reason)


def _depth(known: Known, kind: str) -> int:
    """Details and files count as deep as their list; only paging and wandering on go deeper."""
    return known.depth + (1 if kind == "list" or known.kind == kind else 0)


def _header(response: Response, name: str) -> str | None:
    value = response.headers.get(name)
    return value.decode("latin-1")[:500] if value else None


_MAGIC = {
    ".xlsx": b"PK",
    ".zip": b"PK",
    ".docx": b"PK",
    ".xls": b"\xd0\xcf\x11\xe0",
    ".pdf": b"%PDF",
    ".doc": b"\xd0\xcf",
}


def _refuse_pretended_file(page: Page) -> None:
    """Raise `NotContent` where a file's address answers with a page: a login form saved as .xlsx is no data."""
    suffix = PurePosixPath(urlsplit(page.url).path.lower()).suffix
    head = page.body[:512].lstrip().lower()
    magic = _MAGIC.get(suffix)
    if not page.body:
        raise NotContent("empty", "附件为空")
    if head.startswith((b"<!doctype html", b"<html")) and (magic is not None or suffix == ".csv"):
        if suffix == ".xls" and b"<table" in page.body.lower():
            return  # an HTML table saved as .xls is common, and the importer reads it
        raise NotContent("wrong_type", "附件地址返回的是网页")


_SUFFIXES = {"json": ".json", "xml": ".xml", "html": ".html", "csv": ".csv"}


def _keep(archive: Path, body: bytes, digest: str, known: Known, content_type: str) -> str:
    """Keep the page as received, under its content's hash; return its place inside the archive.

    Not forced to the disk page by page: whoever reads it checks the hash, and a torn one is fetched again.
    """
    suffix = PurePosixPath(urlsplit(known.url).path.lower()).suffix if known.kind == "attachment" else ""
    if not suffix or len(suffix) > 6 or not suffix[1:].isalnum():
        suffix = next((end for name, end in _SUFFIXES.items() if name in content_type.lower()), ".html")
    place = f"{digest[:2]}/{digest}{suffix}"
    path = archive / place
    if not path.exists() or path.stat().st_size != len(body):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".part{os.getpid()}")
        with part.open("wb") as file:
            file.write(body)
        part.replace(path)
    return place


__all__ = ["CloseSpider", "Known", "Orders", "SiteSpider"]
