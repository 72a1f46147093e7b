"""Running the demonstration again adds nothing, and stopping it anywhere loses nothing."""

import io
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from demo.province import Province
from demo.run import Demonstration
from jobs.settings import PROJECT
from tests.flows.conftest import Shown, digest, run_demonstration


@pytest.mark.xdist_group("demo")
def test_a_second_run_adds_nothing_and_replaces_the_passwords(shown: Shown) -> None:
    before = digest(shown.sessions)
    passwords = {name: password for name, password, _ in shown.findings.logins}
    again = run_demonstration(shown.demonstration.var)
    again.sessions.kw["bind"].dispose()
    assert digest(shown.sessions) == before
    assert again.findings.signals == shown.findings.signals
    assert again.findings.alerts == shown.findings.alerts
    assert again.findings.delivered == shown.findings.delivered
    assert again.findings.comparison == shown.findings.comparison
    assert {name: password for name, password, _ in again.findings.logins}.keys() == passwords.keys()
    assert all(password != passwords[name] for name, password, _ in again.findings.logins)


CHILD = """
import sys
from pathlib import Path
from tests.flows.conftest import run_demonstration
run_demonstration(Path(sys.argv[1]))
"""
# While files come in, while mentions are tied, and between the plan and its results.
MOMENTS = (
    "SELECT count(*) FROM signal WHERE channel = 'complaint'",
    "SELECT count(*) FROM link",
    "SELECT count(*) FROM plan",
)


def rows_of(path: Path, query: str) -> int:
    """A count from the store as it stands, or nothing when it is not there yet."""
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1) as connection:
            return int(connection.execute(query).fetchone()[0])
    except sqlite3.Error:
        return 0


@pytest.mark.xdist_group("demo")
@pytest.mark.timeout(300)
def test_killed_again_and_again_it_comes_to_the_same_end(tmp_path: Path, shown: Shown) -> None:
    for moment in MOMENTS:
        child = subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path)], cwd=PROJECT)
        while child.poll() is None and not rows_of(tmp_path / "zhian.db", moment):
            time.sleep(0.02)
        os.kill(child.pid, signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
    last = run_demonstration(tmp_path)
    assert digest(last.sessions) == digest(shown.sessions)
    last.sessions.kw["bind"].dispose()


def test_a_store_of_another_province_is_put_aside(tmp_path: Path) -> None:
    first, second = (
        Demonstration(tmp_path, Province(seed=seed, scale=0.03), Console(file=io.StringIO())) for seed in (7, 8)
    )
    for demonstration in (first, second):
        _, sessions = demonstration.open()
        sessions.kw["bind"].dispose()
    assert (tmp_path / "province.key").read_text("utf-8") == second.province.key
    assert len(list((tmp_path / "province").iterdir())) == 2
