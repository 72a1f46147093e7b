"""Near-duplicates: which earlier texts a text repeats.

MinHash over character three-grams: 64 permutations, 21 bands of three for finding candidates, all of them for
judging. Bands of four are a little faster and lose one in ten of the copies that were trimmed to half. Everything is
arrays, so a batch is signed and matched at once; new texts are added without touching the old ones, and a lookup in
a million takes a few binary searches.
"""

import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.normalize import normalize

VERSION = "minhash-64-21x3-2"
PERMUTATIONS = 64
BANDS = 21
ROWS = 3
GRAM = 3
SIMILAR = 0.45  # share of agreeing permutations from which two texts count as one (P)
SHORTEST = 12  # characters; shorter texts are the same only when equal
_CHUNK = 1_000  # texts signed at a time: their grams stay in the processor's cache
_BUCKET = 8  # candidates taken from one bucket, the earliest: a thousand equal copies need one link, not a million

U32 = NDArray[np.uint32]
U16 = NDArray[np.uint16]
I64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Match:
    """An earlier text that says the same: its number in the index, and the share of agreeing permutations."""

    earlier: int
    similarity: float


class RepostIndex:
    """Texts by number, in the order they were added; finds which earlier ones a text repeats."""

    def __init__(self, similar: float = SIMILAR) -> None:
        self._similar = similar
        self._signatures: U16 = np.empty((0, PERMUTATIONS), np.uint16)
        self._count = 0
        self._segments: list[_Segment] = []

    def __len__(self) -> int:
        return self._count

    def add(self, texts: Sequence[str]) -> list[list[Match]]:
        """Store the texts; return for each the earlier ones it repeats, best first, also within this batch."""
        signatures = sign(texts)
        first = self._count
        self._append(signatures)
        segment = _Segment.build(_band_keys(signatures), first)
        found = self._matches(signatures, [*self._segments, segment], np.arange(first, first + len(texts)))
        self._segments.append(segment)
        self._merge()
        return found

    def find(self, texts: Sequence[str]) -> list[list[Match]]:
        """Return for each text the stored ones it repeats, best first, and store nothing."""
        nowhere = np.full(len(texts), np.iinfo(np.int64).max)
        return self._matches(sign(texts), self._segments, nowhere)

    def save(self, path: Path, names: Sequence[int]) -> None:
        """Write the index and the caller's names of its texts in one step; an index is a cache and may be deleted."""
        part = path.with_suffix(".part.npz")
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(
            part,
            version=np.array(VERSION),
            signatures=self._signatures[: self._count],
            names=np.asarray(names, np.int64),
        )
        part.replace(path)

    @classmethod
    def load(cls, path: Path, similar: float = SIMILAR) -> "tuple[RepostIndex, list[int]] | None":
        """Return the index in `path` with its texts' names; None when there is none, or it was made another way."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as saved:
                if str(saved["version"]) != VERSION:
                    return None
                signatures, names = saved["signatures"], saved["names"]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        if signatures.dtype != np.uint16 or signatures.shape != (len(names), PERMUTATIONS):
            return None
        index = cls(similar)
        index._append(signatures)
        if len(signatures):
            index._segments = [_Segment.build(_band_keys(signatures), 0)]
        return index, names.tolist()

    def _append(self, signatures: U16) -> None:
        needed = self._count + len(signatures)
        if needed > len(self._signatures):
            grown = np.empty((max(needed, len(self._signatures) * 2, 1024), PERMUTATIONS), np.uint16)
            grown[: self._count] = self._signatures[: self._count]
            self._signatures = grown
        self._signatures[self._count : needed] = signatures
        self._count = needed

    def _merge(self) -> None:
        """Keep few segments: join the last two while the older one is less than four times the newer."""
        while len(self._segments) > 1 and len(self._segments[-2]) < 4 * len(self._segments[-1]):
            newer, older = self._segments.pop(), self._segments.pop()
            self._segments.append(_Segment.join(older, newer))

    def _matches(self, signatures: U16, segments: Sequence["_Segment"], own: I64) -> list[list[Match]]:
        found: list[list[Match]] = [[] for _ in range(len(signatures))]
        for start in range(0, len(signatures), 20_000):
            part = signatures[start : start + 20_000]
            rows, earlier = _candidates(_band_keys(part), segments, own[start : start + 20_000])
            share = _agreement(part, rows, self._signatures, earlier)
            good = share >= self._similar
            order = np.lexsort((earlier[good], -share[good], rows[good]))
            for row, other, value in zip(
                rows[good][order].tolist(), earlier[good][order].tolist(), share[good][order].tolist(), strict=True
            ):
                found[start + row].append(Match(other, value))
        return found


@dataclass(frozen=True, slots=True)
class _Segment:
    """For each band, the keys of some texts in order, and whose they are."""

    keys: U32  # (bands, texts), sorted along each band
    numbers: NDArray[np.int32]

    def __len__(self) -> int:
        return int(self.keys.shape[1])

    @classmethod
    def build(cls, keys: U32, first: int) -> "_Segment":
        order = np.argsort(keys, axis=1, kind="stable")
        return cls(np.take_along_axis(keys, order, axis=1), (order + first).astype(np.int32))

    @classmethod
    def join(cls, older: "_Segment", newer: "_Segment") -> "_Segment":
        keys = np.concatenate([older.keys, newer.keys], axis=1)
        numbers = np.concatenate([older.numbers, newer.numbers], axis=1)
        order = np.argsort(keys, axis=1, kind="stable")
        return cls(np.take_along_axis(keys, order, axis=1), np.take_along_axis(numbers, order, axis=1))


def _candidates(keys: U32, segments: Sequence[_Segment], own: I64) -> tuple[I64, I64]:
    """Return pairs (row, earlier text) that share a band, each once."""
    pairs: list[I64] = []
    for segment in segments:
        for band in range(BANDS):
            # Sorted queries walk the sorted keys in order, which is far kinder to the cache.
            order = np.argsort(keys[band], kind="stable")
            sought = keys[band][order]
            low = np.searchsorted(segment.keys[band], sought, "left")
            high = np.searchsorted(segment.keys[band], sought, "right")
            size = np.minimum(high - low, _BUCKET)
            hit = size > 0
            if not hit.any():
                continue
            low, size, rows = low[hit], size[hit], order[hit]
            step = np.arange(int(size.sum())) - np.repeat(np.cumsum(size) - size, size)
            earlier = segment.numbers[band][np.repeat(low, size) + step].astype(np.int64)
            whose = np.repeat(rows, size)
            before = earlier < own[whose]
            pairs.append((whose[before] << 32) | earlier[before])
    if not pairs:
        nothing = np.empty(0, np.int64)
        return nothing, nothing
    unique = np.unique(np.concatenate(pairs))
    return unique >> 32, unique & 0xFFFFFFFF


def _agreement(part: U16, rows: I64, signatures: U16, earlier: I64) -> NDArray[np.float64]:
    share = np.empty(len(rows))
    for start in range(0, len(rows), 50_000):
        piece = slice(start, start + 50_000)
        share[piece] = (part[rows[piece]] == signatures[earlier[piece]]).mean(axis=1)
    return share


# --- signing --------------------------------------------------------------------------------------------------------

_random = np.random.default_rng(20_260_101)
_FACTORS: U32 = (_random.integers(1, 1 << 32, PERMUTATIONS, dtype=np.uint64) | 1).astype(np.uint32)
_BAND_FACTORS: U32 = (_random.integers(1, 1 << 32, ROWS, dtype=np.uint64) | 1).astype(np.uint32)


def sign(texts: Sequence[str]) -> U16:
    """Return the texts' signatures: for each permutation, sixteen bits of its smallest gram."""
    signatures = np.empty((len(texts), PERMUTATIONS), np.uint16)
    for start in range(0, len(texts), _CHUNK):
        _sign_chunk(texts[start : start + _CHUNK], signatures[start : start + _CHUNK])
    return signatures


