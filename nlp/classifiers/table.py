"""The general recipe for any labelled table of texts, in Chinese or not.

Words and word pairs by jieba's algorithm, character runs of one to five, TF-IDF with damped counts → three linear
views of the same matrix (a support vector machine, one that weighs rare classes up, one on naive-Bayes log-ratios) →
the mean of their standardised margins → one offset a class, chosen by cross-validation on the training table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.svm import LinearSVC

from nlp.segment import load_segmenter

MOST_FEATURES = 150_000
STRENGTH = 0.3
NB_SMOOTHING = 0.5
FOLDS = 4
Margins = npt.NDArray[np.float64]


def cut_words(text: str) -> list[str]:
    """The words of a text, lower case, without white space."""
    return [word for word in load_segmenter().cut(text.lower()) if not word.isspace()]


def cut_pairs(text: str) -> list[str]:
    """The pairs of neighbouring words."""
    words = cut_words(text)
    return [f"{left} {right}" for left, right in pairwise(words)]


class TextMatrix:
    """Texts as one sparse matrix."""

    def __init__(self) -> None:
        self._parts = [
            TfidfVectorizer(analyzer=cut_words, sublinear_tf=True, max_features=MOST_FEATURES),
            TfidfVectorizer(analyzer=cut_pairs, sublinear_tf=True, min_df=2, max_features=MOST_FEATURES),
            TfidfVectorizer(
                analyzer="char", ngram_range=(1, 3), sublinear_tf=True, min_df=2, max_features=MOST_FEATURES
            ),
            TfidfVectorizer(
                analyzer="char_wb", ngram_range=(4, 5), sublinear_tf=True, min_df=3, max_features=MOST_FEATURES
            ),
        ]

    def fit(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """Learn the vocabulary and return the matrix; a kind of feature that nothing has is left out."""
        kept, columns = [], []
        for part in self._parts:
            try:
                columns.append(part.fit_transform(texts))
            except ValueError:
                continue
            kept.append(part)
        self._parts = kept
        return sparse.csr_matrix(sparse.hstack(columns))

    def transform(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """The matrix of other texts."""
        return sparse.csr_matrix(sparse.hstack([part.transform(texts) for part in self._parts]))


@dataclass(frozen=True, slots=True)
class _View:
    """One fitted linear view: its margins are comparable to another's after division by `spread`."""

    weights: Margins
    intercepts: Margins
    spread: float

    def margins(self, matrix: sparse.csr_matrix) -> Margins:
        return np.asarray((matrix @ self.weights.T + self.intercepts) / self.spread, dtype=np.float64)


def _fit_views(matrix: sparse.csr_matrix, answers: npt.NDArray[np.bool_]) -> list[_View]:
    """Three views, each one column of answers against the rest."""
    views = []
    for kind in ("plain", "balanced", "ratios"):
        weights = np.zeros((answers.shape[1], matrix.shape[1]))
        intercepts = np.full(answers.shape[1], -1.0)
        for at in range(answers.shape[1]):
            yes = answers[:, at]
            if yes.all() or not yes.any():
                intercepts[at] = 1.0 if yes.all() else -1.0
                continue
            scale = _log_ratios(matrix, yes) if kind == "ratios" else np.ones(matrix.shape[1])
            machine = LinearSVC(
                C=1.0 if kind == "ratios" else STRENGTH,
                class_weight="balanced" if kind == "balanced" else None,
                random_state=0,
                tol=1e-3,
                max_iter=5000,
            )
            machine.fit(matrix @ sparse.diags(scale), yes)
            weights[at] = machine.coef_[0] * scale
            intercepts[at] = machine.intercept_[0]
        margins = matrix @ weights.T + intercepts
        views.append(_View(weights, intercepts, float(margins.std()) or 1.0))
    return views


def _log_ratios(matrix: sparse.csr_matrix, yes: npt.NDArray[np.bool_]) -> Margins:
    inside = np.asarray(matrix[yes].sum(axis=0)).ravel() + NB_SMOOTHING
    outside = np.asarray(matrix[~yes].sum(axis=0)).ravel() + NB_SMOOTHING
    ratios = np.log(inside / inside.sum()) - np.log(outside / outside.sum())
    return np.asarray(ratios / (np.abs(ratios).max() or 1.0), dtype=np.float64)


def _mean_margins(views: Sequence[_View], matrix: sparse.csr_matrix) -> Margins:
    return np.asarray(np.mean([view.margins(matrix) for view in views], axis=0), dtype=np.float64)


class TableRecipe:
    """Fits on one table and predicts another. `multi`: a text may have several labels, or none."""

    def __init__(self, multi: bool = False) -> None:
        self.multi = multi

    def fit(self, texts: Sequence[str], labels: Sequence[Sequence[str]]) -> "TableRecipe":
        """Fit; each text has a list of labels, of length one unless `multi`."""
        self.classes_ = sorted({label for given in labels for label in given})
        answers = np.array([[label in given for label in self.classes_] for given in labels], dtype=bool)
        self.matrix_ = TextMatrix()
        matrix = self.matrix_.fit(texts)
        self.views_ = _fit_views(matrix, answers)
        self.offsets_ = self._choose_offsets(matrix, answers)
        return self

    def margins(self, texts: Sequence[str]) -> Margins:
        """One row a text, one column a class; above 0 (or the largest, for a single label) is the answer."""
        return _mean_margins(self.views_, self.matrix_.transform(texts)) + self.offsets_

    def predict(self, texts: Sequence[str]) -> list[list[str]]:
        """The labels of each text."""
        margins = self.margins(texts)
        if self.multi:
            return [[self.classes_[at] for at in np.flatnonzero(row > 0)] for row in margins]
        return [[self.classes_[at]] for at in margins.argmax(axis=1)]

    def _choose_offsets(self, matrix: sparse.csr_matrix, answers: npt.NDArray[np.bool_]) -> Margins:
        """One offset a class, by margins of texts their own fold did not see; none where too little can be told."""
        offsets = np.zeros(answers.shape[1])
        if len(answers) < 20 * FOLDS:
            return offsets
        held = np.zeros(answers.shape)
        for seen, unseen in self._folds(answers):
            held[unseen] = _mean_margins(_fit_views(matrix[seen], answers[seen]), matrix[unseen])
        steps = np.linspace(-0.6, 0.6, 13)
        if self.multi:
            for at in range(answers.shape[1]):
                scores = [f1_score(answers[:, at], held[:, at] + step > 0, zero_division=0.0) for step in steps]
                offsets[at] = steps[int(np.argmax(scores))] if max(scores) > 0 else 0.0
            return offsets
        truth = answers.argmax(axis=1)
        best = f1_score(truth, held.argmax(axis=1), average="macro")
        for at in np.argsort(answers.sum(axis=0)):
            for step in steps:
                tried = offsets.copy()
                tried[at] = step
                reached = f1_score(truth, (held + tried).argmax(axis=1), average="macro")
                # A thousandth is noise: an offset has to earn its place.
                if reached > best + 0.001:
                    best, offsets = reached, tried
        return offsets

    def _folds(self, answers: npt.NDArray[np.bool_]) -> Any:
        if self.multi or answers.sum(axis=0).min() < FOLDS:
            return KFold(FOLDS, shuffle=True, random_state=0).split(answers)
        return StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(answers, answers.argmax(axis=1))


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
