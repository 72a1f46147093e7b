"""Features of a nation's firms from a columnar extract: all of them at once, or only what one more day changes.

The extract holds the facts sorted by firm, as plain arrays. The state keeps its decayed sums at a fixed epoch, so a
new day multiplies nothing: only firms with a new fact, or with one that leaves a window, are touched.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.features import Floats, Ints
from scoring.policy import LEVELS, Policy

WINDOW_DAYS = 30
HALF_LIFE_DAYS = 365.25
FIRST_DAY = np.int16(-32768)


@dataclass(frozen=True)
class Extract:
    """Facts against firms, sorted by firm: firm code, day (from the epoch), weight, severity 0–4.

    `grown` is the weight times 2^(day / half-life), and `starts` says where each firm in `seen` begins: both are
    written once with the extract, so that reading it is one pass over each column.
    """

    firm: NDArray[np.int32]
    day: NDArray[np.int16]
    weight: Floats
    severity: NDArray[np.int8]
    grown: Floats
    starts: Ints
    seen: NDArray[np.int32]

    @classmethod
    def of(
        cls, firm: NDArray[np.int32], day: NDArray[np.int16], weight: Floats, severity: NDArray[np.int8]
    ) -> "Extract":
        """Sort facts by firm and index them; done once, when the extract is written."""
        order = np.argsort(firm, kind="stable")
        return cls._sorted(firm[order], day[order], weight[order], severity[order])

    @classmethod
    def _sorted(
        cls, firm: NDArray[np.int32], day: NDArray[np.int16], weight: Floats, severity: NDArray[np.int8]
    ) -> "Extract":
        new = np.concatenate([[True], firm[1:] != firm[:-1]]) if len(firm) else np.zeros(0, dtype=bool)
        starts = np.flatnonzero(new)
        return cls(firm, day, weight, severity, weight * np.exp2(day / HALF_LIFE_DAYS), starts, firm[starts])

    def between(self, first: int, last: int) -> "Extract":
        """Return the facts of the days first … last."""
        kept = (self.day >= first) & (self.day <= last)
        return Extract._sorted(self.firm[kept], self.day[kept], self.weight[kept], self.severity[kept])

    def __len__(self) -> int:
        return len(self.firm)


@dataclass
class State:
    """Six features of every firm as of a day. `decayed_at_epoch` is scaled by `scale` when read."""

    as_of: int
    total: Floats
    decayed_at_epoch: Floats
    count: Ints
    recent: Ints  # facts of the last 30 days
    worst: NDArray[np.int8]
    last_day: NDArray[np.int16]

    @property
    def scale(self) -> float:
        """What a decayed sum kept at day 0 is worth today."""
        return float(0.5 ** (self.as_of / HALF_LIFE_DAYS))

    def decayed(self, firms: Ints | slice = slice(None)) -> Floats:
        """Return the decayed weights, of some firms or all."""
        return np.asarray(self.decayed_at_epoch[firms] * self.scale)


def full(extract: Extract, firms: int, as_of: int) -> State:
    """Compute every firm's features from all facts up to `as_of`."""
    if len(extract) and int(extract.day.max()) > as_of:
        extract = extract.between(-(2**15), as_of)
    state = State(
        as_of=as_of,
        total=np.zeros(firms),
        decayed_at_epoch=np.zeros(firms),
        count=np.zeros(firms, dtype=np.int64),
        recent=np.zeros(firms, dtype=np.int64),
        worst=np.zeros(firms, dtype=np.int8),
        last_day=np.full(firms, FIRST_DAY),
    )
    if not len(extract):
        return state
    starts, seen = extract.starts, extract.seen
    state.total[seen] = np.add.reduceat(extract.weight, starts)
    state.decayed_at_epoch[seen] = np.add.reduceat(extract.grown, starts)
    state.count[seen] = np.diff(starts, append=len(extract))
    state.recent += np.bincount(extract.firm[extract.day > as_of - WINDOW_DAYS], minlength=firms)
    state.worst[seen] = np.maximum.reduceat(extract.severity, starts)
    state.last_day[seen] = np.maximum.reduceat(extract.day, starts)
    return state


def advance(state: State, new: Extract, leaving: Extract) -> NDArray[np.int64]:
    """Move the state one day on, in place; return the firms whose features changed by more than their decay.

    `new` are the facts of the next day, `leaving` those of the day that drops out of the recent window. Both are
    read from the extract's day index, never by a pass over it.
    """
    state.as_of += 1
    np.subtract.at(state.recent, leaving.firm, 1)
    np.add.at(state.total, new.firm, new.weight)
    np.add.at(state.decayed_at_epoch, new.firm, new.grown)
    np.add.at(state.count, new.firm, 1)
    np.add.at(state.recent, new.firm, 1)
    np.maximum.at(state.worst, new.firm, new.severity)
    np.maximum.at(state.last_day, new.firm, new.day)
    touched = np.sort(np.concatenate([new.seen, leaving.seen]))
    fresh = np.ones(len(touched), dtype=bool)
    np.not_equal(touched[1:], touched[:-1], out=fresh[1:])
    return touched[fresh].astype(np.int64)


def leaving_day(as_of: int) -> int:
    """Return the day whose facts drop out of the recent window when `as_of` becomes the day after."""
    return as_of + 1 - WINDOW_DAYS


def screening_levels(state: State, policy: Policy, firms: Ints | slice = slice(None)) -> NDArray[np.int8]:
    """Return the level (0 = A … 3 = D, 4 = U) the sampling indicator alone would give: who is worth a full grading.

    This screens; the grade of record is `scoring.grade.grade`, which also takes forced rules and ten more indicators.
    """
    rule = policy.indicators["q1_sampling_fail"]
    value = np.minimum(1.0, state.decayed(firms) / rule.number("saturation"))
    score = rule.weight * value
    levels = np.zeros(len(score), dtype=np.int8)
    for level in LEVELS[1:]:
        levels += (score >= policy.thresholds[level]).astype(np.int8)
    known_since = state.as_of - round(policy.unknown.months * 30.4375)
    levels[state.last_day[firms] < known_since] = 4
    return levels
