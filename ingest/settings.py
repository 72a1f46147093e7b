"""Scrapy's settings for a crawl: named, polite, bounded, TLS verified, robots obeyed."""

from collections.abc import Sequence
from typing import Any

from ingest.http import MAX_REDIRECTS, TIMEOUT_SECONDS, USER_AGENT
from ingest.source import SourceSpec

PARALLEL_ON_LOOPBACK = 8


def scrapy_settings(spec: SourceSpec, *, allow: Sequence[str] = (), on_loopback: bool = False) -> dict[str, Any]:
    """Return the settings for one source. On loopback (a demonstration, a test) there is nobody to be polite to."""
    delay = 0.0 if on_loopback else spec.delay_seconds
    return {
        "USER_AGENT": USER_AGENT,
        "ROBOTSTXT_OBEY": True,
        "ROBOTSTXT_USER_AGENT": "ZhianRadar",
        "DOWNLOAD_DELAY": delay,
        "CONCURRENT_REQUESTS": 1 if delay else PARALLEL_ON_LOOPBACK,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1 if delay else PARALLEL_ON_LOOPBACK,
        "DOWNLOAD_TIMEOUT": min(TIMEOUT_SECONDS, spec.caps.seconds),
        "DOWNLOAD_MAXSIZE": spec.caps.page_megabytes * 1024 * 1024,
        "DOWNLOAD_WARNSIZE": 0,
        "DOWNLOAD_FAIL_ON_DATALOSS": True,
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        "CLOSESPIDER_TIMEOUT": spec.caps.seconds,
        "REDIRECT_MAX_TIMES": MAX_REDIRECTS,
        "RETRY_TIMES": 1 if on_loopback else 2,
        "DNS_RESOLVER": "ingest.spiders.guard.GuardedResolver",
        "DNS_TIMEOUT": 10,
        "DOWNLOADER_MIDDLEWARES": {
            "ingest.spiders.guard.GuardMiddleware": 50,
            "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
            "ingest.spiders.guard.StrictRobots": 100,
            # A page's own refresh tag and cookies lead into session traps; neither is needed to read a notice.
            "scrapy.downloadermiddlewares.redirect.MetaRefreshMiddleware": None,
            "scrapy.downloadermiddlewares.cookies.CookiesMiddleware": None,
            "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,
        },
        "SPIDER_MIDDLEWARES": {
            "scrapy.spidermiddlewares.depth.DepthMiddleware": None,
            "scrapy.spidermiddlewares.referer.RefererMiddleware": None,
        },
        "REFERER_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
        "LOG_LEVEL": "ERROR",
        # A page yields a few requests and no items: a hundred workers a page would only be started and stopped.
        "CONCURRENT_ITEMS": 1,
        # Scrapy reads the source of a callback at every page to warn of a mistake ours does not make.
        "WARN_ON_GENERATOR_RETURN_VALUE": False,
        "LOG_INSTALL_ROOT_HANDLER": False,
        "LOG_FORMATTER": "scrapy.logformatter.LogFormatter",
        "ZHIAN_ALLOW": list(allow),
    }
