"""The commands: one JSON object a line where asked for, one clear line and no traceback where something is wrong."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from jobs import cli
from store.session import make_sessions, open_engine
from store.tables import CalendarDay
from tests.jobs.office import fill

runner = CliRunner()


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with a small office in its store."""
    monkeypatch.setenv("ZHIAN_VAR", str(tmp_path))
    monkeypatch.setenv("ZHIAN_SECRET", "test")
    monkeypatch.setenv("ZHIAN_SYNTHETIC", "true")
    assert runner.invoke(cli.app, ["migrate"]).exit_code == 0
    engine = open_engine(f"sqlite:///{tmp_path / 'zhian.db'}")
    fill(make_sessions(engine), 9)
    engine.dispose()
    return tmp_path


def test_a_plan_from_draft_to_outcome(store: Path) -> None:
    made = runner.invoke(
        cli.app, ["plan", "--budget", "9000", "--as-of", "2026-10-31", "--export", str(store / "p.xlsx"), "--json"]
    )
    assert made.exit_code == 0, made.output
    counts = json.loads(made.stdout)
    assert counts["lines"] > 3
    assert (store / "p.xlsx").read_bytes().startswith(b"PK")
    assert runner.invoke(cli.app, ["plan-issue", str(counts["plan_id"])]).exit_code == 0
    outcome = json.loads(runner.invoke(cli.app, ["plan-outcome", "--as-of", "2026-10-31", "--json"]).stdout)
    assert outcome["waiting"] == counts["lines"]
    assert "尚无结果" in runner.invoke(cli.app, ["plan-outcome", "--as-of", "2026-10-31"]).stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["plan-issue", "99"], "没有编号为 99 的计划"),
        (["plan", "--budget", "-5"], "预算必须是正数"),
        (["contact", "370100", "x", "--channel", "pigeon"], "渠道应为"),
        (["account", "add", "li", "--password", "weak"], "至少 10 个字符"),
        (["account", "reset", "nobody", "--password", "Quiet-River-48"], "没有账号"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_code_two(store: Path, arguments: list[str], said: str) -> None:
    result = runner.invoke(cli.app, arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_the_day_s_commands_speak_json(store: Path) -> None:
    for arguments in (["run", "--as-of", "2026-10-31"], ["notify", "--as-of", "2026-10-31"], ["deliver"], ["status"]):
        result = runner.invoke(cli.app, [*arguments, "--json"])
        assert result.exit_code == 0, result.output
        assert len(result.stdout.splitlines()) == 1
        json.loads(result.stdout)


def test_a_moved_day_is_entered_and_corrected(store: Path) -> None:
    for option, word in (("--working", "上班"), ("--off", "放假")):
        assert word in runner.invoke(cli.app, ["calendar", "2027-02-14", option]).stdout
    engine = open_engine(f"sqlite:///{store / 'zhian.db'}")
    with make_sessions(engine)() as session:
        assert [(row.day.isoformat(), row.working) for row in session.scalars(select(CalendarDay))] == [
            ("2027-02-14", False)
        ]
    engine.dispose()


def test_the_audit_chain_is_checked_from_the_command_line(store: Path) -> None:
    runner.invoke(cli.app, ["account", "add", "li", "--password", "Quiet-River-48", "--role", "admin"])
    assert "1 条，完好" in runner.invoke(cli.app, ["audit", "--anchor"]).stdout
    with (store / "audit-heads.jsonl").open("a") as file:
        file.write('{"entry_id": 7, "hash": "x"}\n')
    result = runner.invoke(cli.app, ["audit"])
    assert (result.exit_code, "第 7 条" in result.stderr) == (1, True)


def test_the_version_says_what_is_in_force_without_a_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHIAN_VAR", str(tmp_path / "none"))
    facts = json.loads(runner.invoke(cli.app, ["version", "--json"]).stdout)
    assert all(facts["policies"][name]["hash"] for name in ("grade", "plan", "alert", "lexicon"))
    assert not (tmp_path / "none").exists()


def test_no_traceback_reaches_a_person(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken() -> None:
        raise RuntimeError("磁盘已满\nsecond line")

    monkeypatch.setattr(cli, "app", broken)
    monkeypatch.delenv("ZHIAN_DEBUG", raising=False)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == "未能完成（RuntimeError）：磁盘已满\n"
    monkeypatch.setenv("ZHIAN_DEBUG", "1")
    with pytest.raises(RuntimeError):
        cli.main()
