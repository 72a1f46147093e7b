"""The corpus: its line format, its checker, and that the shipped files pass it."""

from pathlib import Path

import pytest

from nlp import corpus
from nlp.corpus import CorpusError, Mark, parse_line
from nlp.corpus.__main__ import borrowed, main
from nlp.corpus.agreement import READINGS, agreement, kappa, read_pairs


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


def test_kappa_is_agreement_beyond_chance() -> None:
    # The textbook table 20/5/10/15: agreement 0.7, by chance 0.5.
    first = ["yes"] * 25 + ["no"] * 25
    second = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    assert kappa(first, second) == pytest.approx(0.4)
    assert kappa([True, True], [True, True]) == 1.0


def test_two_readings_are_compared_text_by_text(tmp_path: Path) -> None:
    path = tmp_path / "readings.tsv"
    path.write_text(
        "# text, reader, kind, outcome, products, hazards, violations\n"
        "a-1\t1\tsignal\tnone\ttoy\tfire,choking\t-\n"
        "a-1\t2\trumour\tnone\ttoy\tfire\t-\n"
        "a-3\t1\tofftopic\tnone\t-\t-\t-\n"
        "a-3\t2\tofftopic\tnone\t-\t-\t-\n",
        encoding="utf-8",
    )
    found = agreement(list(read_pairs(path)))
    assert found["relevant"] == (1.0, 1.0)
    assert found["kind"][0] == 0.5
    assert found["products"] == (1.0, 1.0)
    assert found["hazards"][0] == 0.5
    assert found["hazards"][1] < 1.0


def test_a_missing_second_reading_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "readings.tsv"
    path.write_text("a-1\t1\tsignal\tnone\t-\t-\t-\na-3\t2\tsignal\tnone\t-\t-\t-\n", encoding="utf-8")
    with pytest.raises(ValueError, match="a-1"):
        list(read_pairs(path))


def test_the_kept_second_reading_names_texts_of_the_corpus() -> None:
    kept = {line.split("\t")[0] for line in READINGS.read_text(encoding="utf-8").splitlines() if line[0] != "#"}
    assert len(kept) == len(list(read_pairs(READINGS))) == 250
    assert kept <= {example.id for example in corpus.load()}
