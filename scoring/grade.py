"""The grade of record: a policy scorecard whose every point leads back to records."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from math import sqrt
from typing import Any

from scoring.facts import Facts
from scoring.forced import Forced, bounded, forced_rules
from scoring.indicators import INDICATORS, sentence
from scoring.indicators.harm import CLASS_ZH
from scoring.indicators.reading import Reading, decay, months_before, within
from scoring.policy import LEVELS, IndicatorId, Level, Policy


@dataclass(frozen=True, slots=True)
class Contribution:
    """One indicator's part of the score. Points of all contributions add up to the score."""

    indicator: str
    zh: str
    points: float
    weight: float
    value: float
    sentence: str
    evidence: tuple[int, ...] = ()
    cap: str | None = None
    low_trust: Mapping[str, float] | None = None  # points that rest on each low-trust source class

    def as_json(self) -> dict[str, Any]:
        """Return the form stored with a grade row."""
        return {
            "indicator": self.indicator,
            "zh": self.zh,
            "points": round(self.points, 4),
            "weight": self.weight,
            "value": round(self.value, 4),
            "sentence": self.sentence,
            "cap": self.cap,
            "evidence": list(self.evidence),
        }


@dataclass(frozen=True, slots=True)
class Previous:
    """The grade before this one, and since when the enterprise has held its level."""

    level: Level
    as_of: date
    held_since: date


@dataclass(frozen=True, slots=True)
class GradeResult:
    """A grade with everything needed to defend it. Score and interval are points of 100."""

    score: float
    level: Level
    score_level: Level  # what the score alone gives
    contributions: tuple[Contribution, ...]
    forced: Forced | None
    fired: tuple[Forced, ...]
    held_back: str | None  # why the level did not improve further
    missing: tuple[str, ...]
    interval: tuple[float, float]
    tier: int  # the products' inherent risk, which with the level gives the measure
    measure: str
    valid_to: date
    review_on: date
    policy_hash: str


def grade(facts: Facts, policy: Policy, as_of: date, previous: Previous | None = None) -> GradeResult:
    """Grade one enterprise (or one of its product lines) from what was known on `as_of`; later facts are ignored.

    Adding a record that speaks against the enterprise never lowers the score. Levels get worse at once; they
    get better one step a review at most (`policy.upgrade`).
    """
    facts = facts.known_by(as_of)
    contributions, readings = _contributions(facts, policy, as_of)
    score = sum(part.points for part in contributions)
    score_level = policy.level_of(score)
    fired = forced_rules(facts, policy, as_of)
    level, forced = bounded(score_level, fired)
    if _unknown(facts, policy, as_of) and (forced is None or forced.effect == "at_most"):
        newcomer = _is_new(facts, policy, as_of)
        level, forced = ("B" if newcomer else "U"), None
    level, held_back = _upgraded_slowly(level, forced, facts, policy, as_of, previous)
    missing = tuple(
        f"{policy.indicators[name].zh}：{reading.missing}" for name, reading in readings.items() if reading.missing
    )
    return GradeResult(
        score=score,
        level=level,
        score_level=score_level,
        contributions=contributions,
        forced=forced,
        fired=tuple(fired),
        held_back=held_back,
        missing=missing,
        interval=_interval(facts, policy, as_of, contributions, readings),
        tier=facts.tier or policy.default_tier,
        measure=policy.measure(facts.tier, level),
        valid_to=months_before(as_of, -policy.validity_months),
        review_on=months_before(as_of, -policy.upgrade.review_months),
        policy_hash=policy.hash,
    )


def _contributions(
    facts: Facts, policy: Policy, as_of: date
) -> tuple[tuple[Contribution, ...], dict[IndicatorId, Reading]]:
    parts: list[Contribution] = []
    readings: dict[IndicatorId, Reading] = {}
    for name, rule in policy.indicators.items():
        indicator = INDICATORS[name]
        reading = indicator(facts, rule, as_of)
        readings[name] = reading
        parts.append(
            Contribution(
                indicator=name,
                zh=rule.zh,
                points=rule.weight * reading.value,
                weight=rule.weight,
                value=reading.value,
                sentence=sentence(indicator, reading),
                evidence=reading.evidence,
                cap=reading.capped,
                low_trust={source: rule.weight * value for source, value in reading.low_trust.items()},
            )
        )
    held = _uncorroborated(parts, policy)
    if held is not None:
        parts.append(held)
    return tuple(parts), readings


