"""The challenger: a learned probability that the next sample fails, from as-of history alone.

Several learners see the same history; what each weighs in their blend is decided on earlier periods only. All of
them predict on top of the base rate of the day, so a change of publication practice moves their level and not
their order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from lightgbm import LGBMClassifier
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from scoring.features import Floats, Ints

Matrix = NDArray[np.float32]
Mask = NDArray[np.bool_]

# What each learner's log odds weigh until earlier periods say otherwise.
WEIGHTS: Mapping[str, float] = MappingProxyType({"trees": 0.4, "linear": 0.3, "words": 0.15, "product": 0.15})
WEIGHTS_PRIOR = 100.0  # how hard weights lean on those, in log-likelihood a squared unit
LEAST_TO_WEIGH = 40  # failures
CHUNK = 8192
MOST_ROWS = 40_000
MANY_ROWS = 20_000  # above it fewer, larger steps of boosting do as well in half the time
FORGET_DAYS = 730.0


@dataclass(frozen=True)
class Shape:
    """Which columns each learner sees, decided by their names alone."""

    names: tuple[str, ...]
    entity: str

    def all(self) -> list[int]:
        """Every column, for the trees."""
        return list(range(len(self.names)))

    def lifts(self) -> list[int]:
        """Every lift and every word score."""
        return [at for at, name in enumerate(self.names) if "|lift" in name or "~" in name]

    def words(self) -> list[int]:
        """The single keys' lifts and the word sums."""
        return [
            at
            for at, name in enumerate(self.names)
            if (name.endswith("|lift") and "*" not in name) or name.endswith("~sum")
        ]

    def monotone(self) -> list[int]:
        """+1 where more failures must never lower the probability: the enterprise's own record."""
        return [1 if name.startswith(f"{self.entity}|lift") else 0 for name in self.names]


@dataclass(frozen=True)
class Challenger:
    """Learners fitted on one past."""

    shape: Shape
    trees: LGBMClassifier
    linear: "Line"
    words: "Line"

    def scores(self, values: Matrix, offset: Floats, product: Floats) -> dict[str, Floats]:
        """Return every member's log odds, in the order of the rows."""
        return {
            "trees": tree_scores(self.trees, values) + offset,
            "linear": self.linear.scores(values),
            "words": self.words.scores(values),
            "product": product,
        }

    def contributions(self, values: Matrix) -> Floats:
        """Return the exact contribution of each column to the trees' log odds; the last column is the start."""
        return np.asarray(self.trees.predict(values, pred_contrib=True), dtype=float)


@dataclass(frozen=True)
class Line:
    """A logistic regression on some columns."""

    columns: list[int]
    scaler: StandardScaler
    model: LogisticRegression

    def scores(self, values: Matrix) -> Floats:
        """Return log odds."""
        return np.asarray(self.model.decision_function(self.scaler.transform(_filled(values[:, self.columns]))))


def fit(shape: Shape, values: Matrix, failed: Mask, offset: Floats, age_days: Floats, *, seed: int = 0) -> Challenger:
    """Fit every learner on past rows. Older rows weigh less; only the newest are used where there are very many."""
    if len(failed) > MOST_ROWS:
        newest = np.argsort(age_days, kind="stable")[:MOST_ROWS]
        values, failed, offset, age_days = values[newest], failed[newest], offset[newest], age_days[newest]
    weight = 0.5 ** (age_days / FORGET_DAYS)
    outcome = failed.astype(int)
    many = len(failed) > MANY_ROWS
    trees = LGBMClassifier(
        n_estimators=160 if many else 250,
        learning_rate=0.045 if many else 0.03,
        num_leaves=12,
        min_child_samples=60,
        subsample=0.8,
        subsample_freq=1,
        colsample_bytree=0.3,
        reg_lambda=10.0,
        monotone_constraints=shape.monotone(),
        random_state=seed,
        n_jobs=1,
        verbose=-1,
    )
    trees.fit(values, outcome, sample_weight=weight, init_score=offset)
    return Challenger(
        shape=shape,
        trees=trees,
        linear=_line(shape.lifts(), values, outcome, weight, 0.03),
        words=_line(shape.words(), values, outcome, weight, 0.003),
    )


