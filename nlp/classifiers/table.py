"""The general recipe for any labelled table of texts, in Chinese or not.

Several linear views of the texts (`table_views`) → the margins each gives to training texts it was not fitted on → the
few views whose mean answers those best, taken one by one → one offset a class, chosen on the same margins → the chosen
views fitted on the whole table and added up to one weight a feature and class. Nothing is chosen on the other table.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.metrics import accuracy_score, f1_score

from nlp.classifiers.table_views import VIEWS, WORDS_ALONE, Answers, Margins, TextParts, View, fit_view

FEWEST_TO_CHOOSE = 80  # with fewer texts every view counts the same
FIRST_VIEWS = 2
MOST_VIEWS = 6
LEAST_GAIN = 0.002  # a view or an offset that gains less is noise
LARGE_TABLE = 20_000  # texts
ENOUGH_TO_CHOOSE = 12_000  # texts a view is fitted on while views of a large table are compared
MUCH_TO_READ = 2_000_000  # characters
STEPS = np.linspace(-0.6, 0.6, 13)


class TableRecipe:
    """Fits on one table and predicts another. `multi`: a text may have several labels, or none."""

    def __init__(self, multi: bool = False) -> None:
        self.multi = multi

    def fit(self, texts: Sequence[str], labels: Sequence[Sequence[str]]) -> "TableRecipe":
        """Fit; each text has a list of labels, of length one unless `multi`.

        Raises ValueError when no text has a word.
        """
        self.classes_ = sorted({label for given in labels for label in given})
        answers = np.array([[label in given for label in self.classes_] for given in labels], dtype=bool)
        self.parts_ = TextParts()
        parts = self.parts_.fit(texts)
        if not parts:
            raise ValueError("no text has a word")
        views = [view for view in VIEWS if all(part in parts for part in view.parts)] or [WORDS_ALONE]
        self.offsets_ = np.zeros(len(self.classes_))
        if len(texts) < FEWEST_TO_CHOOSE or (len(self.classes_) < 2 and not self.multi):
            self.views_ = {view: 1.0 / len(views) for view in views}
        else:
            self._choose(texts, parts, answers, views)
        self.weights_: dict[str, Margins] = {}
        for view, share in self.views_.items():
            weights, intercepts = fit_view(view, _matrix(parts, view), answers)
            self.offsets_ = self.offsets_ + share * intercepts
            ends = np.cumsum([parts[part].shape[1] for part in view.parts])[:-1]
            for part, piece in zip(view.parts, np.split(share * weights, ends, axis=1), strict=True):
                self.weights_[part] = self.weights_.get(part, 0.0) + piece
        return self

    def margins(self, texts: Sequence[str]) -> Margins:
        """One row a text, one column a class; above 0 (or the largest, for a single label) is the answer."""
        margins = np.tile(self.offsets_, (len(texts), 1))
        for part, weights in self.weights_.items():
            margins += self.parts_.transform(texts, part) @ weights.T
        return margins

    def predict(self, texts: Sequence[str]) -> list[list[str]]:
        """The labels of each text."""
        margins = self.margins(texts)
        if self.multi:
            return [[self.classes_[at] for at in np.flatnonzero(row > 0)] for row in margins]
        return [[self.classes_[at]] for at in margins.argmax(axis=1)]

    def _choose(
        self, texts: Sequence[str], parts: dict[str, sparse.csr_matrix], answers: Answers, views: list[View]
    ) -> None:
        """Set `views_` (each with its share over the spread of its margins) and `offsets_`."""
        folds = list(_folds(texts, answers))
        judged = np.concatenate([unseen for _, unseen in folds])
        truth = answers[judged]
        held, spreads = {}, {}
        for view in views:
            matrix = _matrix(parts, view)
            margins = np.concatenate([_held_margins(view, matrix, answers, *fold) for fold in folds])
            spreads[view] = float(margins.std()) or 1.0
            held[view] = margins / spreads[view]
        chosen = sorted(views, key=lambda view: -self._reached(truth, held[view]))[:FIRST_VIEWS]
        best = self._reached(truth, _mean(held, chosen))
        while len(chosen) < MOST_VIEWS:
            tried = {view: self._reached(truth, _mean(held, [*chosen, view])) for view in views}
            found = max(tried, key=lambda view: tried[view])
            if tried[found] < best + LEAST_GAIN:
                break
            chosen.append(found)
            best = tried[found]
        self.views_ = {view: chosen.count(view) / len(chosen) / spreads[view] for view in dict.fromkeys(chosen)}
        mean = _mean(held, chosen)
        self.offsets_ = _micro_offsets(truth, mean) if self.multi else _macro_offsets(truth, mean)

    def _reached(self, truth: Answers, margins: Margins) -> float:
        """Macro F1 of the largest margins; for several labels micro F1 at the best offset common to all."""
        if self.multi:
            return max(_micro_f1(truth, margins + step > 0) for step in STEPS)
        return _macro_f1(truth, margins)


def _matrix(parts: dict[str, sparse.csr_matrix], view: View) -> sparse.csr_matrix:
    return sparse.csr_matrix(sparse.hstack([parts[part] for part in view.parts]))


def _held_margins(
    view: View, matrix: sparse.csr_matrix, answers: Answers, seen: npt.NDArray[np.intp], unseen: npt.NDArray[np.intp]
) -> Margins:
    weights, intercepts = fit_view(view, matrix[seen], answers[seen])
    return np.asarray(matrix[unseen] @ weights.T + intercepts, dtype=np.float64)


def _mean(held: dict[View, Margins], chosen: Sequence[View]) -> Margins:
    return np.asarray(np.mean([held[view] for view in chosen], axis=0), dtype=np.float64)


def _folds(texts: Sequence[str], answers: Answers) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
    """Rows to fit on and rows to judge by: the same wording is never on both sides, each class is spread evenly.

    Five folds; three where there is much to read. Of a large table one fifth is judged, by views fitted on a part of
    the rest: that is enough to choose among ten views, and more would only take longer.
    """
    large = len(texts) >= LARGE_TABLE
    count = 3 if sum(map(len, texts)) > MUCH_TO_READ and not large else 5
    _, first, wording = np.unique(np.array(texts, dtype=object).astype(str), return_index=True, return_inverse=True)
    rarity = np.where(answers[first], answers.sum(axis=0), len(answers) + 1)
    kind = np.where(answers[first].any(axis=1), rarity.argmin(axis=1), answers.shape[1])
    shuffled = np.random.default_rng(0).permutation(len(first))
    fold_of = np.empty(len(first), dtype=int)
    fold_of[shuffled[np.argsort(kind[shuffled], kind="stable")]] = np.arange(len(first)) % count
    fold = fold_of[wording]
    if large:
        rest = np.random.default_rng(1).permutation(np.flatnonzero(fold != 0))
        yield np.sort(rest[:ENOUGH_TO_CHOOSE]), np.flatnonzero(fold == 0)
        return
    for at in range(count):
        yield np.flatnonzero(fold != at), np.flatnonzero(fold == at)


def _macro_offsets(truth: Answers, margins: Margins) -> Margins:
    """One offset a class, the rarest class first."""
    offsets = np.zeros(truth.shape[1])
    best = _macro_f1(truth, margins)
    for at in np.argsort(truth.sum(axis=0)):
        for step in STEPS:
            tried = offsets.copy()
            tried[at] = step
            reached = _macro_f1(truth, margins + tried)
            if reached > best + LEAST_GAIN:
                best, offsets = reached, tried
    return offsets


def _micro_offsets(truth: Answers, margins: Margins) -> Margins:
    """One offset common to all, then a label at a time what else gains in micro F1."""
    common = max(STEPS, key=lambda step: _micro_f1(truth, margins + step > 0))
    offsets = np.full(truth.shape[1], float(common))
    best = _micro_f1(truth, margins + offsets > 0)
    for at in np.argsort(-truth.sum(axis=0)):
        for step in STEPS:
            tried = offsets.copy()
            tried[at] = common + step
            reached = _micro_f1(truth, margins + tried > 0)
            if reached > best + LEAST_GAIN / 4:
                best, offsets = reached, tried
    return offsets


def _macro_f1(truth: Answers, margins: Margins) -> float:
    """Over the classes that occur, each text answered by its largest margin."""
    claimed = np.zeros_like(truth)
    claimed[np.arange(len(truth)), margins.argmax(axis=1)] = True
    there = truth.any(axis=0)
    hits, both = (truth & claimed).sum(axis=0), truth.sum(axis=0) + claimed.sum(axis=0)
    return float((2 * hits[there] / both[there]).mean())


def _micro_f1(truth: Answers, claimed: Answers) -> float:
    return 2 * int((truth & claimed).sum()) / max(int(truth.sum()) + int(claimed.sum()), 1)


def measure(truth: Sequence[Sequence[str]], found: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Accuracy (whole sets equal), macro and micro F1 over the labels of the truth, and each label's F1."""
    classes = sorted({label for given in truth for label in given})
    every = sorted({*classes, *(label for given in found for label in given)})
    true = np.array([[label in given for label in every] for given in truth], dtype=bool)
    claimed = np.array([[label in given for label in every] for given in found], dtype=bool)
    scores = f1_score(true, claimed, average=None, zero_division=0.0)
    per_label = {label: round(float(value), 4) for label, value in zip(every, scores, strict=True) if label in classes}
    return {
        "accuracy": round(float(accuracy_score(true, claimed)), 4),
        "macro_f1": round(float(np.mean(list(per_label.values()))), 4) if per_label else None,
        "micro_f1": round(float(f1_score(true, claimed, average="micro", zero_division=0.0)), 4),
        "per_label": per_label,
    }
