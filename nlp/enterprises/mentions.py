"""Names of firms in running text: all registered ones by one scan, and others by the shape of a firm's name.

The longest name wins, and a name inside a longer one never fires: 华盛电器有限公司 is not found in
新华盛电器有限公司, which is another firm.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

from nlp.enterprises.characters import fold
from nlp.enterprises.formless import FormlessNames
from nlp.enterprises.matching import AnchorMatcher, make_matcher
from nlp.enterprises.names import NameParser
from nlp.enterprises.policy import words
from nlp.enterprises.types import NameSpan, Query, Resolution

_WORD = "0-9a-z\u4e00-\u9fff"
_FORM = (
    "集团有限责任公司|集团股份有限公司|集团有限公司|有限责任公司|股份有限公司|有限公司|集团公司|总公司|专业合作社|合作社|[一-龥]{2}厂|商行|经营部|门市部|批发部|商贸行"
    "|五金店|专卖店|旗舰店|便利店|商店|超市|百货店|集团|公司"
)
_END = re.compile(f"(?:{_FORM})(?:[一-龥]{{1,10}}?(?:分公司|分店|分厂|门店))?")
_OPENING = re.compile(r"(?:\(\d{1,2}\))?\)*")  # 【曝光】华盛电器有限公司, （1）华盛电器有限公司
_BREAK = re.compile(f"[^{_WORD}()&·]")
# Words after which a name begins. One-character words only count when what follows still looks like a name.
_LONGEST_NAME = 40
_GENERIC = re.compile(
    "^(?:[一二三四五六七八九十两几多0-9]+[家个]?|[各每本我你他她它其这那哪全大小老新总分子母某该另此贵黑别]"
    "|别的|一家|这家|那家|多家|家|有些|部分|国内|国外|外资|合资|上市|民营|国有|当地|本地|中国|这些|许多|一些|相关|有关"
    "|我们|他们|你们|不法|正规|大型|小型|知名|附近|楼下|家门口|小区|网上|线上|线下|实体)*"
    "(?:信托|博彩|拍卖|贷款|小额贷款|按揭|猎头|大巴|公交|主流|各大|管理|生产|加工|制造|销售|经营|食品|电器|保险|证券|基金|旅游|物业|投资|房地产|地产|网络|科技|快递|物流|股份|有限"
    "|责任|集团|连锁)*(?:企业)?"
    "(?:有限责任公司|股份有限公司|有限公司|集团公司|总公司|集团|公司|超市|商店|便利店|专卖店|旗舰店|工厂|加工厂"
    "|门市部|经营部|厂)$"
)


@cache
def _cue() -> re.Pattern[str]:
    return re.compile("|".join(words().cues))


@dataclass(frozen=True, slots=True)
class _Found:
    start: int
    end: int


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
        self._late: list[str] = []
        self._late_owners: list[int] = []
        self._late_matcher = AnchorMatcher(())
        self._parser = parser
        self._resolve = resolve
        self._firm_id = firm_ids
        self._unwritten = FormlessNames(parser.regions)

    def add(self, names: Iterable[str], position: int) -> None:
        """Let the next search find one more firm."""
        for name in names:
            self._late.append(fold(name).replace(" ", ""))
            self._late_owners.append(position)
        self._late_matcher = AnchorMatcher(self._late)

    def find(self, text: str) -> list[NameSpan]:
        """Names in `text`, in order, without overlap."""
        folded = fold(text)
        known = [(start, end, self._owners[number]) for start, end, number in self._matcher.find(folded)]
        for start, end, number in self._late_matcher.find(folded):
            if not any(s < end and start < e for s, e, _ in known):
                known.append((start, end, [self._late_owners[number]]))
        shaped = self._by_shape(folded)
        taken_by_form = [(found.start, found.end) for found in shaped]
        for start, end in self._unwritten.find(folded):
            if not any(s < end and start < e for s, e in taken_by_form):
                shaped.append(_Found(start, end))
        spans: list[NameSpan] = []
        taken: list[tuple[int, int]] = []
        for start, end, owners in known:
            longer = self._longer(folded, start, end, shaped)
            if longer is None:
                spans.append(self._registered(text, start, end, owners))
                taken.append((start, end))
        for found in shaped:
            if any(found.start < e and s < found.end for s, e in taken):
                continue
            spans.append(self._settle(text, found.start, found.end))
        return sorted(spans, key=lambda span: span.start)

    def _registered(self, text: str, start: int, end: int, owners: list[int]) -> NameSpan:
        if len(owners) == 1:
            return NameSpan(start, end, text[start:end], "link", self._firm_id(owners[0]), 1.0)
        return self._settle(text, start, end)

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
            opening = _OPENING.match(text, start)
            start = opening.end() if opening else start
            name = text[start:end]
            if len(name) >= 4 and match.start() - start >= 1 and not _GENERIC.match(name):
                found.append(_Found(start, end))
                floor = end
        return found

    def _trade_spans(self, text: str, start: int, end: int) -> list[tuple[int, int]]:
        """Industry words in the window: 自 of 自行车 opens no name."""
        spans, at = [], start
        while at < end - 1:
            length = self._parser.industry_at(text, at)
            if length:
                spans.append((at, at + length))
            at += length or 1
        return spans

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
        inside = self._trade_spans(text, start, form)
        for cue in _cue().finditer(text, start, form):
            after = cue.end()
            if any(s < after < e or s == cue.start() for s, e in places):
                continue
            if len(cue[0]) > 1 and after == form and any(s <= cue.start() and after <= e for s, e in inside):
                continue  # 机械制造有限公司: what stands before the form is its trade
            if cue[0] in "的了等" and after == form:
                return form  # 门口的超市 and 某某等公司 name no firm
            if len(cue[0]) == 1 and (any(s <= cue.start() < e for s, e in inside) or form - after < 2):
                continue
            if len(cue[0]) == 1 and cue.start() > start and any(s == start for s, _ in places):
                continue  # 咸阳德和消防器材: after its place, a name goes on to its form
            if len(cue[0]) == 1 and cue[0] in "和为同等用查于原大及" and form - after < 4:
                continue
            start = after
        for place, _ in places:
            if place >= start and place - start <= 6 and form - place >= 4 and text[place - 1 : place] != "(":
                return place
        return start
