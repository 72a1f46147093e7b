"""kill -9 at every statement and commit of planning, warning and delivering: run again, it is as if nothing happened.

The points are enumerated: the victim is killed at its first, second, third … statement until one run ends alive.
"""

import multiprocessing
import os
import shutil
import signal
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, select, text
from sqlalchemy.orm import Session, sessionmaker

from jobs import ledger, notify, plan
from jobs.settings import PROJECT
from nlp.taxonomy import load_taxonomy
from store.session import make_sessions, open_engine
from store.tables import Alert, Case, CaseStep, Clock, Delivery, Plan, PlanLine
from tests.alerting.outbox_world import add_contact
from tests.factories import make_enterprise, make_grade
from tests.jobs.office import NOON, TODAY, add_result, fill, make_settings

# Read once here, so that the server that forks the victims has it already.
load_taxonomy(PROJECT / "nlp" / "lexicon")

Sessions = sessionmaker[Session]
STEP = 4  # not every point: statements of one transaction are alike, and commits are all tried


class Wire:
    """Counts points and kills this very process at one of them."""

    def __init__(self, point: int) -> None:
        self.left = point

    def pass_point(self, weight: int = 1) -> None:
        before, self.left = self.left, self.left - weight
        if before > 0 >= self.left:
            os.kill(os.getpid(), signal.SIGKILL)


class Postbox:
    """A receiver that keeps every message id in a file, before and after which the sender may die."""

    def __init__(self, path: Path, wire: Wire) -> None:
        self.path, self.wire = path, wire

    def send(self, message: Any, address: str, secret: str | None, now: Any) -> str:
        self.wire.pass_point(STEP)
        with self.path.open("a") as file:
            file.write(message.id + "\n")
        self.wire.pass_point(STEP)
        return "ok"


def do(what: str, sessions: Sessions, folder: Path, wire: Wire, again: bool) -> None:
    settings = make_settings(folder)
    if what == "plan":
        plan.run(sessions, settings, TODAY, budget_cny=20_000, seed=7)
    elif what == "notify":
        notify.run(sessions, settings, TODAY, now=NOON)
    elif what == "ledger":
        ledger.run(sessions, settings, TODAY)
    else:
        # The repeat comes when the lease of a sender that died has run out.
        now = NOON + timedelta(minutes=10 if again else 0)
        notify.deliver(sessions, settings, now=now, channels={"webhook": Postbox(folder / "post", wire)})


def _victim(url: str, folder: str, what: str, point: int) -> None:
    engine = open_engine(url)
    wire = Wire(point)
    event.listen(engine, "before_cursor_execute", lambda *_: wire.pass_point())
    event.listen(engine, "commit", lambda *_: wire.pass_point(STEP))
    do(what, make_sessions(engine), Path(folder), wire, again=False)
    engine.dispose()


def prepare(sessions: Sessions, what: str) -> None:
    if what in ("plan", "ledger"):
        fill(sessions, 12)
        return
    with sessions.begin() as session:
        for tier in (1, 2):
            add_contact(session, "990100", tier)
        for number in range(14):
            firm = make_enterprise(session)
            make_grade(session, firm, level="D" if number % 2 else "C", previous_level="A", as_of=TODAY)
        add_result(session, firm, 200, "fail", product_id="cable")
        add_result(session, firm, 10, "fail", product_id="cable")
    if what == "deliver":
        notify.run(sessions, make_settings(Path("unused")), TODAY, now=NOON)


def state(sessions: Sessions, what: str) -> Any:
    """What the step leaves behind, without ids, random message ids and times."""
    with sessions() as session:
        if what == "plan":
            rows = session.execute(
                select(Plan.key, PlanLine.number, PlanLine.enterprise_id, PlanLine.rule, PlanLine.why)
                .join(PlanLine, PlanLine.plan_id == Plan.id)
                .order_by(PlanLine.number)
            ).all()
            return session.scalar(select(func.count(Plan.id))), rows
        if what == "ledger":
            return (
                session.execute(select(Case.kind, Case.signal_id, Case.title, Case.state).order_by(Case.id)).all(),
                session.execute(select(CaseStep.case_id, CaseStep.step).order_by(CaseStep.id)).all(),
                session.execute(select(Clock.case_id, Clock.limit_id, Clock.due_on).order_by(Clock.id)).all(),
            )
        alerts = session.execute(select(Alert.cause_key, Alert.colour, Alert.body).order_by(Alert.cause_key)).all()
        deliveries = session.execute(
            select(Alert.cause_key, Delivery.contact_id, Delivery.tier, Delivery.status)
            .join(Alert, Alert.id == Delivery.alert_id)
            .order_by(Alert.cause_key, Delivery.contact_id)
        ).all()
        return alerts, deliveries


@pytest.mark.parametrize("what", ["plan", "notify", "deliver", "ledger"])
def test_a_killed_run_and_its_repeat_are_as_one_run(what: str, sqlite_engine: Engine, tmp_path: Path) -> None:
    prepare(make_sessions(sqlite_engine), what)
    sqlite_engine.dispose()  # the last connection to close folds the journal into the file
    start = Path(str(sqlite_engine.url.database))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.jobs.test_kill"])
    expected, killed = None, 0
    for point in range(0, 2000, STEP):
        folder = tmp_path / f"at{point}"
        folder.mkdir()
        shutil.copy(start, folder / "store.db")
        url = f"sqlite:///{folder / 'store.db'}"
        # Point 0 kills nothing: the run everything else is held against.
        victim = context.Process(target=_victim, args=(url, str(folder), what, point))
        victim.start()
        victim.join(60)
        engine = open_engine(url)
        sessions = make_sessions(engine)
        if point == 0:
            assert victim.exitcode == 0
            expected = state(sessions, what)
            assert expected[1]
        else:
            do(what, sessions, folder, Wire(0), again=True)
            assert state(sessions, what) == expected, f"after a kill at point {point}"
            with engine.connect() as connection:
                assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
            _check_post(sessions, folder)
        engine.dispose()
        shutil.rmtree(folder)
        if point and victim.exitcode == 0:
            break
        killed += victim.exitcode == -signal.SIGKILL
    assert killed >= 3


def _check_post(sessions: Sessions, folder: Path) -> None:
    """Every message arrived, at most one of them twice, and a repeat carries the id of the first."""
    post = folder / "post"
    if not post.exists():
        return
    arrived = Counter(post.read_text().split())
    with sessions() as session:
        heads = set(session.scalars(select(Delivery.message_id).where(Delivery.digest_id.is_(None))))
    assert set(arrived) == heads
    assert sum(arrived.values()) <= len(heads) + 1


def test_the_wire_kills_where_it_is_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[int] = []
    kill: Callable[[int, int], None] = lambda _pid, number: killed.append(number)  # noqa: E731
    monkeypatch.setattr(os, "kill", kill)
    wire = Wire(5)
    for _ in range(10):
        wire.pass_point()
    wire.pass_point(STEP)
    assert killed == [signal.SIGKILL]
    Wire(0).pass_point()
    assert killed == [signal.SIGKILL]
