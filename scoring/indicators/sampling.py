"""Indicators read from supervision sampling: failures, repeats, rectification."""

from collections import Counter
from datetime import date, timedelta
from itertools import pairwise

from scoring.facts import Facts
from scoring.indicators.reading import Reading, decay, ids, within
from scoring.policy import IndicatorRule


def sampling_failures(facts: Facts, rule: IndicatorRule, as_of: date) -> Reading:
    """近 {months} 个月抽查 {tested} 批次，不合格 {failed} 批次（安全项目 {safety}），折算 {decayed} 批次{relief}。"""
    tested = [sample for sample in within(facts.samples, as_of, rule.number("window_months")) if sample.tested]
    failed = [sample for sample in tested if sample.failed]
    weight = sum(
        decay(sample, as_of, rule.number("half_life_months"))
        * (rule.number("safety_factor") if sample.safety_failed else 1.0)
        for sample in failed
    )
    relief = rule.number("pass_relief") * (len(tested) - len(failed)) / len(tested) if tested else 0.0
    return Reading(
        value=min(1.0, weight / rule.number("saturation")) * (1.0 - relief),
        evidence=ids((*failed, *(sample for sample in tested if not sample.failed))),
        said={
            "months": f"{rule.number('window_months'):g}",
            "tested": len(tested),
            "failed": len(failed),
            "safety": sum(sample.safety_failed for sample in failed),
            "decayed": f"{weight:.1f}",
            "relief": f"（满 {rule.number('saturation'):g} 批次计满分），其余批次合格，减 {relief:.0%}"
            if failed and relief
            else "",
        },
        missing=None if tested else f"近 {rule.number('window_months'):g} 个月没有抽查检验结论",
    )


def repeated_failures(facts: Facts, rule: IndicatorRule, as_of: date) -> Reading:
    """近 {months} 个月{pattern}。"""
    tested = [sample for sample in within(facts.samples, as_of, rule.number("window_months")) if sample.tested]
    failed = [sample for sample in tested if sample.failed]
    items = Counter(item for sample in failed for item in set(sample.failed_items))
    again = sorted(item for item, count in items.items() if count > 1)
    value, pattern = 0.0, "没有重复不合格"
    if len(failed) > 1:
        value, pattern = rule.number("separate"), f"有 {len(failed)} 批次不合格，不连续"
    lines = {sample.product_id for sample in tested}
    runs = ([sample.failed for sample in tested if sample.product_id == line] for line in lines)
    if any(first and second for run in runs for first, second in pairwise(run)):
        value, pattern = max(value, rule.number("consecutive")), "同类产品连续两批次不合格"
    if again and rule.number("same_item") >= value:
        value, pattern = rule.number("same_item"), f"{pattern}，{'、'.join(again)}再次不合格"
    return Reading(
        value=value,
        evidence=ids(failed) if value else (),
        said={"months": f"{rule.number('window_months'):g}", "pattern": pattern},
    )


def rectification(facts: Facts, rule: IndicatorRule, as_of: date) -> Reading:
    """不合格后的整改复查：{state}。"""
    samples = within(facts.samples, as_of, rule.number("window_months"))
    marks = {
        "复查仍不合格": (rule.number("recheck_failed"), [s for s in samples if s.recheck and s.failed]),
        "整改未通过": (rule.number("failed"), [s for s in samples if s.rectification == "failed"]),
        "逾期未整改": (rule.number("overdue"), [s for s in samples if s.rectification == "overdue"]),
    }
    found = {word: (value, cause) for word, (value, cause) in marks.items() if cause}
    if found:
        return Reading(
            value=max(value for value, _ in found.values()),
            evidence=ids(sample for _, cause in found.values() for sample in cause),
            said={"state": "，".join(f"{word} {len(cause)} 批次" for word, (_, cause) in found.items())},
        )
    due = as_of - timedelta(days=int(rule.number("recheck_due_days")))
    last_failure = max((s.occurred_on for s in samples if s.failed), default=None)
    settled = any(s.rectification == "done" or (s.recheck and s.outcome == "pass") for s in samples)
    if last_failure is not None and last_failure <= due and not settled:
        return Reading(value=0.0, missing="有不合格批次，复查期限已过而没有复查记录", said={"state": "没有复查记录"})
    return Reading(value=0.0, said={"state": "复查合格" if settled else "没有待复查的不合格批次或期限未到"})
