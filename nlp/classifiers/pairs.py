"""Whether a candidate holds: a text and a hazard, a violation or a product it may be about.

The block of linear models knows words; a candidate's features say how that score stands beside what the rules found,
which clause speaks most of it and in what voice, what kind of text it is and whether the product at hand is known for
the hazard. One forest a family learns from all its labels together, so a rare label profits from what common ones
teach about negation, drills and figures of speech.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nlp.classifiers.clauses import STATUSES, Spoken
from nlp.classifiers.labels import Labels
from nlp.classifiers.linear import Floats
from nlp.features import Ints
from nlp.products import ProductHit
from nlp.reading import TextReading
from nlp.rules import STRENGTHS, Hit
from nlp.taxonomy import Taxonomy

CONSIDERED_FROM = -3.5  # log-odds below which a label without a rule finding is not even a candidate
SPOKEN_FROM = -2.0  # the same for the clause that speaks most of it, in a text that has candidates

# Characters before and behind the name of a product that say how it is spoken of.
_LIKENESS, _USE, _DETERMINERS = frozenset("像跟似如"), frozenset("用拿把在往被从"), frozenset("的这那买新款个台")
_PLACES = frozenset("店厂里上旁边下味")


@dataclass(frozen=True, slots=True)
class Candidates:
    """Candidates of one family over a batch: text and label of each, and its features."""

    texts: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    features: Floats


def worth_reading(readings: Sequence[TextReading], scores: Floats, labels: Labels) -> npt.NDArray[np.int64]:
    """The texts with any candidate for a hazard or violation: the others need no second look."""
    likely = (scores[:, : labels.relevant] > CONSIDERED_FROM).any(axis=1)
    found = np.fromiter((bool(r.hazards or r.violations) for r in readings), dtype=bool, count=len(readings))
    return np.flatnonzero(likely | found)


def rule_candidates(
    family: str,
    readings: Sequence[TextReading],
    scores: Floats,
    spoken: Spoken,
    shared: Floats,
    labels: Labels,
    taxonomy: Taxonomy,
    rarity: Floats,
) -> Candidates:
    """Candidates of the family "hazards" or "violations".

    `shared`: what `shared_features` says of the texts; `rarity`: the block's intercepts, lower for rarer labels.
    """
    codes = labels.hazards if family == "hazards" else labels.violations
    first = 0 if family == "hazards" else labels.first_violation
    columns = slice(first, first + len(codes))
    block = scores[:, columns]
    hits = _Hits.of([getattr(reading, family) for reading in readings], codes)
    considered = (block > CONSIDERED_FROM) | (spoken.tops[:, columns] > SPOKEN_FROM)
    worth = np.zeros((len(readings), 1), dtype=bool)
    worth[worth_reading(readings, scores, labels)] = True
    considered &= worth
    considered[hits.texts, hits.labels] = True
    texts, chosen = np.nonzero(considered)
    if not len(texts):
        return Candidates(texts, chosen, np.zeros((0, 0), dtype=np.float32))
    known_for = _known_for(readings, codes, taxonomy)[texts, chosen]
    features = [
        _found(texts, chosen, hits, block, scores[:, labels.relevant], known_for),
        shared[texts],
        _spoken(spoken, columns, texts, chosen, block),
    ]
    if family == "violations":
        # Some have five hundred examples and some ten. For hazards, more even, the same feature raised false alarms.
        features.append(rarity[columns][chosen, None])
    return Candidates(texts, chosen, np.hstack(features).astype(np.float32))


@dataclass(frozen=True, slots=True)
class _Hits:
    """The rules' findings of one family over a batch, a column each."""

    texts: Ints
    labels: Ints
    strengths: Ints  # places in STRENGTHS
    statuses: Ints  # places in STATUSES
    starts: Ints
    ends: Ints

    @classmethod
    def of(cls, hits: Sequence[Sequence[Hit]], codes: Sequence[str]) -> "_Hits":
        """Lay out the findings of each text; `codes` number the labels."""
        label = {code: at for at, code in enumerate(codes)}
        strength = {name: at for at, name in enumerate(STRENGTHS)}
        status = {name: at for at, name in enumerate(STATUSES)}
        rows = [
            (at, label[hit.code], strength[hit.strength], status[hit.status], hit.start, hit.end)
            for at, found in enumerate(hits)
            for hit in found
        ]
        return cls(*np.array(rows, dtype=np.int64).reshape(-1, 6).T)


def _known_for(readings: Sequence[TextReading], codes: Sequence[str], taxonomy: Taxonomy) -> npt.NDArray[np.bool_]:
    """Whether a product the text names is known for the label, one row a text, one column a label."""
    known = np.zeros((len(readings), len(codes)), dtype=bool)
    named = [(at, hit.code) for at, r in enumerate(readings) for hit in r.products if hit.code in taxonomy.products]
    if named:
        number = {code: at for at, code in enumerate(dict.fromkeys(code for _, code in named))}
        hazards = [set(taxonomy.products[code].hazards) for code in number]
        table = np.array([[code in of for code in codes] for of in hazards], dtype=bool)
        texts, begins = np.unique([at for at, _ in named], return_index=True)
        known[texts] = np.logical_or.reduceat(table[[number[code] for _, code in named]], begins)
    return known


