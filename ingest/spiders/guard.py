"""What keeps a crawl from going where it must not: checks of addresses, names and robots."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Request, Response
from scrapy.resolver import CachingThreadedResolver
from scrapy.utils.misc import build_from_crawler
from twisted.internet.defer import Deferred, succeed
from twisted.internet.threads import deferToThread

from ingest.http import Guard, OutboundRefused


class GuardMiddleware:
    """Refuses a request, also one born of a redirect, that leaves the source's hosts or has a doubtful address."""

    def __init__(self, guard: Guard, hosts: frozenset[str]) -> None:
        self._guard = guard
        self._hosts = hosts

    @classmethod
    def from_crawler(cls, crawler: Any) -> "GuardMiddleware":
        """Build the guard from the crawl's settings and the spider's hosts."""
        return cls(Guard(tuple(crawler.settings.getlist("ZHIAN_ALLOW"))), crawler.spider.hosts)

    def process_request(self, request: Request) -> None:
        """Raise IgnoreRequest where the request may not go; the address behind a name is checked when it resolves."""
        try:
            self._guard.check_form(request.url)
        except OutboundRefused as refused:
            raise IgnoreRequest(f"refused: {refused}") from refused
        if urlsplit(request.url).netloc.lower() not in self._hosts:
            raise IgnoreRequest("refused: 离开了本信源的站点")


class GuardedResolver(CachingThreadedResolver):
    """Resolves a name once, checks every address behind it, and hands on a checked one to connect to."""

    def __init__(self, reactor: Any, cache_size: int, timeout: float, guard: Guard) -> None:
        super().__init__(reactor, cache_size, timeout)
        self._guard = guard
        self._known: dict[str, str] = {}

    @classmethod
    def from_crawler(cls, crawler: Any, reactor: Any) -> "GuardedResolver":
        """Build the resolver with the crawl's guard."""
        settings = crawler.settings
        guard = Guard(tuple(settings.getlist("ZHIAN_ALLOW")))
        return cls(reactor, settings.getint("DNSCACHE_SIZE"), settings.getfloat("DNS_TIMEOUT"), guard)

    def getHostByName(self, name: str, timeout: Sequence[int] = ()) -> "Deferred[str]":  # noqa: N802
        """Return the checked address of `name`; the same answer for the rest of the crawl."""
        known = self._known.get(name)
        return succeed(known) if known else deferToThread(self._checked, name)

    def _checked(self, name: str) -> str:
        if name not in self._known:
            try:
                addresses = self._guard.resolver(name, 0)
                checked = [self._guard.check_address(address, name) for address in addresses]
            except OutboundRefused as refused:
                raise OSError(f"refused: {refused}") from refused
            self._known[name] = str(next((one for one in checked if one.version == 4), checked[0]))
        return self._known[name]


class StrictRobots(RobotsTxtMiddleware):
    """Obeys robots.txt, and stays away from a site whose robots.txt cannot be had because the site fails."""

    async def _parse_robots(self, response: Response, netloc: str, request: Request) -> None:
        if response.status >= 500:
            response = response.replace(body=b"User-agent: *\nDisallow: /")
        elif response.status >= 400:
            response = response.replace(body=b"")
        await super()._parse_robots(response, netloc, request)

    def _robots_error(self, exc: Exception, netloc: str) -> None:
        waiting = self._parsers[netloc]
        nothing = build_from_crawler(self._parserimpl, self.crawler, b"User-agent: *\nDisallow: /")
        self._parsers[netloc] = nothing
        if isinstance(waiting, Deferred):
            waiting.callback(nothing)
