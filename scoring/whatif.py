"""What would change a grade, what did change it, whom another policy would move, and in what it differs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from scoring.facts import (
    Complaint,
    Credit,
    Facts,
    Injury,
    Inspection,
    Licence,
    Opinion,
    Penalty,
    Recall,
    Sample,
    SelfCheck,
)
from scoring.grade import GradeResult, Previous, grade
from scoring.indicators.reading import months_before
from scoring.policy import LEVELS, Level, Policy, PolicyError


@dataclass(frozen=True, slots=True)
class Change:
    """How much an indicator's points moved between two gradings, and the records that came or went."""

    indicator: str
    zh: str
    points_before: float
    points_now: float
    came: tuple[int, ...]
    went: tuple[int, ...]


def changes(before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> list[Change]:
    """Return what moved between two stored lists of contributions, largest move first."""
    old = {part["indicator"]: part for part in before}
    new = {part["indicator"]: part for part in now}
    found = []
    for name in dict.fromkeys([*new, *old]):
        was, is_now = old.get(name), new.get(name)
        had = set(was["evidence"]) if was else set()
        has = set(is_now["evidence"]) if is_now else set()
        points = (float(was["points"]) if was else 0.0, float(is_now["points"]) if is_now else 0.0)
        if abs(points[1] - points[0]) >= 0.05 or had != has:
            zh = str((is_now or was or {})["zh"])
            found.append(Change(name, zh, *points, tuple(sorted(has - had)), tuple(sorted(had - has))))
    return sorted(found, key=lambda one: -abs(one.points_now - one.points_before))


@dataclass(frozen=True, slots=True)
class Outlook:
    """One thing that may happen, and the grade that would follow."""

    event: str
    level: Level
    score: float


def outlooks(facts: Facts, policy: Policy, as_of: date) -> list[Outlook]:
    """Return what the next failed or passed batch, and a clean year, would make of the grade.

    The scores are the scorecard's own, with the event added; the pace of upgrades is left out, so a better level
    may take more than one review.
    """
    sample = Sample(signal_id=0, occurred_on=as_of, known_on=as_of, product_id=facts.product_id, outcome="fail")
    events = [
        ("再有一批次一般项目不合格", facts.adding(sample), as_of),
        ("再有一批次安全项目不合格", facts.adding(replace(sample, safety_failed=True)), as_of),
        ("再有一批次合格", facts.adding(replace(sample, outcome="pass")), as_of),
        ("一年内没有新的不利记录且抽查合格", _clean_year(facts, sample, as_of), months_before(as_of, -12)),
    ]
    found = []
    for event, world, day in events:
        result = grade(world, policy, day)
        found.append(Outlook(event, result.level, round(result.score, 1)))
    return found


def _clean_year(facts: Facts, sample: Sample, as_of: date) -> Facts:
    half_year = months_before(as_of, -6)
    return facts.adding(replace(sample, outcome="pass", occurred_on=half_year, known_on=half_year))


@dataclass(frozen=True, slots=True)
class Move:
    """An enterprise line another policy would grade differently."""

    line: tuple[int, str, str]
    level: Level
    level_then: Level
    score: float
    score_then: float
    cause: str  # what moved it, in a sentence

    @property
    def worse(self) -> bool:
        """The other policy is harder on it."""
        return _rank(self.level_then) > _rank(self.level)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two policies over the same enterprises on the same day."""

    policy: str
    policy_then: str
    graded: int
    matrix: dict[tuple[Level, Level], int]  # (level now, level then) -> lines
    moves: tuple[Move, ...]


def compare(
    worlds: Iterable[Facts],
    now: Policy,
    then: Policy,
    as_of: date,
    history: Mapping[tuple[int, str, str], Previous] | None = None,
) -> Comparison:
    """Grade everything under both policies; moves come worst first. Neither policy is adopted by looking.

    `history` holds each line's grade before, so that both policies keep their pace of upgrades.
    """
    matrix: dict[tuple[Level, Level], int] = {}
    moves, graded = [], 0
    for facts in worlds:
        before = (history or {}).get((facts.enterprise_id, facts.product_id, facts.role))
        first, second = grade(facts, now, as_of, before), grade(facts, then, as_of, before)
        graded += 1
        matrix[first.level, second.level] = matrix.get((first.level, second.level), 0) + 1
        if first.level != second.level:
            moves.append(_move(facts, first, second))
    moves.sort(key=lambda one: (_rank(one.level) - _rank(one.level_then), -one.score_then))
    return Comparison(now.hash, then.hash, graded, matrix, tuple(moves))


def _move(facts: Facts, first: GradeResult, second: GradeResult) -> Move:
    return Move(
        line=(facts.enterprise_id, facts.product_id, facts.role),
        level=first.level,
        level_then=second.level,
        score=round(first.score, 2),
        score_then=round(second.score, 2),
        cause=_cause(first, second),
    )


def _cause(first: GradeResult, second: GradeResult) -> str:
    """Say what made the difference: a forced rule that came or went, else the points and the cut-offs."""
    if first.forced != second.forced:
        if second.forced is not None:
            return f"强制规则起作用：{second.forced.zh}"
        if first.forced is not None:
            return f"强制规则不再起作用：{first.forced.zh}"
    if "U" in (first.level, second.level):
        return "“未知”的判定改变"
    if first.held_back != second.held_back:
        return second.held_back or f"不再受限：{first.held_back}"
    before = {part.indicator: part for part in first.contributions}
    moved = [
        (part.points - (before[part.indicator].points if part.indicator in before else 0.0), part)
        for part in second.contributions
    ]
    largest = sorted((move for move in moved if abs(move[0]) >= 0.05), key=lambda move: -abs(move[0]))[:2]
    if not largest:
        return f"得分 {second.score:.1f} 不变，分界改变"
    return "，".join(f"{part.zh} {points:+.1f} 分" for points, part in largest)


def differences(now: Policy, then: Policy) -> list[tuple[str, str, str]]:
    """Return every value in which two policies differ: its place in the file, the one and the other ("" absent)."""
    first, second = (dict(_leaves(policy.model_dump(mode="json"))) for policy in (now, then))
    return [
        (place, first.get(place, ""), second.get(place, ""))
        for place in dict.fromkeys([*first, *second])
        if first.get(place, "") != second.get(place, "")
    ]


def _leaves(value: Any, place: str = "") -> Iterable[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{place}.{key}" if place else str(key))
    elif isinstance(value, list) and any(isinstance(inner, Mapping) for inner in value):
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{place}.{inner.get('id', number)}")
    elif value not in (None, "", []):
        yield place, "、".join(map(str, value)) if isinstance(value, list) else str(value)


def rehearse(policy: Policy, as_of: date) -> None:
    """Grade an invented firm with a record of every kind; PolicyError when the policy cannot be applied.

    Parameters are read when an indicator needs them, so a missing one would otherwise show only on some firm.
    """
    common: dict[str, Any] = {"signal_id": 1, "occurred_on": as_of, "known_on": as_of, "product_id": "p"}
    facts = Facts(enterprise_id=1, product_id="p", size="small", licence_required=True).adding(
        Sample(**common, outcome="fail", safety_failed=True),
        Sample(**common, outcome="fail", recheck=True, rectification="overdue", failed_items=("项目",)),
        Complaint(**common, severity=3, claimant="c"),
        Opinion(**common, trust="media"),
        Penalty(**common, violation_id="x"),
        Inspection(**common, findings=1, serious_findings=1, passed=False),
        Recall(**common, ordered=True),
        Injury(**common, severity="moderate"),
        Licence(**common, number="1", state="expired"),
        SelfCheck(**common, problems=1, officer_named=False),
        Credit(**common, grade="C"),
    )
    try:
        for tier in (1, 2, 3, 4):
            grade(replace(facts, tier=tier), policy, as_of)
        grade(Facts(enterprise_id=1), policy, as_of)
    except PolicyError:
        raise
    except KeyError as error:
        raise PolicyError(f"政策缺少 {error.args[0]} 一项") from error
    except (TypeError, ValueError, AttributeError, ArithmeticError, StopIteration) as error:
        raise PolicyError(f"政策中有数值不可用：{error}") from error


def _rank(level: Level) -> float:
    """Order levels; unknown stands between B and C, where a visit is due."""
    return 1.5 if level == "U" else float(LEVELS.index(level))
