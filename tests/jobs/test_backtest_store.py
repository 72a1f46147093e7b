"""The grade of record against what was sampled after it."""

from datetime import date, timedelta

import pytest

from jobs import backtest
from jobs.backtest import Batch, Case, figures


def make_case(level: str, score: float, failed: bool, number: int) -> Case:
    day = date(2026, 4, 1) + timedelta(days=number % 80)
    batch = Batch(number, number % 50, day, day, f"p{number % 3}", "production", failed)
    return Case(batch, date(2026, 3, 31), level, score, failed_before=int(failed), complaints=0)


def make_cases() -> list[Case]:
    """A hundred A firms of which 2 fail, fifty B with 3, forty C with 6, twenty D with 8."""
    plan = [("A", 2.0, 100, 2), ("B", 20.0, 50, 3), ("C", 40.0, 40, 6), ("D", 70.0, 20, 8)]
    cases: list[Case] = []
    for level, score, count, failures in plan:
        cases += [make_case(level, score, n < failures, len(cases) + n) for n in range(count)]
    return cases


def test_failure_rates_by_level_and_their_order():
    found = figures(make_cases())
    assert [(row["level"], row["batches"], row["failures"]) for row in found["by_level"]] == [
        ("A", 100, 2),
        ("B", 50, 3),
        ("C", 40, 6),
        ("D", 20, 8),
        ("U", 0, 0),
    ]
    assert found["monotone"] is True
    assert found["d_over_a"] == 20.0
    row = found["by_level"][3]
    assert row["low"] < row["rate"] < row["high"]


def test_the_score_is_ranked_beside_its_rivals():
    rankings = {row["ranking"]: row for row in figures(make_cases())["rankings"]}
    assert set(rankings) == {"score", "failed_before", "complaints_90d", "random"}
    assert rankings["score"]["hit@10%"] == pytest.approx(0.4 * 20 / 21 + 0.15 / 21, abs=0.02)
    assert rankings["score"]["auc"] > 0.75
    assert rankings["complaints_90d"]["auc"] == 0.5


def test_mix_adjustment_asks_more_than_choosing_risky_products():
    """All failures lie in one product; picking that product finds what its rate promises, and no more."""
    cases = [
        Case(
            Batch(
                n,
                n,
                date(2026, 4, 1) + timedelta(days=n % 60),
                date(2026, 4, 1),
                "bad" if n < 100 else "good",
                "",
                n % 2 == 0 and n < 100,
            ),
            date(2026, 3, 31),
            "A",
            1.0 if n < 100 else 0.0,
            0,
            0,
        )
        for n in range(1000)
    ]
    score = next(row for row in figures(cases)["rankings"] if row["ranking"] == "score")
    assert score["hit@10%"] == pytest.approx(0.5)
    assert score["mix_adjusted"]["ratio"] == pytest.approx(1.0, abs=0.1)


def test_too_few_batches_draw_no_conclusion():
    found = figures(make_cases()[:10])
    assert "不足" in found["note"]
    assert "rankings" not in found


def test_a_batch_is_judged_by_the_grade_before_it(office_with_history):
    office, as_of = office_with_history
    found = backtest.run(office.sessions, office.settings, as_of)
    assert found["batches"] == 1  # one batch came after a grading; the one before it does not count
