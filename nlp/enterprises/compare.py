"""Comparing two names part by part. Each comparison is pure: the certainty it takes away, and why, in Chinese."""

from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.distance import Levenshtein

from nlp.enterprises.characters import relation
from nlp.enterprises.policy import NamePolicy


@dataclass(frozen=True, slots=True)
class Difference:
    """What one part costs. `reasons` are empty when the parts agree."""

    cost: float
    reasons: tuple[str, ...] = ()


SAME = Difference(0.0)


def compare_brand(ours: str, theirs: str, policy: NamePolicy) -> Difference:
    """字号 against 字号, character by character: by sound, by shape, else different."""
    if ours == theirs:
        return SAME
    price = policy.deductions
    if len(ours) != len(theirs):
        return Difference(price["brand_extra"] * abs(len(ours) - len(theirs)), (f"字号不同：{ours}／{theirs}",))
    cost, reasons = 0.0, []
    wrong = [i for i, (a, b) in enumerate(zip(ours, theirs, strict=True)) if a != b]
    if (
        len(wrong) == 2
        and wrong[1] == wrong[0] + 1
        and ours[wrong[0]] == theirs[wrong[1]]
        and ours[wrong[1]] == theirs[wrong[0]]
    ):
        return Difference(price["brand_swap"], (f"字号两字颠倒：{ours}／{theirs}",))
    for i in wrong:
        kind = relation(ours[i], theirs[i])
        cost += price[f"brand_{kind}"]
        reasons.append(f"字号一字{_KIND[kind]}：{ours[i]}／{theirs[i]}")
    return Difference(cost, tuple(reasons))


def compare_industry(ours: str, theirs: str, policy: NamePolicy) -> Difference:
    """行业 against 行业: left out, in part, in another order, misspelt, or another trade."""
    if ours == theirs:
        return SAME
    price = policy.deductions
    if not ours:
        return Difference(price["industry_missing"], ("未写行业",))
    if not theirs:
        return Difference(price["industry_other"], (f"登记名称没有行业“{ours}”",))
    if _is_subsequence(ours, theirs):
        return Difference(price["industry_part_missing"], (f"行业写法不全：{ours}／{theirs}",))
    if _is_subsequence(theirs, ours):
        return Difference(price["industry_more"], (f"行业比登记的多：{ours}／{theirs}",))
    if sorted(ours) == sorted(theirs):
        return Difference(price["industry_order"], ("行业词序不同",))
    if len(ours) == len(theirs):
        kinds = [relation(a, b) for a, b in zip(ours, theirs, strict=True) if a != b]
        if "other" not in kinds:
            cost = sum(price["industry_look_alike" if k == "look_alike" else "industry_homophone"] for k in kinds)
            return Difference(cost, (f"行业一字{_KIND[kinds[0]]}：{ours}／{theirs}",))
    return Difference(price["industry_other"], (f"行业不同：{ours}／{theirs}",))


def compare_bodies(ours: tuple[str, str], theirs: tuple[str, str], cut: bool, policy: NamePolicy) -> Difference:
    """(字号, 行业) against (字号, 行业). `cut`: ours may end before its time."""
    brand, industry = ours
    their_brand, their_industry = theirs
    if brand == their_brand and industry == their_industry:
        return SAME
    if len(brand) == len(their_brand):
        first = compare_brand(brand, their_brand, policy)
        second = compare_industry(industry, their_industry, policy)
        return Difference(first.cost + second.cost, first.reasons + second.reasons)
    return _compare_whole(brand + industry, their_brand + their_industry, len(their_brand), cut, policy)


