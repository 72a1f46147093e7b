"""The random part of a plan: a systematic draw with unequal, recorded probabilities.

Systematic sampling along the list sorted by county spreads the draw over the counties in proportion to their
size, and its inclusion probabilities are exact, so weighting by their inverse gives an unbiased failure rate.
"""

from collections.abc import Sequence

import numpy as np


def inclusion_probabilities(weights: Sequence[float], size: int) -> np.ndarray:
    """Return the probability of each element when `size` are drawn in proportion to `weights`, none above 1.

    Elements that would exceed 1 are certain, and the rest share what is left. Weights must be positive.
    """
    weight = np.asarray(weights, dtype=float)
    if size >= len(weight):
        return np.ones(len(weight))
    probability = np.zeros(len(weight))
    certain = np.zeros(len(weight), dtype=bool)
    while True:
        left = size - int(certain.sum())
        open_weight = np.where(certain, 0.0, weight)
        probability = np.where(certain, 1.0, left * open_weight / open_weight.sum() if left > 0 else 0.0)
        beyond = (probability >= 1.0) & ~certain
        if not beyond.any():
            return probability
        certain |= beyond


def systematic_draw(probabilities: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return the positions drawn, ascending; each is in with exactly its probability."""
    if len(probabilities) == 0:
        return np.zeros(0, dtype=int)
    ends = np.cumsum(probabilities)
    count = round(float(ends[-1]))
    marks = generator.random() + np.arange(count)
    positions = np.searchsorted(ends, marks, side="right")
    return np.unique(np.minimum(positions, len(probabilities) - 1))
