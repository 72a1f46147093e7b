"""The RAPEX matrix, its edges and its sensitivity."""

import pytest

from scoring.inherent import RiskError, Scenario, assess, band, cell


@pytest.mark.parametrize(
    ("one_in", "expected"),
    [(1, "p1"), (2, "p2"), (9, "p2"), (10, "p3"), (99, "p3"), (100, "p4"), (999_999, "p7"), (1_000_000, "p8")],
)
def test_band_edges_follow_one_in_n(one_in, expected):
    assert band(1 / one_in) == expected


def test_the_published_check_a_folding_chairs_pinch_is_low():
    assert assess([Scenario((1 / 500,), 1)]).level == "L"


@pytest.mark.parametrize(
    ("band_id", "row"),
    [("p1", "HSSS"), ("p2", "MSSS"), ("p3", "MSSS"), ("p4", "LHSS"), ("p5", "LMHS"), ("p6", "LLMH"), ("p7", "LLLM")],
)
def test_cells(band_id, row):
    assert "".join(cell(band_id, severity) for severity in (1, 2, 3, 4)) == row


def test_steps_multiply_and_the_worst_scenario_wins():
    risk = assess([Scenario((0.1, 0.1, 0.05), 2), Scenario((0.002, 0.01), 4), Scenario((0.5,), 1)])
    assert (risk.level, risk.band, risk.severity) == ("H", "p6", 4)


def test_sensitivity_is_one_band_each_way():
    risk = assess([Scenario((1 / 5000,), 2)])
    assert (risk.low, risk.level, risk.high, risk.robust) == ("L", "M", "H", False)
    assert assess([Scenario((0.3,), 4)]).robust


def test_widespread_goods_weigh_more():
    assert assess([Scenario((1 / 5000,), 2)], items_in_use=2_000_000).level == "S"


@pytest.mark.parametrize("wrong", [lambda: assess([]), lambda: band(1.2), lambda: cell("p1", 5)])
def test_nonsense_is_refused(wrong):
    with pytest.raises(RiskError):
        wrong()
