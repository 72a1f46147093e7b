"""Has the world moved since the model learnt? Population stability of the inputs, and the base rate.

The usual reading of the index: below 0.1 stable, 0.1 to 0.25 watch, above 0.25 changed. The cut-offs are a custom of
credit scoring (K), not a rule of this field.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scoring.features import Floats
from scoring.grade import wilson

Verdict = Literal["stable", "watch", "changed"]
WATCH, CHANGED = 0.10, 0.25
BINS = 10
LEAST_SHARE = 1e-4
Z95 = 1.96


@dataclass(frozen=True, slots=True)
class Drift:
    """How far one input has moved."""

    name: str
    index: float
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class BaseRate:
    """The failure rate then and now, and whether their intervals part."""

    then: float
    now: float
    now_low: float
    now_high: float

    @property
    def moved(self) -> bool:
        """The old rate lies outside what the new batches allow."""
        return not self.now_low <= self.then <= self.now_high


def stability_index(then: Floats, now: Floats, bins: int = BINS) -> float:
    """Return the population stability index of a number; missing values are a bin of their own.

    Bins hold equal shares of the old values, so an input that hardly varied still shows when it starts to.
    """
    known = then[~np.isnan(then)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1])) if len(known) else np.zeros(0)

    def shares(values: Floats) -> Floats:
        missing = np.isnan(values)
        # An edge belongs to the bin below it: a constant input and anything above it must not share a bin.
        places = np.where(missing, len(edges) + 1, np.searchsorted(edges, values, side="left"))
        counts = np.bincount(places.astype(int), minlength=len(edges) + 2)
        return np.asarray(np.maximum(counts / max(len(values), 1), LEAST_SHARE))

    old, new = shares(then), shares(now)
    return float(((new - old) * np.log(new / old)).sum())


def watch(then: Mapping[str, Floats], now: Mapping[str, Floats]) -> list[Drift]:
    """Return every input's drift, the largest first."""
    found = []
    for name in then.keys() & now.keys():
        index = stability_index(then[name], now[name])
        verdict: Verdict = "changed" if index > CHANGED else "watch" if index > WATCH else "stable"
        found.append(Drift(name, round(index, 4), verdict))
    return sorted(found, key=lambda one: (-one.index, one.name))


def base_rate(then: NDArray[np.bool_], now: NDArray[np.bool_]) -> BaseRate:
    """Compare failure rates: publication practice may change within a year, and with it every probability."""
    low, high = wilson(float(now.sum()), len(now), Z95)
    return BaseRate(float(then.mean()) if len(then) else 0.0, float(now.mean()) if len(now) else 0.0, low, high)
