"""The whole path in its order, from what was imported to alerts; every step a run of its own, safe to repeat."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache, partial
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from alerting.policy import load_alert_policy
from ingest.declared import register_sources
from ingest.source import load_sources
from jobs import areas, backtest, grade, health, ledger, notify, outcome, reposts, resolve, tag
from jobs.basis import basis_of, unless_unchanged
from jobs.known_facts import Records, read_records
from jobs.settings import Settings
from nlp.regions import shipped_regions
from nlp.taxonomy import load_taxonomy
from scoring.policy import Policy, load_policies, policy_in_force
from store.china_time import end_of
from store.dialect import insert_ignore
from store.session import read_only
from store.tables import Case, CaseStep, Region, Run, SamplingResult

Progress = Callable[[str, int, int], None]
HISTORY_QUARTERS = 8


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the path: its name in the counts, what a person reads, what it does."""

    name: str
    zh: str
    run: Callable[[], dict[str, Any]]


def run_all(
    sessions: sessionmaker[Session],
    settings: Settings,
    as_of: date,
    progress: Progress | None = None,
    *,
    now: datetime | None = None,
) -> dict[str, dict[str, Any]]:
    """Run every step for what is stored, as known by the end of `as_of`; return each step's counts.

    Imports are the caller's. Each step commits by itself, so a killed run goes on where it stopped; running it
    again on the same store changes nothing. `progress` is told each step's Chinese name, its number and how many
    there are. `now` is the moment alerts are raised; without it, the machine's.
    """
    steps = steps_of(sessions, settings, as_of, now)
    counts: dict[str, dict[str, Any]] = {}
    for number, step in enumerate(steps):
        if progress:
            progress(step.zh, number, len(steps))
        counts[step.name] = step.run()
    if progress:
        progress("完成", len(steps), len(steps))
    return counts


def steps_of(
    sessions: sessionmaker[Session], settings: Settings, as_of: date, now: datetime | None = None
) -> list[Step]:
    """Return the steps in their order."""
    return [
        Step("seed", "载入区划与信源", lambda: seed(sessions, settings)),
        Step("tag", "打标签", lambda: tag.run(sessions, settings, as_of)),
        Step("reposts", "归并转载", lambda: reposts.run(sessions, settings, as_of)),
        Step("resolve", "关联企业", lambda: resolve.run(sessions, settings, as_of)),
        Step("history", "历史各季度定级", lambda: grade_history(sessions, settings, as_of)),
        Step("grade", "定级", lambda: _grade(sessions, settings, as_of)),
        Step("areas", "区域警示", lambda: _areas(sessions, settings, as_of)),
        Step("backtest", "回看分级", lambda: _backtest(sessions, settings, as_of)),
        Step("outcome", "计划成效", lambda: outcome.run(sessions, settings, as_of)),
        Step("ledger", "台账", lambda: ledger.run(sessions, settings, as_of)),
        Step("notify", "预警", lambda: _notify(sessions, settings, as_of, now)),
        # Hazards enter the ledger through their alerts, which exist only now.
        Step("hazards", "隐患入账", lambda: ledger.run(sessions, settings, as_of)),
        Step("health", "信源健康", lambda: health.run(sessions, settings, as_of)),
    ]


def seed(sessions: sessionmaker[Session], settings: Settings) -> dict[str, Any]:
    """Load the shipped divisions and sources that the store does not have yet; return how many were new.

    A synthetic store gets no real sources: nothing of a demonstration goes out to real sites.
    """
    rows = [
        {
            "code": row.code,
            "name": row.name,
            "short_name": row.short_name,
            "level": row.level,
            "parent_code": row.parent_code,
            "valid_from": _day(row.valid_from),
            "valid_to": _day(row.valid_to),
            "successor_code": row.successor_code,
            "synthetic": False,
        }
        for row in shipped_regions()
    ]
    with sessions.begin() as session:
        if session.scalar(select(func.count()).select_from(Region).where(Region.synthetic.is_(False))) == len(rows):
            regions = 0
        else:
            regions = insert_ignore(session, Region.__table__, rows, key=["code"])  # type: ignore[arg-type]
        specs = [] if settings.synthetic else list(load_sources().values())
        sources = register_sources(session, specs) if specs else 0
    return {"regions": regions, "sources": sources}


