"""What would change a grade, what did change it, and whom another policy would move."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from scoring.facts import Facts, Sample
from scoring.grade import GradeResult, grade
from scoring.indicators.reading import months_before
from scoring.policy import LEVELS, Level, Policy


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
    forced_then: str | None

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


def compare(worlds: Iterable[Facts], now: Policy, then: Policy, as_of: date) -> Comparison:
    """Grade everything under both policies; moves come worst first. Neither policy is adopted by looking."""
    matrix: dict[tuple[Level, Level], int] = {}
    moves, graded = [], 0
    for facts in worlds:
        first, second = grade(facts, now, as_of), grade(facts, then, as_of)
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
        forced_then=second.forced.id if second.forced else None,
    )


def _rank(level: Level) -> float:
    """Order levels; unknown stands between B and C, where a visit is due."""
    return 1.5 if level == "U" else float(LEVELS.index(level))
