"""The text model: reads a text as numbers, scores every label in one product, then weighs the candidates.

Recipe: character runs and words by TF-IDF with the rules' findings beside them → one logistic regression a label,
over whole texts and over clauses → boosted trees a family over (both scores, findings, voice of the clause, kind of
text), fitted on scores out of fold.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise, repeat
from typing import NamedTuple

import numpy as np

from nlp.classifiers.clauses import Clauses, Spoken
from nlp.classifiers.labels import OUTCOME_LABELS, Labels
from nlp.classifiers.linear import Floats, LinearBlock, Scale, fit_block, fit_scale, out_of_fold
from nlp.classifiers.pairs import Candidates, product_candidates, rule_candidates, shared_features, worth_reading
from nlp.classifiers.trees import Trees, fit_trees
from nlp.corpus import Example
from nlp.features import PlacedRuns, Vocabulary
from nlp.reading import TextReading
from nlp.taxonomy import Taxonomy

STRENGTH = 8.0
CLAUSE_STRENGTH = 5.0
RULE_FAMILIES = ("hazards", "violations")
FAMILIES = (*RULE_FAMILIES, "products")


class Judged(NamedTuple):
    """One candidate after weighing; `clause`: the offsets of the clause that speaks most of it."""

    code: str
    probability: float
    clause: tuple[int, int] | None = None


class Judgement(NamedTuple):
    """What the model makes of one text; lists are sorted by falling probability."""

    relevance: float
    hazards: tuple[Judged, ...]
    violations: tuple[Judged, ...]
    products: tuple[Judged, ...]
    outcomes: dict[str, float]
    kinds: Floats


@dataclass(frozen=True, slots=True)
class TextModel:
    """A fitted model: `block` scores texts, `clause_block` their clauses, `weighing` decides on each family."""

    labels: Labels
    vocabulary: Vocabulary
    block: LinearBlock
    clause_block: LinearBlock
    weighing: dict[str, Trees]
    relevance: Scale
    version: str = "unsaved"

    def judge(self, readings: Sequence[TextReading], taxonomy: Taxonomy) -> list[Judgement]:
        """Judge a batch."""
        if not readings:
            return []
        features = [reading.features for reading in readings]
        placed = self.vocabulary.placed_runs(features)
        scores = self.block.scores(self.vocabulary.matrix(features, placed))
        worth = worth_reading(readings, scores, self.labels)
        chosen = [readings[at] for at in worth]
        spoken = self._spoken(chosen, placed.among(worth))
        theirs = scores[worth]
        shared = shared_features(chosen, theirs, self.labels)
        found: dict[str, list[tuple[Judged, ...]]] = {}
        for family in RULE_FAMILIES:
            found[family] = [()] * len(readings)
            if spoken is None:
                continue
            candidates = rule_candidates(
                family, chosen, theirs, spoken, shared, self.labels, taxonomy, self.block.intercepts
            )
            for at, judged in zip(worth, self._judged(family, len(chosen), candidates, taxonomy, spoken), strict=True):
                found[family][at] = judged
        candidates = product_candidates(readings, scores, self.labels, taxonomy)
        found["products"] = self._judged("products", len(readings), candidates, taxonomy, None)
        relevance = self.relevance.probabilities(_relevance_features(scores, self.labels, found))
        outcomes = 1 / (1 + np.exp(-scores[:, self.labels.outcomes]))
        each = zip(
            relevance.tolist(),
            *(found[family] for family in FAMILIES),
            outcomes.tolist(),
            scores[:, self.labels.kinds],
            strict=True,
        )
        return [
            Judgement(relevant, hazards, violations, products, dict(zip(OUTCOME_LABELS, outcome, strict=True)), kinds)
            for relevant, hazards, violations, products, outcome, kinds in each
        ]

    def _spoken(self, readings: Sequence[TextReading], placed: PlacedRuns) -> Spoken | None:
        if not readings:
            return None
        clauses = Clauses.of(readings)
        return Spoken.of(clauses, clauses.scores(self.clause_block, self.vocabulary, readings, placed))

    def _judged(
        self, family: str, texts: int, candidates: Candidates, taxonomy: Taxonomy, spoken: Spoken | None
    ) -> list[tuple[Judged, ...]]:
        probabilities = self.weighing[family].probabilities(candidates.features)
        return _by_text(family, texts, candidates, probabilities, _codes(family, self.labels, taxonomy), spoken)


def fit(examples: Sequence[Example], readings: Sequence[TextReading], taxonomy: Taxonomy) -> TextModel:
    """Fit on labelled examples, each read by the same lexicon folder. Texts of one event never cross a fold."""
    labels = Labels(tuple(taxonomy.hazards), tuple(taxonomy.violations))
    features = [reading.features for reading in readings]
    events = np.array([example.event for example in examples])
    vocabulary = Vocabulary.fit(features)
    matrix = vocabulary.matrix(features)
    targets = labels.targets(examples)
    block = fit_block(matrix, targets, strength=STRENGTH)
    scores = out_of_fold(matrix, targets, events, strength=STRENGTH)
    clauses = Clauses.of(readings)
    clause_matrix = clauses.matrix(vocabulary, readings)
    spoken_of = clauses.targets(examples, labels)
    clause_block = fit_block(clause_matrix, spoken_of, strength=CLAUSE_STRENGTH)
    spoken = Spoken.of(clauses, out_of_fold(clause_matrix, spoken_of, events[clauses.texts], strength=CLAUSE_STRENGTH))
    shared = shared_features(readings, scores, labels)
    weighing: dict[str, Trees] = {}
    found: dict[str, list[tuple[Judged, ...]]] = {}
    for family in FAMILIES:
        if family == "products":
            candidates = product_candidates(readings, scores, labels, taxonomy)
        else:
            candidates = rule_candidates(family, readings, scores, spoken, shared, labels, taxonomy, block.intercepts)
        codes = _codes(family, labels, taxonomy)
        told = [_told(family, example) for example in examples]
        answers = np.array(
            [codes[label] in told[text] for text, label in zip(candidates.texts, candidates.labels, strict=True)],
            dtype=np.int8,
        )
        groups = events[candidates.texts]
        weighing[family], probabilities = fit_trees(candidates.features, answers, candidates.labels, groups)
        found[family] = _by_text(family, len(readings), candidates, probabilities, codes, spoken)
    relevant = np.array([example.relevant for example in examples], dtype=np.int8)
    relevance = fit_scale(_relevance_features(scores, labels, found), relevant)
    return TextModel(labels, vocabulary, block, clause_block, weighing, relevance)


def _by_text(
    family: str,
    texts: int,
    candidates: Candidates,
    probabilities: Floats,
    codes: Sequence[str],
    spoken: Spoken | None,
) -> list[tuple[Judged, ...]]:
    rank = np.argsort(np.argsort(np.array(codes)))
    order = np.lexsort((rank[candidates.labels], -probabilities, candidates.texts))
    of, labels = candidates.texts[order], candidates.labels[order]
    spans: Iterable[tuple[int, int] | None] = repeat(None, len(order))
    if spoken is not None and family in RULE_FAMILIES:
        first = 0 if family == "hazards" else spoken.tops.shape[1] - len(codes)
        rows = spoken.rows[of, first + labels]
        spans = zip(spoken.clauses.starts[rows].tolist(), spoken.clauses.ends[rows].tolist(), strict=True)
    judged = [
        Judged(codes[label], probability, span)
        for label, probability, span in zip(labels.tolist(), probabilities[order].tolist(), spans, strict=True)
    ]
    ends = np.searchsorted(of, np.arange(texts + 1)).tolist()
    return [tuple(judged[begin:end]) for begin, end in pairwise(ends)]


def _codes(family: str, labels: Labels, taxonomy: Taxonomy) -> tuple[str, ...]:
    if family == "hazards":
        return labels.hazards
    return labels.violations if family == "violations" else tuple(taxonomy.products)


def _told(family: str, example: Example) -> frozenset[str]:
    if family == "hazards":
        return example.hazards()
    return example.violations if family == "violations" else frozenset(example.products)


def _relevance_features(scores: Floats, labels: Labels, by_family: dict[str, list[tuple[Judged, ...]]]) -> Floats:
    # Candidates come by falling probability.
    best = [[found[0].probability if found else 0.0 for found in by_family[family]] for family in FAMILIES]
    logits = [np.log((np.array(column) + 0.01) / (1.01 - np.array(column))) for column in best]
    return np.column_stack([scores[:, labels.relevant], scores[:, labels.kinds], *logits]).astype(np.float32)
