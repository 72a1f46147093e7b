"""The real tables' command, on a table of its own in the same columns (invented rows)."""

import json
from pathlib import Path

import pandas as pd
from typer.testing import CliRunner

from jobs.cli import app

COLUMNS = (
    "product producer producer_region sampled_unit sampled_region spec brand notice_no level fail_item measured limit"
)


def table(folder: Path) -> None:
    rows = []
    for number in range(40):
        row: dict[str, object] = dict.fromkeys(COLUMNS.split())
        failed = number % 10 == 0
        row |= {
            "record_id": number,
            "published": pd.Timestamp(2015, 3, 1 + number % 20),
            "bureau": f"虚构第{number % 4}局",
            "product": "酱油",
            "producer": None if number % 8 == 0 else f"虚构第{number}酿造厂",
            "level": "省抽",
            "fail": int(failed),
            "fail_item": "氨基酸态氮" if failed else None,
        }
        rows.append(row)
    (folder / "cn_sampling").mkdir()
    pd.DataFrame(rows).to_parquet(folder / "cn_sampling" / "cn_sampling.parquet")


def test_every_row_of_every_layout_is_accounted_for(tmp_path: Path) -> None:
    table(tmp_path)
    asked = ["realdata", "cn-sampling", "--shared", str(tmp_path), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, asked)
    assert result.exit_code == 0, result.output
    *_, total = map(json.loads, result.stdout.splitlines())
    assert (total["files"], total["rejected_files"], total["adds_up"]) == (4, 0, True)
    assert (total["valid"], total["quarantined"], total["reasons"]) == (35, 5, {"missing_required": 5})
    assert total["added"] == 35
    again = CliRunner().invoke(app, asked)
    assert json.loads(again.stdout.splitlines()[-1])["added"] == 0


def test_without_the_data_it_says_so(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["realdata", "cn-cqn", "--shared", str(tmp_path), "--out", str(tmp_path / "out")])
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "只在持有该数据的机器上可用" in result.stderr