def _found(
    texts: Ints, labels: Ints, hits: _Hits, block: Floats, relevance: Floats, known_for: npt.NDArray[np.bool_]
) -> Floats:
    """How a candidate's score stands beside the text's highest and what the rules found, one row a candidate."""
    row = np.zeros(block.shape, dtype=np.int64)
    row[texts, labels] = np.arange(len(texts))
    rows = row[hits.texts, hits.labels]

    def shown(which: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
        """1 for the candidates with any such finding."""
        column = np.zeros(len(texts))
        column[rows[which]] = 1.0
        return column

    asserted = hits.statuses == STATUSES.index("asserted")
    is_asserted = shown(asserted)
    strong, medium, item = (
        shown(asserted & (hits.strengths == STRENGTHS.index(name))) for name in ("strong", "medium", "item")
    )
    places = np.unique(np.stack((rows, hits.starts, hits.ends))[:, asserted], axis=1)
    spans = np.minimum(np.bincount(places[0], minlength=len(texts)), 4)
    longest = np.zeros(len(texts))
    np.maximum.at(longest, places[0], places[2] - places[1])
    asserted_codes = np.bincount(texts, weights=is_asserted, minlength=len(block))
    score = block[texts, labels].astype(np.float64)
    doubt = np.minimum(relevance[texts].astype(np.float64), 0.0)
    return np.column_stack(
        (
            score,
            score - block.max(axis=1)[texts],
            strong,
            medium,
            item,
            spans,
            longest / 10,
            shown(hits.statuses == STATUSES.index("negated")),
            shown(hits.statuses >= STATUSES.index("hypothetical")),  # or rumour
            1 - is_asserted,
            known_for,
            known_for * is_asserted,
            strong * score / 3,
            spans * score / 5,
            (1 - is_asserted) * score,
            strong * doubt,
            np.maximum(score, 0.0) * doubt / 3,
            asserted_codes[texts] / 3,
        )
    ).astype(np.float32)


def _spoken(spoken: Spoken, columns: slice, texts: Ints, labels: Ints, block: Floats) -> Floats:
    """What the clause that speaks most of a candidate says: how much, beside its rivals, where, and in what voice."""
    tops, rows = spoken.tops[:, columns], spoken.rows[:, columns]
    own, row = tops[texts, labels], rows[texts, labels]
    whole = block[texts, labels]
    counts = np.diff(spoken.clauses.first)[texts]
    return np.column_stack(
        (
            own,
            own - tops.max(axis=1)[texts],
            (own + whole) / 2,
            np.minimum(own, whole),
            spoken.voices[row],
            (row - spoken.clauses.first[texts]) / counts,
            np.minimum(counts, 10) / 5,
        )
    ).astype(np.float32)


def shared_features(readings: Sequence[TextReading], scores: Floats, labels: Labels) -> Floats:
    """What all candidates of a text have in common, one row a text."""
    relevance = scores[:, labels.relevant]
    cues = np.array([reading.genre.all_counts() for reading in readings], dtype=np.float32)
    return np.column_stack(
        (
            relevance,
            scores[:, labels.kinds],
            np.array([bool(reading.products) for reading in readings], dtype=np.float32),
            np.array([len(reading.folded) / 100 for reading in readings], dtype=np.float32),
            np.minimum(relevance, 0.0),
            cues > 0,
            cues > 1,
        )
    ).astype(np.float32)


def product_candidates(
    readings: Sequence[TextReading], scores: Floats, labels: Labels, taxonomy: Taxonomy
) -> Candidates:
    """Candidates of the family of products: those that are named."""
    codes = {code: at for at, code in enumerate(taxonomy.products)}
    texts, chosen, rows = [], [], []
    for at, reading in enumerate(readings):
        if not reading.products:
            continue
        named: dict[str, list[ProductHit]] = {}
        for hit in reading.products:
            named.setdefault(hit.code, []).append(hit)
        hazards = {hit.code for hit in reading.hazards}
        size = max(len(reading.folded), 1)
        for code, hits in named.items():
            first = hits[0]
            before = reading.folded[max(0, first.start - 2) : first.start]
            after = reading.folded[first.end : first.end + 1]
            longest = max([hit.end - hit.start for hit in hits])
            texts.append(at)
            chosen.append(codes[code])
            rows.append(
                (
                    any(hit.certain for hit in hits),
                    min(len(hits), 3),
                    first.start / size,
                    first.start < 12,
                    first is reading.products[0],
                    longest / 4,
                    longest <= 2,
                    not hazards.isdisjoint(taxonomy.products[code].hazards),
                    not _LIKENESS.isdisjoint(before),
                    not _USE.isdisjoint(before),
                    not _DETERMINERS.isdisjoint(before),
                    not _PLACES.isdisjoint(after),
                    min(len(named), 5) / 2,
                    size / 100,
                )
            )
    of, labelled = np.array(texts, dtype=np.int64), np.array(chosen, dtype=np.int64)
    if not rows:
        return Candidates(of, labelled, np.zeros((0, 0), dtype=np.float32))
    own = np.array(rows, dtype=np.float32)
    kinds = scores[of][:, [labels.relevant, *range(labels.kinds.start, labels.kinds.stop)]]
    return Candidates(of, labelled, np.hstack((own[:, :-2], kinds, own[:, -2:])))
