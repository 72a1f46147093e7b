"""What the recipe for labelled tables can see in a text, and the linear views it can take of that.

A text is read in several parts: words, pairs of words, character runs, fragments of words, and its opening where texts
are long. A view is one set of parts, with or without rare classes weighed up, with or without every feature scaled by
its naive-Bayes log-ratio (Wang & Manning 2012), under a linear support vector machine, one class against the rest.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from nlp.segment import load_segmenter

MOST_FEATURES = 100_000
MOST_CHARACTERS = 1_500  # what a text is about stands in its first part; the rest costs time
OPENING = 200
RATIO_SMOOTHING = 0.5
Margins = npt.NDArray[np.float64]
Answers = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class View:
    """One way of looking at the texts; `strength` is the machine's C."""

    parts: tuple[str, ...]
    balanced: bool
    ratios: bool
    strength: float


VIEWS = (
    View(("characters",), balanced=True, ratios=False, strength=0.5),
    View(("characters",), balanced=False, ratios=True, strength=5.0),
    View(("characters",), balanced=True, ratios=True, strength=10.0),
    View(("words", "pairs"), balanced=True, ratios=False, strength=0.5),
    View(("words", "pairs"), balanced=True, ratios=True, strength=5.0),
    View(("words", "pairs", "characters"), balanced=True, ratios=False, strength=0.5),
    View(("words", "pairs", "characters"), balanced=True, ratios=True, strength=5.0),
    View(("fragments",), balanced=True, ratios=True, strength=5.0),
    View(("opening",), balanced=True, ratios=False, strength=0.5),
    View(("opening",), balanced=True, ratios=True, strength=5.0),
)

WORDS_ALONE = View(("words",), balanced=True, ratios=False, strength=0.5)  # where nothing else occurs twice


def cut_words(text: str) -> list[str]:
    """The words of a text, lower case, without white space."""
    return [word for word in load_segmenter().cut(text.lower()) if not word.isspace()]


def cut_pairs(text: str) -> list[str]:
    """The pairs of neighbouring words."""
    return [f"{left} {right}" for left, right in pairwise(cut_words(text))]


class TextParts:
    """Texts as one sparse matrix a part; rows have length one, counts are damped."""

    def fit(self, texts: Sequence[str]) -> dict[str, sparse.csr_matrix]:
        """Learn each part's vocabulary; a part that finds nothing is left out, and the opening of short texts."""
        self._vectorizers: dict[str, TfidfVectorizer] = {}
        matrices = {}
        lengths = [len(text) for text in texts]
        for part, vectorizer in _vectorizers().items():
            if part == "opening" and np.median(lengths) < 2 * OPENING:
                continue
            try:
                matrix = vectorizer.fit_transform(_shown(texts, part))
            except ValueError:
                continue
            self._vectorizers[part] = vectorizer
            matrices[part] = sparse.csr_matrix(matrix)
        return matrices

    def transform(self, texts: Sequence[str], part: str) -> sparse.csr_matrix:
        """One part of other texts."""
        return sparse.csr_matrix(self._vectorizers[part].transform(_shown(texts, part)))


def _shown(texts: Sequence[str], part: str) -> list[str]:
    most = OPENING if part == "opening" else MOST_CHARACTERS
    return [text[:most] for text in texts]


def _vectorizers() -> dict[str, TfidfVectorizer]:
    def counted(analyzer: str | Callable[[str], list[str]], least: int, runs: tuple[int, int]) -> TfidfVectorizer:
        return TfidfVectorizer(
            analyzer=analyzer, ngram_range=runs, min_df=least, sublinear_tf=True, max_features=MOST_FEATURES
        )

    return {
        "words": counted(cut_words, 1, (1, 1)),
        "pairs": counted(cut_pairs, 2, (1, 1)),
        "characters": counted("char", 2, (1, 4)),
        "fragments": counted("char_wb", 2, (2, 5)),
        "opening": counted("char", 2, (1, 3)),
    }


def fit_view(view: View, matrix: sparse.csr_matrix, answers: Answers) -> tuple[Margins, Margins]:
    """Weights, one row a class, and one intercept a class; a class with one answer only gets that answer.

    Of two classes that exclude each other one machine is fitted: the other's margins are its negative.
    """
    classes = answers.shape[1]
    weights, intercepts = np.zeros((classes, matrix.shape[1])), np.where(answers.all(axis=0), 1.0, -1.0)
    mirrored = classes == 2 and bool((answers[:, 0] != answers[:, 1]).all())
    for at in range(1 if mirrored else 0, classes):
        yes = answers[:, at]
        if yes.all() or not yes.any():
            continue
        scale = _log_ratios(matrix, yes) if view.ratios else None
        machine = LinearSVC(
            C=view.strength,
            class_weight="balanced" if view.balanced else None,
            tol=1e-2,
            max_iter=3000,
            random_state=0,
        )
        machine.fit(matrix if scale is None else matrix @ sparse.diags(scale), yes)
        weights[at] = machine.coef_[0] if scale is None else machine.coef_[0] * scale
        intercepts[at] = machine.intercept_[0]
    if mirrored:
        weights[0], intercepts[0] = -weights[1], -intercepts[1]
    return weights, intercepts


def _log_ratios(matrix: sparse.csr_matrix, yes: Answers) -> Margins:
    inside = np.asarray(matrix[yes].sum(axis=0)).ravel() + RATIO_SMOOTHING
    outside = np.asarray(matrix[~yes].sum(axis=0)).ravel() + RATIO_SMOOTHING
    ratios = np.log(inside / inside.sum()) - np.log(outside / outside.sum())
    return np.asarray(ratios / (np.abs(ratios).max() or 1.0), dtype=np.float64)