def _sign_chunk(texts: Sequence[str], out: U16) -> None:
    # A text too short for a gram is padded with marks no text holds, so that it equals only itself.
    padded = [text if len(text) >= GRAM else text + "\x00" * (GRAM - len(text)) for text in texts]
    codes = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), np.uint32)
    ends = np.cumsum(np.fromiter(map(len, padded), np.int64, len(padded)))
    grams = np.empty(len(codes), np.uint32)
    grams[:-2] = (
        codes[:-2] * np.uint32(0x9E3779B1) + codes[1:-1] * np.uint32(0x85EBCA77) + codes[2:] * np.uint32(0xC2B2AE3D)
    )
    inside = np.ones(len(codes), bool)
    inside[ends - 1] = inside[ends - 2] = False  # the last two characters of a text begin no gram of it
    grams = _mixed(grams[inside])
    counts = np.diff(ends, prepend=0) - (GRAM - 1)
    starts = np.cumsum(counts) - counts
    product = np.empty_like(grams)
    for number in range(PERMUTATIONS):
        np.multiply(grams, _FACTORS[number], out=product)
        # The smallest of many is small: mix it before keeping half of it, or most of the sixteen bits are zero.
        out[:, number] = _mixed(np.minimum.reduceat(product, starts)) >> np.uint32(16)


def _mixed(values: U32) -> U32:
    values = values ^ (values >> np.uint32(16))
    values *= np.uint32(0x7FEB352D)
    values ^= values >> np.uint32(15)
    values *= np.uint32(0x846CA68B)
    values ^= values >> np.uint32(16)
    return values


def _band_keys(signatures: U16) -> U32:
    """Return one key per band and text, shaped (bands, texts)."""
    bands = signatures[:, : BANDS * ROWS].reshape(len(signatures), BANDS, ROWS)
    keys = np.zeros((len(signatures), BANDS), np.uint32)
    for row in range(ROWS):
        keys = _mixed(keys + bands[:, :, row].astype(np.uint32) * _BAND_FACTORS[row] + np.uint32(row + 1))
    return np.ascontiguousarray(keys.T)