def blended(scores: Mapping[str, Floats], weights: Mapping[str, float] = WEIGHTS) -> Floats:
    """Return the blend's log odds: the weighted sum of its members'."""
    return np.asarray(sum(weight * scores[name] for name, weight in weights.items()))


def weigh(scores: Mapping[str, Floats], failed: Mask, period: Ints) -> Mapping[str, float]:
    """Return what each learner has deserved on periods it had not learnt from: a logistic regression on log odds.

    Every period (numbered) has a level of its own, so that what counts is the order within it. No weight is negative,
    they sum to 1, and with few failures all lean on `WEIGHTS`, so that one lucky period decides little.
    """
    if failed.sum() < LEAST_TO_WEIGH or failed.all():
        return WEIGHTS
    names = tuple(WEIGHTS)
    levels = np.eye(int(period.max()) + 1)[period]
    inputs = np.column_stack([*(scores[name] for name in names), levels])
    start = np.concatenate([list(WEIGHTS.values()), np.zeros(levels.shape[1])])
    lean = np.where(np.arange(len(start)) < len(names), WEIGHTS_PRIOR, 0.1)
    outcome = failed.astype(float)

    def loss(weights: Floats) -> tuple[float, Floats]:
        score = inputs @ weights
        away = weights - start
        value = float(np.logaddexp(0.0, score).sum() - outcome @ score + (lean * away**2).sum())
        chance = 1.0 / (1.0 + np.exp(-np.clip(score, -500, 500)))
        return value, inputs.T @ (chance - outcome) + 2.0 * lean * away

    bounds = [(0.0, None)] * len(names) + [(None, None)] * levels.shape[1]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x[: len(names)]
    if found.sum() <= 0:
        return WEIGHTS
    return dict(zip(names, np.round(found / found.sum(), 4).tolist(), strict=True))


def tree_scores(trees: LGBMClassifier, values: Matrix, chunk: int = CHUNK) -> Floats:
    """Return raw scores in chunks: they stay in the processor's cache, and memory stays flat."""
    parts = [
        np.asarray(trees.booster_.predict(values[start : start + chunk], raw_score=True, num_threads=1))
        for start in range(0, len(values), chunk)
    ]
    return np.concatenate(parts) if parts else np.zeros(0)


@dataclass(frozen=True)
class Calibration:
    """A straight line on log odds that makes probabilities of scores, fitted on a recent window."""

    slope: float
    intercept: float

    def probability(self, scores: Floats) -> Floats:
        """Return calibrated probabilities."""
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(self.slope * scores + self.intercept, -30, 30))))


def calibrate(scores: Floats, failed: Mask, weight: Floats | None = None) -> Calibration:
    """Fit the line, results weighing alike unless told; with too few failures the scores are taken as they are."""
    if failed.sum() < 10 or failed.all():
        return Calibration(1.0, 0.0)
    model = LogisticRegression(C=1e3, max_iter=500).fit(scores.reshape(-1, 1), failed.astype(int), sample_weight=weight)
    slope = float(model.coef_[0, 0])
    # A falling line would turn the ranking round: that is for the back-test to report, not to repair.
    return Calibration(slope, float(model.intercept_[0])) if slope > 0 else Calibration(1.0, 0.0)


def _line(columns: list[int], values: Matrix, outcome: NDArray[Any], weight: Floats, strength: float) -> Line:
    scaler = StandardScaler().fit(_filled(values[:, columns]))
    model = LogisticRegression(C=strength, max_iter=400)
    model.fit(scaler.transform(_filled(values[:, columns])), outcome, sample_weight=weight)
    return Line(columns, scaler, model)


def _filled(values: Matrix) -> NDArray[np.float64]:
    return np.nan_to_num(values.astype(np.float64), nan=0.0)
