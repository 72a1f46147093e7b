"""`zhian train-task` from files to scores, and what it says about files it cannot use."""

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from jobs.cli import app

TEXTS = ["手机很卡 屏幕碎了", "苹果很甜 水果新鲜", "手机电池不行", "香蕉坏了 水果烂了"]


def run(folder: Path, *more: str, train: str = "train.csv", test: str = "test.csv") -> tuple[int, str, str]:
    tables = ["--train", str(folder / train), "--test", str(folder / test)]
    result = CliRunner().invoke(app, ["train-task", *tables, "--text", "text", "--label", "label", "--json", *more])
    return result.exit_code, result.stdout, result.stderr


def write(path: Path, texts: list[str], labels: list[object]) -> None:
    pd.DataFrame({"text": texts, "label": labels}).to_csv(path, index=False)


def test_labels_unseen_in_training_count_as_missed(tmp_path: Path) -> None:
    write(tmp_path / "train.csv", TEXTS * 5, ["手机", "水果"] * 10)
    write(tmp_path / "test.csv", ["手机屏幕", "水果烂", "电饭锅"], ["手机", "水果", "电器"])
    code, out, _ = run(tmp_path, "--predictions", str(tmp_path / "found.csv"))
    result = json.loads(out)
    assert (code, result["n_train"], result["n_test"]) == (0, 20, 3)
    assert result["per_label"]["电器"] == 0.0
    assert pd.read_csv(tmp_path / "found.csv")["prediction"].tolist()[:2] == ["手机", "水果"]


def test_rows_without_a_label_teach_nothing_and_are_not_scored(tmp_path: Path) -> None:
    write(tmp_path / "train.csv", [*TEXTS * 5, "没有标签"], [1, 2] * 10 + [None])
    write(tmp_path / "test.csv", ["手机屏幕", "水果烂"], [1, 2])
    code, out, _ = run(tmp_path)
    result = json.loads(out)
    assert (code, result["n_train"], result["accuracy"]) == (0, 20, 1.0)
    assert sorted(result["per_label"]) == ["1", "2"]


@pytest.mark.parametrize(
    ("train", "said"),
    [
        ("other,label\n手机,a\n", "train.csv 没有列 text"),
        ("text,label\n手机,\n水果,\n", "train.csv 的 label 列没有标签"),
        ("text,label\n,a\n,b\n", "train.csv 的 text 列没有可用的文本"),
        ("", "读不了"),
    ],
)
def test_a_table_that_cannot_be_used_is_one_line(tmp_path: Path, train: str, said: str) -> None:
    (tmp_path / "train.csv").write_text(train, encoding="utf-8")
    write(tmp_path / "test.csv", ["手机"], ["a"])
    code, out, error = run(tmp_path)
    assert (code, out) == (2, "")
    assert said in error
    assert error.count("\n") == 1


def test_a_damaged_parquet_file_and_a_missing_folder_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "train.parquet").write_bytes(b"PAR1 and no more")
    write(tmp_path / "test.csv", ["手机"], ["a"])
    for more in ((), ("--predictions", str(tmp_path / "nowhere" / "found.csv"))):
        code, _, error = run(tmp_path, *more, train="train.parquet")
        assert code == 2
        assert error.count("\n") == 1
