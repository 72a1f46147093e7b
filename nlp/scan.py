"""Every place of many fixed strings in a batch of texts, by whole arrays instead of text by text.

A trie is walked from all characters of the batch at once, one level a step; after two levels hardly any walk is still
alive, so the cost of a batch is a few array operations and no Python per character. Pattern anchors, names of goods
and the model's character runs are all found this way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
_Codes = npt.NDArray[np.uint32]

_MULTIPLIER = np.uint32(0x9E3779B1)
_FREE = np.uint32(0)


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts laid one after another with a NUL behind each: their code points and where each begins."""

    codes: _Codes
    begins: Ints

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Batch":
        """Lay out texts."""
        sizes = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)) + 1
        joined = "\0".join(texts) + "\0" if texts else ""
        codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        return cls(codes, np.cumsum(sizes) - sizes)

    def owners(self, places: Ints) -> Ints:
        """The number of the text each place is in."""
        return np.searchsorted(self.begins, places, side="right") - 1


class Scanner:
    """Finds a fixed set of strings. `same`: characters of a text that read as another one (digits as 0)."""

    def __init__(self, strings: Sequence[str], same: Mapping[str, str] | None = None) -> None:
        self.sizes = np.fromiter(map(len, strings), dtype=np.int64, count=len(strings))
        characters = {char: at for at, char in enumerate(sorted(set("".join(strings))), 1)}
        nodes: dict[tuple[int, int], int] = {}
        ends = [-1]
        for number, string in enumerate(strings):
            node = 0
            for char in string:
                edge = (node, characters[char])
                node = nodes.get(edge, 0)
                if not node:
                    node = nodes[edge] = len(ends)
                    ends.append(-1)
            ends[node] = number
        if len(ends) * (len(characters) + 1) >= 1 << 32:
            raise ValueError("too many strings of too many characters for keys of 32 bits")
        self._ends = np.array(ends, dtype=np.int32)
        self._characters = np.zeros(max(map(ord, characters), default=0) + 2, dtype=np.uint32)
        for char, code in characters.items():
            self._characters[ord(char)] = code
        for char, to in (same or {}).items():
            if ord(char) < len(self._characters):
                self._characters[ord(char)] = characters.get(to, 0)
        self._width = np.uint32(len(characters) + 1)
        self._root = np.zeros(len(characters) + 1, dtype=np.uint32)
        self._inner = np.zeros(len(ends), dtype=bool)
        edges = np.array([(*edge, child) for edge, child in nodes.items()], dtype=np.uint32).reshape(-1, 3)
        first = edges[:, 0] == 0
        self._root[edges[first, 1]] = edges[first, 2]
        parents, chars, children = edges[~first].T
        self._inner[parents] = True
        self._fill(parents * self._width + chars, children)

    def _fill(self, keys: _Codes, children: _Codes) -> None:
        """Put the edges into a hash table that is at most a quarter full; no key is 0."""
        bits = max(4, int(4 * len(keys)).bit_length())
        self._shift, self._mask = np.uint32(32 - bits), np.uint32((1 << bits) - 1)
        self._keys = np.full(1 << bits, _FREE)
        self._children = np.zeros(1 << bits, dtype=np.uint32)
        slots = (keys * _MULTIPLIER) >> self._shift
        while len(keys):
            free = self._keys[slots] == _FREE
            self._keys[slots[free]] = keys[free]  # of several keys at one free slot the last stays
            placed = self._keys[slots] == keys
            self._children[slots[placed]] = children[placed]
            keys, children, slots = keys[~placed], children[~placed], (slots[~placed] + np.uint32(1)) & self._mask

    def find(self, batch: Batch) -> tuple[Ints, Ints]:
        """Return where known strings start in the batch's codes and which each is, shorter ones first."""
        characters = self._characters[np.minimum(batch.codes, np.uint32(len(self._characters) - 1))]
        roots = self._root[characters]
        places = np.flatnonzero(roots)
        nodes = roots[places]
        found_places: list[Ints] = [places[:0]]
        found_strings = [self._ends[:0]]
        depth = 0
        while len(places):
            strings = self._ends[nodes]
            ending = np.flatnonzero(strings >= 0)
            found_places.append(places[ending])
            found_strings.append(strings[ending])
            depth += 1
            inner = np.flatnonzero(self._inner[nodes])
            places, nodes = places[inner], nodes[inner]
            # The last character of a batch is the NUL behind its last text, so a walk never leaves the array.
            nodes = self._step(nodes, characters[places + depth])
            alive = np.flatnonzero(nodes)
            places, nodes = places[alive], nodes[alive]
        return np.concatenate(found_places), np.concatenate(found_strings).astype(np.int64)

    def _step(self, nodes: _Codes, characters: _Codes) -> _Codes:
        """The child of each node under each character, 0 where there is none."""
        keys = nodes * self._width + characters
        slots = (keys * _MULTIPLIER) >> self._shift
        held = self._keys[slots]
        hit = held == keys
        children = np.where(hit, self._children[slots], np.uint32(0))
        pending = np.flatnonzero(~hit & (held != _FREE))
        while len(pending):
            slot = (slots[pending] + np.uint32(1)) & self._mask
            slots[pending], wanted, held = slot, keys[pending], self._keys[slot]
            hit = held == wanted
            children[pending[hit]] = self._children[slot[hit]]
            pending = pending[~hit & (held != _FREE)]
        return children
