"""Grading every enterprise as of a date, over all its product lines and line by line."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session, sessionmaker

from jobs.known_facts import Known, Records, facts_of, read_records
from jobs.runs import recorded_run
from jobs.settings import Settings
from jobs.standing import learned
from nlp.taxonomy import Taxonomy, load_taxonomy
from scoring.forced import Forced
from scoring.grade import Contribution, GradeResult, Previous, grade
from scoring.policy import Level, Policy, load_policies, policy_in_force
from store import overrides
from store.dialect import chunked, insert_ignore
from store.reads.grades import SCORECARD_LEVEL
from store.session import read_only
from store.tables import Grade, PolicyVersion

Line = tuple[int, str, str]  # enterprise, product line ('' = all), role
BATCH = 2000


def run(
    sessions: sessionmaker[Session],
    settings: Settings,
    as_of: date,
    *,
    policy: Policy | None = None,
    whole_only: bool = False,
    records: Records | None = None,
) -> dict[str, Any]:
    """Grade everything known by the end of `as_of`, under the policy in force that day, and return the counts.

    Safe to run twice: the rows of the same day and policy are replaced, keeping their ids; what the
    challenger said last stays beside them. `whole_only` leaves
    out the grades line by line, which a look back over past quarters does not need; `records` read for a later day
    save reading the store again.
    """
    policy = policy or policy_in_force(load_policies(settings.policy_dir), as_of)
    taxonomy = load_taxonomy(settings.lexicon_dir)
    with recorded_run(sessions, "grade", as_of=as_of, policy_hash=policy.hash) as (run_id, counts):
        with read_only(sessions) as session:
            known = (records or read_records(session, as_of, taxonomy)).by(as_of)
            history = previous_grades(session, as_of)
            chances = learned(session, as_of)
        results = dict(grade_all(known, taxonomy, policy, as_of, history, by_line=not whole_only))
        rows = [
            _row(line, result, history.get(line), as_of, run_id) | {"challenger": chances.get(line)}
            for line, result in results.items()
        ]
        with sessions.begin() as session:
            keep_policy(session, policy)
            replace_grades(session, rows, as_of, policy.hash)
            counts["overridden"] = overrides.apply(session, as_of, policy.hash, policy.measure)
        counts.update(summary(results))
    return counts


def grade_all(
    known: Known,
    taxonomy: Taxonomy,
    policy: Policy,
    as_of: date,
    history: dict[Line, Previous],
    *,
    by_line: bool = True,
) -> Iterator[tuple[Line, GradeResult]]:
    """Yield the grade of every enterprise in every role, over all lines and then (when `by_line`) line by line."""
    for subject in known.subjects():
        if subject[0] not in known.enterprises:
            continue  # not in the register yet on that day
        worlds = facts_of(known, subject, taxonomy)
        for facts in worlds if by_line else islice(worlds, 1):
            line = (facts.enterprise_id, facts.product_id, facts.role)
            yield line, grade(facts, policy, as_of, history.get(line))


def previous_grades(session: Session, as_of: date) -> dict[Line, Previous]:
    """Return each line's latest earlier grade by the scorecard, and since when it has held that level.

    What a person set in its place does not count: the scorecard goes on from its own.
    """
    found: dict[Line, Previous] = {}
    for row in session.execute(
        select(Grade.enterprise_id, Grade.product_id, Grade.role, SCORECARD_LEVEL.label("level"), Grade.as_of)
        .where(Grade.as_of < as_of)
        .order_by(Grade.as_of, Grade.id)
    ):
        line = (row.enterprise_id, row.product_id, row.role)
        before = found.get(line)
        since = before.held_since if before is not None and before.level == row.level else row.as_of
        found[line] = Previous(row.level, row.as_of, since)
    return found


def replace_grades(session: Session, rows: list[dict[str, Any]], as_of: date, policy_hash: str) -> None:
    """Make `rows` the grades of a day and policy; a line graded before keeps its id, so what points there holds."""
    known_ids = {
        (row.enterprise_id, row.product_id, row.role): row.id
        for row in session.execute(
            select(Grade.id, Grade.enterprise_id, Grade.product_id, Grade.role).where(
                Grade.as_of == as_of, Grade.policy_hash == policy_hash
            )
        )
    }
    fresh, again = [], []
    for row in rows:
        row_id = known_ids.pop((row["enterprise_id"], row["product_id"], row["role"]), None)
        if row_id is None:
            fresh.append(row)
        else:
            again.append({**row, "id": row_id})
    for chunk in chunked(known_ids.values(), BATCH):
        session.execute(delete(Grade).where(Grade.id.in_(chunk)))
    for chunk in chunked(again, BATCH):
        session.execute(update(Grade), chunk)
    for chunk in chunked(fresh, BATCH):
        session.execute(insert(Grade), chunk)


def keep_policy(session: Session, policy: Policy) -> None:
    """Store the policy's text under its hash, once."""
    row = {"hash": policy.hash, "name": policy.name, "body": policy.body, "first_used_at": datetime.now(UTC)}
    insert_ignore(session, PolicyVersion.__table__, [row], key=["hash"])  # type: ignore[arg-type]


def summary(results: dict[Line, GradeResult]) -> dict[str, Any]:
    """Count the grades over all lines by role and level."""
    levels: Counter[tuple[str, Level]] = Counter(
        (role, result.level) for (_, product_id, role), result in results.items() if not product_id
    )
    return {
        "enterprises": len({enterprise_id for enterprise_id, _, _ in results}),
        "grades": len(results),
        "levels": {
            role: {level: levels[role, level] for level in ("A", "B", "C", "D", "U") if levels[role, level]}
            for role in ("producer", "seller")
        },
    }


def _row(line: Line, result: GradeResult, previous: Previous | None, as_of: date, run_id: int) -> dict[str, Any]:
    enterprise_id, product_id, role = line
    low, high = result.interval
    return {
        "enterprise_id": enterprise_id,
        "product_id": product_id,
        "role": role,
        "as_of": as_of,
        "score": round(result.score, 4),
        "level": result.level,
        "machine_level": None,
        "override_id": None,
        "previous_level": previous.level if previous else None,
        "forced_rule": result.forced.id if result.forced else None,
        "contributions": [
            *(part.as_json() for part in result.contributions if _worth_keeping(part)),
            *(_forced_json(rule) for rule in result.fired),
        ],
        "missing": [*result.missing, *([result.held_back] if result.held_back else [])],
        "interval": [round(low, 2), round(high, 2)],
        "tier": result.tier,
        "measure": result.measure,
        "valid_to": result.valid_to,
        "policy_hash": result.policy_hash,
        "run_id": run_id,
    }


def _forced_json(rule: Forced) -> dict[str, Any]:
    """Store a forced rule beside the contributions: no points, but its sentence and the records that fired it."""
    return {
        "indicator": f"forced:{rule.id}",
        "zh": "强制规则",
        "points": 0.0,
        "weight": 0.0,
        "value": 0.0,
        "sentence": rule.zh,
        "cap": None,
        "evidence": list(rule.evidence),
    }


def _worth_keeping(part: Contribution) -> bool:
    """Leave out what neither counts nor points anywhere: a nation's grades are mostly such lines."""
    return part.points != 0 or bool(part.evidence) or part.indicator == "q1_sampling_fail"
