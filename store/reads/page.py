"""One page of a list: what every list read takes and gives."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

PAGE_SIZE = 50
LARGEST_EXPORT = 50_000


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page is wanted: `number` counts from 1, `size` rows a page."""

    number: int = 1
    size: int = PAGE_SIZE

    @property
    def offset(self) -> int:
        """How many rows stand before this page."""
        return (self.number - 1) * self.size


# What an export asks for: everything that was filtered, up to a bound that is told to the reader.
EXPORT = PageRequest(1, LARGEST_EXPORT)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """The rows of one page, and how many rows the same filter has in all."""

    rows: list[T]
    total: int
    number: int
    size: int

    @property
    def pages(self) -> int:
        """How many pages there are; one when the list is empty."""
        return max(1, -(-self.total // self.size))
