"""The worker: takes the jobs people asked for from a page, one at a time, and survives its own death.

A request is claimed by an UPDATE that must change one row. While it runs, a heartbeat is written; a request whose
heartbeat stopped goes back to the queue, and after three attempts it is parked with its error so that the queue
goes on.
"""

import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session, sessionmaker

from jobs.lease import lives_here, this_process
from jobs.requests import HANDLERS, Handler
from jobs.schedule import tick
from jobs.settings import Settings
from store.china_time import CHINA
from store.dialect import database_now
from store.tables import JobRequest, Run

HEARTBEAT_SECONDS = 10.0
DEAD_SECONDS = 30.0
MOST_ATTEMPTS = 3
PAUSE_SECONDS = 2.0
TICK_SECONDS = 20.0
LOST_AFTER = timedelta(minutes=5)
LONGEST_SILENCE = timedelta(minutes=15)

log = structlog.get_logger()


def rescue(sessions: sessionmaker[Session]) -> dict[str, int]:
    """Put requests and runs whose worker died back, or park what died too often; return how many of each."""
    with sessions.begin() as session:
        now = database_now(session)
        dead_since = now - timedelta(seconds=DEAD_SECONDS)
        silent = session.scalars(
            select(JobRequest).where(JobRequest.status == "running", JobRequest.heartbeat_at < dead_since)
        )
        # An import that writes a million rows in one transaction keeps its own heartbeat out on SQLite.
        gone = [
            request.id
            for request in silent
            if request.heartbeat_at is None
            or request.heartbeat_at < now - LONGEST_SILENCE
            or not lives_here(request.holder or "")
        ]
        dead = (JobRequest.status == "running") & JobRequest.id.in_(gone)
        parked = session.execute(
            update(JobRequest)
            .where(dead, JobRequest.attempts >= MOST_ATTEMPTS)
            .values(status="parked", message=f"运行 {MOST_ATTEMPTS} 次均中断，已搁置")
        )
        back = session.execute(update(JobRequest).where(dead).values(status="waiting", holder=None))
        lost = session.execute(
            update(Run)
            .where(Run.status == "running", Run.heartbeat_at.is_not(None), Run.heartbeat_at < dead_since)
            .where(Run.started_at < dead_since - LOST_AFTER)
            .values(status="failed", error="运行中断：进程已不在", finished_at=database_now(session))
        )
        return {"parked": _changed(parked), "requeued": _changed(back), "lost_runs": _changed(lost)}


def take(sessions: sessionmaker[Session], holder: str) -> JobRequest | None:
    """Claim the oldest waiting request for this worker; None when there is none."""
    with sessions.begin() as session:
        for request in session.scalars(
            select(JobRequest).where(JobRequest.status == "waiting").order_by(JobRequest.requested_at, JobRequest.id)
        ):
            claimed = session.execute(
                update(JobRequest)
                .where(JobRequest.id == request.id, JobRequest.status == "waiting")
                .values(
                    status="running",
                    holder=holder,
                    attempts=request.attempts + 1,
                    heartbeat_at=database_now(session),
                    message=None,
                    progress=0.0,
                )
            )
            if _changed(claimed) == 1:
                session.refresh(request)
                return request
    return None


def work_once(
    sessions: sessionmaker[Session], settings: Settings, holder: str, handlers: Mapping[str, Handler] = HANDLERS
) -> str | None:
    """Take one request and run it to its end; return its status, or None when nothing waited."""
    request = take(sessions, holder)
    if request is None:
        return None
    mine = (JobRequest.id == request.id) & (JobRequest.holder == holder) & (JobRequest.status == "running")

    def progress(share: float, message: str) -> None:
        with sessions.begin() as session:
            session.execute(
                update(JobRequest)
                .where(mine)
                .values(progress=min(max(share, 0.0), 1.0), message=message, heartbeat_at=database_now(session))
            )

    stop = threading.Event()
    heart = threading.Thread(target=_beat, args=(sessions, mine, stop), daemon=True)
    heart.start()
    status, message, run_id = "failed", None, None
    try:
        handler = handlers.get(request.job)
        if handler is None:
            message = f"没有名为“{request.job}”的任务"
        else:
            counts = handler(sessions, settings, request, progress)
            status, message, run_id = "done", summary(counts), counts.get("run_id")
    except Exception as failure:  # one bad request must not stop the queue; the person who asked reads why
        message = str(failure)[:500] or type(failure).__name__
        log.error("request_failed", request=request.id, job=request.job, error=type(failure).__name__)
        status = "parked" if request.attempts >= MOST_ATTEMPTS else "failed"
    finally:
        stop.set()
        heart.join()
    with sessions.begin() as session:
        session.execute(
            update(JobRequest)
            .where(mine)
            .values(
                status=status,
                message=message,
                run_id=run_id,
                progress=1.0 if status == "done" else JobRequest.progress,
                finished_at=datetime.now(UTC),
            )
        )
    return status


def serve(sessions: sessionmaker[Session], settings: Settings, stop: threading.Event) -> None:
    """Work until told to stop: rescue, take requests, answer the timetable's ticks."""
    from apscheduler.schedulers.background import BackgroundScheduler

    holder = this_process()
    scheduler = BackgroundScheduler(timezone=CHINA)
    scheduler.add_job(
        lambda: tick(sessions, settings, holder),
        "interval", seconds=TICK_SECONDS, coalesce=True, max_instances=1, misfire_grace_time=60,
        next_run_time=datetime.now(CHINA),
    )  # fmt: skip
    scheduler.start()
    try:
        while not stop.is_set():
            try:
                rescue(sessions)
                while not stop.is_set() and work_once(sessions, settings, holder) is not None:
                    pass
            except Exception as failure:  # a busy or restarting database: try again after the pause
                log.error("worker_trouble", error=type(failure).__name__)
            stop.wait(PAUSE_SECONDS)
    finally:
        scheduler.shutdown(wait=True)


def summary(counts: dict[str, Any]) -> str:
    """Return the counts as one short line for the person who asked."""
    plain = {key: value for key, value in counts.items() if isinstance(value, (int, float, str)) and key != "run_id"}
    return "，".join(f"{key} {value}" for key, value in plain.items())[:300]


def _beat(sessions: sessionmaker[Session], mine: Any, stop: threading.Event) -> None:
    while not stop.wait(HEARTBEAT_SECONDS):
        try:
            with sessions.begin() as session:
                session.execute(update(JobRequest).where(mine).values(heartbeat_at=database_now(session)))
        except Exception as failure:  # the next beat tries again; too many misses and another worker takes over
            log.warning("heartbeat_missed", error=type(failure).__name__)


def _changed(result: Any) -> int:
    assert isinstance(result, CursorResult)
    return result.rowcount
