"""How the challenger stands: whether it may rank inside a plan, since when, and what its runs have said.

It may rank only while the latest back-test says that it finds more than every simple rival; that verdict is kept in
each run, and goes when a later run says otherwise.
"""

from dataclasses import dataclass
from datetime import date
from itertools import takewhile
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from scoring.plausible import Limits, PlausibleResults
from scoring.sampling import PlanRules
from store.tables import Grade, Run


def _good_runs(session: Session, as_of: date) -> list[Run]:
    """Return the runs known on a day, the newest first."""
    return list(
        session.scalars(
            select(Run)
            .where(Run.job == "challenger", Run.status == "ok", Run.as_of <= as_of)
            .order_by(Run.as_of.desc(), Run.id.desc())
        )
    )


def promoted(session: Session, as_of: date) -> bool:
    """Whether the latest back-test known on a day lets the challenger rank inside a plan."""
    runs = _good_runs(session, as_of)
    return bool(runs and runs[0].counts.get("promoted"))


def may_rank(session: Session, rules: PlanRules, as_of: date) -> bool:
    """Whether plans made on a day rank by the challenger: the rules allow it and its latest back-test has won."""
    return rules.find.challenger == "when_promoted" and promoted(session, as_of)


def learned(session: Session, as_of: date) -> dict[tuple[int, str, str], float]:
    """Return by (enterprise, product line, role) what the newest run by a day wrote: it holds until the next run."""
    runs = _good_runs(session, as_of)
    if not runs:
        return {}
    rows = session.execute(
        select(Grade.enterprise_id, Grade.product_id, Grade.role, Grade.challenger)
        .where(Grade.as_of == runs[0].as_of, Grade.challenger.is_not(None))
        .order_by(Grade.id)
    )
    return {(row.enterprise_id, row.product_id, row.role): row.challenger for row in rows}


@dataclass(frozen=True, slots=True)
class Standing:
    """How the challenger stands on a day, for whoever shows it.

    `since` is the day of the first of the newest unbroken row of equal verdicts; `history` every verdict, the newest
    first, as (day, run, promoted). `verdict` holds the figures of the latest back-test (see `run`), with "coverage"
    and "moved"; `limits` make the set of plausible results from a stored probability.
    """

    promoted: bool
    since: date
    verdict: dict[str, Any]
    limits: Limits | None
    history: tuple[tuple[date, int, bool], ...]

    @property
    def why(self) -> str:
        """What the latest back-test said, in words."""
        if note := self.verdict.get("note"):
            return str(note)
        chosen, rival = self.verdict.get("hit@10%"), self.verdict.get("rival_hit@10%")
        if chosen is None or rival is None:
            return "没有留下回测数字"
        beyond = "超出偶然" if self.promoted else "没有超出偶然"
        return f"近一年回测，排在前 10% 的批次里不合格占 {chosen:.1%}，最好的简单排序 {rival:.1%}，差别{beyond}"

    def plausible(self, probability: float | None) -> PlausibleResults | None:
        """Return which results the next batch may have, None where nothing can be promised."""
        return self.limits.of(probability) if self.limits and probability is not None else None


def standing(session: Session, as_of: date) -> Standing | None:
    """Return how the challenger stands as known on a day; None before its first run."""
    history = tuple(
        (row.as_of, row.id, bool(row.counts.get("promoted"))) for row in _good_runs(session, as_of) if row.as_of
    )
    if not history:
        return None
    latest = session.get_one(Run, history[0][1])
    same = list(takewhile(lambda one: one[2] is history[0][2], history))
    kept = latest.counts.get("plausible")
    return Standing(history[0][2], same[-1][0], dict(latest.counts), Limits(**kept) if kept else None, history)
