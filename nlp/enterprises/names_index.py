"""The register's names as arrays: which firms bear which 字号 + 行业, and which of these resemble a query's.

Names that differ only in place, form or branch share one *body* (字号 + 行业), so a million firms are far fewer
bodies. A body is found by its text, by its sound, by its 字号 alone, and by its rare two-character pieces.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nlp.enterprises.characters import sound_key
from nlp.enterprises.names import Parsed

IntArray = NDArray[np.int64]
_BOUNDARY = chr(0xF8FF)
_RARE = 6  # how many of a query's rarest pieces are looked up
_LONG_LIST = 60_000  # a piece in more bodies than this tells nothing
_KEPT = 48  # bodies handed on to the comparison


@dataclass(frozen=True, slots=True)
class Entry:
    """One name of one firm: the firm's position, the name's place, form, branch, and whether it is a former name."""

    firm: int
    place: str  # adcode, '' when the name has none
    form: str
    branch: str
    former: bool


class NamesIndex:
    """Bodies and their entries. `extend` may be called again; what is added later is found as well."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._brand_lengths: list[int] = []
        self._by_text: dict[str, int] = {}
        self._by_sound: dict[str, list[int]] = {}
        self._by_brand: dict[str, list[int]] = {}
        self._entries: list[list[Entry]] = []
        self._keys: IntArray = np.empty(0, np.int64)
        self._starts: IntArray = np.zeros(1, np.int64)
        self._postings: NDArray[np.int32] = np.empty(0, np.int32)
        self._sealed = 0  # bodies before this one are in the arrays
        self._recent: dict[int, list[int]] = {}

    def add(self, parsed: Parsed, entry: Entry) -> int | None:
        """Put one name in; returns its body when that is new. Call `seal` after many."""
        body = parsed.brand + parsed.industry
        known = number = self._by_text.get(body)
        if number is None:
            number = len(self._texts)
            self._by_text[body] = number
            self._texts.append(body)
            self._brand_lengths.append(len(parsed.brand))
            self._entries.append([])
            sound = sound_key(body)
            self._by_sound.setdefault(sound, []).append(number)
            self._by_brand.setdefault(sound[: len(parsed.brand)], []).append(number)
            if self._sealed:
                for piece in _pieces(sound):
                    self._recent.setdefault(piece, []).append(number)
        self._entries[number].append(entry)
        return number if known is None else None

    def seal(self) -> None:
        """Build the arrays over the pieces of every body so far."""
        self._keys, self._starts, self._postings = _postings([sound_key(text) for text in self._texts])
        self._sealed = len(self._texts)
        self._recent = {}

    def __len__(self) -> int:
        return len(self._texts)

    def split(self, number: int) -> tuple[str, str]:
        """(字号, 行业) of a body."""
        text, length = self._texts[number], self._brand_lengths[number]
        return text[:length], text[length:]

    def text(self, number: int) -> str:
        """字号 + 行业 of a body."""
        return self._texts[number]

    def entries(self, number: int) -> Sequence[Entry]:
        """The names that have this body."""
        return self._entries[number]

    def exact(self, body: str) -> Iterator[int]:
        """The body with this very text."""
        number = self._by_text.get(body)
        if number is not None:
            yield number

    def sounding(self, body: str) -> Sequence[int]:
        """Bodies that sound like this one."""
        return self._by_sound.get(sound_key(body), ())

    def branded(self, brand: str) -> Sequence[int]:
        """Bodies whose 字号 sounds like this one."""
        return self._by_brand.get(sound_key(brand), ())

    def similar(self, body: str, kept: int = _KEPT) -> list[int]:
        """Bodies sharing the rarest pieces with this one, best first."""
        pieces = _pieces(sound_key(body))
        lists: list[NDArray[np.int32]] = []
        if self._sealed and pieces:
            at = np.searchsorted(self._keys, pieces)
            at[at == len(self._keys)] = 0
            found = at[self._keys[at] == pieces]
            sizes = self._starts[found + 1] - self._starts[found]
            order = np.argsort(sizes, kind="stable")[:_RARE]
            for position in order.tolist():
                if lists and sizes[position] > _LONG_LIST:
                    break
                start = self._starts[found[position]]
                lists.append(self._postings[start : start + min(int(sizes[position]), _LONG_LIST)])
        recent = [number for piece in pieces for number in self._recent.get(piece, ())]
        if recent:
            lists.append(np.asarray(recent, np.int32))
        if not lists:
            return []
        numbers, counts = np.unique(np.concatenate(lists), return_counts=True)
        if len(numbers) > kept:
            best = np.argpartition(counts, -kept)[-kept:]
            numbers, counts = numbers[best], counts[best]
        return [int(number) for number in numbers[np.argsort(-counts, kind="stable")]]


def _pieces(sound: str) -> list[int]:
    """The two-sound pieces of a body, start marked, and the pairs that skip one: 华盛电 -> ^华 华盛 盛电 华_电."""
    codes = [ord(char) for char in _BOUNDARY + sound]
    found = {a << 17 | b << 1 for a, b in pairwise(codes)}
    found |= {a << 17 | b << 1 | 1 for a, b in zip(codes[1:], codes[3:], strict=False)}
    return sorted(found)


def _postings(sounds: Sequence[str]) -> tuple[IntArray, IntArray, NDArray[np.int32]]:
    """(piece keys sorted, start of each list, lists of bodies) for `_pieces` of every body at once."""
    if not sounds:
        return np.empty(0, np.int64), np.zeros(1, np.int64), np.empty(0, np.int32)
    codes = np.frombuffer("".join(_BOUNDARY + sound for sound in sounds).encode("utf-32-le"), np.uint32)
    owner = np.repeat(
        np.arange(len(sounds), dtype=np.int32), np.fromiter((len(s) + 1 for s in sounds), np.int64, len(sounds))
    )
    wide = codes.astype(np.int64)
    same = owner[:-1] == owner[1:]
    pairs = (wide[:-1] << 17 | wide[1:] << 1)[same]
    skip = (owner[:-2] == owner[2:]) & (codes[:-2] != ord(_BOUNDARY))
    keys = np.concatenate([pairs, (wide[:-2] << 17 | wide[2:] << 1 | 1)[skip]])
    bodies = np.concatenate([owner[:-1][same], owner[:-2][skip]])
    order = np.argsort(keys, kind="stable")
    keys, bodies = keys[order], bodies[order]
    distinct, starts = np.unique(keys, return_index=True)
    return distinct, np.append(starts, len(keys)).astype(np.int64), bodies
