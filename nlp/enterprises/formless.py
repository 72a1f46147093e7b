"""Firms written without a legal form: well-known ones (招行, 花旗集团), and names by their
ending (江苏长江商业银行).
"""

import re
from functools import cache
from pathlib import Path

import yaml

from nlp.enterprises.characters import fold
from nlp.enterprises.matching import AnchorMatcher
from nlp.enterprises.policy import words
from nlp.regions import RegionIndex
from nlp.segment import load_segmenter

_HERE = Path(__file__).parent
_LONGEST = 8  # characters before an ending
_ABROAD = "中国|美国|英国|法国|德国|日本|韩国|荷兰|新加坡|俄罗斯|加拿大|澳大利亚|瑞士|意大利|香港|台湾"
_COUNTRY = re.compile(f"(?:{_ABROAD})$")
_COUNTRY_FIRST = re.compile(f"^(?:{_ABROAD})")
_GOES_ON = frozenset("业家系间卡")  # 银行业, 银行家 and 银行卡 are no banks
_LETTER = re.compile("[0-9a-z]")
_CHINESE = re.compile("[一-龥]")


@cache
def _known() -> tuple[str, ...]:
    lines = (_HERE / "known_firms.txt").read_text(encoding="utf-8").splitlines()
    return tuple(dict.fromkeys(fold(word) for line in lines if not line.startswith("#") for word in line.split()))


@cache
def _shapes() -> tuple[re.Pattern[str], re.Pattern[str], frozenset[str], frozenset[str]]:
    data = yaml.safe_load((_HERE / "shapes.yml").read_text(encoding="utf-8"))
    longest_first = sorted(data["endings"], key=len, reverse=True)
    parts = "|".join(sorted(data["parts"], key=len, reverse=True))
    after = f"(?:\\(中国\\)|(?:[一-龥]{{2,6}}?(?:分行|支行|分公司))|{parts})*"
    return re.compile("|".join(longest_first)), re.compile(after), frozenset(data["generic"]), frozenset(data["before"])


class FormlessNames:
    """Finds them in a folded text."""

    def __init__(self, regions: RegionIndex) -> None:
        self._regions = regions
        self._matcher = AnchorMatcher(_known())

    def find(self, text: str) -> list[tuple[int, int]]:
        """(start, end) of each name, in order, without overlap."""
        found: list[tuple[int, int]] = []
        for start, end, _ in self._matcher.find(text):
            if self._stands_alone(text, start, end) and not (text[end - 1] == "行" and text[end : end + 1] in _GOES_ON):
                found.append((self._with_country(text, start), self._with_parts(text, end)))
        for start, end in self._by_ending(text):
            if not any(s < end and start < e for s, e in found):
                found.append((start, end))
        return sorted(found)

    def _stands_alone(self, text: str, start: int, end: int) -> bool:
        """False inside a longer Latin word."""
        if not _LETTER.match(text[start]):
            return True
        return not _LETTER.match(text[start - 1 : start] or " ") and not _LETTER.match(text[end : end + 1] or " ")

    def _with_country(self, text: str, start: int) -> int:
        country = _COUNTRY.search(text[max(0, start - 4) : start])
        return start - len(country[0]) if country else start

    def _with_parts(self, text: str, end: int) -> int:
        _, parts, _, _ = _shapes()
        longer = parts.match(text, end)
        return longer.end() if longer else end

    def _by_ending(self, text: str) -> list[tuple[int, int]]:
        endings, _, generic, _ = _shapes()
        found: list[tuple[int, int]] = []
        if not endings.search(text):
            return found
        starts, at = [], 0
        for word in load_segmenter().cut(text):
            starts.append((at, word))
            at += len(word)
        for match in endings.finditer(text):
            floor = found[-1][1] if found else 0
            start = self._before(text, starts, match.start(), max(floor, match.start() - _LONGEST))
            name = text[start : match.end()]
            plain = _COUNTRY_FIRST.sub("", name)
            followed = text[match.end() : match.end() + 1] in _GOES_ON
            if match.start() - start >= 2 and plain not in generic and not followed and _CHINESE.match(name):
                found.append((start, self._with_parts(text, match.end())))
        return found

    def _before(self, text: str, starts: list[tuple[int, str]], ending: int, floor: int) -> int:
        """Where the name that closes with the ending at `ending` begins: words are taken in leftwards."""
        begin = ending
        stop = words().cue_set | _shapes()[3]
        for at, word in reversed(starts):
            if at >= ending:
                continue
            if at < floor or word in stop or not _CHINESE.match(word) or len(word) > 4:
                break
            taken = ending - at
            is_place = bool(self._regions.lookup(word)) or _COUNTRY.match(word) is not None
            if begin < ending and ending - begin >= 2 and not is_place:
                break
            if taken > _LONGEST:
                break
            begin = at
        return begin
