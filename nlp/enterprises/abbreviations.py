"""Short names nobody registered: 上柴股份 for 上海柴油机股份有限公司, 郑煤机 for 郑州煤矿机械集团.

A short name keeps rare characters of the full one, mostly in order and in runs that begin where a part begins. The
index is built at the first such query.
"""

import math
import re
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

_LONG_LIST = 60_000
_COMPARED = 32
_AT_START = 0.25  # reward for a character at the start of a part, as a share of its weight
_IN_RUN = 0.35  # reward for following the one before
_SKIPPED = 0.06


def bare(short: str) -> str:
    """A short name without board marks and without a closing 股份 or 集团, unless little is left."""
    text = re.sub(r"^\*?s?\*?st", "", short.lower())
    text = re.sub(r"-[uw]+$|[ab]$|[^0-9a-z\u4e00-\u9fff]", "", text)
    stem = re.sub("(?:股份|集团|公司)$", "", text)
    return stem if len(stem) >= 2 else text


class Abbreviations:
    """Full names by the characters they hold."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        owners: dict[str, list[int]] = {}
        for number, name in enumerate(names):
            for char in set(name):
                owners.setdefault(char, []).append(number)
        self._owners: dict[str, NDArray[np.int32]] = {
            char: np.asarray(numbers, np.int32) for char, numbers in owners.items()
        }
        self._count = len(names)

    def rarity(self, char: str) -> float:
        """How much finding a character says."""
        owners = self._owners.get(char)
        return math.log((self._count + 1) / (1 + (0 if owners is None else len(owners)))) + 0.3

    def best(self, short: str, starts: Callable[[int], frozenset[int]]) -> list[tuple[int, float]]:
        """(name, likeness 0–1) best first. `starts` gives where the parts of a name begin."""
        chars = list(dict.fromkeys(short))
        lists = [(self._owners[c], self.rarity(c)) for c in chars if c in self._owners]
        lists = [(owners, weight) for owners, weight in lists if len(owners) <= _LONG_LIST] or lists[:1]
        if not lists:
            return []
        numbers = np.concatenate([owners for owners, _ in lists])
        weights = np.concatenate([np.full(len(owners), weight) for owners, weight in lists])
        distinct, at = np.unique(numbers, return_inverse=True)
        totals = np.bincount(at, weights)
        if len(distinct) > _COMPARED:
            kept = np.argpartition(totals, -_COMPARED)[-_COMPARED:]
            distinct, totals = distinct[kept], totals[kept]
        found = [(int(n), self._likeness(short, self._names[n], starts(int(n)))) for n in distinct]
        return sorted(found, key=lambda pair: (-pair[1], len(self._names[pair[0]])))

    def _likeness(self, short: str, name: str, starts: frozenset[int]) -> float:
        """The share of the short name's weight that the best alignment in order finds, runs and starts rewarded."""
        weights = [self.rarity(char) for char in short]
        best = [[0.0] * (len(name) + 1) for _ in range(len(short) + 1)]
        ended = [[-1.0] * (len(name) + 1) for _ in range(len(short) + 1)]
        for i, char in enumerate(short, 1):
            for j, other in enumerate(name, 1):
                if char == other:
                    weight = weights[i - 1]
                    value = best[i - 1][j - 1] + weight * (1 + (_AT_START if j - 1 in starts else 0.0))
                    if ended[i - 1][j - 1] >= 0:
                        value = max(value, ended[i - 1][j - 1] + weight * (1 + _IN_RUN))
                    ended[i][j] = value
                # Characters skipped after the first one found cost a little: 广汽 is 广州汽车 before 广汇汽车服务.
                waited = best[i][j - 1] - (_SKIPPED if best[i][j - 1] > 0 else 0.0)
                best[i][j] = max(best[i - 1][j], waited, ended[i][j])
        ordered = max(best[-1])
        present = sum(weight for weight, char in zip(weights, short, strict=True) if char in name)
        most = (1 + _IN_RUN) * sum(weights) - (_IN_RUN - _AT_START) * weights[0]
        return min(1.0, max(ordered, 0.8 * present) / most)
