"""The corpus: its line format, its checker, and that the shipped files pass it."""

from pathlib import Path

import pytest

from nlp import corpus
from nlp.corpus import CorpusError, Mark, parse_line
from nlp.corpus.__main__ import borrowed, main


def test_a_line_becomes_an_example_with_exact_spans() -> None:
    example = parse_line(
        "opinion | socket,kettle | injury_minor[2,0] | signal | 插座{fire+burn_thermal:烫得冒烟},{v.three_nos:没厂名}",
        place="f:1",
        event="e",
    )
    assert example.text == "插座烫得冒烟,没厂名"
    assert example.products == ("socket", "kettle")
    assert (example.outcome, example.injured, example.deaths) == ("injury_minor", 2, 0)
    assert example.marks == (
        Mark("hazard", "fire", "asserted", 2, 6),
        Mark("hazard", "burn_thermal", "asserted", 2, 6),
        Mark("violation", "three_nos", "asserted", 7, 10),
    )
    assert example.relevant


@pytest.mark.parametrize(
    ("mark", "status"), [("fire", "asserted"), ("-fire", "negated"), ("?fire", "hypothetical"), ("~fire", "rumour")]
)
def test_marks_of_status(mark: str, status: str) -> None:
    example = parse_line(f"other | - | - | drill | 模拟{{{mark}:起火}}", place="f:1", event="e")
    assert example.marks == (Mark("hazard", "fire", status, 2, 4),)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("opinion | - | none | signal", "five fields"),
        ("radio | - | none | signal | 文本", "unknown channel"),
        ("opinion | - | none | joke | 文本", "unknown kind"),
        ("opinion | - | hurt | signal | 文本", "unknown outcome"),
        ("opinion | - | none | signal | 插座{fire:冒烟", "not closed"),
        ("opinion | - | none | signal | {-v.three_nos:没厂名}", "no status"),
    ],
)
def test_a_bad_line_says_what_is_wrong(line: str, complaint: str) -> None:
    with pytest.raises(CorpusError, match=complaint):
        parse_line(line, place="f:7", event="e")


def test_lines_without_a_blank_between_are_one_event(tmp_path: Path) -> None:
    path = tmp_path / "x_01.txt"
    line = "opinion | - | none | offtopic | 第{}条"
    path.write_text("\n".join([line.format(1), line.format(2), "", line.format(3)]), encoding="utf-8")
    assert [e.event for e in corpus.read_file(path)] == ["x_01-1", "x_01-1", "x_01-4"]


def test_the_checker_refuses_unknown_ids_and_repeats(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x_01.txt"
    path.write_text(
        "opinion | spaceship | none | offtopic | 飞船很好用\n\nopinion | - | none | drill | {fire:起火}演练一次\n",
        encoding="utf-8",
    )
    assert main([str(path)]) == 1
    told = capsys.readouterr().err
    assert "unknown product spaceship" in told
    assert "asserts a hazard" in told


def test_a_copied_text_is_noticed() -> None:
    example = parse_line("other | - | - | offtopic | 今天天气不错我们一起去公园里面玩耍吧", place="f:1", event="e")
    assert list(borrowed([example], ["今天天气不错我们一起去公园里面玩耍好不好"]))
    assert not list(borrowed([example], ["完全不相干的另外一段文字内容在这里"]))


def test_the_shipped_corpus_passes_its_checker(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0, capsys.readouterr().err
