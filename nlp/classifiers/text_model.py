"""The text model: reads a text as numbers, scores every label in one product, then weighs the candidates.

Recipe: character runs and words by TF-IDF with the rules' findings beside them → one logistic regression a label →
one small logistic regression a family over (score, findings, kind of text) → thresholds chosen out of fold.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nlp.classifiers.labels import OUTCOME_LABELS, Labels
from nlp.classifiers.linear import Floats, LinearBlock, Scale, fit_block, fit_scale, out_of_fold
from nlp.classifiers.pairs import Candidates, product_candidates, rule_candidates
from nlp.corpus import Example
from nlp.features import Ints, Vocabulary
from nlp.reading import TextReading
from nlp.taxonomy import Taxonomy

STRENGTH = 8.0
FAMILIES = ("hazards", "violations", "products")


@dataclass(frozen=True, slots=True)
class Judged:
    """One candidate after weighing."""

    code: str
    probability: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the model makes of one text; lists are sorted by falling probability."""

    relevance: float
    hazards: tuple[Judged, ...]
    violations: tuple[Judged, ...]
    products: tuple[Judged, ...]
    outcomes: dict[str, float]
    kinds: Floats


@dataclass(frozen=True, slots=True)
class TextModel:
    """A fitted model."""

    labels: Labels
    vocabulary: Vocabulary
    block: LinearBlock
    weighing: dict[str, Scale]
    version: str = "unsaved"

    def weights_of(self, label: int, columns: Ints) -> Floats:
        """What the given columns of the vocabulary say for one label."""
        return np.asarray(self.block.weights[columns, label] * self.vocabulary.idf[columns], dtype=np.float32)

    def judge(self, readings: Sequence[TextReading], taxonomy: Taxonomy) -> list[Judgement]:
        """Judge a batch."""
        if not readings:
            return []
        scores = self.block.scores(self.vocabulary.matrix([reading.features for reading in readings]))
        by_family = {family: self._judge_family(family, readings, scores, taxonomy) for family in FAMILIES}
        relevance = self.weighing["relevance"].probabilities(_relevance_features(scores, self.labels, by_family))
        outcomes = 1 / (1 + np.exp(-scores[:, self.labels.outcomes]))
        return [
            Judgement(
                relevance=float(relevance[at]),
                hazards=by_family["hazards"][at],
                violations=by_family["violations"][at],
                products=by_family["products"][at],
                outcomes=dict(zip(OUTCOME_LABELS, outcomes[at].tolist(), strict=True)),
                kinds=scores[at, self.labels.kinds],
            )
            for at in range(len(readings))
        ]

    def _judge_family(
        self, family: str, readings: Sequence[TextReading], scores: Floats, taxonomy: Taxonomy
    ) -> list[tuple[Judged, ...]]:
        candidates = _candidates(family, readings, scores, self.labels, taxonomy)
        probabilities = self.weighing[family].probabilities(candidates.features)
        codes = _codes(family, self.labels, taxonomy)
        found: list[list[Judged]] = [[] for _ in readings]
        for text, label, probability in zip(
            candidates.texts.tolist(), candidates.labels.tolist(), probabilities.tolist(), strict=True
        ):
            found[text].append(Judged(codes[label], probability))
        return [tuple(sorted(judged, key=lambda j: (-j.probability, j.code))) for judged in found]


def fit(
    examples: Sequence[Example], readings: Sequence[TextReading], taxonomy: Taxonomy, *, strength: float = STRENGTH
) -> TextModel:
    """Fit on labelled examples, each read by the same lexicon folder. Texts of one event never cross a fold."""
    labels = Labels(tuple(taxonomy.hazards), tuple(taxonomy.violations))
    features = [reading.features for reading in readings]
    vocabulary = Vocabulary.fit(features)
    matrix = vocabulary.matrix(features)
    targets = labels.targets(examples)
    block = fit_block(matrix, targets, strength=strength)
    scores = out_of_fold(matrix, targets, [example.event for example in examples], strength=strength)
    weighing: dict[str, Scale] = {}
    by_family: dict[str, list[tuple[Judged, ...]]] = {}
    for family in FAMILIES:
        candidates = _candidates(family, readings, scores, labels, taxonomy)
        codes = _codes(family, labels, taxonomy)
        told = [_told(family, example) for example in examples]
        answers = np.array(
            [codes[label] in told[text] for text, label in zip(candidates.texts, candidates.labels, strict=True)],
            dtype=np.int8,
        )
        weighing[family] = fit_scale(candidates.features, answers)
        probabilities = weighing[family].probabilities(candidates.features)
        found: list[list[Judged]] = [[] for _ in readings]
        for text, label, probability in zip(candidates.texts, candidates.labels, probabilities, strict=True):
            found[text].append(Judged(codes[label], float(probability)))
        by_family[family] = [tuple(judged) for judged in found]
    relevance = np.array([example.relevant for example in examples], dtype=np.int8)
    weighing["relevance"] = fit_scale(_relevance_features(scores, labels, by_family), relevance)
    return TextModel(labels, vocabulary, block, weighing)


def _candidates(
    family: str, readings: Sequence[TextReading], scores: Floats, labels: Labels, taxonomy: Taxonomy
) -> Candidates:
    if family == "products":
        return product_candidates(readings, scores, labels, taxonomy)
    return rule_candidates(family, readings, scores, labels, taxonomy)


def _codes(family: str, labels: Labels, taxonomy: Taxonomy) -> tuple[str, ...]:
    if family == "hazards":
        return labels.hazards
    return labels.violations if family == "violations" else tuple(taxonomy.products)


def _told(family: str, example: Example) -> frozenset[str]:
    if family == "hazards":
        return example.hazards()
    return example.violations if family == "violations" else frozenset(example.products)


def _relevance_features(scores: Floats, labels: Labels, by_family: dict[str, list[tuple[Judged, ...]]]) -> Floats:
    best = [
        [max((judged.probability for judged in found), default=0.0) for found in by_family[family]]
        for family in FAMILIES
    ]
    logits = [np.log((np.array(column) + 0.01) / (1.01 - np.array(column))) for column in best]
    return np.column_stack([scores[:, labels.relevant], scores[:, labels.kinds], *logits]).astype(np.float32)
