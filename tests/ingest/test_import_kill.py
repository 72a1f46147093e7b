"""kill -9 at every statement and commit of an import: run again, the store is as if nothing had happened."""

import multiprocessing
import shutil
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session, sessionmaker

from ingest.intake import import_file
from store.session import make_sessions, open_engine
from store.tables import Complaint, Enterprise, EnterpriseName, ImportFile, Mention, RowIssue, SamplingResult, Signal
from tests.corpus.cases import csv_bytes, row
from tests.jobs.test_kill import Wire

NOW = datetime(2026, 11, 1, 4, tzinfo=UTC)
ROWS = 2_100  # more than one batch of the reader and of the store


def contents(kind: str) -> bytes:
    if kind == "sampling":
        return csv_bytes([row(i, date="?" if i % 50 == 0 else "2026-03-05") for i in range(1, ROWS + 1)])
    if kind == "complaint":
        lines = [f"T{i},2026-03-05,乙商场{i % 9},充电器冒烟,1381234{i:04d}" for i in range(ROWS)]
        return "\n".join(["投诉编号,投诉日期,被投诉单位,投诉内容,联系电话", *lines, "T0,2026-03-06,乙,别的,"]).encode()
    lines = [f"海岳省第{i}机械有限公司,99010{i % 9 + 1},曾用名{i}厂" for i in range(30)]
    return "\n".join(["企业名称,行政区划代码,曾用名", *lines]).encode()


def bring_in(sessions: sessionmaker[Session], folder: Path, kind: str) -> None:
    import_file(sessions, folder / "file.csv", kind=kind, received_at=NOW, var=folder / "var", key=b"key")


def _victim(url: str, folder: str, kind: str, point: int) -> None:
    engine = open_engine(url)
    wire = Wire(point)
    event.listen(engine, "before_cursor_execute", lambda *_: wire.pass_point())
    event.listen(engine, "commit", lambda *_: wire.pass_point())
    bring_in(make_sessions(engine), Path(folder), kind)
    engine.dispose()


def state(sessions: sessionmaker[Session]) -> list[Any]:
    """All an import leaves behind, without how long it took."""
    tables = (ImportFile, RowIssue, Signal, SamplingResult, Complaint, Mention, Enterprise, EnterpriseName)
    with sessions() as session:
        return [
            session.execute(
                select(*(c for c in table.__table__.columns if c.name != "seconds")).order_by(
                    *table.__table__.primary_key
                )
            ).all()
            for table in tables
        ]


@pytest.mark.parametrize("kind", ["sampling", "complaint", "register"])
def test_a_killed_import_and_its_repeat_are_as_one(kind: str, sqlite_engine: Engine, tmp_path: Path) -> None:
    sqlite_engine.dispose()  # the last connection to close folds the journal into the file
    start = Path(str(sqlite_engine.url.database))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.ingest.test_import_kill"])
    expected, killed, step = None, 0, 1
    point = 0
    while True:
        folder = tmp_path / f"at{point}"
        folder.mkdir()
        shutil.copy(start, folder / "store.db")
        (folder / "file.csv").write_bytes(contents(kind))
        url = f"sqlite:///{folder / 'store.db'}"
        # Point 0 kills nothing: the import everything else is held against.
        victim = context.Process(target=_victim, args=(url, str(folder), kind, point))
        victim.start()
        victim.join()
        engine = open_engine(url)
        sessions = make_sessions(engine)
        if point == 0:
            assert victim.exitcode == 0
            expected = state(sessions)
            assert expected[0]
        elif victim.exitcode == 0:
            engine.dispose()
            break  # no point is left
        else:
            assert victim.exitcode == -signal.SIGKILL
            killed += 1
            bring_in(sessions, folder, kind)
            assert state(sessions) == expected, f"killed at point {point}"
        engine.dispose()
        shutil.rmtree(folder)
        point += step
        step = max(1, point // 4)
    assert killed >= 8
