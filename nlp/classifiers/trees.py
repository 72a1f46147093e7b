"""Boosted trees over a few dense features, kept as LightGBM's own text: numbers and splits, nothing that runs."""

from dataclasses import dataclass
from functools import cached_property

import lightgbm
import numpy as np
import numpy.typing as npt
from sklearn.model_selection import GroupKFold

from nlp.classifiers.forest import Forest
from nlp.classifiers.linear import Floats
from nlp.features import Ints

_RECIPE = {
    "objective": "binary",
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_data_in_leaf": 30,
    "lambda_l2": 5.0,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "seed": 0,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}
_ROUNDS = 200
_FOLDS = 4


@dataclass(frozen=True)
class Trees:
    """A fitted forest; `told` is its text."""

    told: str

    @cached_property
    def _forest(self) -> Forest:
        return Forest(self.told)

    def probabilities(self, features: Floats) -> Floats:
        """One probability a row."""
        if not len(features):
            return np.zeros(0, dtype=np.float32)
        return np.asarray(1 / (1 + np.exp(-self._forest.odds(features))), dtype=np.float32)


def fit_trees(
    features: Floats, answers: npt.NDArray[np.int8], labels: Ints, groups: npt.NDArray[np.str_]
) -> tuple[Trees, Floats]:
    """Fit; return the trees and, for each row, the probability by trees that saw no row of its group.

    `labels` numbers the label each row is a candidate for: rows of rare labels weigh more, since each label counts
    alike in the end. The same rows give the same trees.
    """
    if not len(answers) or answers.min() == answers.max():
        raise ValueError("trees need rows of both answers")
    weights = _weights(answers, labels)
    held = np.zeros(len(answers), dtype=np.float32)
    for seen, unseen in GroupKFold(_FOLDS).split(features, groups=groups):
        held[unseen] = _grow(features[seen], answers[seen], weights[seen]).probabilities(features[unseen])
    return _grow(features, answers, weights), held


def _grow(features: Floats, answers: npt.NDArray[np.int8], weights: Floats) -> Trees:
    data = lightgbm.Dataset(features, answers, weight=weights, params={"verbosity": -1})
    return Trees(lightgbm.train(_RECIPE, data, num_boost_round=_ROUNDS).model_to_string())


def _weights(answers: npt.NDArray[np.int8], labels: Ints) -> Floats:
    counts = np.bincount(labels, weights=answers) + 1.0
    weights = np.clip(np.sqrt(np.median(counts) / counts), 0.3, 4.0)[labels]
    return np.asarray(weights / weights.mean(), dtype=np.float32)
