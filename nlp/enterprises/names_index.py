"""The register's names as arrays: which firms bear which 字号 + 行业, and which of these resemble a query's.

Names that differ only in place, form or branch share one *body* (字号 + 行业), so a million firms are far fewer
bodies. A body is found by its text, by its sound, by its 字号 alone, and by its rare two-character pieces.
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from nlp.enterprises.characters import look_alikes, sound_key
from nlp.enterprises.names import Parsed

IntArray = NDArray[np.int64]
_BOUNDARY = chr(0xF8FF)
_RARE = 6  # how many of a query's rarest pieces are looked up
_POSTINGS = 6_000  # how many postings they may have together, the two rarest apart
_COUNTED = 64  # bodies with most pieces in common whose spelling is compared
_KEPT = 12  # bodies handed on


class Numbers:
    """Text -> numbers; a single number is kept bare, because a million lists would fill the memory."""

    def __init__(self) -> None:
        self._found: dict[str, int | list[int]] = {}
        self.known = self._found.get  # for the one loop that asks a hundred times a query

    def add(self, text: str, number: int) -> None:
        """Note one more number under a text."""
        old = self._found.setdefault(text, number)
        if isinstance(old, list):
            old.append(number)
        elif old != number:
            self._found[text] = [old, number]

    def get(self, text: str) -> Sequence[int]:
        """The numbers under a text, oldest first."""
        found = self._found.get(text)
        if found is None:
            return ()
        return found if isinstance(found, list) else (found,)


@dataclass(frozen=True, slots=True)
class Entry:
    """One name of one firm: the firm's position, the name's place, form, branch, and whether it is a former name."""

    firm: int
    place: str  # adcode, '' when the name has none
    form: str
    branch: str
    former: bool


class NamesIndex:
    """Bodies and their entries. Names added after `seal` are found as well."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._brand_lengths = array("B")
        self._by_text: dict[str, int] = {}
        self._by_sound = Numbers()
        self._by_brand = Numbers()
        self._words: list[str] = [""]  # forms and branches, each once
        self._word_numbers: dict[str, int] = {"": 0}
        # One row a name; ordered by body once sealed.
        self._body, self._firm, self._place = array("i"), array("i"), array("i")
        self._form, self._branch, self._former = array("i"), array("i"), array("b")
        self._first: NDArray[np.int64] = np.zeros(1, np.int64)
        self._late: dict[int, list[Entry]] = {}
        self._placed = array("i")  # the firms of the names, in order of the names' places
        self._places: dict[int, tuple[int, int]] = {}  # place -> where its names begin and end in that order
        self._keys: IntArray = np.empty(0, np.int64)
        self._starts: IntArray = np.zeros(1, np.int64)
        self._postings: NDArray[np.int32] = np.empty(0, np.int32)
        self._sealed = False
        self._recent: dict[int, list[int]] = {}

    def add(self, parsed: Parsed, entry: Entry) -> int | None:
        """Put one name in; returns its body when that is new. Call `seal` after many."""
        body = parsed.brand + parsed.industry
        known = number = self._by_text.get(body)
        if number is None:
            number = len(self._texts)
            self._by_text[body] = number
            self._texts.append(body)
            self._brand_lengths.append(min(255, len(parsed.brand)))
            sound = sound_key(body)
            self._by_sound.add(sound, number)
            self._by_brand.add(sound[: len(parsed.brand)], number)
            if self._sealed:
                for piece in _pieces(sound):
                    self._recent.setdefault(piece, []).append(number)
        if self._sealed:
            self._late.setdefault(number, []).append(entry)
        else:
            self._body.append(number)
            self._firm.append(entry.firm)
            self._place.append(int(entry.place or 0))
            self._form.append(self._word(entry.form))
            self._branch.append(self._word(entry.branch))
            self._former.append(entry.former)
        return number if known is None else None

    def seal(self) -> None:
        """Order the names by body and build the arrays over the pieces of every body."""
        body = np.frombuffer(self._body, np.int32) if self._body else np.empty(0, np.int32)
        order = np.argsort(body, kind="stable")
        self._first = np.searchsorted(body[order], np.arange(len(self._texts) + 1))
        for name, kind in (("_firm", np.int32), ("_place", np.int32), ("_form", np.int32), ("_branch", np.int32)):
            column: array[int] = getattr(self, name)
            ordered = array("i")
            if len(column):
                ordered.frombytes(np.frombuffer(column, kind)[order].tobytes())
            setattr(self, name, ordered)
        former = array("b")
        if len(self._former):
            former.frombytes(np.frombuffer(self._former, np.int8)[order].tobytes())
        self._former = former
        self._body = array("i")
        place = np.frombuffer(self._place, np.int32) if self._place else np.empty(0, np.int32)
        by_place = np.argsort(place, kind="stable")
        if len(by_place):
            self._placed.frombytes(np.frombuffer(self._firm, np.int32)[by_place].tobytes())
            codes, firsts = np.unique(place[by_place], return_index=True)
            lasts = [*firsts[1:].tolist(), len(by_place)]
            self._places = dict(zip(codes.tolist(), zip(firsts.tolist(), lasts, strict=True), strict=True))
        self._keys, self._starts, self._postings = _postings([sound_key(text) for text in self._texts])
        self._sealed = True

    def __len__(self) -> int:
        return len(self._texts)

    def split(self, number: int) -> tuple[str, str]:
        """(字号, 行业) of a body."""
        text, length = self._texts[number], self._brand_lengths[number]
        return text[:length], text[length:]

    def text(self, number: int) -> str:
        """字号 + 行业 of a body."""
        return self._texts[number]

    def entries(self, number: int) -> Iterator[Entry]:
        """The names that have this body."""
        if number + 1 < len(self._first):
            words = self._words
            for row in range(int(self._first[number]), int(self._first[number + 1])):
                place = self._place[row]
                yield Entry(
                    self._firm[row],
                    str(place) if place else "",
                    words[self._form[row]],
                    words[self._branch[row]],
                    bool(self._former[row]),
                )
        yield from self._late.get(number, ())

    def exact(self, body: str) -> Iterator[int]:
        """The body with this very text."""
        number = self._by_text.get(body)
        if number is not None:
            yield number

    def sounding(self, body: str) -> Sequence[int]:
        """Bodies that sound like this one."""
        return self._by_sound.get(sound_key(body))

    def branded(self, brand: str) -> Sequence[int]:
        """Bodies whose 字号 sounds like this one."""
        return self._by_brand.get(sound_key(brand))

    def alike(self, body: str) -> Iterator[tuple[int, int, str]]:
        """(body, position, character) of bodies that are this one but for one look-alike, whatever it sounds like."""
        sound, texts, known = sound_key(body), self._texts, self._by_sound.known
        for at, char in enumerate(body):
            head, tail = sound[:at], sound[at + 1 :]
            for code, others in _shapes_by_sound(char):
                found = known(head + code + tail)
                if found is None:
                    continue
                for number in found if isinstance(found, list) else (found,):
                    if texts[number][at] in others:
                        yield number, at, texts[number][at]

    def similar(self, body: str, kept: int = _KEPT) -> list[int]:
        """Bodies that share rare pieces with this one, the nearest in spelling first."""
        pieces = _pieces(sound_key(body))
        lists: list[NDArray[np.int32]] = []
        if len(self._keys) and pieces:
            at = np.searchsorted(self._keys, pieces)
            at[at == len(self._keys)] = 0
            found = at[self._keys[at] == pieces]
            sizes = self._starts[found + 1] - self._starts[found]
            room = _POSTINGS
            for position in np.argsort(sizes, kind="stable")[:_RARE].tolist():
                size = int(sizes[position])
                if len(lists) >= 2 and size > room:
                    break
                start = int(self._starts[found[position]])
                lists.append(self._postings[start : start + min(size, 4 * _POSTINGS)])
                room -= size
        recent = [number for piece in pieces for number in self._recent.get(piece, ())]
        if recent:
            lists.append(np.asarray(recent, np.int32))
        if not lists:
            return []
        ordered = np.sort(np.concatenate(lists))
        first = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
        numbers, counts = ordered[first], np.diff(np.append(first, len(ordered)))
        for least in range(int(counts.max()), 0, -1):
            most = np.flatnonzero(counts >= least)
            if len(most) >= _COUNTED or least == 1:
                break
        best = most[np.argsort(-counts[most], kind="stable")[: 2 * _COUNTED]]
        texts = self._texts
        near = sorted((Levenshtein.distance(body, texts[n]), n) for n in numbers[best].tolist())
        return [number for _, number in near[:kept]]

    @property
    def placed_firms(self) -> Sequence[int]:
        """The firms of all names, in order of the names' places; `placed` says which belong to one place."""
        return self._placed

    def placed(self, place: str, most: int) -> slice:
        """Where the names with this place stand in `placed_firms`; empty when there are more than `most`."""
        first, last = self._places.get(int(place), (0, 0))
        return slice(first, last) if last - first <= most else slice(0, 0)

    def _word(self, word: str) -> int:
        number = self._word_numbers.get(word)
        if number is None:
            number = self._word_numbers[word] = len(self._words)
            self._words.append(word)
        return number


@cache
def _shapes_by_sound(char: str) -> tuple[tuple[str, str], ...]:
    """The look-alikes of a character, those of one sound together: (sound, characters)."""
    found: dict[str, str] = {}
    for other in look_alikes().get(char, ""):
        code = sound_key(other)
        found[code] = found.get(code, "") + other
    return tuple(found.items())


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
    del pairs, wide, owner, same, skip
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    bodies = bodies[order]
    first = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
    return keys[first], np.append(first, len(keys)).astype(np.int64), bodies
