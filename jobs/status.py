"""`zhian status`: what ran, when, what is stale, what waits."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from jobs.schedule import TIMETABLE, tick_job
from store.reads.status import JobStatus, job_status, queues
from store.session import read_only

# Steps of the path that leave a run of their own, and when their silence is a fault (hours).
STEPS = {
    "import": 24 * 14,
    "tag": 26,
    "reposts": 26,
    "resolve": 26,
    "grade": 26,
    "ledger": 26,
    "notify": 26,
    "plan": 24 * 120,
}


def collect(sessions: sessionmaker[Session], now: datetime | None = None) -> dict[str, Any]:
    """Return the state of every job and queue, ready for JSON."""
    now = now or datetime.now(UTC)
    hours = {**STEPS, **{tick_job(entry.job): entry.stale_hours for entry in TIMETABLE}}
    with read_only(sessions) as session:
        return {
            "at": now.isoformat(timespec="seconds"),
            "jobs": [_as_json(status) for status in job_status(session, hours, now)],
            "queues": {key: _plain(value) for key, value in asdict(queues(session)).items()},
        }


def _as_json(status: JobStatus) -> dict[str, Any]:
    last = {key: _plain(value) for key, value in asdict(status.last).items()} if status.last else None
    return {"job": status.job, "stale": status.stale, "last_ok_at": _plain(status.last_ok_at), "last": last}


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
