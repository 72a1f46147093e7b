"""Comparing two names part by part. Each comparison is pure: the certainty it takes away, and why, in Chinese."""

from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.distance import Levenshtein

from nlp.enterprises.characters import relation
from nlp.enterprises.policy import NamePolicy


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs and what it costs. `reasons` are empty when the parts agree.

    `taken` names the lines of the policy that were charged, and how many times each: cost = Σ times × line.
    """

    cost: float
    reasons: tuple[str, ...] = ()
    taken: tuple[tuple[str, float], ...] = ()

    def __add__(self, other: "Difference") -> "Difference":
        if not other.taken and not other.reasons:
            return self
        return Difference(self.cost + other.cost, (*self.reasons, *other.reasons), (*self.taken, *other.taken))


SAME = Difference(0.0)


def charge(policy: NamePolicy, line: str, reason: str = "", times: float = 1.0) -> Difference:
    """One line of the policy's deductions, so many times."""
    return Difference(policy.deductions[line] * times, (reason,) if reason else (), ((line, times),))


def compare_brand(ours: str, theirs: str, policy: NamePolicy) -> Difference:
    """字号 against 字号, character by character: by sound, by shape, else different."""
    if ours == theirs:
        return SAME
    if len(ours) != len(theirs):
        return charge(policy, "brand_extra", f"字号不同：{ours}／{theirs}", abs(len(ours) - len(theirs)))
    wrong = [i for i, (a, b) in enumerate(zip(ours, theirs, strict=True)) if a != b]
    if (
        len(wrong) == 2
        and wrong[1] == wrong[0] + 1
        and ours[wrong[0]] == theirs[wrong[1]]
        and ours[wrong[1]] == theirs[wrong[0]]
    ):
        return charge(policy, "brand_swap", f"字号两字颠倒：{ours}／{theirs}")
    found = SAME
    for i in wrong:
        kind = relation(ours[i], theirs[i])
        found += charge(policy, f"brand_{kind}", f"字号一字{_KIND[kind]}：{ours[i]}／{theirs[i]}")
    return found


def compare_industry(ours: str, theirs: str, policy: NamePolicy) -> Difference:
    """行业 against 行业: left out, in part, in another order, misspelt, or another trade."""
    if ours == theirs:
        return SAME
    if not ours:
        return charge(policy, "industry_missing", "未写行业")
    if not theirs:
        return charge(policy, "industry_other", f"登记名称没有行业“{ours}”")
    if _is_subsequence(ours, theirs):
        return charge(policy, "industry_part_missing", f"行业写法不全：{ours}／{theirs}")
    if _is_subsequence(theirs, ours):
        return charge(policy, "industry_more", f"行业比登记的多：{ours}／{theirs}")
    if sorted(ours) == sorted(theirs):
        return charge(policy, "industry_order", "行业词序不同")
    if len(ours) == len(theirs):
        kinds = [relation(a, b) for a, b in zip(ours, theirs, strict=True) if a != b]
        if "other" not in kinds:
            found = SAME
            for kind in kinds:
                line = "industry_look_alike" if kind == "look_alike" else "industry_homophone"
                found += charge(policy, line, f"行业一字{_KIND[kind]}：{ours}／{theirs}")
            return found
    return charge(policy, "industry_other", f"行业不同：{ours}／{theirs}")


def compare_bodies(ours: tuple[str, str], theirs: tuple[str, str], cut: bool, policy: NamePolicy) -> Difference:
    """(字号, 行业) against (字号, 行业). `cut`: ours may end before its time."""
    brand, industry = ours
    their_brand, their_industry = theirs
    if brand == their_brand and industry == their_industry:
        return SAME
    if len(brand) == len(their_brand):
        return compare_brand(brand, their_brand, policy) + compare_industry(industry, their_industry, policy)
    return _compare_whole(brand + industry, their_brand + their_industry, len(their_brand), cut, policy)


@lru_cache(maxsize=65536)
def _compare_whole(ours: str, theirs: str, brand_length: int, cut: bool, policy: NamePolicy) -> Difference:
    """Align the two bodies where 字号 and 行业 could not be told apart the same way."""
    if theirs.startswith(ours) and len(ours) >= brand_length and (cut or _all_words(theirs[len(ours) :], policy)):
        return charge(policy, "truncated" if cut else "industry_part_missing", f"只写了“{ours}”")
    found = SAME
    missing = more = ""
    for edit in Levenshtein.editops(ours, theirs):
        kind, at, to = edit.tag, edit.src_pos, edit.dest_pos
        in_brand = to < brand_length or (to == brand_length and kind == "delete")
        if kind == "replace":
            how = relation(ours[at], theirs[to])
            line = f"brand_{how}" if in_brand else f"industry_{how}" if how in _OWN_LINE else "industry_homophone"
            found += charge(policy, line, f"{'字号' if in_brand else '行业'}一字{_KIND[how]}：{ours[at]}／{theirs[to]}")
        elif in_brand:
            found += charge(policy, "brand_extra", "字号多一字或少一字")
        elif kind == "insert":
            missing += theirs[to]
        else:
            more += ours[at]
    if missing:
        line = "industry_part_missing" if _all_words(missing, policy) else "industry_garbled"
        found += charge(policy, line, f"行业少“{missing}”")
    if more:
        line = "industry_more" if _all_words(more, policy) else "industry_garbled"
        found += charge(policy, line, f"行业多出“{more}”")
    return Difference(found.cost, tuple(dict.fromkeys(found.reasons)), found.taken)


def compare_forms(ours: str, theirs: str, cut: bool, policy: NamePolicy) -> Difference:
    """组织形式 against 组织形式, ours perhaps cut short; two shops of different kinds in one place are two shops."""
    if ours == theirs:
        return SAME
    if not ours:
        return charge(policy, "form_missing", "未写组织形式")
    if cut and theirs.startswith(ours):
        return charge(policy, "form_missing", "组织形式被截断", 0.5)
    if not theirs:
        return charge(policy, "form_loose", "登记名称没有组织形式")
    if cut:
        return charge(policy, "form_loose", f"组织形式写法不同：{ours}／{theirs}")
    kind, their_kind = _form_class(ours, policy), _form_class(theirs, policy)
    if kind != their_kind or kind in ("shop", "institute"):
        return charge(policy, "form_conflict", f"组织形式不同：{ours}／{theirs}")
    if ("集团" in ours) != ("集团" in theirs):
        return charge(policy, "form_group", f"一方为集团：{ours}／{theirs}")
    return charge(policy, "form_loose", f"组织形式写法不同：{ours}／{theirs}")


def compare_branches(ours: str, theirs: str, policy: NamePolicy) -> Difference:
    """分支机构 against 分支机构."""
    if ours == theirs:
        return SAME
    if not theirs:
        return charge(policy, "branch_of", f"分支机构“{ours}”未单独登记，归总公司")
    if not ours:
        return charge(policy, "branch_missing", f"登记的是分支机构“{theirs}”")
    return charge(policy, "form_conflict", f"分支机构不同：{ours}／{theirs}")


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


_OWN_LINE = ("look_alike", "other")
_KIND = {"homophone": "同音", "near_sound": "近音", "look_alike": "形近", "other": "不同", "same": "相同"}
