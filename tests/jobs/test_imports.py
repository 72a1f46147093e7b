"""Imports as jobs: recorded, safe twice, from a watched folder, and called off without a trace."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker
from typer.testing import CliRunner

from ingest.intake import Cancelled, import_file
from jobs.cli import app
from jobs.imports import WatchedFolder, import_one, import_settled
from jobs.settings import Settings
from store.tables import ImportFile, Run, Signal
from tests.corpus.cases import csv_bytes, row


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(var=tmp_path / "var")


def test_an_import_is_a_recorded_run(sessions: sessionmaker[Session], settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(csv_bytes([row(1), row(2, date="?")]))
    first = import_one(sessions, settings, path, "sampling")
    again = import_one(sessions, settings, path, "sampling")
    assert first.id == again.id
    with sessions() as session:
        counts = session.scalars(select(Run.counts).where(Run.job == "import").order_by(Run.id)).all()
        assert [(run["added"], run["quarantined"]) for run in counts] == [(1, 1), (0, 1)]


def test_a_watched_folder_waits_until_a_file_has_come_to_rest(
    sessions: sessionmaker[Session], settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    (folder / "sampling").mkdir(parents=True)
    path = folder / "sampling" / "a.csv"
    whole = csv_bytes([row(1), row(2)])
    path.write_bytes(whole[:150])
    (folder / "sampling" / "~$a.csv").write_bytes(whole)
    watched = WatchedFolder(folder)
    assert import_settled(sessions, settings, watched) == []  # the first look knows nothing yet
    path.write_bytes(whole)
    assert import_settled(sessions, settings, watched) == []  # it grew
    [(found, file)] = import_settled(sessions, settings, watched)
    assert (found, file.valid) == (path, 2)
    assert [p.name for p in (folder / "sampling" / "已导入").iterdir()] == [f"{file.id}_a.csv"]
    assert import_settled(sessions, settings, watched) == []


def test_a_large_import_tells_its_progress_and_can_be_called_off(
    sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(csv_bytes([row(i, spec="x" * 300) for i in range(12_000)]))
    told: list[tuple[float, int]] = []

    def import_it(stop_after: int) -> ImportFile:
        return import_file(
            sessions, path, kind="sampling", received_at=datetime(2026, 11, 1, tzinfo=UTC), var=tmp_path / "var",
            progress=lambda share, rows: told.append((share, rows)), cancelled=lambda: len(told) >= stop_after,
        )  # fmt: skip

    with pytest.raises(Cancelled):
        import_it(stop_after=1)
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Signal)) == 0
        assert session.scalar(select(func.count()).select_from(ImportFile)) == 0
    told.clear()
    assert import_it(stop_after=1_000).added == 12_000
    assert told == sorted(told)
    assert told[-1] == (0.5, 12_000)


def test_the_command_stores_and_reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHIAN_VAR", str(tmp_path / "var"))
    path = tmp_path / "a.csv"
    path.write_bytes(csv_bytes([row(1), row(2, date="?")]))
    back = tmp_path / "back.xlsx"
    asked = ["import", "--kind", "sampling", "--json", "--rows", "--rejected", str(back), str(path)]
    report = json.loads(CliRunner().invoke(app, asked).stdout)
    assert (report["valid"], report["quarantined"], report["added"], len(report["rows"])) == (1, 1, 1, 1)
    assert report["errors"] == [{"sheet": "", "row": 3, "column": "抽样日期", "class": "bad_date"}]
    assert back.read_bytes().startswith(b"PK")
    assert json.loads(CliRunner().invoke(app, asked).stdout)["added"] == 0


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--kind", "nothing", "a.csv"], "没有这种文件种类"),
        (["--kind", "sampling", "not_there.csv"], "找不到文件"),
        (["--kind", "sampling", "--known", "when", "a.csv"], "--known"),
    ],
)
def test_unusable_arguments_end_with_one_line(arguments: list[str], line: str) -> None:
    result = CliRunner().invoke(app, ["import", "--dry-run", *arguments])
    assert result.exit_code == 2
    assert line in result.stderr
    assert len(result.stderr.splitlines()) == 1
