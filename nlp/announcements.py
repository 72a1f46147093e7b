"""The prose of a sampling announcement -> its counts, and what contradicts them: each other, or the table.

The words offices use for one thing are many (domain.md §1.6): 不合格发现率, 抽查不合格率 and 问题发现率 are all the
failure rate. A contradiction is flagged and never settled: which of two numbers is right, only the office knows.
"""

import re
from dataclasses import dataclass, replace

Span = tuple[int, int]

_DIGITS = r"(?:\d[\d,]{0,11}|[零〇一二两三四五六七八九十百千万]{1,9})"
_GAP = r"[^。;；!！?？\n]"  # the rest of one sentence
_BATCH = r"(?:个?批次|批|组|个?样品|个?样本)"
_CHECKED = r"(?:监督抽查|抽查检验|抽样检验|抽样检测|风险监测|专项抽查|抽查|抽检|抽取|抽样|检验|检测|监测)"

_BATCHES = (
    re.compile(rf"(?:共|累计|合计|总计|总共)(?:计|组织)?{_CHECKED}{_GAP}{{0,60}}?({_DIGITS}){_BATCH}"),
    re.compile(rf"{_CHECKED}(?:了|产品|样品)?(?:共计?)?({_DIGITS}){_BATCH}"),
    re.compile(
        rf"({_DIGITS}){_BATCH}{_GAP}{{0,24}}?(?:进行了?|开展了?|实施了?)(?:产品质量)?(?:省级|国家|市级|县级)?{_CHECKED}"
    ),
    re.compile(rf"{_CHECKED}{_GAP}{{0,60}}?(?<!不合格)(?<!合格)({_DIGITS}){_BATCH}"),
)
_FAILING = r"(?:不合格|不符合(?:相关|国家|标准|有关)?(?:标准|规定)?(?:要求)?|存在质量(?:安全)?问题|未达到(?:标准)?要求)"
_FAILED = (
    re.compile(
        rf"(?:发现|检出|查出|有|其中|,|、|，)(?:有|存在)?({_DIGITS}){_BATCH}(?:的?(?:产品|样品|商品))?(?:质量|检验结果|实物质量|项目)?(?:为)?{_FAILING}"
    ),
    re.compile(
        rf"(?:发现|检出|查出|有|其中){_GAP}{{0,20}}?({_DIGITS}){_BATCH}(?:的?(?:产品|样品|商品))?(?:质量|检验结果|实物质量)?{_FAILING}(?!率)"
    ),
    re.compile(rf"不合格(?:产品|样品|商品|批次)?(?:数)?(?:共计?|为|有|:|：)?({_DIGITS}){_BATCH}"),
    re.compile(rf"(?:检出|发现|查出)(?:的)?不合格(?:产品|样品)?{_GAP}{{0,12}}?({_DIGITS}){_BATCH}"),
    re.compile(rf"({_DIGITS}){_BATCH}(?:的?(?:产品|样品))?(?:被判定?为|判定为|为)?不合格(?!率|发现率|检出率)"),
)
_NONE_FAILED = re.compile(r"未(?:发现|检出|查出)(?:有)?不合格|(?:全部|均|全)(?:为|被判定为)?合格(?!率)")
_PASSED = (
    re.compile(rf"(?<!不)合格(?:产品|样品)?(?:共计?|为|有|:|：)?({_DIGITS}){_BATCH}"),
    re.compile(rf"({_DIGITS}){_BATCH}(?:的?(?:产品|样品))?(?:质量|检验结果|实物质量)?(?:为|均|全部)?合格"),
)
_PERCENT = r"(?:为|是|达到?|仅为?|约为?|:|：)?\s?(\d{1,3}(?:\.\d{1,3})?)\s?%"
_FAIL_RATE = re.compile(
    rf"(?:(?:监督)?抽查(?:产品)?不合格(?:发现)?率|(?:产品|批次)?不合格(?:产品)?(?:发现|检出|批次)?率|问题(?:产品)?发现率){_PERCENT}"
)
_PASS_RATE = re.compile(rf"(?:实物质量(?:抽样)?合格率|抽样(?:检验)?合格率|(?<!不)合格率){_PERCENT}")
_FIRMS = re.compile(
    rf"({_DIGITS})(?:家|个)(?:次)?(?:生产)?(?:企业|生产者|销售者|生产单位|销售单位|经营单位|经营者|单位|商户|网店|厂家|店铺)"
)
_REFUSED = re.compile(
    rf"(?:(?:({_DIGITS})(?:家|批次){_GAP}{{0,20}}?)?(?:无正当理由)?(?:拒绝接受监督抽查|拒检|拒绝抽[检查样]))"
)
_COUNTERFEIT = re.compile(rf"(?:({_DIGITS}){_BATCH}{_GAP}{{0,20}}?)?涉嫌(?:假冒|无证无照|冒用)")
_RECHECK_FAILED = re.compile(rf"(?:跟踪抽查|复检|复查){_GAP}{{0,20}}?仍(?:然)?不合格|维持初检结论")
_UNTESTED = re.compile(rf"({_DIGITS}){_BATCH}[^。;；,，\\n]{{0,24}}?(?:未检验即?移送|未检验|不予检验|移送)")


@dataclass(frozen=True, slots=True)
class Announced:
    """What an announcement says of itself; None where it does not. Rates are shares from 0 to 1."""

    batches: int | None = None
    failed: int | None = None
    passed: int | None = None
    fail_rate: float | None = None
    pass_rate: float | None = None
    enterprises: int | None = None
    refused: bool = False
    counterfeit: bool = False
    recheck_failed: bool = False
    untested: int = 0
    evidence: tuple[tuple[str, Span], ...] = ()
    contradictions: tuple[str, ...] = ()


