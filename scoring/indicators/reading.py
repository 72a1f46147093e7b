"""What an indicator returns, and the calendar arithmetic all of them share."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TypeVar

from scoring.facts import Fact

F = TypeVar("F", bound=Fact)
DAYS_PER_MONTH = 30.4375


@dataclass(frozen=True, slots=True)
class Reading:
    """An indicator's value, 0 (nothing against the enterprise) to 1, and the records it rests on.

    `said` fills the indicator's docstring, which is the sentence an inspector reads. `missing` says what is
    not known; the value is then 0, and the grade shows the gap instead of a good mark. `low_trust` is the part
    of the value that rests on each low-trust source class, `capped` a note where a cap held something back.
    """

    value: float
    evidence: tuple[int, ...] = ()
    said: Mapping[str, object] = field(default_factory=dict)
    missing: str | None = None
    low_trust: Mapping[str, float] = field(default_factory=dict)
    capped: str | None = None


def months_before(day: date, months: float) -> date:
    """Return the day `months` average months earlier (30.4375 days each, so that windows never jump)."""
    return day - timedelta(days=round(months * DAYS_PER_MONTH))


def within(facts: Iterable[F], as_of: date, months: float) -> list[F]:
    """Return the facts that happened in the last `months`, in their order."""
    start = months_before(as_of, months)
    return [fact for fact in facts if start < fact.occurred_on <= as_of]


def decay(fact: Fact, as_of: date, half_life_months: float) -> float:
    """Return what is left of a fact's weight: half after each half-life."""
    age_days = max((as_of - fact.occurred_on).days, 0)
    return float(0.5 ** (age_days / (half_life_months * DAYS_PER_MONTH)))


def ids(facts: Iterable[Fact]) -> tuple[int, ...]:
    """Return the facts' signals, each once, in order."""
    return tuple(dict.fromkeys(fact.signal_id for fact in facts))
