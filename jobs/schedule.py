"""What runs when, and why. APScheduler only ticks; a lease decides who answers a tick, a unique row that one does."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import structlog
from apscheduler.triggers.cron import CronTrigger
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from jobs.lease import Held, LeaseLost, acquire, renewing, still_held
from jobs.runs import code_version
from jobs.settings import Settings
from store.china_time import CHINA
from store.dialect import database_now, insert_ignore
from store.tables import Run

LEASE = "scheduler"
LATEST = timedelta(hours=24)  # a tick missed for longer is not made up for: the next one covers its day

log = structlog.get_logger()
Job = Callable[[sessionmaker[Session], Settings, date], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timetable. `cron` is read in Asia/Shanghai; `stale_hours` is when silence becomes a fault."""

    job: str
    cron: str
    zh: str
    why: str
    stale_hours: int


TIMETABLE: tuple[Entry, ...] = (
    Entry("deliver", "* * * * *", "送达与逐级上报", "红色预警两小时内要签收，按分钟检查", 1),
    Entry("crawl", "15 6 * * *", "抓取信源", "各局多在下班前发布，次日清晨取", 26),
    Entry("pipeline", "30 7 * * *", "跑完整链条", "上班前给出当日的等级与预警", 26),
    Entry("challenger", "0 20 1 * *", "学习模型", "每月重训并回测；写在当日等级旁边，所以排在定级之后", 24 * 33),
    Entry("health", "0 */6 * * *", "信源健康", "停更当天就要看见", 8),
    Entry("anchor", "50 23 * * *", "审计链留存", "链尾的摘要每日存到库外，截断才看得出来", 26),
)


def timetable_for(settings: Settings) -> tuple[Entry, ...]:
    """Return the lines that apply: a synthetic store has a fixed date and no real sources, so it only delivers."""
    if settings.synthetic:
        return tuple(entry for entry in TIMETABLE if entry.job in ("deliver", "anchor"))
    return TIMETABLE


def tick_job(name: str) -> str:
    """Return the name a tick's run row carries."""
    return f"tick:{name}"


def due_at(entry: Entry, now: datetime) -> datetime | None:
    """Return the newest time the entry was due at or before `now`, in UTC; None when that is over a day ago.

    Computed on the wall clock of Asia/Shanghai, which has no daylight saving, whatever the host's zone is.
    """
    trigger = CronTrigger.from_crontab(_named_days(entry.cron), timezone=CHINA)
    local = now.astimezone(CHINA)
    for back in (timedelta(minutes=2), timedelta(hours=7), LATEST):
        newest: datetime | None = None
        following = trigger.get_next_fire_time(None, local - back)
        while following is not None and following <= local:
            newest = following
            following = trigger.get_next_fire_time(following, following + timedelta(microseconds=1))
        if newest is not None:
            return newest.astimezone(UTC)
    return None


_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _named_days(cron: str) -> str:
    """Spell the days of the week: cron counts them from Sunday, the scheduler's numbers count from Monday."""
    head, _, days = cron.rpartition(" ")
    return f"{head} {re.sub(r'(?<![/0-9])[0-7](?![0-9])', lambda day: _DAYS[int(day[0])], days)}"


def claim(session: Session, held: Held, entry: Entry, due: datetime, now: datetime) -> int | None:
    """Write the run row of a tick and return its id; None when the tick was answered before.

    Raises LeaseLost when another process holds the lease by now.
    """
    still_held(session, held)
    row = {
        "job": tick_job(entry.job),
        "due_at": due,
        "as_of": due.astimezone(CHINA).date(),
        "started_at": now,
        "heartbeat_at": now,
        "status": "running",
        "code_version": code_version(),
        "counts": {},
    }
    if not insert_ignore(session, Run.__table__, [row], key=["job", "due_at"]):  # type: ignore[arg-type]
        return None
    return session.scalar(select(Run.id).where(Run.job == row["job"], Run.due_at == due))


def tick(
    sessions: sessionmaker[Session],
    settings: Settings,
    holder: str,
    *,
    now: datetime | None = None,
    jobs: dict[str, Job] | None = None,
    timetable: tuple[Entry, ...] | None = None,
) -> dict[str, str]:
    """Answer what is due and not yet answered, if the lease is ours; return each job's outcome.

    One that fails is recorded and does not stop the others; it is tried again at its next time.
    """
    now = now or datetime.now(UTC)
    held = acquire(sessions, LEASE, holder)
    if held is None:
        return {}
    outcome: dict[str, str] = {}
    for entry in timetable if timetable is not None else timetable_for(settings):
        due = due_at(entry, now)
        if due is None:
            continue
        try:
            with sessions.begin() as session:
                newest = session.scalar(select(func.max(Run.due_at)).where(Run.job == tick_job(entry.job)))
                run_id = None if newest is not None and newest >= due else claim(session, held, entry, due, now)
        except LeaseLost:
            return outcome
        if run_id is not None:

            def beat(run_id: int = run_id) -> None:
                with sessions.begin() as session:
                    session.execute(update(Run).where(Run.id == run_id).values(heartbeat_at=database_now(session)))

            with renewing(sessions, held, beat):
                outcome[entry.job] = _answer(sessions, settings, entry, run_id, due, jobs or known_jobs())
            held = acquire(sessions, LEASE, holder)
            if held is None:
                return outcome
    return outcome


def _answer(
    sessions: sessionmaker[Session], settings: Settings, entry: Entry, run_id: int, due: datetime, jobs: dict[str, Job]
) -> str:
    status, error, counts = "failed", None, {}
    try:
        counts = jobs[entry.job](sessions, settings, due.astimezone(CHINA).date())
        status = "ok"
    except Exception as failure:  # the timetable goes on whatever one job does; its row says what happened
        error = f"{type(failure).__name__}: {failure}"[:2000]
        log.error("job_failed", job=entry.job, error=type(failure).__name__)
    with sessions.begin() as session:
        run = session.get_one(Run, run_id)
        run.status, run.error, run.counts, run.finished_at = status, error, dict(counts), datetime.now(UTC)
    return status


def known_jobs() -> dict[str, Job]:
    """Return what each line of the timetable, and each request from a page, runs."""
    from jobs import anchor, challenger, crawl, health, notify, pipeline

    return {
        "deliver": lambda sessions, settings, as_of: notify.deliver(sessions, settings),
        "crawl": lambda sessions, settings, as_of: crawl.run(sessions, settings, as_of),
        "pipeline": lambda sessions, settings, as_of: pipeline.run_all(sessions, settings, as_of),
        "challenger": lambda sessions, settings, as_of: challenger.run(sessions, settings, as_of),
        "health": lambda sessions, settings, as_of: health.run(sessions, settings, as_of),
        "anchor": lambda sessions, settings, as_of: anchor.run(sessions, settings, as_of),
    }
