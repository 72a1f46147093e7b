"""What "now" is on the pages."""

from datetime import UTC, date, datetime, time

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.rendering import LOCAL_ZONE
from jobs.settings import Settings
from store.tables import Grade, Signal


def now(session: Session, settings: Settings) -> datetime:
    """Return the moment that deadlines are judged at.

    A made-up province lives on its own last day: by the wall clock everything in it would be overdue a year after
    it was made.
    """
    if not settings.synthetic:
        return datetime.now(UTC)
    graded = session.scalar(select(func.max(Grade.as_of)))
    if graded is not None:
        return datetime.combine(graded, time(18), LOCAL_ZONE).astimezone(UTC)
    return session.scalar(select(func.max(Signal.known_at))) or datetime.now(UTC)


def today(session: Session, settings: Settings) -> date:
    """Return the date at Beijing that deadlines are judged at."""
    return now(session, settings).astimezone(LOCAL_ZONE).date()
