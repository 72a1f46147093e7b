"""Texts clause by clause, as rows of numbers: where a hazard or violation is spoken of, and in what voice.

A score of the whole text cannot tell 未见起火 beside 插头烧黑 from its opposite, and learns the company a wording
keeps. A clause with half of what its neighbours say is short enough for the wording itself, and long enough for the
denial, the drill or the hearsay around it. Trained on the corpus's marks, which say which words mean what.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from nlp.classifiers.labels import Labels
from nlp.classifiers.linear import Floats
from nlp.corpus import Example, Mark
from nlp.features import Ints, Vocabulary
from nlp.reading import TextReading, hazard_name, violation_name
from nlp.rules import clauses

STATUSES = ("asserted", "negated", "hypothetical", "rumour")
UNKNOWN = -1  # the text has the label, but no mark says whether this clause speaks of it
_NEIGHBOUR = 0.5
_FINDING_WEIGHT = 0.3
_ENOUGH = 3  # characters of a mark that make a clause speak of it, where the mark reaches over several


@dataclass(frozen=True, slots=True)
class Clauses:
    """The clauses of a batch, text after text. `first[i]` is the first row of text i; one number more ends the last."""

    bounds: tuple[tuple[tuple[int, int], ...], ...]
    texts: Ints
    first: Ints

    @classmethod
    def of(cls, readings: Sequence[TextReading]) -> "Clauses":
        """Cut the texts; one without any clause counts as a single one."""
        bounds = tuple(tuple(clauses(r.folded)) or ((0, len(r.folded)),) for r in readings)
        counts = np.fromiter(map(len, bounds), dtype=np.int64, count=len(bounds))
        return cls(bounds, np.repeat(np.arange(len(bounds)), counts), np.concatenate(([0], np.cumsum(counts))))

    def at(self, text: int, position: int) -> int:
        """The row of the clause that a position of a text stands in, or of the last one before it."""
        bounds = self.bounds[text]
        inside = 0
        while inside + 1 < len(bounds) and bounds[inside + 1][0] <= position:
            inside += 1
        return int(self.first[text]) + inside

    def span(self, row: int) -> tuple[int, int]:
        """The offsets of a clause in its text."""
        text = int(self.texts[row])
        return self.bounds[text][row - int(self.first[text])]

    def matrix(self, vocabulary: Vocabulary, readings: Sequence[TextReading]) -> sparse.csr_matrix:
        """One row a clause: its known character runs and half its neighbours', of length 1, and its findings."""
        placed = vocabulary.placed_runs([reading.features.folded for reading in readings])
        offsets = np.concatenate(([0], np.cumsum([len(reading.folded) + 1 for reading in readings])))
        begins, ends = np.array(
            [(a + offset, b + offset) for offset, bounds in zip(offsets, self.bounds, strict=False) for a, b in bounds]
        ).T
        columns = np.concatenate([found[0] for found in placed])
        starts = np.concatenate([found[1] + offset for found, offset in zip(placed, offsets, strict=False)])
        sizes = np.concatenate([found[2] for found in placed])
        rows = np.searchsorted(begins, starts, side="right") - 1
        inside = (rows >= 0) & (starts + sizes <= ends[rows])
        cells = np.sort(rows[inside] * vocabulary.size + columns[inside])
        cells = cells[np.concatenate(([True], cells[1:] != cells[:-1]))] if len(cells) else cells
        rows, columns = cells // vocabulary.size, cells % vocabulary.size
        shape = (len(self.texts), vocabulary.size)
        own = sparse.csr_matrix((vocabulary.idf[columns], (rows, columns)), shape=shape, dtype=np.float32)
        joined = sparse.csr_matrix(self._with_neighbours() @ own)
        norms = np.sqrt(np.asarray(joined.multiply(joined).sum(axis=1)).ravel())
        joined.data /= np.repeat(np.maximum(norms, 1e-9), np.diff(joined.indptr)).astype(np.float32)
        findings = {
            (self.at(text, hit.start), column)
            for text, reading in enumerate(readings)
            for name, hits in ((hazard_name, reading.hazards), (violation_name, reading.violations))
            for hit in hits
            if (column := vocabulary.finding_column(name(hit))) is not None
        }
        if not findings:
            return joined
        rows, columns = np.array(sorted(findings), dtype=np.int64).T
        weights = np.full(len(rows), _FINDING_WEIGHT, dtype=np.float32)
        return sparse.csr_matrix(joined + sparse.csr_matrix((weights, (rows, columns)), shape=shape))

    def _with_neighbours(self) -> sparse.csr_matrix:
        """The matrix that adds half of each clause's neighbours in the same text to it."""
        every = np.arange(len(self.texts))
        here = np.flatnonzero(self.texts[1:] == self.texts[:-1])
        values = np.concatenate((np.ones(len(every)), np.full(2 * len(here), _NEIGHBOUR))).astype(np.float32)
        places = (np.concatenate((every, here, here + 1)), np.concatenate((every, here + 1, here)))
        return sparse.csr_matrix((values, places), shape=(len(every), len(every)))

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
        overlaps = [min(end, mark.end) - max(start, mark.start) for start, end in self.bounds[text]]
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
    places = np.where(scores == np.repeat(tops, np.diff(first), axis=0), np.arange(len(scores))[:, None], len(scores))
    return tops, np.minimum.reduceat(places, first[:-1], axis=0)
