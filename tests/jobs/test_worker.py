"""The worker: takes what pages ask for, one taker each, and neither a dead worker nor a bad job blocks the queue."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from jobs import requests
from jobs.lease import this_process
from jobs.worker import MOST_ATTEMPTS, rescue, serve, take, work_once
from scoring.policy import load_policy
from store.dialect import database_now
from store.tables import JobRequest, Plan, Run
from tests.factories import NOW, make_run, make_trial
from tests.jobs.office import fill, make_settings

Sessions = sessionmaker[Session]


def ask(sessions: Sessions, job: str, minutes: int = 0, **arguments: Any) -> int:
    with sessions.begin() as session:
        request = JobRequest(
            job=job, arguments=arguments, requested_at=NOW + timedelta(minutes=minutes), status="waiting"
        )
        session.add(request)
        session.flush()
        return request.id


def get(sessions: Sessions, request_id: int) -> JobRequest:
    with sessions() as session:
        return session.get_one(JobRequest, request_id)


def die(sessions: Sessions) -> None:
    """Let the heartbeat of everything that runs stop a minute ago."""
    with sessions.begin() as session:
        session.execute(
            update(JobRequest)
            .where(JobRequest.status == "running")
            .values(heartbeat_at=database_now(session) - timedelta(minutes=1))
        )


def test_the_oldest_is_taken_first_and_by_one_alone(sessions: Sessions) -> None:
    later, earlier = ask(sessions, "x", minutes=5), ask(sessions, "x")
    taken = [take(sessions, name) for name in ("a", "b", "c")]
    assert [request.id if request else None for request in taken] == [earlier, later, None]
    assert get(sessions, earlier).holder == "a"


def test_a_request_runs_to_its_end_and_says_so(sessions: Sessions, tmp_path: Path) -> None:
    seen: list[float] = []

    def handler(sessions, settings, request, progress):  # type: ignore[no-untyped-def]
        progress(0.5, "过半")
        seen.append(get(sessions, request.id).progress)
        return {"行": request.arguments["n"], "run_id": run_id}

    with sessions.begin() as session:
        run_id = make_run(session).id
    request_id = ask(sessions, "x", n=3)
    assert work_once(sessions, make_settings(tmp_path), "a", {"x": handler}) == "done"
    found = get(sessions, request_id)
    assert (found.status, found.progress, found.message, found.run_id, seen) == ("done", 1.0, "行 3", run_id, [0.5])
    assert found.finished_at is not None
    assert work_once(sessions, make_settings(tmp_path), "a", {}) is None


def test_a_bad_request_fails_with_its_reason_and_the_queue_goes_on(sessions: Sessions, tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    bad, unknown, outside = (
        ask(sessions, "plan"),
        ask(sessions, "sing"),
        ask(sessions, "import", path="/etc/passwd", kind="sampling"),
    )
    assert [work_once(sessions, settings, "a") for _ in range(4)] == ["failed", "failed", "failed", None]
    assert [get(sessions, n).message for n in (bad, unknown, outside)] == [
        "预算应是一个数字", "没有名为“sing”的任务", "只能导入已上传到数据目录的文件",
    ]  # fmt: skip


def test_a_dead_worker_s_request_is_taken_again_and_parked_after_three(sessions: Sessions) -> None:
    request_id = ask(sessions, "x")
    for attempt in range(1, MOST_ATTEMPTS + 1):
        taken = take(sessions, f"worker{attempt}")
        assert taken is not None
        assert taken.attempts == attempt
        assert rescue(sessions)["requeued"] == 0  # its heart still beats
        die(sessions)
        rescued = rescue(sessions)
        parked = attempt == MOST_ATTEMPTS
        assert (rescued["requeued"], rescued["parked"]) == (int(not parked), int(parked))
    found = get(sessions, request_id)
    assert (found.status, found.message) == ("parked", "运行 3 次均中断，已搁置")
    assert take(sessions, "next") is None


def test_a_silent_worker_of_this_machine_is_given_up_only_when_its_process_is_gone(sessions: Sessions) -> None:
    ask(sessions, "import")
    assert take(sessions, this_process()) is not None
    die(sessions)
    assert rescue(sessions)["requeued"] == 0  # its own write transaction keeps its heartbeat out
    with sessions.begin() as session:
        session.execute(update(JobRequest).values(heartbeat_at=database_now(session) - timedelta(minutes=20)))
    assert rescue(sessions)["requeued"] == 1


def test_a_hung_worker_that_comes_back_writes_nothing(sessions: Sessions, tmp_path: Path) -> None:
    def slow(sessions, settings, request, progress):  # type: ignore[no-untyped-def]
        die(sessions)
        rescue(sessions)
        assert take(sessions, "second") is not None
        progress(0.9, "迟到")
        return {"late": 1}

    request_id = ask(sessions, "x")
    work_once(sessions, make_settings(tmp_path), "first", {"x": slow})
    found = get(sessions, request_id)
    assert (found.status, found.holder, found.message, found.progress) == ("running", "second", None, 0.0)


def test_runs_whose_process_is_gone_are_closed(sessions: Sessions) -> None:
    with sessions.begin() as session:
        old = database_now(session) - timedelta(hours=8)
        make_run(session, job="old", status="running", started_at=old, heartbeat_at=old, finished_at=None)
        make_run(session, job="silent", status="running", started_at=old, finished_at=None)
    assert rescue(sessions)["lost_runs"] == 1
    with sessions() as session:
        assert {run.job: run.status for run in session.scalars(select(Run))} == {"old": "failed", "silent": "running"}


def test_a_plan_asked_for_from_a_page_is_made(sessions: Sessions, tmp_path: Path) -> None:
    fill(sessions, 9)
    request_id = ask(sessions, "plan", title="十一月计划", budget_cny=9000, region_code=None, as_of="2026-10-31")
    assert work_once(sessions, make_settings(tmp_path), "a") == "done"
    with sessions() as session:
        plan = session.scalars(select(Plan)).one()
    assert (plan.title, plan.budget_cny) == ("十一月计划", 9000.0)
    assert get(sessions, request_id).message is not None


@pytest.mark.parametrize("job", sorted(requests.HANDLERS))
def test_every_job_a_page_may_ask_for_can_be_run(job: str, sessions: Sessions, tmp_path: Path) -> None:
    if job in ("import", "crawl", "train"):  # these need files, sites or minutes; their own tests run them
        return
    with sessions.begin() as session:
        trial = make_trial(session, body=load_policy().body)
    ask(sessions, job, as_of="2026-10-31", budget_cny=1000, trial_id=trial.id)
    assert work_once(sessions, make_settings(tmp_path), "a") == "done"


def test_serving_works_the_queue_and_stops_when_told(
    sessions: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.worker.PAUSE_SECONDS", 0.05)
    monkeypatch.setattr("jobs.worker.tick", lambda *_: {})
    request_id = ask(sessions, "outcome", as_of="2026-10-31")
    stop = threading.Event()
    thread = threading.Thread(target=serve, args=(sessions, make_settings(tmp_path), stop))
    thread.start()
    for _ in range(400):
        if get(sessions, request_id).status == "done":
            break
        stop.wait(0.05)
    stop.set()
    thread.join(20)
    assert not thread.is_alive()
    assert get(sessions, request_id).status == "done"
