"""A text as numbers: words, runs of one to four characters, and what the rules found in it.

Character runs are hashed over a whole batch at once, so a batch costs little more than its longest text; words and
rule findings are looked up by name. Digits all read as 0: 实测0.11 and 实测0.38 say the same thing.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

Uint64s = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]

LONGEST_RUN = 4
_TABLE_BITS = 20
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_DIGITS = {ord(digit): "0" for digit in "123456789"}


@dataclass(frozen=True, slots=True)
class Reading:
    """One text as the model sees it: folded, cut into words, with the names of what the rules found."""

    folded: str
    words: Sequence[str]
    findings: Sequence[str]


@dataclass(frozen=True, slots=True)
class Runs:
    """The character runs of a batch: for each, its hash, the text it is in, where it starts and its length."""

    hashes: Uint64s
    texts: Ints
    starts: Ints
    sizes: Ints


def character_runs(texts: Sequence[str], longest: int = LONGEST_RUN) -> Runs:
    """Every run of one to `longest` characters of each text, none across two texts."""
    joined = "\0".join(texts).translate(_DIGITS)
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    breaks = codes == 0
    owner = np.cumsum(breaks)
    lengths = np.fromiter((len(text) + 1 for text in texts), dtype=np.int64, count=len(texts))
    begins = np.concatenate(([0], np.cumsum(lengths)[:-1])) if len(texts) else np.zeros(0, np.int64)
    hashes, texts_of, starts, sizes = [], [], [], []
    rolling = codes
    usable = ~breaks
    for size in range(1, longest + 1):
        if size > 1:
            if len(rolling) < 2:
                break
            rolling = rolling[:-1] * _MULTIPLIER + codes[size - 1 :]
            usable = usable[:-1] & ~breaks[size - 1 :]
        at = np.flatnonzero(usable)
        mixed = (rolling[at] + np.uint64(size)) * _MIX
        hashes.append(mixed ^ (mixed >> np.uint64(29)))
        texts_of.append(owner[at])
        starts.append(at - begins[owner[at]])
        sizes.append(np.full(len(at), size, dtype=np.int64))
    return Runs(np.concatenate(hashes), np.concatenate(texts_of), np.concatenate(starts), np.concatenate(sizes))


class Vocabulary:
    """The columns of the matrix: character runs first, then words, then rule findings."""

    def __init__(
        self, runs: Sequence[str], words: Sequence[str], findings: Sequence[str], idf: npt.NDArray[np.float32]
    ):
        self.runs, self.words, self.findings, self.idf = list(runs), list(words), list(findings), idf
        self.size = len(self.runs) + len(self.words) + len(self.findings)
        self._word_column = {word: len(self.runs) + at for at, word in enumerate(self.words)}
        first = len(self.runs) + len(self.words)
        self._finding_column = {name: first + at for at, name in enumerate(self.findings)}
        self._keys = self._hash_runs()
        self._table = np.full(1 << _TABLE_BITS, -1, dtype=np.int32)
        slots = (self._keys >> np.uint64(64 - _TABLE_BITS)).astype(np.int64)
        # Where two runs share a slot the later, rarer one is lost; the same happens in training, so nothing differs.
        self._table[slots[::-1]] = np.arange(len(slots), dtype=np.int32)[::-1]

    def _hash_runs(self) -> Uint64s:
        keys = np.zeros(len(self.runs), dtype=np.uint64)
        found = character_runs(self.runs)
        whole = found.sizes == np.fromiter(map(len, self.runs), dtype=np.int64, count=len(self.runs))[found.texts]
        keys[found.texts[whole]] = found.hashes[whole]
        return keys

    @classmethod
    def fit(cls, readings: Sequence[Reading], *, least: int = 2, most_runs: int = 120_000) -> "Vocabulary":
        """Take what stands in at least `least` of the texts."""
        texts = [reading.folded for reading in readings]
        found = character_runs(texts)
        pairs = np.unique(np.stack((found.hashes, found.texts.astype(np.uint64))), axis=1)
        hashes, counts = np.unique(pairs[0], return_counts=True)
        kept = hashes[counts >= least]
        frequency = dict(zip(kept.tolist(), counts[counts >= least].tolist(), strict=True))
        first: dict[int, int] = {}
        for at in np.flatnonzero(np.isin(found.hashes, kept)).tolist():
            first.setdefault(int(found.hashes[at]), at)
        order = sorted(first, key=lambda key: (-frequency[key], first[key]))[:most_runs]
        runs = []
        for key in order:
            at = first[key]
            start, size = int(found.starts[at]), int(found.sizes[at])
            runs.append(texts[int(found.texts[at])][start : start + size].translate(_DIGITS))
        words = Counter(word for reading in readings for word in set(filter(_counts, reading.words)))
        findings = Counter(name for reading in readings for name in set(reading.findings))
        word_list = sorted(word for word, count in words.items() if count >= least)
        finding_list = sorted(findings)
        documents = np.array(
            [frequency[key] for key in order] + [words[w] for w in word_list] + [findings[f] for f in finding_list],
            dtype=np.float64,
        )
        idf = np.log((1 + len(readings)) / (1 + documents)) + 1
        return cls(runs, word_list, finding_list, idf.astype(np.float32))

    def finding_column(self, name: str) -> int | None:
        """The column of a rule finding, or None for one the training texts did not have."""
        return self._finding_column.get(name)

    def placed_runs(self, texts: Sequence[str]) -> list[tuple[Ints, Ints, Ints]]:
        """The known character runs of each text: column, offset, length."""
        if not texts:
            return []
        found = character_runs(texts)
        columns = self._columns_of(found.hashes)
        known = np.flatnonzero(columns >= 0)
        order = known[np.argsort(found.texts[known], kind="stable")]
        cuts = np.searchsorted(found.texts[order], np.arange(1, len(texts)))
        split = (np.split(values[order], cuts) for values in (columns, found.starts, found.sizes))
        return list(zip(*split, strict=True))

    def _columns_of(self, hashes: Uint64s) -> Ints:
        columns = self._table[(hashes >> np.uint64(64 - _TABLE_BITS)).astype(np.int64)].astype(np.int64)
        known = columns >= 0
        known[known] = self._keys[columns[known]] == hashes[known]
        return np.where(known, columns, -1)

    def matrix(self, readings: Sequence[Reading], *, finding_weight: float = 0.3) -> sparse.csr_matrix:
        """One row a text. Runs and words together have length 1 in a row; each finding adds `finding_weight`."""
        found = character_runs([reading.folded for reading in readings])
        columns = self._columns_of(found.hashes)
        known = columns >= 0
        rows, cols = [found.texts[known]], [columns[known]]
        rows.append(np.repeat(np.arange(len(readings)), [len(reading.words) for reading in readings]))
        lookup = self._word_column.get
        cols.append(np.fromiter((lookup(w, -1) for r in readings for w in r.words), dtype=np.int64, count=len(rows[1])))
        keep = cols[1] >= 0
        rows[1], cols[1] = rows[1][keep], cols[1][keep]
        flat = np.concatenate(rows) * self.size + np.concatenate(cols)
        flat.sort()
        flat = flat[np.concatenate(([True], flat[1:] != flat[:-1]))] if len(flat) else flat
        row, col = flat // self.size, flat % self.size
        values = self.idf[col].astype(np.float64)
        norms = np.sqrt(np.bincount(row, weights=values**2, minlength=len(readings)))
        values /= np.maximum(norms, 1e-9)[row]
        more = [
            (at, column)
            for at, reading in enumerate(readings)
            for name in set(reading.findings)
            if (column := self._finding_column.get(name)) is not None
        ]
        if more:
            extra = np.array(more, dtype=np.int64)
            row, col = np.concatenate((row, extra[:, 0])), np.concatenate((col, extra[:, 1]))
            values = np.concatenate((values, np.full(len(extra), finding_weight)))
        return sparse.csr_matrix((values, (row, col)), shape=(len(readings), self.size), dtype=np.float32)


def _counts(word: str) -> bool:
    """Latin and digit runs are left to the character runs: segmenters differ in them."""
    return len(word) > 1 and not word.isascii()


def named(prefix: str, items: Iterable[str]) -> list[str]:
    """Feature names of one family."""
    return [f"{prefix}:{item}" for item in items]
