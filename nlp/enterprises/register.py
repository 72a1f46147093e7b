"""The register: answers whose name a query is, and finds its firms in text."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from nlp.enterprises.characters import fold, look_alikes
from nlp.enterprises.codes import is_uscc, normalise_uscc
from nlp.enterprises.compare import compare_bodies, compare_branches, compare_forms
from nlp.enterprises.mentions import MentionFinder
from nlp.enterprises.names import NameParser, Parsed, name_key, squeeze
from nlp.enterprises.names_index import Entry, NamesIndex
from nlp.enterprises.policy import NamePolicy, load_name_policy, words
from nlp.enterprises.types import Candidate, Firm, NameSpan, Query, Resolution
from nlp.regions import RegionIndex, shipped_index

_SEPARATORS = re.compile(r"[、;；/,，\n]|委托|受托|以及|和|与|及|\s{1,}")
_SHOWN = 8  # candidates handed out


@dataclass(slots=True)
class _Scored:
    firm: int
    certainty: float
    bonus: float
    reasons: tuple[str, ...]
    method: str

    @property
    def rank(self) -> float:
        return self.certainty + self.bonus


class Register:
    """Every registered firm by its names. Built once; `add` makes a new firm findable at once."""

    def __init__(
        self,
        firms: Iterable[Firm],
        regions: RegionIndex | None = None,
        policy: NamePolicy | None = None,
    ) -> None:
        self.regions = regions or shipped_index()
        self.policy = policy or load_name_policy()
        self._parser = NameParser(self.regions, self.policy)
        self._firms: list[Firm] = []
        self._places: list[str] = []  # adcode of each firm's seat, '' unknown
        self._by_code: dict[str, int] = {}
        self._by_key: dict[str, list[int]] = {}
        self._aliases: dict[str, list[tuple[int, str]]] = {}
        self._names = NamesIndex()
        self._finder: MentionFinder | None = None
        for firm in firms:
            self._put(firm)
        self._names.seal()

    def __len__(self) -> int:
        return len(self._firms)

    def add(self, firm: Firm) -> None:
        """Make a new firm findable; nothing is rebuilt."""
        self._put(firm)
        if self._finder is not None:
            self._finder.add(firm.name, len(self._firms) - 1)

    def place_of(self, name: str) -> str | None:
        """The adcode the place words of a name stand for, None when it has none or they are ambiguous."""
        codes = self._parser.parse(name).region_codes
        return codes[0] if len(codes) == 1 else None

    def resolve(self, query: Query) -> Resolution:
        """Whose name it is. An invalid code is flagged and not used; a valid registered one decides alone."""
        flags: tuple[str, ...] = ()
        code = normalise_uscc(query.uscc) if query.uscc else ""
        if code and not is_uscc(code):
            code, flags = "", ("uscc_invalid",)
        if code and code in self._by_code:
            firm = self._firms[self._by_code[code]]
            reasons = ("统一社会信用代码一致",)
            return Resolution(
                "link", (firm.id,), (Candidate(firm.id, 1.0, reasons),), 1.0, "uscc", reasons, flags=flags
            )
        if squeeze(query.text) in words().no_name or len(squeeze(query.text)) < 2:
            return Resolution("none", (), (), 0.0, "none", ("没有可用的名称",), flags=flags)
        found = self._resolve_name(query, code)
        if found.decision == "none" and not found.review:
            found = self._resolve_several(query, code) or found
        return replace(found, flags=flags) if flags else found

    # Building

    def _put(self, firm: Firm) -> None:
        position = len(self._firms)
        self._firms.append(firm)
        seat = self.regions.canonical(firm.region_code) or ""
        if firm.uscc and is_uscc(firm.uscc):
            self._by_code.setdefault(firm.uscc, position)
        if not seat and firm.address:
            places = self.regions.locate(firm.address)
            seat = (places[0].code if places else None) or ""
        self._places.append(seat)
        for name in (firm.name, *firm.former_names):
            parsed = self._parser.parse(name)
            if not parsed.key:
                continue
            numbers = self._by_key.setdefault(parsed.key, [])
            if position not in numbers:
                numbers.append(position)
            place = self._entry_place(parsed.region_codes, seat)
            self._names.add(parsed, Entry(position, place, parsed.form, parsed.branch, name != firm.name))
        for kind, names in (("short", firm.short_names), ("brand", firm.brands)):
            for name in names:
                key = name_key(name)
                if len(key) >= 2:
                    self._aliases.setdefault(key, []).append((position, kind))

    def _entry_place(self, codes: Sequence[str], seat: str) -> str:
        if not codes:
            return ""
        if seat:
            for code in codes:
                if self.regions.compatible(code, seat):
                    return code
        return codes[0]

    # Resolving one name

    def _resolve_name(self, query: Query, code: str) -> Resolution:
        scored: dict[int, _Scored] = {}
        parsed = self._parser.parse(query.text)
        for position in self._by_key.get(parsed.key, ()):
            self._keep(scored, _Scored(position, 1.0, 0.0, ("名称一致",), "exact_name"))
        for position, kind in self._aliases.get(parsed.key, ()):
            self._keep(scored, self._alias(position, kind))
        if not scored:
            for variant, cost, reason in self._variants(parsed):
                self._score_variant(scored, variant, cost, reason)
                if any(s.certainty >= self.policy.link for s in scored.values()):
                    break
        if not scored or max(s.certainty for s in scored.values()) < self.policy.review:
            for number in self._names.similar(parsed.body):
                self._score_body(scored, parsed, number, 0.0, ())
        return self._decide(query, code, parsed, list(scored.values()))

    def _alias(self, position: int, kind: str) -> _Scored:
        price = self.policy.deductions["short_name" if kind == "short" else "brand_name"]
        reason = "简称一致" if kind == "short" else "品牌一致"
        return _Scored(position, 1.0 - price, 0.0, (reason,), "alias")

    def _variants(self, parsed: Parsed) -> Iterable[tuple[Parsed, float, tuple[str, ...]]]:
        """The name as read, then other ways to read it, each with what that costs."""
        yield parsed, 0.0, ()
        price = self.policy.deductions
        if not parsed.region:
            for start in range(1, len(parsed.body) - 1):
                length, codes = self.regions.match_at(parsed.body, start)
                if length and len(parsed.body) - length >= 2:
                    rest = parsed.body[:start] + parsed.body[start + length :]
                    brand, industry = self._parser.split_industry(rest)
                    place = parsed.body[start : start + length]
                    moved = replace(parsed, region=place, region_codes=codes, brand=brand, industry=industry)
                    yield moved, price["region_level"], ("行政区划位置不同",)
        for length in (2, 3, 4):
            head = parsed.body[:length]
            if head in self.policy.industries and len(parsed.body) - length >= 2:
                rest = parsed.body[length:]
                yield replace(parsed, brand=rest, industry=head), price["industry_order"], ("字号与行业颠倒",)
        shapes = look_alikes()
        for at, char in enumerate(parsed.body):
            for other in shapes.get(char, ""):
                body = parsed.body[:at] + other + parsed.body[at + 1 :]
                if self._names.sounding(body):
                    yield (
                        replace(parsed, brand=body[: len(parsed.brand)], industry=body[len(parsed.brand) :]),
                        price["brand_look_alike"],
                        (f"一字形近：{char}／{other}",),
                    )

    def _score_variant(self, scored: dict[int, _Scored], parsed: Parsed, cost: float, reasons: tuple[str, ...]) -> None:
        numbers = dict.fromkeys([*self._names.exact(parsed.body), *self._names.sounding(parsed.body)])
        if not numbers and len(parsed.brand) >= 2:
            numbers = dict.fromkeys(self._names.branded(parsed.brand)[:400])
        for number in numbers:
            self._score_body(scored, parsed, number, cost, reasons)

    def _score_body(
        self, scored: dict[int, _Scored], parsed: Parsed, number: int, cost: float, reasons: tuple[str, ...]
    ) -> None:
        body = compare_bodies((parsed.brand, parsed.industry), self._names.split(number), parsed.cut, self.policy)
        left = 1.0 - cost - body.cost
        if left < 0.2:
            return
        for entry in self._names.entries(number):
            place_cost, place_reason = self._compare_places(parsed, entry)
            certainty = left - place_cost
            if certainty < 0.2:
                continue
            form = compare_forms(parsed.form, entry.form, self.policy)
            branch = compare_branches(parsed.branch, entry.branch, self.policy)
            certainty -= form.cost + branch.cost
            if certainty < 0.2:
                continue
            why = (*reasons, *body.reasons, *place_reason, *form.reasons, *branch.reasons)
            if entry.former:
                certainty -= self.policy.deductions["former_name"]
                why = (*why, "为曾用名")
            self._keep(scored, _Scored(entry.firm, certainty, 0.0, why or ("名称各部分一致",), "fuzzy"))

    def _keep(self, scored: dict[int, _Scored], new: _Scored) -> None:
        old = scored.get(new.firm)
        if old is None or old.certainty < new.certainty:
            scored[new.firm] = new

    def _compare_places(self, parsed: Parsed, entry: Entry) -> tuple[float, tuple[str, ...]]:
        price = self.policy.deductions
        seat = self._places[entry.firm]
        if not parsed.region_codes:
            return (price["region_missing"], ("未写行政区划",)) if entry.place else (0.0, ())
        if entry.place in parsed.region_codes:
            return 0.0, ()
        compatible = self.regions.compatible
        if entry.place:
            if not any(compatible(code, entry.place) for code in parsed.region_codes):
                return price["region_conflict"], (f"行政区划不同：{parsed.region}／{self.regions.name(entry.place)}",)
            inner = seat if seat and self.regions.covers(entry.place, seat) else entry.place
            if any(compatible(code, inner) for code in parsed.region_codes):
                return price["region_level"], ("行政区划层级不同",)
            return price["region_conflict"], (f"行政区划不同：{parsed.region}／{self.regions.name(inner)}",)
        if not seat:
            return price["region_unverified"], ("登记住所不详",)
        if any(compatible(code, seat) for code in parsed.region_codes):
            return price["region_added"], ("行政区划与登记住所一致",)
        return price["region_conflict"], (f"行政区划与登记住所不同：{parsed.region}／{self.regions.name(seat)}",)

    # Deciding

    def _weigh_context(self, query: Query, code: str, scored: Sequence[_Scored]) -> None:
        """Set each candidate's bonus from what the record says besides the name."""
        weight = self.policy.context
        place = self.regions.code_of(query.region) if query.region else None
        around = [c for p in self.regions.locate(fold(query.context or "")) for c in p.codes]
        around += [c for p in self.regions.locate(fold(query.address or "")) for c in p.codes]
        words = {query.product[i : i + 2] for i in range(len(query.product) - 1)} if query.product else set()
        for item in scored:
            firm, seat = self._firms[item.firm], self._places[item.firm]
            reasons: list[str] = []
            if place and seat:
                if self.regions.compatible(place, seat):
                    item.bonus += weight["region_agrees"]
                    reasons.append("地区与登记住所一致")
                elif place[:4] == seat[:4]:
                    item.certainty -= weight["county_conflicts"] if item.method != "exact_name" else 0.0
                    item.bonus -= weight["county_conflicts"]
                    reasons.append("登记住所在同市另一县区")
                else:
                    item.certainty -= weight["region_conflicts"]
                    reasons.append("登记住所在另一市")
            elif around and seat and any(self.regions.compatible(c, seat) for c in around):
                item.bonus += weight["region_agrees"]
                reasons.append("上下文中的地区与登记住所一致")
            if words and any(word in "".join((firm.name, *firm.products)) for word in words):
                item.bonus += weight["product_agrees"]
                reasons.append("产品与行业相符")
            if query.address and firm.address and _shares_piece(query.address, firm.address):
                item.bonus += weight["address_agrees"]
                reasons.append("地址相符")
            if code and firm.uscc and firm.uscc != code:
                item.certainty -= 0.5
                reasons.append("信用代码不同")
            if reasons:
                item.reasons = (*item.reasons, *reasons)

    def _decide(self, query: Query, code: str, parsed: Parsed, scored: list[_Scored]) -> Resolution:
        if not scored:
            return Resolution("none", (), (), 0.0, "none", ("名册中没有相近的名称",))
        self._weigh_context(query, code, scored)
        scored.sort(key=lambda s: (-s.rank, s.firm))
        shown = tuple(
            Candidate(self._firms[s.firm].id, round(max(0.0, min(1.0, s.certainty)), 4), s.reasons)
            for s in scored[:_SHOWN]
        )
        best = scored[0]
        if best.certainty < self.policy.link:
            weak = best.certainty >= self.policy.review
            return Resolution(
                "none", (), shown, round(max(0.0, best.certainty), 4), best.method, best.reasons, review=weak
            )
        rivals = [s for s in scored[1:] if s.certainty >= self.policy.link and best.rank - s.rank < self.policy.margin]
        if rivals:
            reason = f"有{len(rivals) + 1}家企业同样符合"
            return Resolution(
                "ambiguous",
                (),
                shown,
                round(0.5 * best.certainty, 4),
                best.method,
                (reason, *best.reasons),
                review=True,
            )
        firm = self._firms[best.firm]
        score = round(min(1.0, best.certainty), 4)
        return Resolution("link", (firm.id,), shown, score, best.method, best.reasons)

    def _resolve_several(self, query: Query, code: str) -> Resolution | None:
        """Two names in one cell (委托方 and 受托方, A、B): both, when each is somebody's."""
        parts = [part.strip() for part in _SEPARATORS.split(query.text) if part.strip()]
        joined = query.text.replace("有限责任公司", "有限公司")
        if len(parts) < 2 and joined.count("有限公司") >= 2:
            at = joined.index("有限公司") + 4
            parts = [joined[:at], joined[at:]]
        if not 2 <= len(parts) <= 4:
            return None
        found = [self._resolve_name(replace(query, text=part), "") for part in parts if len(squeeze(part)) >= 4]
        linked = [f for f in found if f.decision == "link"]
        ids = tuple(dict.fromkeys(i for f in linked for i in f.ids))
        if not ids:
            return None
        score = min(f.score for f in linked)
        candidates = tuple(c for f in found for c in f.candidates[:3])
        reasons = ("一处写有多家企业", *(r for f in linked for r in f.reasons))
        return Resolution("link", ids, candidates, score, linked[0].method, reasons)

    # Finding names in text

    def mentions(self, text: str) -> list[NameSpan]:
        """The firms named in `text`, registered or not, in order and without overlap."""
        return self._scanner().find(text)

    def _scanner(self) -> MentionFinder:
        if self._finder is None:
            self._finder = MentionFinder(
                self._patterns(), self._parser, self.resolve, lambda position: self._firms[position].id
            )
        return self._finder

    def _patterns(self) -> Iterator[tuple[str, int]]:
        """Every full name as it is scanned for, with its firm."""
        for position, firm in enumerate(self._firms):
            for name in (firm.name, *firm.former_names):
                yield name, position


def _shares_piece(one: str, other: str, length: int = 4) -> bool:
    return any(one[i : i + length] in other for i in range(len(one) - length + 1))
