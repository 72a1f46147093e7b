"""Texts clause by clause, as rows of numbers: where a hazard or violation is spoken of, and in what voice.

A score of the whole text cannot tell 未见起火 beside 插头烧黑 from its opposite, and learns the company a wording
keeps. A clause with half of what its neighbours say is short enough for the wording itself, and long enough for the
denial, the drill or the hearsay around it. Trained on the corpus's marks, which say which words mean what.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import sparse

from nlp.classifiers.labels import Labels
from nlp.classifiers.linear import Floats, LinearBlock
from nlp.corpus import Example, Mark
from nlp.features import Ints, PlacedRuns, Vocabulary
from nlp.reading import TextReading, hazard_name, violation_name
from nlp.rules import CLAUSE_END
from nlp.scan import Batch

STATUSES = ("asserted", "negated", "hypothetical", "rumour")
UNKNOWN = -1  # the text has the label, but no mark says whether this clause speaks of it
_NEIGHBOUR = 0.5
_FINDING_WEIGHT = 0.3
_ENOUGH = 3  # characters of a mark that make a clause speak of it, where the mark reaches over several


@cache
def _cuts() -> npt.NDArray[np.bool_]:
    """For each code point of the basic plane whether it ends a clause."""
    table = np.zeros(0x10001, dtype=bool)
    table[list(map(ord, CLAUSE_END))] = True
    return table


@dataclass(frozen=True, slots=True)
class Clauses:
    """The clauses of a batch, text after text: the text each is in and its offsets there.

    `first[i]` is the first row of text i; one number more ends the last.
    """

    texts: Ints
    starts: Ints
    ends: Ints
    first: Ints

    @classmethod
    def of(cls, readings: Sequence[TextReading]) -> "Clauses":
        """Cut the texts; one without any clause counts as a single one."""
        batch = Batch.of([reading.folded for reading in readings])
        cut = _cuts()[np.minimum(batch.codes, np.uint32(0x10000))]
        lasts = np.append(batch.begins[1:], len(cut))[: len(batch.begins)] - 1  # the NUL behind each text
        cut[lasts] = True
        after_cut = np.concatenate(([True], cut[:-1]))[: len(cut)]
        begins, stops = np.flatnonzero(~cut & after_cut), np.flatnonzero(cut & ~after_cut)
        without = np.flatnonzero(np.bincount(batch.owners(begins), minlength=len(readings)) == 0)
        if len(without):
            begins = np.sort(np.concatenate((begins, batch.begins[without])))
            stops = np.sort(np.concatenate((stops, lasts[without])))
        texts = batch.owners(begins)
        offsets = batch.begins[texts]
        first = np.searchsorted(texts, np.arange(len(readings) + 1))
        return cls(texts, begins - offsets, stops - offsets, first)

    def at(self, texts: Ints, positions: Ints) -> Ints:
        """The row of the clause that each position of a text stands in, or of the last one before it."""
        apart = int(max(self.ends.max(initial=0), positions.max(initial=0))) + 1
        rows = np.searchsorted(self.texts * apart + self.starts, texts * apart + positions, side="right") - 1
        return np.maximum(rows, self.first[texts])

    def span(self, row: int) -> tuple[int, int]:
        """The offsets of a clause in its text."""
        return int(self.starts[row]), int(self.ends[row])

    def matrix(self, vocabulary: Vocabulary, readings: Sequence[TextReading]) -> sparse.csr_matrix:
        """One row a clause: its known character runs and half its neighbours', of length 1, and its findings."""
        own = self._own(vocabulary, vocabulary.placed_runs([reading.features for reading in readings]))
        joined = sparse.csr_matrix(self._with_neighbours() @ own)
        joined.data /= np.repeat(self._lengths(own), np.diff(joined.indptr))
        return sparse.csr_matrix(joined + self._findings(vocabulary, readings))

    def scores(
        self, block: LinearBlock, vocabulary: Vocabulary, readings: Sequence[TextReading], placed: PlacedRuns
    ) -> Floats:
        """What `block` makes of `matrix`: the clauses are scored first and then heard together, which is much less
        to multiply. `placed`: the runs of the texts.
        """
        own = self._own(vocabulary, placed)
        joined = self._with_neighbours() @ (own @ block.weights) / self._lengths(own)[:, None]
        found = self._findings(vocabulary, readings) @ block.weights
        return np.asarray(joined + found + block.intercepts, dtype=np.float32)

    def _own(self, vocabulary: Vocabulary, placed: PlacedRuns) -> sparse.csr_matrix:
        """One row a clause: the weights of the known runs that lie in it."""
        offsets = placed.batch.begins[self.texts]
        stops = offsets + self.ends
        begun = np.zeros(len(placed.batch.codes), dtype=np.int64)
        begun[offsets + self.starts] = 1
        rows = np.cumsum(begun)[placed.places] - 1
        inside = np.flatnonzero((rows >= 0) & (placed.places + placed.sizes <= stops[rows]))
        cells = rows[inside] * vocabulary.size + placed.columns[inside]
        rows, columns = vocabulary.distinct(cells, len(self.texts))
        starts = np.searchsorted(rows, np.arange(len(self.texts) + 1))
        return sparse.csr_matrix((vocabulary.idf[columns], columns, starts), shape=(len(self.texts), vocabulary.size))

    def _findings(self, vocabulary: Vocabulary, readings: Sequence[TextReading]) -> sparse.csr_matrix:
        """One row a clause: the findings that start in it, each once."""
        found = [
            (text, hit.start, column)
            for text, reading in enumerate(readings)
            for name, hits in ((hazard_name, reading.hazards), (violation_name, reading.violations))
            for hit in hits
            if (column := vocabulary.finding_column(name(hit))) is not None
        ]
        texts, starts, columns = np.array(found, dtype=np.int64).reshape(-1, 3).T
        rows, columns = vocabulary.distinct(self.at(texts, starts) * vocabulary.size + columns, len(self.texts))
        weights = np.full(len(rows), _FINDING_WEIGHT, dtype=np.float32)
        return sparse.csr_matrix((weights, (rows, columns)), shape=(len(self.texts), vocabulary.size))

    def _with_neighbours(self) -> sparse.csr_matrix:
        """The matrix that adds half of each clause's neighbours in the same text to it."""
        every = np.arange(len(self.texts))
        here = np.flatnonzero(self.texts[1:] == self.texts[:-1])
        values = np.concatenate((np.ones(len(every)), np.full(2 * len(here), _NEIGHBOUR))).astype(np.float32)
        places = (np.concatenate((every, here, here + 1)), np.concatenate((every, here + 1, here)))
        return sparse.csr_matrix((values, places), shape=(len(every), len(every)))

    def _lengths(self, own: sparse.csr_matrix) -> Floats:
        """The length of each clause with half its neighbours, from the products of the rows that meet in it."""
        rows = np.repeat(np.arange(len(self.texts)), np.diff(own.indptr))
        squared = own.data.astype(np.float64) ** 2
        alone = np.bincount(rows, weights=squared, minlength=len(self.texts)).astype(np.float64)
        with_next, over_next = self._products(own, 1), self._products(own, 2)
        together = self.texts[1:] == self.texts[:-1]
        squares = alone.copy()
        squares[1:] += _NEIGHBOUR**2 * together * alone[:-1] + 2 * _NEIGHBOUR * with_next
        squares[:-1] += _NEIGHBOUR**2 * together * alone[1:] + 2 * _NEIGHBOUR * with_next
        squares[1:-1] += 2 * _NEIGHBOUR**2 * over_next
        return np.maximum(np.sqrt(squares), 1e-9).astype(np.float32)

    def _products(self, own: sparse.csr_matrix, step: int) -> npt.NDArray[np.float64]:
        """Of each row with the one so many rows behind it, 0 where that is another text's."""
        size = max(len(self.texts) - step, 0)
        products = np.asarray(own[:size].multiply(own[step:]).sum(axis=1, dtype=np.float64)).ravel()
        return np.where(self.texts[:size] == self.texts[step:], products, 0.0)

    def targets(self, examples: Sequence[Example], labels: Labels) -> npt.NDArray[np.int8]:
        """What the marks say of each clause: hazards and violations spoken of in any voice, then the voice.

        UNKNOWN where a text has a label that no mark places in this clause, and for the voice of a clause that is
        not marked: one mark a hazard is enough in the corpus, so the other clauses of the text may say it again.
        """
        column = {("hazard", code): at for at, code in enumerate(labels.hazards)}
        column.update({("violation", code): len(labels.hazards) + at for at, code in enumerate(labels.violations)})
        found = np.zeros((len(self.texts), len(column) + len(STATUSES)), dtype=np.int8)
        voices = found[:, len(column) :]
        voices[:] = UNKNOWN
        for text, example in enumerate(examples):
            rows = slice(self.first[text], self.first[text + 1])
            marks = [mark for mark in example.marks if (mark.kind, mark.code) in column]
            for mark in marks:
                found[rows, column[mark.kind, mark.code]] = UNKNOWN
            for mark in marks:
                if mark.end - mark.start >= len(example.text):
                    continue  # a person who labels says that the text has it, not where
                for row in self._marked(text, mark):
                    found[row, column[mark.kind, mark.code]] = 1
                    if mark.kind == "hazard":
                        voices[row] = np.maximum(voices[row], [mark.status == status for status in STATUSES])
        return found

    def _marked(self, text: int, mark: Mark) -> list[int]:
        """The rows of the clauses that a mark lies in: all it reaches well into, and the one that has most of it."""
        bounds = map(self.span, range(self.first[text], self.first[text + 1]))
        overlaps = [min(end, mark.end) - max(start, mark.start) for start, end in bounds]
        most = max(overlaps)
        if most <= 0:
            return []
        return [int(self.first[text]) + at for at, size in enumerate(overlaps) if size >= min(_ENOUGH, most)]


@dataclass(frozen=True, slots=True)
class Spoken:
    """Where each text of a batch speaks most of each hazard and violation.

    `tops`: the log-odds, one row a text, one column a label; `rows`: the clause that has them; `voices`: one row a
    clause, the log-odds of each status.
    """

    clauses: Clauses
    tops: Floats
    rows: Ints
    voices: Floats

    @classmethod
    def of(cls, clauses: Clauses, scores: Floats) -> "Spoken":
        """From the scores of the clauses: labels first, statuses behind."""
        voices = scores[:, -len(STATUSES) :]
        return cls(clauses, *highest(scores[:, : -len(STATUSES)], clauses.first), voices)


def highest(scores: Floats, first: Ints) -> tuple[Floats, Ints]:
    """For each text and column the highest of its clauses' scores, and the row of the first clause that has it."""
    tops = np.maximum.reduceat(scores, first[:-1], axis=0)
    numbers = np.arange(len(scores) + 1, dtype=np.int32)
    places = np.where(scores == np.repeat(tops, np.diff(first), axis=0), numbers[:-1, None], numbers[-1])
    return tops, np.minimum.reduceat(places, first[:-1], axis=0).astype(np.int64)
