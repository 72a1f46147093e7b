"""What ran, when, with what result, and what is overdue."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import false, func, select, true
from sqlalchemy.orm import Session

from store.reads.page import Page, PageRequest
from store.reads.scope import Scope
from store.tables import Delivery, JobRequest, Run


@dataclass(frozen=True, slots=True)
class RunRow:
    """One execution of a job."""

    id: int
    job: str
    source_id: str | None
    as_of: date | None
    started_at: datetime
    finished_at: datetime | None
    status: str
    code_version: str
    policy_hash: str | None
    model_version: str | None
    counts: dict[str, Any]
    error: str | None


@dataclass(frozen=True, slots=True)
class JobStatus:
    """The newest run of a job, the newest that went well, and whether that is too long ago."""

    job: str
    last: RunRow | None
    last_ok_at: datetime | None
    stale: bool


@dataclass(frozen=True, slots=True)
class Queues:
    """What waits: requests of people, deliveries, and how old the oldest of each is."""

    requests_waiting: int
    requests_running: int
    requests_parked: int
    oldest_request_at: datetime | None
    deliveries_waiting: int
    deliveries_dead: int
    oldest_delivery_at: datetime | None


def runs(
    session: Session, scope: Scope, page: PageRequest, *, job: str | None = None, status: str | None = None
) -> Page[RunRow]:
    """Return the runs, newest first. They concern the whole service, so only the province sees them."""
    statement = select(Run).where(true() if scope.prefix == "" else false())
    if job:
        statement = statement.where(Run.job == job)
    if status:
        statement = statement.where(Run.status == status)
    total = session.scalar(select(func.count()).select_from(statement.subquery())) or 0
    rows = session.scalars(statement.order_by(Run.id.desc()).offset(page.offset).limit(page.size))
    return Page([_row(run) for run in rows], total, page.number, page.size)


def job_status(session: Session, stale_hours: Mapping[str, float], now: datetime) -> list[JobStatus]:
    """Return each job of `stale_hours` with its newest runs; stale when none went well for that many hours."""
    newest = {run.job: run for run in session.scalars(select(Run).where(Run.id.in_(_newest_ids())))}
    good = {
        row.job: row.at
        for row in session.execute(
            select(Run.job, func.max(Run.id).label("id"), func.max(Run.finished_at).label("at"))
            .where(Run.status == "ok")
            .group_by(Run.job)
        )
    }
    found = []
    for job, hours in stale_hours.items():
        last_ok = good.get(job)
        stale = last_ok is None or now - last_ok > timedelta(hours=hours)
        found.append(JobStatus(job, _row(newest[job]) if job in newest else None, last_ok, stale))
    return found


def queues(session: Session) -> Queues:
    """Return what waits now."""
    requests = {
        row.status: row
        for row in session.execute(
            select(
                JobRequest.status, func.count().label("count"), func.min(JobRequest.requested_at).label("oldest")
            ).group_by(JobRequest.status)
        )
    }
    deliveries = {
        row.status: row
        for row in session.execute(
            select(Delivery.status, func.count().label("count"), func.min(Delivery.next_at).label("oldest")).group_by(
                Delivery.status
            )
        )
    }

    def count(rows: Mapping[str, Any], *states: str) -> int:
        return sum(rows[state].count for state in states if state in rows)

    return Queues(
        requests_waiting=count(requests, "waiting"),
        requests_running=count(requests, "running"),
        requests_parked=count(requests, "parked"),
        oldest_request_at=requests["waiting"].oldest if "waiting" in requests else None,
        deliveries_waiting=count(deliveries, "waiting", "sending"),
        deliveries_dead=count(deliveries, "dead"),
        oldest_delivery_at=deliveries["waiting"].oldest if "waiting" in deliveries else None,
    )


def _newest_ids() -> Any:
    return select(func.max(Run.id)).group_by(Run.job)


def _row(run: Run) -> RunRow:
    return RunRow(
        run.id, run.job, run.source_id, run.as_of, run.started_at, run.finished_at, run.status, run.code_version,
        run.policy_hash, run.model_version, run.counts, run.error,
    )  # fmt: skip