# --- what is compared -----------------------------------------------------------------------------------------------

# What reposting adds around a text and what says nothing about whose story it is.
_WRAPPING = re.compile(
    r"//@[^:：\s]{1,30}[:：]|@[\w\-]{1,30}|#[^#\n]{1,40}#|https?://\S+"
    r"|[【\[(](?:转发?|转载|扩散|快讯|图|视频|原创|多图|组图)[】\])]|转发微博|(?:转自|转载自|来源[:：])[^\n。;；，,\s]{0,20}|原标题[:：]"
    r"|(?:本报|本网|通讯员|实习生|实习记者|见习记者|记者|作者|编辑|责编|校对|审核|摄影|文/|图/)[:：\s/]{0,3}[\u4e00-\u9fff·\s]{2,12}(?=[\n。,，)）】\]]|报道|讯|摄|$)"
    r"|[\u4e00-\u9fff]{0,8}(?:网|报|社|电视台|客户端|频道)\d{0,2}月?\d{0,2}日?[讯电](?=[\s(（:：]|$)"
)
_MARKS = re.compile(r"[\W_]+")


def repost_key(text: str) -> str:
    """Return what two tellings are compared by: the clean text's letters and digits, without a reposter's wrapping."""
    clean = normalize(text).text
    return _MARKS.sub("", _WRAPPING.sub("", clean)).lower() or _MARKS.sub("", clean).lower()


def similarity(one: str, other: str) -> tuple[float, float]:
    """Return how much two keys share: Jaccard, and the share of the shorter one found in the longer. Exact."""
    if one == other:
        return 1.0, 1.0
    a, b = _grams(one), _grams(other)
    common = len(a & b)
    return common / max(len(a | b), 1), common / max(min(len(a), len(b)), 1)


def _grams(text: str) -> set[str]:
    return {text[at : at + GRAM] for at in range(max(len(text) - GRAM + 1, 1))}


# Before these the two characters make no place name: 小区, 辖区, 超市, 全市 …
_PLACE = re.compile(
    r"[\u4e00-\u9fff](?![小地社园辖片学景城山灾专库超门上都夜股集全我本该各市县区])[\u4e00-\u9fff][市县区旗]"
)


def elsewhere(one: str, other: str) -> bool:
    """True when both keys name places and none of them is the same: alike as they are, they tell two events.

    Notices and news share their form; what is told is where it happened.
    """
    here, there = set(_PLACE.findall(one)), set(_PLACE.findall(other))
    return bool(here) and bool(there) and not here & there


# --- clusters -------------------------------------------------------------------------------------------------------


class Groups:
    """Numbers joined into groups; the smallest number of a group names it."""

    def __init__(self) -> None:
        self._parent: dict[int, int] = {}

    def root(self, number: int) -> int:
        """Return the name of the group `number` is in."""
        path = []
        while (parent := self._parent.get(number, number)) != number:
            path.append(number)
            number = parent
        for step in path:
            self._parent[step] = number
        return number

    def join(self, one: int, other: int) -> None:
        """Make the two groups one."""
        a, b = sorted((self.root(one), self.root(other)))
        self._parent[b] = a

    def members(self, numbers: Sequence[int]) -> Iterator[list[int]]:
        """Yield the groups of more than one among `numbers`, each in order."""
        groups: dict[int, list[int]] = {}
        for number in sorted(numbers):
            groups.setdefault(self.root(number), []).append(number)
        yield from (group for group in groups.values() if len(group) > 1)


_TRUST_ORDER = {"official": 0, "verified": 1, "media": 2, "self": 3, "social": 4}
COPY = 0.7  # share of a text found in an earlier one from which it is a copy, not a telling of its own (P)


@dataclass(frozen=True, slots=True)
class Telling:
    """One member of a cluster, as far as origin and independence need it."""

    number: int
    trust: str
    told_at: Any  # anything that sorts: the moment it became known
    outlet: str
    key: str


def origin_of(tellings: Sequence[Telling]) -> Telling:
    """Return the telling taken as the origin: the most credible, of those the earliest."""
    return min(tellings, key=lambda one: (_TRUST_ORDER.get(one.trust, 9), one.told_at, one.number))


def independent_sources(tellings: Sequence[Telling]) -> int:
    """Return how many sources tell the story on their own.

    Forty outlets that copy one article are one voice. A further outlet counts when it tells the story in its own
    words; an authority counts as itself even when it quotes.
    """
    counted: list[Telling] = []
    for telling in sorted(tellings, key=lambda one: (one.told_at, one.number)):
        if any(telling.outlet == earlier.outlet for earlier in counted):
            continue
        authority = telling.trust in ("official", "verified")
        if authority or all(similarity(telling.key, earlier.key)[1] < COPY for earlier in counted):
            counted.append(telling)
    return max(len(counted), 1)
