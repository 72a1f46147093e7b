"""Counts, dates and other stated facts."""

from datetime import date

import pytest

from nlp.extraction import read_facts, read_harm, read_number
from nlp.rules import fold


@pytest.mark.parametrize(
    ("text", "number"),
    [("12", 12), ("1,203", 1203), ("十二", 12), ("两", 2), ("一百零三", 103), ("二十", 20), ("abc", None), ("", None)],
)
def test_numbers(text: str, number: int | None) -> None:
    assert read_number(text) == number


@pytest.mark.parametrize(
    ("text", "injured", "deaths"),
    [
        ("致1人死亡、2人受伤", 2, 1),
        ("造成三名工人不同程度骨折", 3, None),
        ("两名租户遇难", None, 2),
        ("插座冒烟,没人受伤", None, None),
        ("11名幼儿轻微伤", 11, None),
    ],
)
def test_harm(text: str, injured: int | None, deaths: int | None) -> None:
    harm = read_harm(text)
    assert (harm.injured, harm.deaths) == (injured, deaths)


def test_facts_with_offsets() -> None:
    text = fold("型号KT-2200,批号20240501,6月3日购买,抽取12批次")
    facts = {fact.kind: fact for fact in read_facts(text, date(2025, 1, 1))}
    assert facts["model"].value == "kt-2200"
    assert facts["batch"].value == "20240501"
    assert facts["date"].value == "2024-06-03"  # the last third of June before the text appeared
    assert text[facts["quantity"].start : facts["quantity"].end] == "12批次"


def test_an_impossible_date_is_no_fact() -> None:
    assert [fact for fact in read_facts("2024年2月31日") if fact.kind == "date"] == []
