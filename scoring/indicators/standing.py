"""Indicators of what the enterprise is: licences, responsibility records, scale."""

from datetime import date

from scoring.facts import Facts, Licence
from scoring.indicators.reading import Reading, ids, months_before, within
from scoring.policy import IndicatorRule


def licence_state(facts: Facts, rule: IndicatorRule, as_of: date) -> Reading:
    """许可认证状态：{state}。"""
    current = current_licences(facts)
    if not current:
        gap = "产品须许可或认证，而没有证书记录" if facts.licence_required else None
        return Reading(value=0.0, said={"state": "没有证书记录"}, missing=gap)
    worst, word, cause = 0.0, "全部有效", current[0]
    for licence in current:
        state = licence.state
        if state == "valid" and licence.expires_on is not None:
            if licence.expires_on < as_of:
                state = "expired"
            elif months_before(licence.expires_on, rule.number("expiring_months")) <= as_of:
                state = "expiring"
        value = 0.0 if state == "valid" else rule.number(state)
        if value > worst:
            worst, word, cause = value, f"{licence.number} {_STATE_ZH[state]}", licence
    return Reading(value=worst, evidence=ids((cause, *current)), said={"state": word})


def responsibility(facts: Facts, rule: IndicatorRule, as_of: date) -> Reading:
    """主体责任（企业自报，打折计分）：{state}。"""
    checks = within(facts.self_checks, as_of, rule.number("window_months"))
    if not checks:
        return Reading(value=0.0, said={"state": "没有自查记录"}, missing="没有自查、日管控周排查月调度记录")
    named = [check for check in checks if check.officer_named is not None]
    no_officer = bool(named) and named[-1].officer_named is False
    open_problems = [check for check in checks if check.problems > check.rectified]
    unrectified = sum(check.problems - check.rectified for check in open_problems)
    value = (rule.number("no_officer") if no_officer else 0.0) + min(
        rule.number("unrectified_cap"), rule.number("unrectified") * unrectified
    )
    said = [f"近 {rule.number('window_months'):g} 个月自查 {len(checks)} 次"]
    if no_officer:
        said.append("未配备质量安全总监或安全员")
    if unrectified:
        said.append(f"{unrectified} 个自报问题未整改")
    value = min(1.0, value)
    return Reading(
        value=value,
        evidence=ids((*open_problems, *(named[-1:] if no_officer else ()))),
        said={"state": "，".join(said)},
        low_trust={"self": value} if value else {},
    )


def scale(facts: Facts, rule: IndicatorRule, as_of: date) -> Reading:
    """规模：{size}{online}。全国抽查数据里，小微企业的不合格率较高。"""
    online = rule.number("online") if facts.sells_online else 0.0
    said = {"size": _SIZE_ZH.get(facts.size or "", "未知"), "online": "，网络销售" if facts.sells_online else ""}
    if facts.size is None:
        return Reading(value=min(1.0, online), said=said, missing="企业规模未知")
    return Reading(value=min(1.0, rule.table("size").get(facts.size, 0.0) + online), said=said)


def current_licences(facts: Facts) -> list[Licence]:
    """Return the newest observation of each licence number."""
    newest: dict[str, Licence] = {}
    for licence in facts.licences:
        newest[licence.number] = licence
    return list(newest.values())


_STATE_ZH = {
    "revoked": "已吊销或撤销",
    "suspended": "已暂停",
    "cancelled": "已注销",
    "expired": "已过期",
    "expiring": "即将到期",
}
_SIZE_ZH = {"large": "大型", "medium": "中型", "small": "小型", "micro": "微型"}
