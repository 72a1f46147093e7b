"""Many logistic regressions over one sparse matrix, kept as one block of weights so that one product scores all."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

Floats = npt.NDArray[np.float32]
ABSENT = -7.0  # the log-odds of a label nobody has shown an example of


@dataclass(frozen=True, slots=True)
class LinearBlock:
    """One column of weights and one intercept a label."""

    weights: Floats
    intercepts: Floats

    def scores(self, matrix: sparse.csr_matrix) -> Floats:
        """Log-odds, one row a text, one column a label."""
        return np.asarray(matrix @ self.weights + self.intercepts, dtype=np.float32)


def fit_block(matrix: sparse.csr_matrix, targets: npt.NDArray[np.int8], *, strength: float) -> LinearBlock:
    """Fit a label a column on the rows whose target is known (not negative).

    `strength` is the inverse of the regularisation.
    """
    labels = targets.shape[1]
    weights = np.zeros((matrix.shape[1], labels), dtype=np.float32)
    intercepts = np.full(labels, ABSENT, dtype=np.float32)
    for at in range(labels):
        known = targets[:, at] >= 0
        answers = targets[known, at]
        if answers.sum() < 2 or answers.all():
            continue
        model = LogisticRegression(C=strength, solver="liblinear", max_iter=200, random_state=0)
        model.fit(matrix if known.all() else matrix[known], answers)
        weights[:, at] = model.coef_[0]
        intercepts[at] = model.intercept_[0]
    return LinearBlock(weights, intercepts)


def out_of_fold(
    matrix: sparse.csr_matrix,
    targets: npt.NDArray[np.int8],
    groups: npt.NDArray[np.str_],
    *,
    strength: float,
    folds: int = 4,
) -> Floats:
    """Scores each row by a block that saw no row of its group, so that what is fitted on them is not flattered."""
    scores = np.zeros(targets.shape, dtype=np.float32)
    for seen, unseen in GroupKFold(folds).split(matrix, groups=groups):
        scores[unseen] = fit_block(matrix[seen], targets[seen], strength=strength).scores(matrix[unseen])
    return scores


@dataclass(frozen=True, slots=True)
class Scale:
    """A logistic regression over a few dense features, with the means and spreads it was fitted under."""

    means: Floats
    spreads: Floats
    weights: Floats
    intercept: float

    def probabilities(self, features: Floats) -> Floats:
        """One probability a row."""
        if not len(features):
            return np.zeros(0, dtype=np.float32)
        odds = ((features - self.means) / self.spreads) @ self.weights + self.intercept
        return np.asarray(1 / (1 + np.exp(-np.clip(odds, -30, 30))), dtype=np.float32)


def fit_scale(features: Floats, answers: npt.NDArray[np.int8], *, strength: float = 1.0) -> Scale:
    """Fit one; with only one answer present it always gives that one."""
    means = features.mean(axis=0)
    spreads = features.std(axis=0) + 1e-6
    if answers.min() == answers.max():
        odds = -ABSENT if answers.max() else ABSENT
        return Scale(means, spreads, np.zeros(features.shape[1], dtype=np.float32), odds)
    model = LogisticRegression(C=strength, max_iter=1000)
    model.fit((features - means) / spreads, answers)
    return Scale(
        means.astype(np.float32),
        spreads.astype(np.float32),
        model.coef_[0].astype(np.float32),
        float(model.intercept_[0]),
    )
