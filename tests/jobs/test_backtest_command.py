"""`zhian backtest` as other programs drive it."""

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from jobs.cli import app
from tests.scoring.backtest.factories import make_table

MAP = """
entity: firm
date: day
outcome: {column: result, fail: 不合格}
groups: [product]
inspector: inspector
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "map.yml").write_text(MAP, encoding="utf-8")
    make_table(1200).to_csv(tmp_path / "table.csv", index=False, encoding="gb18030")
    return tmp_path


def test_lines_scores_and_report(files):
    result = CliRunner().invoke(
        app,
        [
            "backtest", "--table", str(files / "table.csv"), "--map", str(files / "map.yml"),
            "--evaluate-from", "2024-01-01", "--json",
            "--scores", str(files / "scores.parquet"), "--report", str(files / "report.html"),
        ],
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert {"ranking", "period", "n", "base_rate", "auc", "hit@2%", "hit@10%", "recall@10%", "interval"} <= set(
        lines[0]
    )
    assert {"chosen", "random", "product_of_rates", "last_years_list"} <= {line["ranking"] for line in lines}
    assert any(line["ranking"] == "chosen-without:inspector" for line in lines)
    scores = pd.read_parquet(files / "scores.parquet")
    assert list(scores.columns) == ["row", "ranking", "score"]
    assert (files / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_planted_leak_is_told_aloud_and_left_out(files):
    frame = pd.read_csv(files / "table.csv", encoding="gb18030")
    late = pd.to_datetime(frame["day"]) + pd.to_timedelta(10, unit="D")
    frame.assign(closed=(frame["result"] == "不合格") * 7, reported=late).to_csv(files / "leaky.csv", index=False)
    result = CliRunner().invoke(
        app,
        [
            "backtest", "--table", str(files / "leaky.csv"), "--map", str(files / "map.yml"), "--evaluate-from",
            "2024-01-01", "--json", "--no-ablate", "--report", str(files / "leaky.html"),
        ],
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    told = [json.loads(line) for line in result.stderr.splitlines() if line.startswith("{")]
    assert {(one["column"], one["action"]) for one in told if one["warning"] == "leak"} == {
        ("closed", "excluded"),
        ("reported", "excluded"),
    }
    page = (files / "leaky.html").read_text(encoding="utf-8")
    assert "“closed”列疑似泄漏" in page
    assert "“reported”列疑似泄漏" in page
    chosen = next(line for line in map(json.loads, result.stdout.splitlines()) if line["ranking"] == "chosen")
    assert chosen["auc"] < 0.95


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--table", "nowhere.csv"], "--map"),
        (["--table", "nowhere.csv", "--map", "map.yml", "--evaluate-from", "2024-01-01"], "没有这个文件"),
        (["--table", "table.csv", "--map", "table.csv", "--evaluate-from", "2024-01-01"], "不是有效的 YAML"),
        (["--table", "table.csv", "--map", "odd.yml", "--evaluate-from", "2024-01-01"], "不是有效的 YAML"),
        (["--table", "table.csv", "--map", "map.yml", "--evaluate-from", "2034-01-01"], "没有可评估的行"),
    ],
)
def test_unusable_arguments_end_with_2_and_one_line(files, monkeypatch, arguments, complaint):
    monkeypatch.chdir(files)
    (files / "odd.yml").write_text("entity: firm\ndate: 2024-02-30\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["backtest", *arguments])
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert "Traceback" not in result.output