def grade_history(sessions: sessionmaker[Session], settings: Settings, as_of: date) -> dict[str, Any]:
    """Grade the last eight quarter ends before `as_of` from the first sampling result on, firms over all their lines.

    A quarter is graded again only when what its grades rest on has changed.
    """
    counts = {"graded": 0, "unchanged": 0}
    with read_only(sessions) as session:
        first = session.scalar(select(func.min(SamplingResult.known_at)))
    if first is None:
        return counts
    policies = load_policies(settings.policy_dir)
    records = cache(partial(_records, sessions, settings, as_of))
    for quarter in quarter_ends(as_of, HISTORY_QUARTERS):
        if end_of(quarter) <= first:
            continue
        policy = policy_in_force(policies, quarter)
        with read_only(sessions) as session:
            basis = basis_of(session, quarter, policy.hash)
        done = unless_unchanged(
            sessions, "history", quarter, basis, partial(_grade_quarter, sessions, settings, quarter, policy, records)
        )
        counts["unchanged" if "unchanged" in done else "graded"] += 1
    return counts


def _grade_quarter(
    sessions: sessionmaker[Session], settings: Settings, quarter: date, policy: Policy, records: Callable[[], Records]
) -> dict[str, Any]:
    counts = grade.run(sessions, settings, quarter, policy=policy, whole_only=True, records=records())
    areas.run(sessions, settings, quarter, policy=policy)
    return counts


def _records(sessions: sessionmaker[Session], settings: Settings, as_of: date) -> Records:
    """Read the facts once for all quarters; only when one of them has to be graded."""
    with read_only(sessions) as session:
        return read_records(session, as_of, load_taxonomy(settings.lexicon_dir))


def _grade(sessions: sessionmaker[Session], settings: Settings, as_of: date) -> dict[str, Any]:
    policy = policy_in_force(load_policies(settings.policy_dir), as_of)
    with read_only(sessions) as session:
        basis = basis_of(session, as_of, policy.hash)
    return unless_unchanged(sessions, "grade", as_of, basis, lambda: grade.run(sessions, settings, as_of))


def _areas(sessions: sessionmaker[Session], settings: Settings, as_of: date) -> dict[str, Any]:
    policy = policy_in_force(load_policies(settings.policy_dir), as_of)
    with read_only(sessions) as session:
        basis = basis_of(session, as_of, policy.hash)
    return unless_unchanged(sessions, "areas", as_of, basis, lambda: areas.run(sessions, settings, as_of))


def _backtest(sessions: sessionmaker[Session], settings: Settings, as_of: date) -> dict[str, Any]:
    with read_only(sessions) as session:
        newest_grade = session.scalar(select(func.max(Run.id)).where(Run.job == "grade", Run.status == "ok"))
        basis = basis_of(session, as_of, newest_grade)
    return unless_unchanged(sessions, "backtest", as_of, basis, lambda: backtest.run(sessions, settings, as_of))


def _notify(sessions: sessionmaker[Session], settings: Settings, as_of: date, now: datetime | None) -> dict[str, Any]:
    with read_only(sessions) as session:
        newest_grade = session.scalar(select(func.max(Run.id)).where(Run.job == "grade", Run.as_of == as_of))
        # Cases of hazards follow from alerts; those of failed samples are what deadlines are watched on.
        steps = session.scalar(
            select(func.count(CaseStep.id)).join(Case, Case.id == CaseStep.case_id).where(Case.kind == "failed_sample")
        )
        basis = basis_of(session, as_of, load_alert_policy().hash, newest_grade, steps)
    return unless_unchanged(sessions, "notify", as_of, basis, lambda: notify.run(sessions, settings, as_of, now=now))


def quarter_ends(as_of: date, count: int) -> list[date]:
    """Return the last `count` quarter ends strictly before a day, oldest first."""
    ends: list[date] = []
    year, quarter = as_of.year, (as_of.month - 1) // 3
    while len(ends) < count:
        if quarter == 0:
            year, quarter = year - 1, 4
        month = 3 * quarter
        ends.append(date(year, month, 31 if month in (3, 12) else 30))
        quarter -= 1
    return ends[::-1]


def _day(value: object) -> date | None:
    if value is None or isinstance(value, date):
        return value
    return datetime.fromisoformat(str(value)).replace(tzinfo=UTC).date()
