import gzip
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jobs.cli import app

REGISTER = """id,uscc,name,former_names,short_name,brands,region_code,address,role,status
1,,宁波华盛电器有限公司,宁波旧盛电器有限公司;宁波老盛电器厂,华盛,飞凤、凤飞,330225,,producer,active
2,,温州华盛电器有限公司,,,,330302,,producer,active
3,,象山县新达阀门厂,,,,330225,,producer,active
"""


@pytest.fixture
def register(tmp_path: Path) -> Path:
    path = tmp_path / "register.csv.gz"
    path.write_bytes(gzip.compress(REGISTER.encode()))
    return path


def run(command: str, register: Path, *lines: object) -> list[dict[str, object]]:
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    result = CliRunner().invoke(app, [command, "--register", str(register), "--json"], input=text)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_resolve_answers_line_by_line(register: Path) -> None:
    answers = run(
        "resolve",
        register,
        {"query_id": "a", "query": "宁波老盛电器厂"},
        {"query_id": "b", "query": "华盛电器有限公司", "region": "330302"},
        {"query_id": "c", "query": "华盛电器有限公司"},
        {"query_id": "d", "query": "宁波华盛电器有限公司；象山县新达阀门厂"},
        {"query_id": "e", "query": None},
    )
    assert [(a["query_id"], a["decision"], a["ids"]) for a in answers] == [
        ("a", "link", ["1"]),
        ("b", "link", ["2"]),
        ("c", "ambiguous", []),
        ("d", "link", ["1", "3"]),
        ("e", "none", []),
    ]
    assert set(answers[0]) == {"query_id", "decision", "ids", "candidates", "score", "reasons"}


def test_mentions_gives_offsets_into_the_text_as_given(register: Path) -> None:
    text = "【投诉】在宁波华盛電器有限公司买的插座，由慈溪市飞腾电子有限公司生产"
    (answer,) = run("mentions", register, {"id": 7, "text": text})
    assert answer["id"] == 7
    found = answer["mentions"]
    assert isinstance(found, list)
    assert [(m["text"], m["enterprise"]) for m in found] == [
        ("宁波华盛電器有限公司", "1"),
        ("慈溪市飞腾电子有限公司", None),
    ]
    assert all(text[m["start"] : m["end"]] == m["text"] for m in found)


def test_half_a_character_stops_nothing_and_shifts_no_offset(register: Path) -> None:
    lines = '{"id": 1, "text": "\\ud83d在宁波华盛电器有限公司买的"}\n{"id": 2}\n{"id": 3, "text": ""}\n'
    result = CliRunner().invoke(app, ["mentions", "--register", str(register), "--json"], input=lines)
    assert result.exit_code == 0, result.output
    found, missing, empty = (json.loads(line) for line in result.stdout.splitlines())
    assert [(one["start"], one["text"]) for one in found["mentions"]] == [(2, "宁波华盛电器有限公司")]
    assert missing == {"id": 2, "line": 2, "error": "缺少文本 text"}
    assert empty == {"id": 3, "mentions": []}
    odd = '{"query_id": 1, "query": "\\ud83d宁波华盛电器有限公司", "context": "\\udc00"}\n'
    result = CliRunner().invoke(app, ["resolve", "--register", str(register), "--json"], input=odd)
    assert (result.exit_code, json.loads(result.stdout)["decision"]) == (0, "link")


@pytest.mark.parametrize(
    ("content", "said"),
    [("name,x\n甲,1\n", "缺少 id 或 name 列"), (None, "找不到名册")],
)
def test_an_unusable_register_is_one_clear_line(tmp_path: Path, content: str | None, said: str) -> None:
    path = tmp_path / "register.csv"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    result = CliRunner().invoke(app, ["resolve", "--register", str(path), "--json"], input="")
    assert (result.exit_code, said in result.stderr, len(result.stderr.splitlines())) == (2, True, 1)


@pytest.mark.parametrize(("command", "key"), [("resolve", "query_id"), ("mentions", "id")])
def test_a_line_that_cannot_be_used_is_told_so_in_its_place(register: Path, command: str, key: str) -> None:
    usable = json.dumps({key: "a", "text": ""})
    given = f"{usable}\n{{oops\n\n{json.dumps({'query': 'x'})}\n{usable}\n"
    result = CliRunner().invoke(app, [command, "--register", str(register), "--json"], input=given)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert [line[key] for line in lines] == ["a", None, None, "a"]
    assert [line.get("line") for line in lines] == [None, 2, 4, None]
    assert key in lines[2]["error"]


@pytest.mark.parametrize("arguments", [["mentions"], ["resolve", "--registre", "x"], ["resolve", "--as-of", "soon"]])
def test_unusable_arguments_are_one_line_where_json_is_asked_for(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, [*arguments, "--json"], input="")
    assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (2, "", 1)
