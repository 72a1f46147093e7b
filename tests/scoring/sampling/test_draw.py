"""The random draw: every element is in with exactly the probability that is written on its line."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.sampling.draw import inclusion_probabilities, systematic_draw


@pytest.mark.parametrize(
    ("weights", "size", "expected"),
    [
        ([1, 1, 1, 1], 2, [0.5, 0.5, 0.5, 0.5]),
        ([3, 1, 1, 1], 2, [1.0, 1 / 3, 1 / 3, 1 / 3]),  # 3/6·2 = 1: certain
        ([10, 5, 1, 1], 2, [1.0, 5 / 7, 1 / 7, 1 / 7]),
        ([1, 2], 5, [1.0, 1.0]),
        ([1, 1], 0, [0.0, 0.0]),
    ],
)
def test_probabilities(weights: list[float], size: int, expected: list[float]) -> None:
    assert inclusion_probabilities(weights, size) == pytest.approx(expected)


@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=60), st.integers(0, 60), st.integers(0, 1000))
def test_as_many_are_drawn_as_the_probabilities_promise(weights: list[float], size: int, seed: int) -> None:
    probabilities = inclusion_probabilities(weights, size)
    drawn = systematic_draw(probabilities, np.random.default_rng(seed))
    assert len(drawn) == min(size, len(weights))
    assert np.all(np.diff(drawn) > 0)
    assert np.all(probabilities[drawn] > 0)


def test_the_frequencies_of_many_draws_are_the_probabilities() -> None:
    probabilities = inclusion_probabilities([5, 1, 1, 2, 3, 1, 4, 1], 3)
    generator = np.random.default_rng(1)
    draws = 20_000
    counts = np.zeros(8)
    for _ in range(draws):
        counts[systematic_draw(probabilities, generator)] += 1
    assert counts / draws == pytest.approx(probabilities, abs=0.015)
