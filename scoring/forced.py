"""Forced rules: a fact so grave, or a record so clean, that it bounds the level whatever the score says.

Only official or verified records fire a rule that raises the level: a post or a self-report never does.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from scoring.facts import HIGH_TRUST, Fact, Facts
from scoring.indicators.reading import F, ids, months_before, within
from scoring.indicators.standing import current_licences
from scoring.policy import LEVELS, ForcedId, ForcedRule, Level, Policy


@dataclass(frozen=True, slots=True)
class Forced:
    """A rule that fired, the level it asks for and the records that fired it."""

    id: ForcedId
    zh: str
    level: Level
    effect: str  # to | at_least | at_most
    evidence: tuple[int, ...]


def forced_rules(facts: Facts, policy: Policy, as_of: date) -> list[Forced]:
    """Return every rule that fires, gravest first."""
    fired = []
    for rule in policy.forced:
        causes = CONDITIONS[rule.id](facts, rule, as_of)
        if causes is None:
            continue
        effect = "to" if rule.to else "at_least" if rule.at_least else "at_most"
        level = rule.to or rule.at_least or rule.at_most
        assert level is not None  # ForcedRule holds exactly one of the three
        fired.append(Forced(rule.id, rule.zh, level, effect, ids(causes)))
    return sorted(fired, key=lambda one: (_EFFECT_ORDER[one.effect], -LEVELS.index(one.level)))


def bounded(level: Level, fired: Sequence[Forced]) -> tuple[Level, Forced | None]:
    """Return the level after the rules, and the rule that decided it (None when the score did)."""
    position, decided = LEVELS.index(level), None
    for rule in fired:
        if rule.effect == "at_most" and position > LEVELS.index(rule.level):
            position, decided = LEVELS.index(rule.level), rule
    for rule in fired:
        if rule.effect != "at_most" and position < LEVELS.index(rule.level):
            position, decided = LEVELS.index(rule.level), rule
    return LEVELS[position], decided


Causes = Iterable[Fact] | None
_EFFECT_ORDER = {"to": 0, "at_least": 1, "at_most": 2}


def _grave(facts: Iterable[F], as_of: date, months: int | None) -> list[F]:
    recent = within(facts, as_of, months) if months else list(facts)
    return [fact for fact in recent if fact.trust in HIGH_TRUST]


def _death(facts: Facts, rule: ForcedRule, as_of: date) -> Causes:
    found = [
        one
        for one in _grave(facts.injuries, as_of, rule.months)
        if one.followed_up and (one.deaths > 0 or one.injured >= rule.group_injury)
    ]
    return found or None


def _licence(facts: Facts, rule: ForcedRule, as_of: date) -> Causes:
    """Production seen after the certificate stopped: the batch is dated by its sampling."""
    stopped = [
        one
        for one in current_licences(facts)
        if one.trust in HIGH_TRUST and one.state in ("suspended", "revoked", "cancelled")
    ]
    lines = {one.product_id for one in current_licences(facts) if one.state == "valid"}
    seen = [
        (one, sample)
        for one in stopped
        if one.product_id not in lines
        for sample in within(facts.samples, as_of, rule.months or 12)
        if sample.role == "producer" and sample.occurred_on > one.occurred_on
        if sample.product_id == one.product_id or not one.product_id
    ]
    return [fact for pair in seen for fact in pair] or None


def _penalised_for(facts: Facts, rule: ForcedRule, as_of: date) -> list[Fact]:
    return [one for one in _grave(facts.penalties, as_of, rule.months) if one.violation_id in rule.violations]


def _unlicensed(facts: Facts, rule: ForcedRule, as_of: date) -> Causes:
    samples = [one for one in _grave(facts.samples, as_of, rule.months) if one.outcome == "illegal"]
    return [*_penalised_for(facts, rule, as_of), *samples] or None


def _adulteration(facts: Facts, rule: ForcedRule, as_of: date) -> Causes:
    return _penalised_for(facts, rule, as_of) or None


def _recheck_failed(facts: Facts, rule: ForcedRule, as_of: date) -> Causes:
    samples = _grave(facts.samples, as_of, rule.months)
    return [one for one in samples if (one.recheck and one.failed) or one.rectification == "failed"] or None


def _refused(facts: Facts, rule: ForcedRule, as_of: date) -> Causes:
    samples = [one for one in _grave(facts.samples, as_of, rule.months) if one.outcome == "refused"]
    return [*samples, *_penalised_for(facts, rule, as_of)] or None


def _blacklist(facts: Facts, rule: ForcedRule, as_of: date) -> Causes:
    listed = [one for one in facts.credits if one.trust in HIGH_TRUST and one.blacklisted]
    return [one for one in listed if one.valid_to is None or one.valid_to >= as_of] or None


def _two_failures(facts: Facts, rule: ForcedRule, as_of: date) -> Causes:
    failed = [one for one in _grave(facts.samples, as_of, rule.months) if one.failed]
    return failed if len(failed) >= rule.failures else None


def _safety_item(facts: Facts, rule: ForcedRule, as_of: date) -> Causes:
    return [one for one in _grave(facts.samples, as_of, rule.months) if one.failed and one.safety_failed] or None


def _credit_d(facts: Facts, rule: ForcedRule, as_of: date) -> Causes:
    known = [one for one in facts.credits if one.grade and (one.valid_to is None or one.valid_to >= as_of)]
    return known[-1:] if known and known[-1].grade == "D" else None


def _new_licence(facts: Facts, rule: ForcedRule, as_of: date) -> Causes:
    first = min((one.issued_on for one in facts.licences if one.issued_on), default=None)
    if first is None or first <= months_before(as_of, rule.months or 12):
        return None
    return [one for one in facts.licences if one.issued_on == first]


def _clean_record(facts: Facts, rule: ForcedRule, as_of: date) -> Causes:
    months = rule.months or 36
    if facts.tier is None or (rule.max_tier is not None and facts.tier > rule.max_tier):
        return None
    tested = [one for one in within(facts.samples, as_of, months) if one.tested]
    dirty = any(one.failed for one in tested) or within(facts.penalties, as_of, months)
    return None if dirty or not tested else tested


CONDITIONS: dict[ForcedId, Callable[[Facts, ForcedRule, date], Causes]] = {
    "f_death": _death,
    "f_licence": _licence,
    "f_unlicensed": _unlicensed,
    "f_adulteration": _adulteration,
    "f_recheck_failed": _recheck_failed,
    "f_refused": _refused,
    "f_blacklist": _blacklist,
    "f_two_failures": _two_failures,
    "f_safety_item": _safety_item,
    "f_credit_d": _credit_d,
    "f_new_licence": _new_licence,
    "f_clean_record": _clean_record,
}
