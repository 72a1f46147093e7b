"""What ran, what is stale, what waits; and the audit chain's head kept outside."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import delete
from sqlalchemy.orm import Session, sessionmaker

from jobs import anchor
from jobs.status import collect
from store.audit import Act, append
from store.reads.page import PageRequest
from store.reads.scope import Scope
from store.reads.status import runs
from store.tables import AuditEntry, JobRequest
from tests.factories import NOW, make_run
from tests.jobs.office import TODAY, make_settings

Sessions = sessionmaker[Session]


def test_a_job_is_stale_when_nothing_went_well_for_too_long(sessions: Sessions) -> None:
    with sessions.begin() as session:
        make_run(session, job="grade", finished_at=NOW - timedelta(hours=1))
        make_run(session, job="tag", finished_at=NOW - timedelta(hours=30))
        make_run(session, job="resolve", finished_at=NOW - timedelta(hours=30))
        make_run(session, job="resolve", status="failed", error="RuntimeError: x")
        session.add(JobRequest(job="plan", arguments={}, requested_at=NOW, status="waiting"))
        session.add(JobRequest(job="plan", arguments={}, requested_at=NOW, status="parked"))
    found = collect(sessions, NOW)
    jobs = {job["job"]: job for job in found["jobs"]}
    assert {name: job["stale"] for name, job in jobs.items() if job["last"]} == {
        "grade": False, "tag": True, "resolve": True,
    }  # fmt: skip
    assert jobs["resolve"]["last"]["error"] == "RuntimeError: x"
    assert jobs["import"]["last"] is None
    assert (found["queues"]["requests_waiting"], found["queues"]["requests_parked"]) == (1, 1)


def test_runs_are_the_province_s_to_see(sessions: Sessions) -> None:
    with sessions.begin() as session:
        for job in ("grade", "tag", "grade"):
            make_run(session, job=job)
    with sessions() as session:
        page = runs(session, Scope(""), PageRequest(1, 2))
        assert (page.total, [row.id for row in page.rows]) == (3, [3, 2])
        assert runs(session, Scope(""), PageRequest(), job="tag").total == 1
        assert runs(session, Scope("9901"), PageRequest()).total == 0


def test_a_cut_tail_of_the_audit_chain_shows_against_the_kept_head(sessions: Sessions, tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    assert anchor.run(sessions, settings, TODAY) == {"entries": 0, "written": 0}
    with sessions.begin() as session:
        for number in range(3):
            append(session, Act(NOW, "li", "plan.issue", "plan", str(number)))
    assert [anchor.run(sessions, settings, TODAY)["written"] for _ in range(2)] == [1, 0]
    with anchor.anchor_file(settings).open("a") as file:
        file.write('{"entry_id": 9')  # power was lost in the middle of a line
    assert anchor.check(sessions, settings).holds
    with sessions.begin() as session:
        session.execute(delete(AuditEntry).where(AuditEntry.id == 3))
    assert anchor.check(sessions, settings).broken == ("库外留存的第 3 条已不在审计链中",)
