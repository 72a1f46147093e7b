"""A text as numbers: words, runs of one to four characters, and what the rules found in it.

The known character runs of a whole batch are found in one walk of arrays; words and rule findings are looked up by
name. Digits all read as 0: 实测0.11 and 实测0.38 say the same thing.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat

import numpy as np
import numpy.typing as npt
from scipy import sparse

from nlp.scan import Batch, Scanner

Uint64s = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]

LONGEST_RUN = 4
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_READS_AS = dict.fromkeys("123456789", "0")
_DIGITS = str.maketrans(_READS_AS)


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


@dataclass(frozen=True, slots=True)
class PlacedRuns:
    """The known character runs of a batch: where in the batch's codes each starts, its column and its length."""

    batch: Batch
    places: Ints
    columns: Ints
    sizes: Ints

    def among(self, texts: Ints) -> "PlacedRuns":
        """Those of some of the texts, which come in order."""
        if len(texts) == len(self.batch.begins):
            return self
        chosen = np.zeros(len(self.batch.begins), dtype=bool)
        chosen[texts] = True
        kept = np.flatnonzero(chosen[self.batch.owners(self.places)])
        batch = Batch(self.batch.codes, self.batch.begins[texts])
        return PlacedRuns(batch, self.places[kept], self.columns[kept], self.sizes[kept])


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
        self._first_finding = len(self.runs) + len(self.words)
        self._finding_column = {name: self._first_finding + at for at, name in enumerate(self.findings)}
        self._scanner = Scanner(self.runs, _READS_AS)

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

    def placed_runs(self, readings: Sequence[Reading]) -> PlacedRuns:
        """Every known character run of a batch."""
        batch = Batch.of([reading.folded for reading in readings])
        places, runs = self._scanner.find(batch)
        return PlacedRuns(batch, places, runs, self._scanner.sizes[runs])

    def matrix(
        self, readings: Sequence[Reading], placed: PlacedRuns | None = None, *, finding_weight: float = 0.3
    ) -> sparse.csr_matrix:
        """One row a text. Runs and words together have length 1 in a row; each finding adds `finding_weight`.

        `placed`: the texts' runs, where they are known already.
        """
        placed = placed or self.placed_runs(readings)
        cells = np.concatenate(
            (
                placed.batch.owners(placed.places) * self.size + placed.columns,
                self._cells([reading.words for reading in readings], self._word_column),
                self._cells([reading.findings for reading in readings], self._finding_column),
            )
        )
        rows, columns = self.distinct(cells, len(readings))
        values = self.idf[columns].astype(np.float64)
        values[columns >= self._first_finding] = 0.0
        norms = np.sqrt(np.bincount(rows, weights=values**2, minlength=len(readings)))
        values /= np.maximum(norms, 1e-9)[rows]
        values[columns >= self._first_finding] = finding_weight
        ends = np.searchsorted(rows, np.arange(len(readings) + 1))
        return sparse.csr_matrix((values.astype(np.float32), columns, ends), shape=(len(readings), self.size))

    def distinct(self, cells: Ints, rows: int) -> tuple[Ints, Ints]:
        """Row and column of each different cell of a matrix of so many rows; its cells are counted row by row."""
        if rows * self.size < 1 << 31:
            cells = cells.astype(np.int32)  # sorts in half the time
        cells = np.sort(cells, kind="stable")  # they come in a few runs that are in order by row
        cells = cells[np.concatenate(([True], cells[1:] != cells[:-1]))] if len(cells) else cells
        row = cells // self.size
        return row, cells - row * self.size

    def _cells(self, names: Sequence[Sequence[str]], columns: Mapping[str, int]) -> Ints:
        """The cells of the matrix, counted row by row, that the known ones of each text's names stand for."""
        sizes = np.fromiter(map(len, names), dtype=np.int64, count=len(names))
        found = map(columns.get, chain.from_iterable(names), repeat(-1))
        column = np.fromiter(found, dtype=np.int64, count=int(sizes.sum()))
        known = np.flatnonzero(column >= 0)
        return np.repeat(np.arange(len(names)), sizes)[known] * self.size + column[known]


def _counts(word: str) -> bool:
    """Latin and digit runs are left to the character runs: segmenters differ in them."""
    return len(word) > 1 and not word.isascii()


def named(prefix: str, items: Iterable[str]) -> list[str]:
    """Feature names of one family."""
    return [f"{prefix}:{item}" for item in items]
