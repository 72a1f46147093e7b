"""Indicators read from the public: complaints and opinion, injuries and recalls."""

from datetime import date

from scoring.facts import HIGH_TRUST, Complaint, Facts, Opinion
from scoring.indicators.reading import Reading, decay, ids, within
from scoring.indicators.voices import Voice, independent_voices
from scoring.policy import IndicatorRule


def complaints(facts: Facts, rule: IndicatorRule, as_of: date) -> Reading:
    """近 {months} 个月质量投诉举报 {received} 件，去重后 {kept} 件（已核实 {verified} 件）；舆情 {opinions} 条。"""
    months = rule.number("window_months")
    received = [one for one in within(facts.complaints, as_of, months) if one.quality]
    heard = within(facts.opinions, as_of, months)
    factor = rule.table("severity_factor")
    by_class: dict[str, list[Voice]] = {}
    for complaint in received:
        weight = rule.number("verified" if complaint.verified else "unverified") * factor[str(complaint.severity)]
        by_class.setdefault("verified_complaint" if complaint.verified else "complaint", []).append(
            Voice(complaint.signal_id, _story(complaint), complaint.claimant or complaint.signal_id, weight)
        )
    for opinion in heard:
        source = "media" if opinion.trust in HIGH_TRUST else opinion.trust
        weight = rule.number("opinion") * factor[str(opinion.severity)] * opinion.probability
        by_class.setdefault(source, []).append(
            Voice(opinion.signal_id, _story(opinion), opinion.source_id or opinion.signal_id, weight)
        )
    kept = {
        name: independent_voices(
            voices, int(rule.number("per_claimant" if name.endswith("complaint") else "per_outlet"))
        )
        for name, voices in by_class.items()
    }
    caps = rule.table("class_cap")
    loud = {name: sum(voice.weight for voice in voices) / rule.number("saturation") for name, voices in kept.items()}
    values = {name: min(value, caps[name]) for name, value in loud.items()}
    total = sum(values.values())
    scale = 1.0 / max(1.0, total)
    held = [name for name in values if loud[name] > caps[name]]
    return Reading(
        value=min(1.0, total),
        evidence=tuple(sorted(voice.signal_id for voices in kept.values() for voice in voices)),
        said={
            "months": f"{months:g}",
            "received": len(received),
            "kept": sum(len(voices) for name, voices in kept.items() if name.endswith("complaint")),
            "verified": len(kept.get("verified_complaint", [])),
            "opinions": sum(len(voices) for name, voices in kept.items() if not name.endswith("complaint")),
        },
        low_trust={name: value * scale for name, value in values.items() if name != "verified_complaint"},
        capped="、".join(f"{CLASS_ZH[name]}单独最多计 {caps[name]:.0%}" for name in held) or None,
    )


def injuries_and_recalls(facts: Facts, rule: IndicatorRule, as_of: date) -> Reading:
    """近 {months} 个月伤害事件 {injuries} 起（确认与产品有关 {confirmed} 起，死亡 {deaths} 人），召回 {recalls} 次。"""
    months = rule.number("window_months")
    half_life = rule.number("half_life_months")
    injuries = within(facts.injuries, as_of, months)
    recalls = within(facts.recalls, as_of, months)
    weights = rule.table("injury")

    def harm(deaths: int, severity: str) -> float:
        return rule.number("death") if deaths else weights.get(severity, weights["minor"])

    confirmed = [one for one in injuries if one.followed_up]
    sure = sum(harm(one.deaths, one.severity) * decay(one, as_of, half_life) for one in confirmed)
    sure += sum(
        rule.number("recall_ordered" if one.ordered else "recall_voluntary") * decay(one, as_of, half_life)
        for one in recalls
    )
    unsure = rule.number("unverified_factor") * sum(
        harm(one.deaths, one.severity) * decay(one, as_of, half_life) for one in injuries if not one.followed_up
    )
    held = min(unsure, rule.number("unverified_cap"))
    return Reading(
        value=min(1.0, sure + held),
        evidence=ids((*injuries, *recalls)),
        said={
            "months": f"{months:g}",
            "injuries": len(injuries),
            "confirmed": len(confirmed),
            "deaths": sum(one.deaths for one in confirmed),
            "recalls": len(recalls),
        },
        capped=f"未经确认的伤害最多计 {rule.number('unverified_cap'):.0%}" if unsure > held else None,
    )


CLASS_ZH = {
    "verified_complaint": "已核实投诉",
    "complaint": "未核实投诉",
    "media": "媒体报道",
    "social": "社交平台",
    "self": "企业自报",
}


def _story(fact: Complaint | Opinion) -> tuple[str, int]:
    """Name the story: its cluster, else the signal alone."""
    return ("signal", fact.signal_id) if fact.cluster_id is None else ("cluster", fact.cluster_id)
