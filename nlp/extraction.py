"""Facts a text states in so many words: people hurt, quantities, batches, models, brands, dates.

Offsets are into the text as given. Numbers in Chinese characters are read up to the thousands.
"""

import re
from dataclasses import dataclass
from datetime import date

_DIGITS = {
    "零": 0,
    "〇": 0,
    "一": 1,
    "二": 2,
    "两": 2,
    "俩": 2,
    "三": 3,
    "仨": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d{1,5}|[一二两俩三仨四五六七八九十百千零]{1,6})"


@dataclass(frozen=True, slots=True)
class Fact:
    """One stated fact: its kind, its value as text (dates in ISO form) and where it stands."""

    kind: str  # model | batch | brand | quantity | price | date | standard | url
    value: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Harm:
    """What a text says about people: None = not said."""

    injured: int | None
    deaths: int | None


def read_number(text: str) -> int | None:
    """Return the value of digits or of a Chinese numeral below ten thousand; None when it is neither."""
    bare = text.replace(",", "")
    if bare.isascii() and bare.isdigit():
        return int(bare)
    total = digit = 0
    for char in bare:
        if char in _DIGITS:
            digit = _DIGITS[char]
        elif char in _UNITS:
            total += (digit or 1) * _UNITS[char]
            digit = 0
        else:
            return None
    return total + digit if bare else None


_PERSON = (
    r"(?:名|位|个|口)?(?:[\u4e00-\u9fff]{0,6}?)(?:人|工人|员工|幼儿|儿童|学生|孩子|娃|小孩|老人|老太太?|乘客|租户|居民"
    r"|村民|女童|男童|患者|旅客|顾客|住户|孩|名|位|口|例|死|伤)"
)
_DEAD_WORDS = (
    r"不治身亡|窒息身亡|触电身亡|死亡|身亡|遇难|丧生|溺亡|丧命|去世|离世|殒命"
    r"|死(?!机|了心|角|板|掉|扣|磕|循|贵|活|沉|不)|没了呼吸|没救过来"
)
_DEAD = rf"(?:{_DEAD_WORDS})"
_HURT_WORDS = r"受伤|重伤|轻伤|轻微伤|烧伤|烫伤|灼伤|送医|就医|住院|骨折|中毒|炸伤|砸伤|摔伤|划伤|割伤|受轻伤|伤"
_HURT = rf"(?:不同程度)?(?:{_HURT_WORDS})"
_DEATH_COUNTS = (
    re.compile(rf"({_NUMBER}){_PERSON}[^,。;、!?\n]{{0,8}}?{_DEAD}"),
    re.compile(rf"{_DEAD}(?:人数)?(?:为|达|共)?({_NUMBER})(?:人|名|例)"),
    re.compile(rf"({_NUMBER})死"),
)
_INJURY_COUNTS = (
    re.compile(rf"({_NUMBER}){_PERSON}[^,。;、!?\n]{{0,8}}?{_HURT}"),
    re.compile(rf"{_HURT}(?:人数)?(?:为|达|共)?({_NUMBER})(?:人|名|例)"),
    re.compile(rf"({_NUMBER})伤"),
)
_DEATH_WORD = re.compile(_DEAD_WORDS)
# Plain alternatives, which the search can skip to by their first characters.
_MAY_COUNT_DEAD = re.compile(rf"{_DEAD_WORDS}|死")
_MAY_COUNT_HURT = re.compile(_HURT_WORDS)


def read_harm(folded: str) -> Harm:
    """Return the people a text counts as hurt and dead; the largest count wins where several are told."""
    deaths = _largest(folded, _DEATH_COUNTS) if _MAY_COUNT_DEAD.search(folded) else None
    injured = _largest(folded, _INJURY_COUNTS) if _MAY_COUNT_HURT.search(folded) else None
    if deaths is None and _DEATH_WORD.search(folded):
        deaths = 1
    return Harm(injured, deaths)


def _largest(folded: str, patterns: tuple[re.Pattern[str], ...]) -> int | None:
    counts = [
        value
        for pattern in patterns
        for found in pattern.finditer(folded)
        if (value := read_number(found[1])) is not None and value < 1000
    ]
    return max(counts, default=None)


# Kind, words of which one is in every such fact (none: a digit is), expression.
_FACTS: tuple[tuple[str, tuple[str, ...], re.Pattern[str]], ...] = (
    ("url", ("http",), re.compile(r"https?://[^\s,。;)]+")),
    ("standard", (), re.compile(r"(?:gb|qb|hg|jb|ga|yy|fz|ny|db)(?:/t)?\s?\d[\d.]*(?:-\d{4})?")),
    ("model", ("型号",), re.compile(r"型号(?:规格)?(?:为|是|:)?[\"'(]?([a-z0-9][a-z0-9+/×.*-]{1,24})")),
    ("batch", ("批号", "批次"), re.compile(r"(?:批号|生产批次|批次号)(?:为|是|:)?\s?([a-z0-9][a-z0-9-]{2,20})")),
    (
        "brand",
        ("商标", "品牌"),
        re.compile(r"(?:标称)?(?:商标|品牌)(?:为|是|:)\s?[\"'(]?([^\s,。;)\"']{2,12})"),
    ),
    ("price", ("元",), re.compile(r"\d+(?:\.\d+)?(?:万)?元")),
    ("price", ("块",), re.compile(r"[一二三四五六七八九十百]+块(?:钱)?")),
    (
        "quantity",
        (),
        re.compile(
            r"\d+(?:\.\d+)?\s?(?:批次|批|台|件|辆|个|只|瓶|袋|吨|千克|公斤|kg|米|组|套|支|具|箱|毫米|mm|mg/kg|mg/m3|cfu/g|v|w|a|ma|db)(?![a-z])"
        ),
    ),
)
_DIGIT = re.compile(r"\d")
_SIGNS = tuple(dict.fromkeys(sign for _, signs, _ in _FACTS for sign in signs))
_DATE = re.compile(r"(?:(20\d{2})年)?(\d{1,2})月(\d{1,2})日|(20\d{2})[-./](\d{1,2})[-./](\d{1,2})")


def read_facts(folded: str, on: date | None = None) -> list[Fact]:
    """Return the facts of a text in reading order; a date without a year takes the last one not after `on`."""
    numeric = _DIGIT.search(folded) is not None
    if not numeric and not any(sign in folded for sign in _SIGNS):
        return []
    facts = [
        Fact(kind, found[found.lastindex or 0], *found.span(found.lastindex or 0))
        for kind, signs, pattern in _FACTS
        if (any(sign in folded for sign in signs) if signs else numeric)
        for found in pattern.finditer(folded)
    ]
    for found in _DATE.finditer(folded) if numeric and ("月" in folded or "20" in folded) else ():
        day = _read_date(found, on)
        if day is not None:
            facts.append(Fact("date", day.isoformat(), *found.span()))
    return sorted(facts, key=lambda fact: (fact.start, fact.end))


def _read_date(found: re.Match[str], on: date | None) -> date | None:
    year = found[1] or found[4]
    month, day = int(found[2] or found[5]), int(found[3] or found[6])
    try:
        if year:
            return date(int(year), month, day)
        if on is None:
            return None
        this_year = date(on.year, month, day)
        return this_year if this_year <= on else date(on.year - 1, month, day)
    except ValueError:
        return None
