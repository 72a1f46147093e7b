"""From weighed candidates to an answer: link, none or ambiguous."""

import re
from collections.abc import Sequence

from nlp.enterprises.characters import fold
from nlp.enterprises.names import Parsed, squeeze
from nlp.enterprises.policy import NamePolicy
from nlp.enterprises.scored import Scored
from nlp.enterprises.types import Candidate, Firm, Query, Resolution
from nlp.regions import RegionIndex

_SHOWN = 8  # candidates handed out, unless more fit equally
_MOST_SHOWN = 200
_COMPANY = re.compile("(?:股份|集团)?有限(?:责任)?公司")


class Decider:
    """Weighs what the record says beside the name, and decides by the policy's thresholds."""

    def __init__(self, firms: Sequence[Firm], seats: Sequence[str], regions: RegionIndex, policy: NamePolicy) -> None:
        self._firms = firms
        self._seats = seats
        self._regions = regions
        self._policy = policy

    def decide(self, query: Query, code: str, parsed: Parsed, scored: list[Scored]) -> Resolution:
        """The answer for one name. `code` is the record's valid code, '' without one."""
        if not scored:
            return Resolution("none", (), (), 0.0, "none", ("名册中没有相近的名称",))
        self._weigh(query, code, parsed, scored)
        scored.sort(key=lambda item: (-item.rank, item.firm))
        best, policy = scored[0], self._policy
        rivals = [s for s in scored[1:] if s.certainty >= policy.link and best.rank - s.rank < policy.margin]
        shown = tuple(
            Candidate(self._firms[item.firm].id, _share(item.certainty), item.reasons, item.taken)
            for item in scored[: min(_MOST_SHOWN, max(_SHOWN, len(rivals) + 1))]
        )
        if best.certainty < policy.link:
            weak = best.certainty >= policy.review
            return Resolution("none", (), shown, _share(best.certainty), best.method, best.reasons, review=weak)
        named = [s for s in scored if s.method == "exact_name" and s.certainty < policy.link]
        if named and best.method == "fuzzy":
            # The very name is registered elsewhere: a firm here that is only like it needs a person.
            reasons = ("名称一致的企业登记在别处，此处只有名称相近的", *best.reasons)
            return Resolution("ambiguous", (), shown, _share(best.certainty / 2), best.method, reasons, review=True)
        if rivals:
            literal = self._literal(query.text, parsed, [best, *rivals])
            if literal is None:
                reasons = (f"有{len(rivals) + 1}家企业同样符合", *best.reasons)
                return Resolution("ambiguous", (), shown, _share(best.certainty / 2), best.method, reasons, review=True)
            best = literal
        ids = (self._firms[best.firm].id,)
        return Resolution("link", ids, shown, _share(best.certainty), best.method, best.reasons)

    def _weigh(self, query: Query, code: str, parsed: Parsed, scored: Sequence[Scored]) -> None:
        """Set each candidate's bonus from the region, address, product, code and sentence of the record."""
        weight, regions = self._policy.context, self._regions
        place = regions.code_of(query.region) if query.region else None
        address = query.address or (parsed.extra if len(parsed.extra) > 4 else "")
        nearby: list[str] = []
        if len(scored) > 1:
            nearby = [
                c for text in (query.context, address) if text for p in regions.locate(fold(text)) for c in p.codes
            ]
        product = query.product or ""
        pieces = {product[i : i + 2] for i in range(len(product) - 1)}
        context = squeeze(query.context) if query.context else ""
        for item in scored:
            firm, seat = self._firms[item.firm], self._seats[item.firm]
            reasons: list[str] = []
            if place and seat:
                self._weigh_region(item, place, seat, reasons)
            if nearby and seat and any(regions.compatible(near, seat) for near in nearby):
                item.bonus += weight["region_agrees"]
                reasons.append("上下文或地址中的地区与登记住所一致")
            if pieces and any(piece in "".join((firm.name, *firm.products)) for piece in pieces):
                item.bonus += weight["product_agrees"]
                reasons.append("产品与行业相符")
            if address and firm.address and shares_piece(address, firm.address):
                item.bonus += weight["address_agrees"]
                reasons.append("地址相符")
            if context and item.method != "exact_name" and squeeze(firm.name) in context:
                item.bonus += weight["name_in_context"]
                reasons.append("上下文中有其全称")
            if code and firm.uscc and firm.uscc != code:
                item.certainty -= weight["code_differs"]
                reasons.append("统一社会信用代码不同")
            if reasons:
                item.reasons = (*item.reasons, *reasons)

    def _weigh_region(self, item: Scored, place: str, seat: str, reasons: list[str]) -> None:
        weight = self._policy.context
        if self._regions.compatible(place, seat):
            item.bonus += weight["region_agrees"]
            reasons.append("地区与登记住所一致")
        elif place[:4] == seat[:4]:
            cost = weight["county_conflicts"]
            item.certainty -= cost / 2 if item.method == "exact_name" else cost
            reasons.append("登记住所在同市另一县区")
        else:
            item.certainty -= weight["region_conflicts"]
            reasons.append("登记住所在另一市")

    def _literal(self, text: str, parsed: Parsed, rivals: Sequence[Scored]) -> Scored | None:
        """The one rival whose registered name stands in the text letter by letter, or differs in order alone."""
        asked = squeeze(text).replace("(", "").replace(")", "")
        names = [squeeze(self._firms[item.firm].name).replace("(", "").replace(")", "") for item in rivals]
        letters = sorted(asked)
        turned = [item for item, name in zip(rivals, names, strict=True) if sorted(name) == letters]
        if len(turned) == 1:
            return turned[0]
        within = [item for item, name in zip(rivals, names, strict=True) if name in asked]
        if len(within) == 1:
            return within[0]
        for start in (
            asked if parsed.cut or parsed.region else "",
            parsed.region + parsed.body if parsed.region else "",
        ):
            begun = [item for item, name in zip(rivals, names, strict=True) if start and name.startswith(start)]
            if len(begun) == 1:
                return begun[0]
        form = _COMPANY.search(asked)
        if form and parsed.region:
            same = [i for i, n in zip(rivals, names, strict=True) if (own := _COMPANY.search(n)) and own[0] == form[0]]
            if len(same) == 1:
                return same[0]
        return None


def shares_piece(one: str, other: str, length: int = 5) -> bool:
    """True when two addresses share a run of characters that long."""
    return any(one[i : i + length] in other for i in range(len(one) - length + 1))


def _share(value: float) -> float:
    return round(max(0.0, min(1.0, value)), 4)
