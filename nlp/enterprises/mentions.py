"""Names of firms in running text: all registered ones by one scan, and others by the shape of a firm's name.

The longest name wins, and a name inside a longer one never fires: 华盛电器有限公司 is not found in
新华盛电器有限公司, which is another firm.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from nlp.enterprises.characters import fold
from nlp.enterprises.names import NameParser
from nlp.enterprises.policy import words
from nlp.enterprises.types import NameSpan, Query, Resolution

_WORD = "0-9a-z\u4e00-\u9fff"
_FORM = (
    "有限责任公司|股份有限公司|有限公司|集团公司|总公司|专业合作社|合作社|[一-龥]{2}厂|商行|经营部|门市部|批发部|商贸行"
    "|五金店|专卖店|旗舰店|便利店|商店|超市|百货店|集团|公司"
)
_END = re.compile(f"(?:{_FORM})(?:[一-龥]{{1,10}}?(?:分公司|分店|分厂|门店))?")
_BREAK = re.compile(f"[^{_WORD}()&·]")
# Words after which a name begins. One-character words only count when what follows still looks like a name.
_LONGEST_NAME = 30
_GENERIC = re.compile(
    "^(?:[一二三四五六七八九十两几多0-9]+[家个]?|[各每本我你他她它其这那哪全大小老新总分子母某该另此贵黑别]"
    "|别的|一家|这家|那家|多家|家|有些|部分|国内|国外|外资|合资|上市|民营|国有|当地|本地|中国|这些|许多|一些|相关|有关"
    "|我们|他们|你们|不法|正规|大型|小型|知名|附近|楼下|家门口|小区|网上|线上|线下|实体)*"
    "(?:生产|加工|制造|销售|经营|食品|电器|保险|证券|基金|旅游|物业|投资|房地产|地产|网络|科技|快递|物流|股份|有限"
    "|责任|集团|连锁)*(?:企业)?"
    "(?:有限责任公司|股份有限公司|有限公司|集团公司|总公司|集团|公司|超市|商店|便利店|专卖店|旗舰店|工厂|加工厂"
    "|门市部|经营部|厂)$"
)


@cache
def _cue() -> re.Pattern[str]:
    return re.compile("|".join(words().cues))


class _Matcher(Protocol):
    def find(self, text: str) -> Iterable[tuple[int, int, int]]: ...


@dataclass(frozen=True, slots=True)
class _Found:
    start: int
    end: int


class AnchorMatcher:
    """Leftmost-longest search of many names in pure Python: a name is looked for where its first four signs stand."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names: dict[str, list[tuple[str, int]]] = {}
        self._short: dict[str, int] = {}
        for number, name in enumerate(names):
            if len(name) >= 4:
                self._names.setdefault(name[:4], []).append((name, number))
            else:
                self._short[name] = number
        for same in self._names.values():
            same.sort(key=lambda pair: -len(pair[0]))

    def find(self, text: str) -> list[tuple[int, int, int]]:
        """(start, end, number) of each name found, in order, without overlap."""
        found, at, last = [], 0, len(text)
        get, short = self._names.get, self._short
        while at < last:
            step = 1
            names = get(text[at : at + 4])
            if names is not None:
                for name, number in names:
                    if text.startswith(name, at):
                        found.append((at, at + len(name), number))
                        step = len(name)
                        break
            if step == 1 and short:
                for length in (3, 2):
                    number = short.get(text[at : at + length], -1)
                    if number >= 0 and at + length <= last:
                        found.append((at, at + length, number))
                        step = length
                        break
            at += step
        return found


class _NativeMatcher:
    """The same over a double-array automaton, where the optional package is installed."""

    def __init__(self, names: list[str]) -> None:
        import daachorse

        self._automaton = daachorse.CharwiseDoubleArrayAhoCorasick(
            names, match_kind=daachorse.MATCH_KIND_LEFTMOST_LONGEST
        )

    def find(self, text: str) -> list[tuple[int, int, int]]:
        return list(self._automaton.find(text))


def make_matcher(names: list[str]) -> _Matcher:
    """The fastest matcher this installation has; both give the same matches."""
    if not names:
        return AnchorMatcher(())
    try:
        return _NativeMatcher(names)
    except ImportError:
        return AnchorMatcher(names)


