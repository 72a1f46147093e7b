"""Indicators read from the regulator's own dealings: penalties, visits, credit class."""

from datetime import date

from scoring.facts import Facts
from scoring.indicators.reading import Reading, decay, ids, within
from scoring.policy import IndicatorRule


def penalties(facts: Facts, rule: IndicatorRule, as_of: date) -> Reading:
    """近 {months} 个月行政处罚 {count} 起{what}。"""
    months = rule.number("window_months")
    found = within(facts.penalties, as_of, months)
    weight = sum(
        one.weight / rule.number("full_weight") * decay(one, as_of, rule.number("half_life_months")) for one in found
    )
    words = list(dict.fromkeys(one.violation_zh for one in found if one.violation_zh))
    return Reading(
        value=min(1.0, weight / rule.number("saturation")),
        evidence=ids(found),
        said={"months": f"{months:g}", "count": len(found), "what": f"：{'、'.join(words)}" if words else ""},
    )


def onsite_findings(facts: Facts, rule: IndicatorRule, as_of: date) -> Reading:
    """近 {months} 个月现场检查 {visits} 次，发现问题 {findings} 个（严重 {serious} 个），未通过 {refused} 次。"""
    months = rule.number("window_months")
    visits = within(facts.inspections, as_of, months)
    half_life = rule.number("half_life_months")
    weight = sum(
        decay(visit, as_of, half_life)
        * (
            rule.number("finding") * max(visit.findings - visit.serious_findings, 0)
            + rule.number("serious") * visit.serious_findings
            + (rule.number("not_passed") if visit.passed is False else 0.0)
        )
        for visit in visits
    )
    bad = [visit for visit in visits if visit.findings or visit.serious_findings or visit.passed is False]
    clean = [visit for visit in visits if visit not in bad]
    return Reading(
        value=min(1.0, weight),
        evidence=ids((*bad, *clean)),
        said={
            "months": f"{months:g}",
            "visits": len(visits),
            "findings": sum(max(visit.findings, visit.serious_findings) for visit in visits),
            "serious": sum(visit.serious_findings for visit in visits),
            "refused": sum(visit.passed is False for visit in visits),
        },
        missing=None if visits else f"近 {months:g} 个月没有现场检查记录",
    )


def credit_class(facts: Facts, rule: IndicatorRule, as_of: date) -> Reading:
    """企业信用风险分类为 {grade}（引用，不重算）。"""
    known = [one for one in facts.credits if one.grade and (one.valid_to is None or one.valid_to >= as_of)]
    if not known:
        return Reading(value=0.0, said={"grade": "未知"}, missing="没有有效的信用风险分类")
    latest = known[-1]
    return Reading(
        value=rule.table("classes").get(str(latest.grade), 0.0),
        evidence=(latest.signal_id,),
        said={"grade": latest.grade},
    )
