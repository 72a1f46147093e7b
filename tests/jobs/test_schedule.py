"""The timetable: every tick answered once, by whoever holds the lease; a failing job stops nobody else."""

import multiprocessing
import os
import signal
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from jobs import lease
from jobs.schedule import TIMETABLE, Entry, due_at, known_jobs, tick, timetable_for
from store.session import make_sessions, open_engine
from store.tables import Region, Run
from tests.jobs.office import make_settings

Sessions = sessionmaker[Session]
MORNING = Entry("crawl", "15 6 * * *", "抓取", "", 26)
MINUTE = Entry("deliver", "* * * * *", "送达", "", 1)


@pytest.mark.parametrize(
    ("entry", "now", "due"),
    [
        # 06:15 in Shanghai is 22:15 UTC of the day before.
        (MORNING, "2026-10-31T22:14:59", "2026-10-30T22:15:00"),
        (MORNING, "2026-10-31T22:15:00", "2026-10-31T22:15:00"),
        (MORNING, "2026-11-01T09:00:00", "2026-10-31T22:15:00"),
        (MINUTE, "2026-10-31T10:20:30", "2026-10-31T10:20:00"),
        # A day on which clocks change elsewhere is a day like any other here.
        (MORNING, "2026-03-08T22:20:00", "2026-03-08T22:15:00"),
        (Entry("x", "0 0 1 1 *", "", "", 1), "2026-10-31T10:20:30", None),
        # 2026-10-31 is a Saturday: the sixth day as cron counts, and the last of 1-6.
        (Entry("x", "0 8 * * 6", "", "", 1), "2026-10-31T10:20:30", "2026-10-31T00:00:00"),
        (Entry("x", "0 8 * * sat", "", "", 1), "2026-10-31T10:20:30", "2026-10-31T00:00:00"),
        (Entry("x", "0 8 * * 1-6", "", "", 1), "2026-10-31T10:20:30", "2026-10-31T00:00:00"),
        (Entry("x", "0 8 * * 0,5", "", "", 1), "2026-10-31T10:20:30", None),
    ],
)
def test_due_times(entry: Entry, now: str, due: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert due_at(entry, moment) == (datetime.fromisoformat(due).replace(tzinfo=UTC) if due else None)


class Recorder:
    """Jobs that note when they ran, one of which may fail."""

    def __init__(self, failing: str = "") -> None:
        self.ran: list[tuple[str, date]] = []
        self.jobs = {name: self._job(name, failing) for name in ("crawl", "deliver")}

    def _job(self, name: str, failing: str):  # type: ignore[no-untyped-def]
        def job(sessions, settings, as_of):  # type: ignore[no-untyped-def]
            self.ran.append((name, as_of))
            if name == failing:
                raise RuntimeError("the site is down")
            return {"n": 1}

        return job


def at(hours: float) -> datetime:
    return datetime(2026, 10, 31, 22, 20, tzinfo=UTC) + timedelta(hours=hours)


def test_each_tick_is_answered_once(sessions: Sessions, tmp_path: Path) -> None:
    recorder, settings = Recorder(), make_settings(tmp_path)
    for hours in (0, 0.001, 5, 23, 24, 24.1):
        tick(sessions, settings, "a", now=at(hours), jobs=recorder.jobs, timetable=(MORNING,))
    assert recorder.ran == [("crawl", date(2026, 11, 1)), ("crawl", date(2026, 11, 2))]


def test_a_clock_set_back_answers_nothing_twice(sessions: Sessions, tmp_path: Path) -> None:
    recorder, settings = Recorder(), make_settings(tmp_path)
    for hours in (0, 24, 23, 0, 24.5):
        tick(sessions, settings, "a", now=at(hours), jobs=recorder.jobs, timetable=(MORNING,))
    assert len(recorder.ran) == 2


def test_a_failing_job_is_recorded_and_the_others_run(sessions: Sessions, tmp_path: Path) -> None:
    recorder = Recorder(failing="crawl")
    outcome = tick(sessions, make_settings(tmp_path), "a", now=at(0), jobs=recorder.jobs, timetable=(MORNING, MINUTE))
    assert outcome == {"crawl": "failed", "deliver": "ok"}
    with sessions() as session:
        runs = {run.job: (run.status, run.error) for run in session.scalars(select(Run))}
    assert runs == {"tick:crawl": ("failed", "RuntimeError: the site is down"), "tick:deliver": ("ok", None)}


def test_whoever_has_no_lease_does_nothing(sessions: Sessions, tmp_path: Path) -> None:
    settings, first, second = make_settings(tmp_path), Recorder(), Recorder()
    tick(sessions, settings, "a", now=at(0), jobs=first.jobs, timetable=(MORNING,))
    assert tick(sessions, settings, "b", now=at(24), jobs=second.jobs, timetable=(MORNING,)) == {}
    assert second.ran == []


def test_every_line_of_the_timetable_has_a_job_and_a_reason() -> None:
    assert {entry.job for entry in TIMETABLE} <= known_jobs().keys()
    assert all(entry.why and entry.zh and entry.stale_hours > 0 for entry in TIMETABLE)


def test_a_demonstration_never_goes_out_to_real_sites(tmp_path: Path) -> None:
    assert {entry.job for entry in timetable_for(make_settings(tmp_path, synthetic=True))} == {"deliver", "anchor"}
    assert timetable_for(make_settings(tmp_path, synthetic=False)) == TIMETABLE


def _race(url: str, folder: str, name: str, log: str, skew: float, start: object) -> None:
    engine = open_engine(url)
    sessions = make_sessions(engine)
    # A lease this short changes hands between the two all the time.
    lease.SECONDS = 0.02
    settings = make_settings(Path(folder))

    def job(sessions: Sessions, settings: object, as_of: date) -> dict[str, int]:
        with Path(log).open("a") as file:
            file.write(f"{as_of} {name}\n")
        return {}

    start.wait()  # type: ignore[attr-defined]
    while name == "a" and not Path(log).read_text():
        time.sleep(0.005)  # the quicker one lets the other answer first, so that both have a part
    for number in range(60):
        now = datetime(2026, 1, 1, 22, 20, tzinfo=UTC) + timedelta(days=number // 2, seconds=skew)
        tick(sessions, settings, name, now=now, jobs={"crawl": job}, timetable=(MORNING,))
        time.sleep(0.015 if name == "a" else 0.025)
        if name == "b" and number == 40:
            os.kill(os.getpid(), signal.SIGKILL)
    engine.dispose()


def test_two_processes_answer_each_tick_once_even_when_one_is_killed(sqlite_engine: object, tmp_path: Path) -> None:
    url = str(sqlite_engine.url)  # type: ignore[attr-defined]
    context = multiprocessing.get_context("spawn")
    start, log = context.Barrier(2), tmp_path / "log"  # neither begins before both are up
    log.touch()
    processes = [
        context.Process(target=_race, args=(url, str(tmp_path), name, str(log), skew, start))
        for name, skew in (("a", 0.0), ("b", 30.0))
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, -signal.SIGKILL]
    lines = [line.split() for line in log.read_text().splitlines()]
    assert {name for _, name in lines} == {"a", "b"}
    ran = Counter(day for day, _ in lines)
    assert set(ran.values()) == {1}
    with make_sessions(sqlite_engine)() as session:  # type: ignore[arg-type]
        keys = session.execute(select(Run.job, Run.due_at)).all()
        assert len(set(keys)) == len(keys) == len(ran)
        assert session.scalars(select(Region)).all() == []
