"""Every place of many fixed strings in a batch of texts, by whole arrays instead of text by text.

A trie is walked from all characters of the batch at once, one level a step; after two levels hardly any walk is still
alive, so the cost of a batch is a few array operations and no Python per character. Pattern anchors, names of goods
and the model's character runs are all found this way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
_Codes = npt.NDArray[np.uint32]
_Keys = npt.NDArray[np.unsignedinteger[Any]]

# Fibonacci hashing, for keys of 32 and of 64 bits.
_MULTIPLIERS: dict[type, int] = {np.uint32: 0x9E3779B1, np.uint64: 0x9E3779B97F4A7C15}


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
        codes = Batch.of(strings).codes
        alphabet = np.union1d(codes, np.zeros(1, dtype=np.uint32))  # the NUL between strings is number 0
        self._characters = np.zeros(int(alphabet[-1]) + 2, dtype=np.uint32)
        self._characters[alphabet] = np.arange(len(alphabet))
        for char, to in (same or {}).items():
            if ord(char) < len(self._characters):
                self._characters[ord(char)] = self._characters[ord(to)]
        begins = np.cumsum(self.sizes + 1) - self.sizes - 1
        self._build(self._characters[codes].astype(np.uint64), begins, np.uint64(len(alphabet)))

    def _build(self, characters: npt.NDArray[np.uint64], begins: Ints, width: np.uint64) -> None:
        """Number the nodes of the trie level by level, and put its edges into the hash table."""
        nodes = np.zeros(len(begins), dtype=np.uint64)
        count = np.uint64(1)
        edges: list[npt.NDArray[np.uint64]] = []
        for depth in range(int(self.sizes.max(initial=0))):
            longer = np.flatnonzero(self.sizes > depth)
            wanted = nodes[longer] * width + characters[begins[longer] + depth]
            found, which = np.unique(wanted, return_inverse=True)
            nodes[longer] = count + which.astype(np.uint64)
            edges.append(found)
            count += np.uint64(len(found))
        self._ends = np.full(int(count), -1, dtype=np.int32)
        self._ends[nodes] = np.arange(len(begins))
        self._root = np.zeros(int(width), dtype=np.uint32)
        self._inner = np.zeros(int(count), dtype=bool)
        self._type = np.uint32 if count * width < 1 << 32 else np.uint64
        self._width, self._multiplier = self._type(width), self._type(_MULTIPLIERS[self._type])
        first = len(edges[0]) if edges else 0
        if first:
            self._root[edges[0]] = np.arange(1, first + 1)
        keys = np.concatenate(edges[1:]) if len(edges) > 1 else np.zeros(0, dtype=np.uint64)
        self._inner[keys // width] = True
        self._fill(keys.astype(self._type), np.arange(first + 1, int(count), dtype=np.uint32))

    def _fill(self, keys: _Keys, children: _Codes) -> None:
        """Put the edges into a hash table that is at most a quarter full; no key is 0."""
        bits = max(4, int(4 * len(keys)).bit_length())
        self._shift = self._type(np.dtype(self._type).itemsize * 8 - bits)
        self._mask = np.uint32((1 << bits) - 1)
        self._keys = np.zeros(1 << bits, dtype=self._type)
        self._children = np.zeros(1 << bits, dtype=np.uint32)
        slots = self._slots(keys)
        while len(keys):
            free = self._keys[slots] == 0
            self._keys[slots[free]] = keys[free]  # of several keys at one free slot the last stays
            placed = self._keys[slots] == keys
            self._children[slots[placed]] = children[placed]
            keys, children, slots = keys[~placed], children[~placed], (slots[~placed] + np.uint32(1)) & self._mask

    def _slots(self, keys: _Keys) -> _Codes:
        return ((keys * self._multiplier) >> self._shift).astype(np.uint32)

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
        slots = self._slots(keys)
        held = self._keys[slots]
        hit = held == keys
        children = np.where(hit, self._children[slots], np.uint32(0))
        pending = np.flatnonzero(~hit & (held != 0))
        while len(pending):
            slot = (slots[pending] + np.uint32(1)) & self._mask
            slots[pending], wanted, held = slot, keys[pending], self._keys[slot]
            hit = held == wanted
            children[pending[hit]] = self._children[slot[hit]]
            pending = pending[~hit & (held != 0)]
        return children