class MentionFinder:
    """Finds names in text. `patterns` are registered names with their firm's position; `resolve` settles the rest."""

    def __init__(
        self,
        patterns: Iterable[tuple[str, int]],
        parser: NameParser,
        resolve: Callable[[Query], Resolution],
        firm_ids: Callable[[int], str],
    ) -> None:
        owners: dict[str, list[int]] = {}
        for name, position in patterns:
            numbers = owners.setdefault(fold(name).replace(" ", ""), [])
            if position not in numbers:
                numbers.append(position)
        self._names = list(owners)
        self._owners = list(owners.values())
        self._matcher = make_matcher(self._names)
        self._parser = parser
        self._resolve = resolve
        self._firm_id = firm_ids

    def add(self, name: str, position: int) -> None:
        """Let the next search find one more name."""
        self._names.append(fold(name).replace(" ", ""))
        self._owners.append([position])
        self._matcher = make_matcher(self._names)

    def find(self, text: str) -> list[NameSpan]:
        """Names in `text`, in order, without overlap."""
        folded = fold(text)
        known = list(self._matcher.find(folded))
        shaped = self._by_shape(folded)
        spans: list[NameSpan] = []
        taken: list[tuple[int, int]] = []
        for start, end, number in known:
            longer = self._longer(folded, start, end, shaped)
            if longer is None:
                spans.append(self._registered(text, start, end, number))
                taken.append((start, end))
        for found in shaped:
            if any(found.start < e and s < found.end for s, e in taken):
                continue
            spans.append(self._settle(text, found.start, found.end))
        return sorted(spans, key=lambda span: span.start)

    def _registered(self, text: str, start: int, end: int, number: int) -> NameSpan:
        owners = self._owners[number]
        name = text[start:end]
        if len(owners) == 1:
            return NameSpan(start, end, name, "link", self._firm_id(owners[0]), 1.0)
        return NameSpan(start, end, name, "ambiguous", None, 0.5, tuple(map(self._firm_id, owners[:8])))

    def _settle(self, text: str, start: int, end: int) -> NameSpan:
        name = text[start:end]
        answer = self._resolve(Query(name, context=text))
        firm = answer.ids[0] if answer.decision == "link" and len(answer.ids) == 1 else None
        decision = answer.decision if firm or answer.decision != "link" else "ambiguous"
        return NameSpan(start, end, name, decision, firm, answer.score, tuple(c.id for c in answer.candidates))

    def _longer(self, text: str, start: int, end: int, shaped: list[_Found]) -> _Found | None:
        """The longer name this one is only a piece of, None when it stands alone."""
        for found in shaped:
            if found.start <= start and end <= found.end and (found.start, found.end) != (start, end):
                if found.end > end:
                    return found
                before = text[found.start : start]
                length, _ = self._parser.regions.match_at(before, 0)
                if length == len(before) or len(before) <= 2:
                    return found
        return None

    def _by_shape(self, text: str) -> list[_Found]:
        """Spans that end in an organisational form and begin where a name can begin."""
        found: list[_Found] = []
        floor = 0
        for match in _END.finditer(text):
            end = match.end()
            start = self._start(text, max(floor, end - _LONGEST_NAME), match.start())
            name = text[start:end]
            if len(name) >= 4 and match.start() - start >= 1 and not _GENERIC.match(name):
                found.append(_Found(start, end))
                floor = end
        return found

    def _start(self, text: str, floor: int, form: int) -> int:
        """Where the name that ends in the form at `form` begins."""
        start = floor
        for sign in _BREAK.finditer(text, floor, form):
            start = sign.end()
        depth = text.count(")", start, form) - text.count("(", start, form)
        if depth < 0:
            start = text.rfind("(", start, form) + 1
        places = []
        at = start
        while at < form - 1:
            length, codes = self._parser.regions.match_at(text, at)
            if length and codes:
                places.append((at, at + length))
                at += length
            else:
                at += 1
        for cue in _cue().finditer(text, start, form):
            after = cue.end()
            if form - after < 2 or any(s < after < e or s == cue.start() for s, e in places):
                continue
            if len(cue[0]) == 1 and cue[0] in "和为同等用查于原大及" and form - after < 4:
                continue
            start = after
        for place, _ in places:
            if place >= start and place - start <= 6 and form - place >= 4 and text[place - 1 : place] != "(":
                return place
        return start
