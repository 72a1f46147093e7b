"""What is read of grades in more than one place: the scorecard's own level, and the policy a grade was made under."""

from sqlalchemy import func
from sqlalchemy.orm import Session

from store.tables import Grade, PolicyVersion

# What the scorecard gave, whether or not a person's override stands in its place.
SCORECARD_LEVEL = func.coalesce(Grade.machine_level, Grade.level)


def policy_body(session: Session, policy_hash: str) -> str | None:
    """Return the text of a policy as it was in force when a grade was made under it."""
    row = session.get(PolicyVersion, policy_hash)
    return row.body if row else None
