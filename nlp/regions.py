"""Places in text -> adcodes, and what the codes mean over time.

Built from the shipped `nlp/lexicon/regions.csv`, from the store's region rows, or both; ambiguity is kept
(朝阳区 is in Beijing and in Changchun) until another place in the text settles it.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

SHIPPED = Path(__file__).parent / "lexicon" / "regions.csv"

# One-character names stand for a province only next to another place or in a vehicle plate; they are used for
# names of firms and bureaus (沪工, 鲁质监), never for free text.
_ABBREVIATED = (
    "11京 12津 13冀 14晋 15蒙 21辽 22吉 23黑 31沪 32苏 33浙 34皖 35闽 36赣 37鲁 41豫 42鄂 43湘 44粤 45桂 46琼 "
    "50渝 51川 52黔 53滇 54藏 61陕 62甘 63青 64宁 65新 71台 81港 82澳"
)
ABBREVIATIONS = {word[2]: word[:2] for word in re.split(" ", _ABBREVIATED)}
# A place word before one of these names a road or a building, not the place of the event.
_NOT_A_PLACE = ("路", "街", "大道", "道", "大街", "巷", "弄", "大厦", "广场", "公园", "小区", "酒店", "装", "舰", "菜")
_BUREAU = ("市场监", "质监", "工商", "市监", "消保", "药监", "监管局")


class RegionLike(Protocol):
    """A row of the division table, from the CSV or from the store."""

    @property
    def code(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def short_name(self) -> str: ...
    @property
    def level(self) -> str: ...
    @property
    def parent_code(self) -> str | None: ...
    @property
    def successor_code(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class RegionRow:
    """One line of regions.csv; dates are ISO strings, empty where not recorded."""

    code: str
    name: str
    short_name: str
    level: str  # province | city | county | custom | virtual | statistical
    parent_code: str | None
    valid_from: str | None
    valid_to: str | None
    successor_code: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """A place named in a text: offsets into it, and every adcode it can mean (the most specific, best first)."""

    start: int
    end: int
    text: str
    codes: tuple[str, ...]

    @property
    def code(self) -> str | None:
        """The adcode when only one is possible."""
        return self.codes[0] if len(self.codes) == 1 else None


@cache
def shipped_regions() -> tuple[RegionRow, ...]:
    """The national division table that comes with the product."""
    with SHIPPED.open(encoding="utf-8", newline="") as handle:
        return tuple(
            RegionRow(
                code=row["code"],
                name=row["name"],
                short_name=row["short_name"],
                level=row["level"],
                parent_code=row["parent_code"] or None,
                valid_from=row["valid_from"] or None,
                valid_to=row["valid_to"] or None,
                successor_code=row["successor_code"] or None,
            )
            for row in csv.DictReader(handle)
        )


@cache
def shipped_index() -> "RegionIndex":
    """The index over the shipped table alone."""
    return RegionIndex(shipped_regions())


class RegionIndex:
    """Finds places and answers what a code means. Rows given later replace earlier ones of the same code."""

    def __init__(self, rows: Iterable[RegionLike]) -> None:
        self._rows: dict[str, RegionLike] = {row.code: row for row in rows}
        self._full: dict[str, list[str]] = {}
        self._short: dict[str, list[str]] = {}
        self._lengths: dict[str, tuple[int, ...]] = {}
        self._ancestors: dict[str, tuple[str, ...]] = {}
        lengths: dict[str, set[int]] = {}
        for code, row in self._rows.items():
            self._ancestors[code] = self._climb(code)
            if row.level == "virtual":
                continue
            self._full.setdefault(row.name, []).append(code)
            shorts = {row.short_name, _prefecture_word(row)} - {row.name, ""}
            for word in shorts:
                self._short.setdefault(word, []).append(code)
            for word in {row.name, *shorts}:
                lengths.setdefault(word[:2], set()).add(len(word))
        self._lengths = {head: tuple(sorted(ls, reverse=True)) for head, ls in lengths.items()}
        firsts, seconds = ({re.escape(char) for head in lengths for char in head[at : at + 1]} for at in (0, 1))
        self._heads = re.compile(f"[{''.join(sorted(firsts))}](?=[{''.join(sorted(seconds))}])") if lengths else None

    def __contains__(self, code: str) -> bool:
        return code in self._rows

    @property
    def codes(self) -> Sequence[str]:
        """Every code known, former ones too."""
        return tuple(self._rows)

    def row(self, code: str) -> RegionLike | None:
        """The row of `code`, None when unknown."""
        return self._rows.get(code)

    def name(self, code: str | None) -> str:
        """The name as it is shown, '' when unknown; a virtual heading shows as the unit above it."""
        row = self._rows.get(self.canonical(code) or "")
        return row.name if row else ""

    def full_name(self, code: str | None) -> str:
        """The name with those above it: 浙江省宁波市象山县."""
        own = self.canonical(code)
        if own is None:
            return ""
        chain = [self._rows[c].name for c in reversed(self._ancestors[own]) if self._rows[c].level != "virtual"]
        return "".join(chain)

    def ancestors(self, code: str) -> tuple[str, ...]:
        """`code` itself, then its city, then its province; () when unknown."""
        return self._ancestors.get(code, ())

    def canonical(self, code: str | None) -> str | None:
        """The civil division a code stands for: 12 digits cut to 6, headings and statistical zones lifted.

        A code with an unknown county or city part becomes the nearest known unit above it; None when not even the
        province is known.
        """
        if not code:
            return None
        code = code.strip()[:6].ljust(6, "0")
        for tried in (code, code[:4] + "00", code[:2] + "0000"):
            row = self._rows.get(tried)
            if row is not None and row.level not in ("virtual", "statistical"):
                return tried
        return None

    def current(self, code: str) -> str:
        """The code in force today for a withdrawn one; the code itself otherwise."""
        seen = set()
        while code not in seen:
            seen.add(code)
            row = self._rows.get(code)
            if row is None or not row.successor_code:
                return code
            code = row.successor_code
        return code

    def covers(self, outer: str, inner: str) -> bool:
        """True when `inner` is `outer` or lies in it, now or under its successor."""
        outer = self.current(outer)
        inner = self.current(inner)
        return outer == inner or outer in self._ancestors.get(inner, ())

    def compatible(self, one: str, other: str) -> bool:
        """True when the two can be the same place at different precision."""
        return self.covers(one, other) or self.covers(other, one)

    def lookup(self, word: str) -> tuple[str, ...]:
        """Every code a word can mean, full names before short ones."""
        return tuple(dict.fromkeys([*self._full.get(word, ()), *self._short.get(word, ())]))

    def match_at(self, text: str, at: int) -> tuple[int, tuple[str, ...]]:
        """The longest place word that starts at `at`: its length and codes; (0, ()) when there is none."""
        for length in self._lengths.get(text[at : at + 2], ()):
            word = text[at : at + length]
            if len(word) == length:
                found = self.lookup(word)
                if found:
                    return length, found
        return 0, ()

    def locate(self, text: str) -> list[Place]:
        """Places named in `text`, in order. Chains (浙江省宁波市象山县) become one place.

        A bare county name (象山) counts only after the unit above it or before a bureau's name, and a place word
        that names a road or a building does not count.
        """
        places: list[Place] = []
        at = 0
        starts = () if self._heads is None else (head.start() for head in self._heads.finditer(text))
        for start in [start for start in starts if text[start : start + 2] in self._lengths]:
            length, codes = self.match_at(text, start) if start >= at else (0, ())
            if not length:
                continue
            at, end = start, start + length
            above = places[-1] if places and text[places[-1].end : at] in ("", " ", "省", "市", "·") else None
            below = tuple(c for c in codes if above and any(self._is_above(a, c) for a in above.codes))
            if above and below:
                places[-1] = Place(above.start, end, text[above.start : end], below)
                at = end
                continue
            codes = tuple(c for c in codes if self._stands_alone(c, text[at:end], text[end : end + 4]))
            if codes and not text.startswith(_NOT_A_PLACE, end):
                places.append(Place(at, end, text[at:end], codes))
            at = end
        return [self._settle(place, places) for place in places]

    def code_of(self, text: str | None) -> str | None:
        """The one code a place name or an adcode stands for; None when unknown or still ambiguous."""
        if not text:
            return None
        if text[:6].isdigit():
            return self.canonical(text)
        found = self.lookup(text.strip())
        current = tuple(dict.fromkeys(self.current(code) for code in found))
        if len(current) == 1:
            return current[0]
        places = self.locate(text)
        return places[-1].code if places else None

    def _climb(self, code: str) -> tuple[str, ...]:
        chain: list[str] = []
        at: str | None = code
        while at and at in self._rows and at not in chain:
            chain.append(at)
            at = self._rows[at].parent_code
        return tuple(chain)

    def _is_above(self, outer: str, inner: str) -> bool:
        return outer != inner and outer in self._ancestors.get(inner, ())

    def _stands_alone(self, code: str, word: str, after: str) -> bool:
        row = self._rows[code]
        if row.level in ("province", "city"):
            return True
        if word == row.name:
            return row.short_name != row.name and word not in ("城区", "郊区", "矿区", "市中区", "新区")
        return after.startswith(_BUREAU)

    def _settle(self, place: Place, places: Sequence[Place]) -> Place:
        codes = tuple(dict.fromkeys(self.current(code) for code in place.codes))
        if len(codes) > 1:
            others = [code for other in places if other is not place for code in other.codes]
            inside = tuple(c for c in codes if any(self._is_above(o, c) for o in others))
            codes = inside or codes
        if len(codes) > 1:
            # 吉林 is the province and its city, 吉安 the city and its county: the text alone means the larger.
            tops = tuple(c for c in codes if all(c == o or self._is_above(c, o) for o in codes))
            codes = tops or codes
        return Place(place.start, place.end, place.text, codes)


def _prefecture_word(row: RegionLike) -> str:
    """黔南州 for 黔南布依族苗族自治州: the everyday word for an autonomous prefecture."""
    return f"{row.short_name}州" if row.name.endswith("自治州") else ""
