"""A day at a time or all at once: the same features."""

import numpy as np
import pytest

from scoring.columnar import Extract, State, advance, full, leaving_day, screening_levels
from scoring.policy import load_policy

FIRMS = 40


def make_extract(facts: int = 600, days: int = 200) -> Extract:
    rng = np.random.default_rng(5)
    return Extract.of(
        rng.integers(0, FIRMS, facts).astype(np.int32),
        rng.integers(0, days, facts).astype(np.int16),
        rng.random(facts),
        rng.integers(0, 5, facts).astype(np.int8),
    )


def columns(state: State):
    return [state.total, state.decayed(), state.count, state.recent, state.worst, state.last_day]


@pytest.mark.parametrize("start", [-1, 0, 29, 30, 150])
def test_advancing_day_by_day_equals_computing_at_once(start):
    extract = make_extract()
    state = full(extract, FIRMS, start)
    for day in range(start, 199):
        leaving = leaving_day(state.as_of)
        advance(state, extract.between(day + 1, day + 1), extract.between(leaving, leaving))
    for stepped, whole in zip(columns(state), columns(full(extract, FIRMS, 199)), strict=True):
        np.testing.assert_allclose(stepped, whole, rtol=1e-9)


def test_a_day_touches_only_firms_with_new_or_leaving_facts():
    extract = make_extract()
    state = full(extract, FIRMS, 100)
    before = [column.copy() for column in columns(state)[2:]]
    leaving = leaving_day(100)
    touched = advance(state, extract.between(101, 101), extract.between(leaving, leaving))
    untouched = np.setdiff1d(np.arange(FIRMS), touched)
    for was, now in zip(before, columns(state)[2:], strict=True):
        np.testing.assert_array_equal(was[untouched], now[untouched])
    assert set(touched) == {*extract.between(101, 101).firm, *extract.between(leaving, leaving).firm}


def test_features_equal_the_sums_written_out():
    extract = make_extract(200)
    state = full(extract, FIRMS, 120)
    for firm in range(FIRMS):
        own = (extract.firm == firm) & (extract.day <= 120)
        age = 120 - extract.day[own].astype(float)
        assert state.count[firm] == own.sum()
        assert state.decayed()[firm] == pytest.approx((extract.weight[own] * 0.5 ** (age / 365.25)).sum())
        assert state.recent[firm] == (age < 30).sum()


def test_screening_puts_heavy_records_higher_and_the_unseen_aside():
    policy = load_policy()
    extract = Extract.of(
        np.array([1, 1, 2], dtype=np.int32),
        np.array([995, 999, 100], dtype=np.int16),
        np.array([1.0, 1.0, 0.1]),
        np.array([1, 2, 1], dtype=np.int8),
    )
    assert screening_levels(full(extract, 3, 1000), policy).tolist() == [4, 1, 4]


def test_no_facts_at_all():
    none = make_extract().between(500, 600)
    assert full(none, 3, 10).count.tolist() == [0, 0, 0]
