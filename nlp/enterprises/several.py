"""Two firms in one cell: A、B; 委托方：A 受托方：B; A（委托B生产）."""

import re
from collections.abc import Callable, Iterable

from nlp.enterprises.characters import fold
from nlp.enterprises.names import squeeze

_END = "司厂行部社团店市场坊心院所站)"  # characters a firm's name ends in
_SIGN = re.compile(
    rf"(?<=[{_END}])\s*[、;,，/|\n\t]+\s*(?=[\u4e00-\u9fff(])|(?<=[{_END}])\s+(?=[\u4e00-\u9fff(])|(?<=方\))(?=[\u4e00-\u9fff])"
)
_ROLE = re.compile(
    rf"(?<=[{_END}])\s*[、;,，/|]?\s*[(]?(?=(?:被?委托|受托|受委托|生产|制造|加工|出品|监制|销售|经销|供货|分装|进口|代理)[\u4e00-\u9fff]{{0,4}}:)"
)
_WORD = re.compile(rf"(?<=[{_END}])\s*[(]?(?:和|与|及|以及|暨|受托|委托|授权|由|受)(?=[\u4e00-\u9fff(])")
_LEFT_OVER = re.compile(r"(?:委托)?(?:生产|加工|制造|代工|监制|出品|分装|销售|经销)?[)]?$")
_ASKED_BY = re.compile(r"委托[)]?$")
_STRONG = re.compile(r"(?:公司|厂)(?:\([^()]*\))?$")
_MOST = 4
_SHORTEST = 5


def split_names(text: str, is_name: Callable[[str], bool]) -> list[str]:
    """The names in a cell that holds several; one for an ordinary name.

    `is_name` says whether a text is a registered name letter by letter: 大商集团和平商店 is one shop, so a joining
    word parts names only when both sides are registered or end in 公司 or 厂.
    """
    folded = fold(text)
    for joint in (_ROLE, _SIGN):
        parts = _cut(text, joint.finditer(folded))
        if 2 <= len(parts) <= _MOST and all(_ends_like_a_name(part) for part in parts):
            return parts
    for found in _WORD.finditer(folded):
        first, second = _cut(text, [found])
        parts = [first, second[: _end_of_name(fold(second), found[0])]]
        if all(_is_one(part, is_name) for part in parts):
            return parts
    return [text]


def _cut(text: str, joints: Iterable[re.Match[str]]) -> list[str]:
    parts, start = [], 0
    for joint in joints:
        parts.append(text[start : joint.start()].strip())
        start = joint.end()
    return [*parts, text[start:].strip()]


def _end_of_name(text: str, joint: str) -> int:
    """Where the second name ends: 受 … 委托, 委托 … 生产 and a bracket close behind it."""
    if "受" in joint and (asked := _ASKED_BY.search(text)):
        return asked.start()
    rest = _LEFT_OVER.search(text) if "托" in joint or "由" in joint else None
    return rest.start() if rest and rest.start() >= _SHORTEST else len(text)


def _ends_like_a_name(part: str) -> bool:
    name = squeeze(part)
    return len(name) >= _SHORTEST and name[-1] in _END


def _is_one(part: str, is_name: Callable[[str], bool]) -> bool:
    name = squeeze(part)
    return len(name) >= _SHORTEST and (bool(_STRONG.search(name)) or is_name(part))