def read_counts(text: str) -> Announced:
    """Return the counts a clean text (see `normalize`) states, with where it states them and what does not add up."""
    evidence: list[tuple[str, Span]] = []

    def number(name: str, patterns: tuple[re.Pattern[str], ...]) -> int | None:
        for pattern in patterns:
            found = pattern.search(text)
            if found and (value := parse_number(found.group(1))) is not None:
                evidence.append((name, found.span()))
                return value
        return None

    def share(name: str, pattern: re.Pattern[str]) -> float | None:
        found = pattern.search(text)
        if not found or float(found.group(1)) > 100:
            return None
        evidence.append((name, found.span()))
        return round(float(found.group(1)) / 100, 6)

    said = Announced(
        batches=number("batches", _BATCHES),
        failed=number("failed", _FAILED),
        passed=number("passed", _PASSED),
        fail_rate=share("fail_rate", _FAIL_RATE),
        pass_rate=share("pass_rate", _PASS_RATE),
        enterprises=number("enterprises", (_FIRMS,)),
        refused=_REFUSED.search(text) is not None,
        counterfeit=_COUNTERFEIT.search(text) is not None,
        recheck_failed=_RECHECK_FAILED.search(text) is not None,
        untested=number("untested", (_UNTESTED,)) or 0,
    )
    if _NONE_FAILED.search(text):
        said = replace(said, failed=0)
        evidence = [(name, span) for name, span in evidence if name != "failed"]
    return replace(said, evidence=tuple(evidence), contradictions=(*_contradictions(said), *_uneven_lists(text)))


def check_against_table(said: Announced, *, failed_rows: int, all_rows: int | None = None) -> tuple[str, ...]:
    """Return how the counts contradict the announcement's own table; empty when they agree or nothing is stated.

    `all_rows` is given only for a table that lists passed batches too.
    """
    found = []
    if said.failed is not None and failed_rows and failed_rows != said.failed:
        found.append(f"文字称不合格 {said.failed} 批次，附表列出 {failed_rows} 批次")
    if said.batches is not None and all_rows and all_rows != said.batches:
        found.append(f"文字称抽查 {said.batches} 批次，附表列出 {all_rows} 批次")
    return tuple(found)


def _contradictions(said: Announced) -> list[str]:
    found = []
    if said.batches is not None and said.failed is not None:
        if said.failed > said.batches:
            found.append(f"不合格 {said.failed} 批次多于抽查 {said.batches} 批次")
        elif said.fail_rate is not None and said.batches:
            # Rates are printed rounded, and untested batches may stand outside the divisor.
            divisors = {said.batches, max(said.batches - said.untested, 1)}
            if all(abs(said.failed / divisor - said.fail_rate) > 0.0006 for divisor in divisors) and all(
                round(said.failed / divisor, 2) != said.fail_rate for divisor in divisors
            ):
                found.append(f"{said.failed}/{said.batches} 与所称不合格率 {said.fail_rate:.2%} 不符")
        if said.passed is not None and said.passed + said.failed not in (
            said.batches,
            said.batches - said.untested,
        ):
            found.append(f"合格 {said.passed} 与不合格 {said.failed} 之和不等于抽查 {said.batches} 批次")
    if said.fail_rate is not None and said.pass_rate is not None and abs(said.fail_rate + said.pass_rate - 1) > 0.0011:
        found.append(f"合格率 {said.pass_rate:.2%} 与不合格率 {said.fail_rate:.2%} 之和不是 100%")
    return found


_UNITS = "家|批次|批|户|个|台|辆|件|起|组"
_TOTAL = re.compile(rf"({_DIGITS})({_UNITS})[^。;；\n,，:：]{{0,20}}[,，:：]?(?:其中|分别为?|包括|含)[:：]?")
_PARTS = 12


def _uneven_lists(text: str) -> list[str]:
    """Find a total followed by its parts that do not add up: "共53家，其中甲4家、乙43家、丙5家、丁2家"."""
    found = []
    for total in _TOTAL.finditer(text):
        stated = parse_number(total.group(1))
        sentence = re.split(r"[。;；\n]", text[total.end() : total.end() + 400], maxsplit=1)[0]
        parts = [parse_number(part) for part in re.findall(rf"({_DIGITS}){total.group(2)}", sentence)]
        listed = [part for part in parts if part is not None]
        if stated is None or not 3 <= len(listed) <= _PARTS:
            continue
        # A list may stop short of its total on purpose; one that overshoots or nearly reaches it does not.
        if sum(listed) > stated or 0.9 * stated <= sum(listed) < stated:
            found.append(f"文字称 {stated}{total.group(2)}，所列 {'+'.join(map(str, listed))}＝{sum(listed)}")
    return found


_CHINESE = {"零": 0, "〇": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_SCALES = {"十": 10, "百": 100, "千": 1000}


def parse_number(text: str) -> int | None:
    """Return a whole number written in digits or in Chinese numerals; None for what is neither."""
    plain = text.replace(",", "")
    if plain.isdigit():
        return int(plain)
    total = section = digit = 0
    positional = ""
    for character in plain:
        if character in _CHINESE:
            digit = _CHINESE[character]
            positional += str(digit)
        elif character in _SCALES:
            section += (digit or 1) * _SCALES[character]
            digit, positional = 0, "x"
        elif character == "万":
            total = (total + section + digit) * 10_000
            section, digit, positional = 0, 0, "x"
        else:
            return None
    if positional and "x" not in positional and len(positional) > 1:
        return int(positional)  # 二〇二六: digit by digit
    return total + section + digit if plain else None
