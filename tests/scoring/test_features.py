"""Counts that forget, against the same sums written out the slow way."""

import numpy as np
import pytest

from scoring.features import FOREVER, NEVER, Ledger, pair_codes, shrunk_lift


def by_hand(keys, known, values, key, day, half_life):
    return sum(
        value * 0.5 ** ((day - when) / half_life)
        for other, when, value in zip(keys, known, values, strict=True)
        if other == key and when < day and key >= 0
    )


@pytest.mark.parametrize("half_life", [90.0, 365.0, FOREVER])
def test_decayed_sums_equal_the_sum_written_out(half_life):
    rng = np.random.default_rng(3)
    keys = rng.integers(-1, 6, 300)
    known = rng.integers(0, 900, 300)
    values = rng.random(300)
    ledger = Ledger.build(keys, known)
    found = ledger.decayed(values, ledger.window(keys, known), known, half_life)
    expected = [by_hand(keys, known, values, k, d, half_life) for k, d in zip(keys, known, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


def test_records_of_the_same_day_do_not_inform_each_other():
    keys, known = np.zeros(3, dtype=int), np.array([5, 5, 6])
    ledger = Ledger.build(keys, known)
    assert ledger.decayed(np.ones(3), ledger.window(keys, known), known, FOREVER).tolist() == [0.0, 0.0, 2.0]


def test_a_result_known_late_informs_late():
    keys, days, known = np.zeros(3, dtype=int), np.array([1, 10, 40]), np.array([31, 41, 70])
    ledger = Ledger.build(keys, known)
    assert ledger.decayed(np.ones(3), ledger.window(keys, days), days, FOREVER).tolist() == [0.0, 0.0, 1.0]


def test_latest_and_days_since():
    keys, days = np.array([0, 0, 0, 1]), np.array([1, 4, 9, 9])
    ledger = Ledger.build(keys, days)
    seen = ledger.window(keys, days)
    values = np.array([1.0, 0.0, 1.0, 1.0])
    np.testing.assert_array_equal(ledger.latest(values, seen), [np.nan, 1.0, 0.0, np.nan])
    np.testing.assert_array_equal(ledger.latest(values, seen, 1), [np.nan, np.nan, 1.0, np.nan])
    assert ledger.days_since(seen, days).tolist() == [NEVER, 3.0, 5.0, NEVER]


def test_an_empty_ledger_answers_with_nothing():
    none = np.zeros(0, dtype=np.int64)
    ledger = Ledger.build(none, none)
    keys, days = np.array([3]), np.array([7])
    assert ledger.decayed(np.zeros(0), ledger.window(keys, days), days, 90.0).tolist() == [0.0]


def test_lift_compares_with_the_time_of_each_record():
    assert shrunk_lift(np.array([2.0]), np.array([2.0]), 1.0)[0] == 0.0
    assert shrunk_lift(np.array([0.0]), np.array([0.0]), 1.0)[0] == 0.0
    assert shrunk_lift(np.array([3.0]), np.array([1.0]), 1.0)[0] == pytest.approx(np.log(2))


def test_pairs_with_a_missing_half_have_no_code():
    codes = pair_codes(np.array([0, 0, 1, -1]), np.array([2, 2, 2, 1]))
    assert codes[3] == -1
    assert codes[0] == codes[1] != codes[2]