def _uncorroborated(parts: list[Contribution], policy: Policy) -> Contribution | None:
    """Take back what one low-trust source class alone has added beyond its allowed steps of level."""
    score = sum(part.points for part in parts)
    excess, source = 0.0, ""
    for name in policy.corroboration.low_trust:
        alone = sum((part.low_trust or {}).get(name, 0.0) for part in parts)
        ceiling = LEVELS.index(policy.level_of(score - alone)) + policy.corroboration.max_steps + 1
        if ceiling >= len(LEVELS):
            continue
        over = score - (policy.thresholds[LEVELS[ceiling]] - 0.01)
        if alone > 0 and over > excess:
            excess, source = min(over, alone), name
    if excess <= 0:
        return None
    word = CLASS_ZH.get(source, source)
    behind = (part.evidence for part in parts if (part.low_trust or {}).get(source))
    return Contribution(
        indicator="corroboration",
        zh="单一低可信来源封顶",
        points=-excess,
        weight=0.0,
        value=0.0,
        sentence=f"{word}没有其他来源佐证，最多使级别变动 {policy.corroboration.max_steps} 级，扣回 {excess:.1f} 分。",
        evidence=tuple(dict.fromkeys(one for evidence in behind for one in evidence)),
        cap=f"{word}单独最多变动 {policy.corroboration.max_steps} 级",
    )


def _unknown(facts: Facts, policy: Policy, as_of: date) -> bool:
    for kind in policy.unknown.knowing:
        recent = within(getattr(facts, kind), as_of, policy.unknown.months)
        if any(kind != "samples" or one.tested or one.outcome in ("refused", "illegal") for one in recent):
            return False
    return True


def _is_new(facts: Facts, policy: Policy, as_of: date) -> bool:
    start = months_before(as_of, policy.unknown.new_firm_months)
    return facts.established_on is not None and facts.established_on > start


def _upgraded_slowly(
    level: Level, forced: Forced | None, facts: Facts, policy: Policy, as_of: date, previous: Previous | None
) -> tuple[Level, str | None]:
    if previous is None or "U" in (level, previous.level):
        return level, None
    old, new = LEVELS.index(previous.level), LEVELS.index(level)
    if new >= old:
        return level, None
    rule = policy.upgrade
    tested = [sample for sample in within(facts.samples, as_of, 36) if sample.tested]
    if as_of < months_before(previous.held_since, -rule.review_months):
        return previous.level, f"现等级保持不满 {rule.review_months} 个月，暂不升级"
    if rule.needs_clean_sample and tested and tested[-1].failed:
        return previous.level, "最近一批次不合格，复查合格后方可升级"
    if old - new > rule.max_steps:
        return LEVELS[old - rule.max_steps], f"每次复核最多升 {rule.max_steps} 级"
    return level, None


def _interval(
    facts: Facts,
    policy: Policy,
    as_of: date,
    contributions: tuple[Contribution, ...],
    readings: Mapping[IndicatorId, Reading],
) -> tuple[float, float]:
    """Return low and high of the score: fewer batches and more gaps make it wider.

    Low leaves out what rests on low-trust sources. The failure rate's Wilson interval, on decayed batches,
    scales the sampling indicator both ways; each missing indicator adds the share the policy names.
    """
    score = sum(part.points for part in contributions)
    rule = policy.indicators["q1_sampling_fail"]
    half_life = rule.number("half_life_months")
    tested = [s for s in within(facts.samples, as_of, rule.number("window_months")) if s.tested]
    batches = sum(decay(sample, as_of, half_life) for sample in tested)
    failures = sum(decay(sample, as_of, half_life) for sample in tested if sample.failed)
    low_rate, high_rate = wilson(failures, batches, policy.interval.z)
    rate = failures / batches if batches else 0.0
    points = next(part.points for part in contributions if part.indicator == "q1_sampling_fail")
    lost = points * (1.0 - low_rate / rate) if rate else 0.0
    gained = rule.weight * max(high_rate - rate, 0.0) if batches else 0.0
    unsupported = sum(sum((part.low_trust or {}).values()) for part in contributions)
    gaps = sum(policy.indicators[name].weight for name, reading in readings.items() if reading.missing)
    low = max(0.0, score - lost - max(0.0, unsupported))
    return low, min(100.0, score + gained + policy.interval.missing_share * gaps)


def wilson(successes: float, trials: float, z: float) -> tuple[float, float]:
    """Return Wilson's interval of a rate; (0, 1) when nothing was tried."""
    if trials <= 0:
        return 0.0, 1.0
    rate = successes / trials
    centre = rate + z * z / (2 * trials)
    spread = z * sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)
