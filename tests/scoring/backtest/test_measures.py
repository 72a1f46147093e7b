"""Figures that can be checked by eye."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from scoring.backtest.measures import Bootstrap, auc, calibration, days_earlier, hit_rate, measure

FAILED = np.array([1, 0, 1, 0, 0, 0, 0, 0, 0, 0], dtype=bool)


@pytest.mark.parametrize(
    ("scores", "share", "expected"),
    [
        (np.arange(10)[::-1], 0.1, 1.0),  # the first is a failure
        (np.arange(10)[::-1], 0.2, 0.5),
        (np.arange(10)[::-1], 0.3, 2 / 3),
        (np.zeros(10), 0.1, 0.2),  # all tied: what a random draw finds
        (np.array([1, 1, 0, 0, 0, 0, 0, 0, 0, 0]), 0.1, 0.5),  # one of two tied
    ],
)
def test_hit_rate_averages_over_ties(scores, share, expected):
    assert hit_rate(scores.astype(float), FAILED, share) == pytest.approx(expected)


def test_auc_agrees_with_the_library_and_counts_ties_half():
    rng = np.random.default_rng(0)
    failed = rng.random(500) < 0.2
    scores = np.round(rng.random(500) + 0.3 * failed, 1)
    assert auc(scores, failed) == pytest.approx(roc_auc_score(failed, scores))
    assert auc(np.zeros(500), failed) == 0.5
    assert auc(scores, np.zeros(500, dtype=bool)) is None


def test_recall_and_base_rate():
    one = measure(np.arange(10)[::-1].astype(float), FAILED)
    assert (one.n, one.failures, one.base_rate, one.recall_10) == (10, 2, 0.2, 0.5)


def test_the_interval_of_a_random_ranking_holds_the_base_rate():
    rng = np.random.default_rng(0)
    failed = rng.random(4000) < 0.1
    days = np.sort(rng.integers(0, 365, 4000))
    bounds = Bootstrap.weeks(days).interval(rng.random(4000), failed)
    assert bounds["auc"][0] < 0.5 < bounds["auc"][1]
    assert bounds["hit@10%"][0] < 0.1 < bounds["hit@10%"][1]


def test_a_ranking_of_many_ties_has_an_interval_around_its_figure():
    rng = np.random.default_rng(0)
    failed = np.sort(rng.random(4000) < 0.1)  # the failures stand last in the table
    bounds = Bootstrap.weeks(np.arange(4000) // 10).interval(np.zeros(4000), failed)
    assert bounds["auc"][0] < 0.5 < bounds["auc"][1]


def test_days_earlier_moves_visits_and_keeps_their_number_a_day():
    days, failed = np.array([1, 2, 3, 4]), np.array([False, False, True, True])
    assert days_earlier(np.array([0.0, 1.0, 3.0, 2.0]), days, failed).tolist() == [2.0, 2.0]
    assert days_earlier(np.array([4.0, 3.0, 2.0, 1.0]), days, failed).tolist() == [0.0, 0.0]


def test_calibration_bins_run_from_low_to_high():
    probability = np.linspace(0, 1, 100)
    bins = calibration(probability, probability > 0.5)
    assert [one.n for one in bins] == [10] * 10
    assert (bins[0].observed, bins[-1].observed) == (0.0, 1.0)
    assert bins[0].promised < bins[-1].promised
