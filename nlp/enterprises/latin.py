"""Names written in pinyin or English: Ningbo Huasheng Electric Co., Ltd. -> place, 字号 and trade in Chinese."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate

from pypinyin import Style, lazy_pinyin

from nlp.enterprises.policy import words
from nlp.regions import RegionIndex

_LETTERS = re.compile("[a-z]+")
_LONGEST_PLACE = 40
_LONGEST_PLACES = 60
_SHORTEST = 4
_LONGEST_BRAND = 24


@dataclass(frozen=True, slots=True)
class LatinReading:
    """One way to read a Latin name: its place's codes, the 字号's letters, the letters of the trade, and the form."""

    place: str
    codes: tuple[str, ...]
    brand: str
    trade: str
    form: str = ""
    at_words: bool = False  # place and 字号 end where words of the text end


def is_latin(text: str) -> bool:
    """True when a name is written in letters."""
    letters = sum(char.isascii() and char.isalpha() for char in text)
    return letters >= 4 and letters >= 0.6 * len(text.replace(" ", ""))


@cache
def latin(text: str) -> str:
    """`text` in pinyin without tones, joined; Latin stays."""
    return "".join(lazy_pinyin(text, style=Style.NORMAL)).replace("ü", "v")


def english_matches(trade: str, industry: str) -> bool:
    """True when the letters after the 字号 name this industry, in pinyin or in English."""
    if trade == latin(industry):
        return True
    return any(word in trade and any(part in industry for part in parts) for word, parts in words().english.items())


class LatinReader:
    """Reads Latin names against a division table, the legal forms and the 字号 of a register."""

    def __init__(self, regions: RegionIndex, forms: Iterable[str], brands: Iterable[tuple[str, int]]) -> None:
        self._regions = regions
        self._places: dict[str, list[str]] = {}
        for code in regions.codes:
            row = regions.row(code)
            if row is not None and row.level != "virtual":
                for name in {row.name, row.short_name}:
                    self._places.setdefault(latin(name), []).append(code)
        self._forms = sorted(((latin(form), form) for form in forms), key=lambda pair: -len(pair[0]))
        self._brands: dict[str, list[int]] = {}
        for brand, number in brands:
            self._brands.setdefault(latin(brand), []).append(number)

    def add(self, brand: str, number: int) -> None:
        """Let one more 字号 be read."""
        self._brands.setdefault(latin(brand), []).append(number)

    def bodies(self, brand: str) -> Sequence[int]:
        """The bodies whose 字号 has these letters."""
        return self._brands.get(brand, ())

    def readings(self, text: str) -> list[LatinReading]:
        """The ways to cut the name into place, 字号, trade and form; registered 字号 only."""
        parts = [part for part in _LETTERS.findall(text.lower()) if part not in words().latin_forms]
        whole = "".join(parts)
        ends = set(accumulate(map(len, parts)))
        found = []
        for form_letters, form in [*self._forms, ("", "")]:
            if not whole.endswith(form_letters) or len(whole) - len(form_letters) < _SHORTEST:
                continue
            joined = whole[: len(whole) - len(form_letters)]
            for cut, codes in self._heads(joined):
                for end in range(cut + 2, min(len(joined), cut + _LONGEST_BRAND) + 1):
                    if joined[cut:end] in self._brands:
                        at_words = end in ends and (not cut or cut in ends)
                        found.append(LatinReading(joined[:cut], codes, joined[cut:end], joined[end:], form, at_words))
            if form and found:
                break
        return found

    def _heads(self, joined: str) -> list[tuple[int, tuple[str, ...]]]:
        """(where the place words can end, what they can mean), a province before its city among them."""
        heads: list[tuple[int, tuple[str, ...]]] = [(0, ())]
        for start, above in heads:
            if start > _LONGEST_PLACES:
                break
            for end in range(start + 2, min(len(joined), start + _LONGEST_PLACE) + 1):
                codes = self._places.get(joined[start:end])
                if codes is None:
                    continue
                inner = tuple(c for c in codes if not above or any(self._regions.covers(a, c) for a in above))
                if inner:
                    heads.append((end, inner))
        return heads
