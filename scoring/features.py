"""Counts that forget: sums over earlier records per key, decayed by half-life, strictly as of each row's date.

One sort per key serves any number of sums: a decayed sum at time t is a prefix sum of w·2^(day/h), divided by
2^(t/h). A query never sees a record known on or after its own day, so no row can learn from itself or from its
neighbours in the same notice.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FOREVER = float("inf")  # days; a half-life that never forgets
MOST_HALVINGS = 40.0
NEVER = 3650.0  # days since something that has not happened


@dataclass(frozen=True)
class Ledger:
    """Earlier records of every key, ready to be asked what was known before a day.

    `keys` are non-negative codes of the records, `known` the day (integer) from which each may inform. Records
    with a negative key are left out, and questions with a negative key are answered with nothing.
    """

    order: Ints
    places: Ints
    known: Ints
    base: int

    @classmethod
    def build(cls, keys: Ints, known: Ints) -> "Ledger":
        """Sort the records by key and day."""
        order = np.lexsort((known, keys)).astype(np.int64)
        order = order[keys[order] >= 0]
        low = int(known.min()) if len(known) else 0
        return cls(order, _place(keys[order], known[order], low), known[order], low)

    def window(self, keys: Ints, days: Ints) -> tuple[Ints, Ints]:
        """Return for each question the half-open range, in sorted order, of what its key knew before its day."""
        first = np.searchsorted(self.places, _place(keys, np.full(len(keys), self.base), self.base), side="left")
        last = np.searchsorted(self.places, _place(keys, np.maximum(days, self.base), self.base), side="left")
        empty = keys < 0
        first[empty] = 0
        last[empty] = 0
        return first.astype(np.int64), last.astype(np.int64)

    def decayed(self, values: Floats, window: tuple[Ints, Ints], days: Ints, half_life_days: float) -> Floats:
        """Return each question's sum of `values`, each halved per half-life between its day and the question's.

        A half-life shorter than a fortieth of the whole span is lengthened to that: prefix sums of a faster
        decay would lose the old records' digits.
        """
        span = float(np.ptp(self.known)) if len(self.known) else 0.0
        rate = np.log(2.0) / max(half_life_days, span / MOST_HALVINGS)
        # Measured from the middle of the span, the exponentials stay inside what a float can hold.
        middle = float(self.known.mean()) if len(self.known) else 0.0
        growth = np.exp(np.clip(rate * (self.known - middle), -300, 300))
        prefix = np.concatenate([[0.0], np.cumsum(values[self.order] * growth)])
        first, last = window
        found = (prefix[last] - prefix[first]) * np.exp(np.clip(-rate * (days - middle), -300, 300))
        return np.where(last > first, np.maximum(found, 0.0), 0.0)

    def latest(self, values: Floats, window: tuple[Ints, Ints], back: int = 0) -> Floats:
        """Return the value of each question's newest record, or the one `back` before it; NaN where there is none."""
        first, last = window
        position = last - 1 - back
        known = position >= first
        if not len(self.order):
            return np.full(len(first), np.nan)
        return np.where(known, values[self.order[np.clip(position, 0, len(self.order) - 1)]], np.nan)

    def days_since(self, window: tuple[Ints, Ints], days: Ints) -> Floats:
        """Return the days since each question's newest record; NEVER where there is none."""
        age = days - self.latest(_unsorted(self.known, self.order), window)
        return np.where(np.isnan(age), NEVER, np.minimum(age, NEVER))


def _place(keys: Ints, days: Ints, low: int) -> Ints:
    """Fold key and day into one sortable number: days span less than 2^20."""
    return np.asarray((keys.astype(np.int64) << 20) + (days.astype(np.int64) - low))


def _unsorted(known: Ints, order: Ints) -> Floats:
    size = int(order.max()) + 1 if len(order) else 0
    back = np.zeros(size)
    back[order] = known
    return back


def shrunk_lift(observed: Floats, expected: Floats, strength: float) -> Floats:
    """Return the log of observed over expected failures, drawn to 0 by `strength` expected failures.

    Observed over expected, not a rate: each earlier batch is compared with the base rate of its own time, so a
    firm sampled in a year of many published failures does not look worse than one sampled in a quiet year.
    """
    return np.asarray(np.log((observed + strength) / (expected + strength)))


def pair_codes(left: Ints, right: Ints) -> Ints:
    """Return a code for each pair of codes; negative where either is missing."""
    joined = left.astype(np.int64) * (int(right.max(initial=0)) + 1) + right
    missing = (left < 0) | (right < 0)
    codes: Ints = np.unique(joined, return_inverse=True)[1].astype(np.int64)
    codes[missing] = -1
    return codes
