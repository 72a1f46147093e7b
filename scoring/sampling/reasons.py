"""The sentences of a plan: why a line is in it, and which rule could not be met."""

from dataclasses import dataclass

from scoring.sampling.candidates import Candidate
from scoring.sampling.rules import RULE_ZH, PlanRules

CHANNEL_ZH = {"production": "生产领域", "circulation": "流通领域", "online": "线上"}


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A rule that could not be met: what it asked for, what the plan has, in batches (key_share: a share)."""

    rule: str
    wanted: float
    got: float
    why: str

    @property
    def missing(self) -> float:
        """By how much the rule was missed."""
        return self.wanted - self.got


@dataclass(frozen=True, slots=True)
class Setting:
    """What a reason refers to beyond the candidate itself."""

    pool: int
    probability: float = 1.0
    licensed_here: int = 0


def explain(candidate: Candidate, rule: str, rules: PlanRules, setting: Setting) -> str:
    """Return the sentence printed on the line: the rule, the facts behind it, the expectation."""
    place = candidate.region_zh or candidate.region_code or "地区不详"
    product = candidate.product_zh or candidate.product_id
    match rule:
        case "follow_up":
            body = _follow_up(candidate, rules)
        case "full_coverage":
            body = (
                f"{place}{product}获证企业仅 {setting.licensed_here} 家"
                f"（少于 {rules.full_coverage.fewer_than} 家），全部抽检"
            )
        case "county_floor":
            body = (
                f"{place}每个计划至少 {rules.county_floor.batches} 批，本企业在该县预计价值靠前；{_expected(candidate)}"
            )
        case "key_share":
            body = f"{product}为重点产品，占比不低于 {rules.key_share.minimum:.0%}；{_expected(candidate)}"
        case "random":
            body = (
                f"从 {setting.pool} 个可抽对象中随机抽取，入样概率 {setting.probability:.4f}，"
                "用于估计总体不合格率，与等级高低无关"
            )
        case _:
            body = _expected(candidate)
    return f"{RULE_ZH[rule]}：{body}。"


def _follow_up(candidate: Candidate, rules: PlanRules) -> str:
    limits = rules.follow_up
    failed, tested = candidate.months_since_failed, candidate.months_since_tested
    if failed is not None and failed < limits.failed_within_months:
        since = "其后尚未再抽检" if tested is None or tested >= failed else f"最近一次抽检在 {tested} 个月前"
        return f"{failed} 个月前抽检不合格（{limits.failed_within_months} 个月内），{since}"
    return f"{candidate.months_since_no_sample} 个月前未抽到样或拒检，其后仍未抽到"


def _expected(candidate: Candidate) -> str:
    channel = CHANNEL_ZH.get(candidate.channel, candidate.channel)
    level = "未知（U）" if candidate.grade_level == "U" else candidate.grade_level
    if candidate.override_id is not None:
        level += f"（人工调整第 {candidate.override_id} 号，系统分级 {candidate.scorecard_level}）"
    sentence = (
        f"等级 {level}，预计不合格概率 {candidate.fail_probability:.0%}"
        f"（同产品{channel}基准 {candidate.base_rate:.0%}），产品固有风险 {candidate.tier} 级"
    )
    return f"{sentence}；主要依据：{'；'.join(candidate.reasons[:2])}" if candidate.reasons else sentence


def explain_missing_lines(rule: str, wanted: int, got: int, missing_cny: float, budget_cny: float) -> Shortfall:
    """Return the shortfall of a rule that wants lines, with the money it would have taken."""
    why = f"{RULE_ZH[rule]}应抽 {wanted} 批，计划内 {got} 批，缺 {wanted - got} 批"
    cause = f"；至少还需 {missing_cny:,.0f} 元，而预算为 {budget_cny:,.0f} 元" if missing_cny > 0 else ""
    return Shortfall(rule, wanted, got, why + cause + "。")


def explain_key_share(minimum: float, key_lines: int, lines: int, available: int) -> Shortfall:
    """Return the shortfall of the share of key products, with how many key candidates there were at all."""
    got = key_lines / lines
    cause = f"可抽的重点产品对象一共只有 {available} 个" if available <= key_lines else "与排在其前的规则争用同一笔预算"
    why = f"重点产品应不少于 {minimum:.0%}，计划内为 {got:.1%}（{key_lines}/{lines} 批）；{cause}。"
    return Shortfall("key_share", minimum, got, why)


def explain_random_share(lowest: float, highest: float, drawn: int, lines: int) -> Shortfall:
    """Return the note that the random share is outside its range, which happens in very small plans."""
    got = drawn / lines
    why = f"随机抽取应占 {lowest:.0%}–{highest:.0%}，计划内为 {got:.1%}（{drawn}/{lines} 批）：批次太少，取整所致。"
    return Shortfall("random", lowest, got, why)
