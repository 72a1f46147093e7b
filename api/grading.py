"""What the pages say of a grade: why, what changed, what would change it, how sure, what is missing, what follows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy.orm import Session

from jobs.standing import Standing
from scoring.policy import LEVELS, Action, Level, Policy, PolicyError, parse_policy
from scoring.whatif import Change, Outlook, changes
from store.reads.grades import policy_body
from store.tables import Grade

SCALES_ZH = {"credit_risk": "信用风险分类（A–D）", "aqsiq_2012": "质量信用分类（AA/A/B/C）"}


@dataclass(frozen=True, slots=True)
class Part:
    """One line of the reasons. `shown` are its points to one decimal, so that the lines add up to the score shown."""

    indicator: str
    zh: str
    sentence: str
    points: float
    shown: float
    weight: float
    cap: str | None
    evidence: list[int]


@dataclass(frozen=True, slots=True)
class GradeView:
    """One grade with everything its page says. What needs the policy is empty when its text was not kept."""

    grade: Grade
    parts: list[Part]
    rules: list[Part]  # forced rules that fired, the deciding one first
    before: Grade | None
    changed: list[Change]
    policy_changed: bool
    scorecard: str  # the scorecard's own level
    scales: dict[str, str]
    action: Action | None
    tier_zh: str
    row: dict[str, str]  # the measures of this tier by level
    level_low: Level | None  # the levels at both ends of the interval
    level_high: Level | None
    worse_at: tuple[Level, float] | None  # the next worse level and the points to it
    better_at: tuple[Level, float] | None
    outlooks: Sequence[Outlook]
    plausible: str  # what the next batch may be, in words; '' where the challenger promises nothing
    standing: Standing | None  # how the challenger stood on the grade's day

    @property
    def decided_by(self) -> Part | None:
        """The forced rule that set the level; None when the score did."""
        rule = self.grade.forced_rule
        return next((part for part in self.rules if part.indicator == f"forced:{rule}"), None) if rule else None


def view(
    session: Session,
    grade: Grade,
    before: Grade | None = None,
    outlooks: Mapping[tuple[str, str], Any] | None = None,
    standing: Standing | None = None,
) -> GradeView:
    """Return what is said of a grade, compared with an earlier one."""
    policy = policy_of(session, grade.policy_hash)
    parts, rules = _parts(grade)
    machine: str = grade.machine_level or grade.level
    worse, better = _cutoffs(grade.score, policy)
    interval = [float(bound) for bound in grade.interval]
    return GradeView(
        grade=grade,
        parts=parts,
        rules=rules,
        before=before,
        changed=_changed(before, grade) if before else [],
        policy_changed=before is not None and before.policy_hash != grade.policy_hash,
        scorecard=machine,
        scales={SCALES_ZH.get(name, name): scale.get(grade.level, "") for name, scale in policy.scales.items()}  # type: ignore[call-overload]
        if policy
        else {},
        action=policy.action_params.get(grade.measure or "") if policy else None,
        tier_zh=f"{grade.tier} 级（{policy.tier_names.get(grade.tier, '')}）" if policy and grade.tier else "",
        row=dict(policy.matrix_action.get(grade.tier, {})) if policy and grade.tier else {},  # type: ignore[arg-type]
        level_low=policy.level_of(interval[0]) if policy and interval else None,
        level_high=policy.level_of(interval[1]) if policy and interval else None,
        worse_at=worse,
        better_at=better,
        outlooks=(outlooks or {}).get((grade.product_id, grade.role), ()),
        plausible=plausible(standing, grade),
        standing=standing,
    )


def plausible(standing: Standing | None, grade: Grade) -> str:
    """Return in words which results the next batch may have; '' where the challenger promises nothing."""
    if standing is None or standing.limits is None or grade.challenger is None:
        return ""
    return standing.limits.zh(grade.challenger)


def _changed(before: Grade, grade: Grade) -> list[Change]:
    """Return what moved between two grades; a forced rule goes by its own sentence."""
    said = {part["indicator"]: part.get("sentence") for part in (*before.contributions, *grade.contributions)}
    return [
        replace(one, zh=f"{one.zh}“{said[one.indicator]}”") if one.indicator.startswith("forced:") else one
        for one in changes(before.contributions, grade.contributions)
    ]


def policy_of(session: Session, policy_hash: str) -> Policy | None:
    """Return the policy a grade was made under; None when its text was not kept or cannot be read any more."""
    body = policy_body(session, policy_hash)
    return _parsed(body) if body else None


@lru_cache(maxsize=16)
def _parsed(body: str) -> Policy | None:
    try:
        return parse_policy(body)
    except PolicyError:
        return None


def _parts(grade: Grade) -> tuple[list[Part], list[Part]]:
    stored = sorted(grade.contributions, key=lambda part: -float(part.get("points", 0)))
    rounded = rounded_to_sum([float(part.get("points", 0)) for part in stored], grade.score)
    made = [
        Part(
            indicator=str(part.get("indicator", "")),
            zh=str(part.get("zh") or part.get("indicator", "")),
            sentence=str(part.get("sentence") or ""),
            points=float(part.get("points", 0)),
            shown=shown,
            weight=float(part.get("weight") or 0),
            cap=str(part["cap"]) if part.get("cap") else None,
            evidence=[int(one) for one in part.get("evidence", [])],
        )
        for part, shown in zip(stored, rounded, strict=True)
    ]
    rules = [part for part in made if part.indicator.startswith("forced:")]
    rules.sort(key=lambda part: part.indicator != f"forced:{grade.forced_rule}")
    return [part for part in made if not part.indicator.startswith("forced:")], rules


def rounded_to_sum(points: Sequence[float], total: float) -> list[float]:
    """Round points to one decimal so that they add up to the rounded total: the largest remainders give way."""
    tenths = [round(one * 10) for one in points]
    gap = round(round(total, 1) * 10) - sum(tenths)
    if abs(gap) > len(points):
        return [one / 10 for one in tenths]  # no rounding explains this: show what is stored
    step = 1 if gap > 0 else -1
    order = sorted(range(len(points)), key=lambda at: step * (tenths[at] - points[at] * 10))
    for at in [at for at in order if points[at] != 0][: abs(gap)]:
        tenths[at] += step
    return [one / 10 for one in tenths]


def _cutoffs(score: float, policy: Policy | None) -> tuple[tuple[Level, float] | None, tuple[Level, float] | None]:
    """Return the next worse level with the points missing to it, and the next better with the points too many."""
    if policy is None:
        return None, None
    at = LEVELS.index(policy.level_of(score))
    worse = (LEVELS[at + 1], policy.thresholds[LEVELS[at + 1]] - score) if at + 1 < len(LEVELS) else None
    better = (LEVELS[at - 1], score - policy.thresholds[LEVELS[at]]) if at else None
    return worse, better
