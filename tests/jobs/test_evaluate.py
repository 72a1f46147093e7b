"""What `zhian evaluate nlp --in-force` says of the model in force; the long report is made of the same figures."""

import json
from pathlib import Path

from typer.testing import CliRunner

from jobs.cli import app

FIRE = {"id": "fire", "status": "asserted", "evidence": "蹿出火苗"}


def _labelled(number: int, text: str, *hazards: dict[str, str]) -> str:
    row = {
        "id": f"t{number}", "channel": "complaint", "text": text, "relevant": bool(hazards), "products": [],
        "hazards": list(hazards), "violations": [], "outcome": "none", "injured": None, "deaths": None, "cluster": None,
    }  # fmt: skip
    return json.dumps(row, ensure_ascii=False)


def test_the_model_in_force_is_measured_and_nothing_is_written(tmp_path: Path) -> None:
    texts, kinds, headlines = tmp_path / "texts.jsonl", tmp_path / "kinds.csv", tmp_path / "headlines.txt"
    texts.write_text(
        "\n".join([_labelled(1, "充电器插上就蹿出火苗,桌布烧了个洞", FIRE), _labelled(2, "消防演练,模拟楼道起火")]),
        "utf-8",
    )
    kinds.write_text("id,kind\nt1,signal\nt2,drill\n", "utf-8")
    headlines.write_text("股市午后跳水\n演唱会一票难求\n", "utf-8")
    arguments = [
        "--texts",
        str(texts),
        "--kinds",
        str(kinds),
        "--headlines",
        str(headlines),
        "--out",
        str(tmp_path / "o"),
    ]
    answer = CliRunner().invoke(app, ["evaluate", "nlp", "--in-force", "--json", *arguments])
    assert answer.exit_code == 0, answer.output
    found = json.loads(answer.stdout)
    assert found["外部文本，现用模型"]["texts"] == 2
    assert found["外部文本，现用模型"]["hazards_macro_f1"] == 1.0
    assert found["各类文本误报（误报，条数）"] == {"drill": [0, 1]}
    assert found["无关新闻标题误报"] == {"texts": 2, "with_hazard": 0}
    assert not (tmp_path / "o").exists()


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    answer = CliRunner().invoke(app, ["evaluate", "nlp", "--in-force", "--texts", str(tmp_path / "no.jsonl")])
    assert (answer.exit_code, answer.stderr.strip()) == (2, f"没有这个文件：{tmp_path / 'no.jsonl'}")