@lru_cache(maxsize=65536)
def _compare_whole(ours: str, theirs: str, brand_length: int, cut: bool, policy: NamePolicy) -> Difference:
    """Align the two bodies where 字号 and 行业 could not be told apart the same way."""
    price = policy.deductions
    if theirs.startswith(ours) and len(ours) >= brand_length and (cut or _all_words(theirs[len(ours) :], policy)):
        kind = "truncated" if cut else "industry_part_missing"
        return Difference(price[kind], (f"只写了“{ours}”",))
    cost, reasons = 0.0, []
    missing = more = ""
    for edit in Levenshtein.editops(ours, theirs):
        kind, at, to = edit.tag, edit.src_pos, edit.dest_pos
        in_brand = to < brand_length or (to == brand_length and kind == "delete")
        if kind == "replace":
            how = relation(ours[at], theirs[to])
            part = "brand" if in_brand else "industry"
            key = f"{part}_{how}" if in_brand or how in ("look_alike", "other") else "industry_homophone"
            cost += price[key]
            reasons.append(f"一字{_KIND[how]}：{ours[at]}／{theirs[to]}")
        elif in_brand:
            cost += price["brand_extra"]
            reasons.append("字号多一字或少一字")
        elif kind == "insert":
            missing += theirs[to]
        else:
            more += ours[at]
    if missing:
        cost += price["industry_part_missing" if _all_words(missing, policy) else "industry_garbled"]
        reasons.append(f"行业少“{missing}”")
    if more:
        cost += price["industry_more" if _all_words(more, policy) else "industry_garbled"]
        reasons.append(f"行业多出“{more}”")
    return Difference(cost, tuple(dict.fromkeys(reasons)))


def compare_forms(ours: str, theirs: str, cut: bool, policy: NamePolicy) -> Difference:
    """组织形式 against 组织形式, ours perhaps cut short; two shops of different kinds in one place are two shops."""
    if ours == theirs:
        return SAME
    price = policy.deductions
    if not ours:
        return Difference(price["form_missing"], ("未写组织形式",))
    if cut and theirs.startswith(ours):
        return Difference(price["form_missing"] / 2, ("组织形式被截断",))
    if not theirs:
        return Difference(price["form_loose"], ("登记名称没有组织形式",))
    if cut:
        return Difference(price["form_loose"], (f"组织形式写法不同：{ours}／{theirs}",))
    kind, their_kind = _form_class(ours, policy), _form_class(theirs, policy)
    if kind != their_kind or kind in ("shop", "institute"):
        return Difference(price["form_conflict"], (f"组织形式不同：{ours}／{theirs}",))
    if ("集团" in ours) != ("集团" in theirs):
        return Difference(price["form_group"], (f"一方为集团：{ours}／{theirs}",))
    return Difference(price["form_loose"], (f"组织形式写法不同：{ours}／{theirs}",))


def compare_branches(ours: str, theirs: str, policy: NamePolicy) -> Difference:
    """分支机构 against 分支机构."""
    if ours == theirs:
        return SAME
    price = policy.deductions
    if not theirs:
        return Difference(price["branch_of"], (f"分支机构“{ours}”未单独登记，归总公司",))
    if not ours:
        return Difference(price["branch_missing"], (f"登记的是分支机构“{theirs}”",))
    return Difference(price["form_conflict"], (f"分支机构不同：{ours}／{theirs}",))


def _form_class(form: str, policy: NamePolicy) -> str:
    found = policy.form_class.get(form) or policy.form_class.get(form.removeprefix("集团").removeprefix("股份"))
    return found or "company"


def _all_words(text: str, policy: NamePolicy) -> bool:
    """True when `text` is nothing but words for trades."""
    if not text:
        return True
    return any(text.endswith(word) and _all_words(text[: -len(word)], policy) for word in _endings(text, policy))


def _endings(text: str, policy: NamePolicy) -> list[str]:
    return [text[at:] for at in range(len(text) - 1) if text[at:] in policy.industries]


def _is_subsequence(short: str, long: str) -> bool:
    rest = iter(long)
    return all(char in rest for char in short)


_KIND = {"homophone": "同音", "near_sound": "近音", "look_alike": "形近", "other": "不同", "same": "相同"}
