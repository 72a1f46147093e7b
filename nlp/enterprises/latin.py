"""Names written in pinyin or English: Ningbo Huasheng Electric Co., Ltd. -> place, 字号 and trade in Chinese."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from pypinyin import Style, lazy_pinyin

from nlp.enterprises.policy import words
from nlp.regions import RegionIndex

_LETTERS = re.compile("[a-z]+")
_LONGEST_PLACE = 24
_LONGEST_BRAND = 24


@dataclass(frozen=True, slots=True)
class LatinReading:
    """One way to read a Latin name: the places it can mean, the 字号's letters, and the letters of the trade."""

    place: str
    codes: tuple[str, ...]
    brand: str
    trade: str


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
    """Reads Latin names against a division table and the 字号 of a register."""

    def __init__(self, regions: RegionIndex, brands: Iterable[tuple[str, int]]) -> None:
        self._places: dict[str, list[str]] = {}
        for code in regions.codes:
            row = regions.row(code)
            if row is not None and row.level != "virtual":
                for name in {row.name, row.short_name}:
                    self._places.setdefault(latin(name), []).append(code)
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
        """The ways to cut the name into place, 字号 and trade at the ends of its words; registered 字号 only."""
        parts = [part for part in _LETTERS.findall(text.lower()) if part not in words().latin_forms]
        joined = "".join(parts)
        ends = {0}
        for part in parts:
            ends.add(max(ends) + len(part))
        if len(parts) < 3:
            ends = set(range(len(joined) + 1))
        found = []
        for cut in sorted(ends):
            if cut > _LONGEST_PLACE or (cut and joined[:cut] not in self._places):
                continue
            for end in sorted(ends):
                if cut < end <= cut + _LONGEST_BRAND and joined[cut:end] in self._brands:
                    codes = tuple(self._places[joined[:cut]]) if cut else ()
                    found.append(LatinReading(joined[:cut], codes, joined[cut:end], joined[end:]))
        return found
