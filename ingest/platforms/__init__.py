"""Families of sites, each written once: a fetched page enters, items and further addresses leave.

No network, no store.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ingest.platforms import feed, json_api, listing_notice, news_list, recall_centre
from ingest.platforms.page import NotContent, Page, Parsed
from ingest.source import SourceSpec

Reader = Callable[[Page, SourceSpec], Parsed]

PLATFORMS: Mapping[str, Reader] = MappingProxyType(
    {
        "listing_notice": listing_notice.read,
        "json_api": json_api.read,
        "feed": feed.read,
        "recall_centre": recall_centre.read,
        "news_list": news_list.read,
    }
)


def read_page(page: Page, spec: SourceSpec) -> Parsed:
    """Read one fetched page the way its source's platform does. Raises `NotContent` for a page that only pretends."""
    return PLATFORMS[spec.platform](page, spec)


__all__ = ["PLATFORMS", "NotContent", "Page", "Parsed", "read_page"]
