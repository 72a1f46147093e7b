"""One event told in other words, by other people, within days.

Near-duplicates share their sentences; retellings share only what is rare: the place, the things, the numbers. Two
public texts of about the same day are taken as one event when their rare character pairs overlap much, or overlap
somewhat and both name the same city or the same product. How rare a pair is comes from the labelled corpus, so it
does not drift; so does what overlap says little about one product: of the corpus's pairs of texts about one product
and different events, 99.5 % overlap less than `ALIKE_ON_ONE_PRODUCT`.

Only public tellings are compared so. A complaint is its sender's own case: two people whose chargers overheat in one
city on one day are two cases.
"""

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from nlp.corpus import load
from nlp.products import ProductFinder
from nlp.regions import SHIPPED, shipped_index
from nlp.reposts import elsewhere, repost_key
from nlp.taxonomy import load_taxonomy

DAYS = 3  # how far apart two tellings of one event may be (P)
ALIKE = 0.20  # overlap that is enough alone (P)
ALIKE_AT_ONE_PLACE = 0.08  # overlap that is enough when both name one city (P)
ALIKE_ON_ONE_PRODUCT = 0.122  # overlap that is enough when both name one product
_BUCKETS = 1 << 20


def retold(keys: Sequence[str], days: Sequence[int]) -> Iterator[tuple[int, int, float]]:
    """Yield pairs (later, earlier, overlap) of texts that tell one event; `days` are ordinal, positions are returned.

    `keys` are texts as `repost_key` gives them. Later and earlier go by day, then by position.
    """
    order = sorted(range(len(keys)), key=lambda at: (days[at], at))
    vectors = _vectors([keys[at] for at in order])
    sorted_days = np.array([days[at] for at in order])
    for start, end in _runs(sorted_days):
        first = int(np.searchsorted(sorted_days, sorted_days[start] - DAYS))
        overlap = sparse.coo_array(vectors[start:end] @ vectors[first:end].T)
        for row, column, value in zip(overlap.row, overlap.col, overlap.data, strict=True):
            later, earlier = start + int(row), first + int(column)
            if earlier >= later or value < ALIKE_AT_ONE_PLACE:
                continue
            one, other = order[later], order[earlier]
            near = (
                value >= ALIKE
                or _cities(keys[one]) & _cities(keys[other])
                or (value >= ALIKE_ON_ONE_PRODUCT and _products(keys[one]) & _products(keys[other]))
            )
            if near and not elsewhere(keys[one], keys[other]):
                yield one, other, float(value)


def _runs(days: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Yield the stretches of one day."""
    edges = np.flatnonzero(np.diff(days)) + 1
    yield from zip([0, *edges.tolist()], [*edges.tolist(), len(days)], strict=True) if len(days) else ()


@lru_cache(maxsize=65_536)
def _cities(text: str) -> frozenset[str]:
    places = shipped_index().locate(text[:400])
    codes = (code for place in places for code in place.codes)
    return frozenset(code[:4] for code in codes if code[2:4] not in ("", "00"))


@lru_cache(maxsize=65_536)
def _products(text: str) -> frozenset[str]:
    return frozenset(hit.code for hit in _finder().find(text) if hit.certain)


@cache
def _finder() -> ProductFinder:
    return ProductFinder(load_taxonomy(SHIPPED.parent))


def _vectors(keys: Sequence[str]) -> sparse.csr_array:
    """Return one row a text: the rarity of each pair of characters in it, of length one."""
    rarity = _rarity()
    columns = [_pairs(key) for key in keys]
    counts = np.array([len(found) for found in columns])
    indices = np.concatenate(columns) if columns else np.empty(0, np.int64)
    values = rarity[indices]
    rows = np.repeat(np.arange(len(keys)), counts)
    norms = np.sqrt(np.bincount(rows, weights=values**2, minlength=len(keys)))
    norms[norms == 0] = 1.0
    return sparse.csr_array((values / norms[rows], (rows, indices)), shape=(len(keys), _BUCKETS))


def _pairs(key: str) -> NDArray[np.int64]:
    codes = np.frombuffer(key.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    mixed = codes[:-1] * np.uint64(0x9E3779B1) + codes[1:] * np.uint64(0x85EBCA77)
    mixed ^= mixed >> np.uint64(15)
    return np.unique((mixed % np.uint64(_BUCKETS)).astype(np.int64))


@cache
def _rarity() -> NDArray[np.float64]:
    """Return for each bucket how rare its pair is: log of texts over texts that have it."""
    texts = [repost_key(example.text) for example in load()]
    held = np.zeros(_BUCKETS)
    for text in texts:
        held[_pairs(text)] += 1
    rarity: NDArray[np.float64] = np.log((len(texts) + 1) / (held + 0.5))
    return np.maximum(rarity, 0.05)
