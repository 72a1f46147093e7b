"""Trying a policy: whom it would move, before it is adopted. No grade is touched."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session, sessionmaker

from jobs.grade import previous_grades
from jobs.known_facts import Known, facts_of, known_by
from jobs.runs import recorded_run
from jobs.settings import Settings
from nlp.taxonomy import Taxonomy, load_taxonomy
from scoring.facts import Facts
from scoring.policy import Policy, load_policies, parse_policy, policy_in_force
from scoring.whatif import Comparison, compare
from store.session import read_only
from store.tables import PolicyTrial, PolicyTrialMove

Progress = Callable[[float, str], None]
TELL_EVERY = 500


def tried(
    session: Session,
    settings: Settings,
    now: Policy,
    then: Policy,
    as_of: date,
    progress: Progress | None = None,
) -> Comparison:
    """Grade every enterprise over all its product lines under both policies, as known by the end of a day."""
    taxonomy = load_taxonomy(settings.lexicon_dir)
    known = known_by(session, as_of, taxonomy)
    worlds = _worlds(known, taxonomy, progress)
    return compare(worlds, now, then, as_of, previous_grades(session, as_of))


def run(
    sessions: sessionmaker[Session], settings: Settings, trial_id: int, progress: Progress | None = None
) -> dict[str, Any]:
    """Work a trial out and keep the firms it would move. Safe to run twice: its moves are replaced."""
    with read_only(sessions) as session:
        trial = session.get_one(PolicyTrial, trial_id)
        as_of, then = trial.as_of, parse_policy(trial.body)
    now = policy_in_force(load_policies(settings.policy_dir), as_of)
    with recorded_run(sessions, "whatif", as_of=as_of, policy_hash=then.hash) as (run_id, counts):
        with read_only(sessions) as session:
            result = tried(session, settings, now, then, as_of, progress)
        rows = [
            {
                "trial_id": trial_id,
                "enterprise_id": move.line[0],
                "role": move.line[2],
                "level": move.level,
                "level_then": move.level_then,
                "score": move.score,
                "score_then": move.score_then,
                "cause": move.cause,
            }
            for move in result.moves
        ]
        with sessions.begin() as session:
            session.execute(delete(PolicyTrialMove).where(PolicyTrialMove.trial_id == trial_id))
            if rows:
                session.execute(insert(PolicyTrialMove), rows)
            done = session.get_one(PolicyTrial, trial_id)
            done.finished_at, done.graded = datetime.now(UTC), result.graded
        counts.update(graded=result.graded, moved=len(rows), worse=sum(move.worse for move in result.moves))
    return {**counts, "run_id": run_id}


def _worlds(known: Known, taxonomy: Taxonomy, progress: Progress | None) -> Iterator[Facts]:
    subjects = [subject for subject in known.subjects() if subject[0] in known.enterprises]
    for number, subject in enumerate(subjects):
        if progress and number % TELL_EVERY == 0:
            progress(number / len(subjects), f"已试算 {number} / {len(subjects)}")
        yield next(facts_of(known, subject, taxonomy))
