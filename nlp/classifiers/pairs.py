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

from nlp.classifiers.clauses import Spoken
from nlp.classifiers.labels import Labels
from nlp.classifiers.linear import Floats
from nlp.features import Ints
from nlp.reading import TextReading
from nlp.rules import Hit
from nlp.taxonomy import Taxonomy

CONSIDERED_FROM = -3.5  # log-odds below which a label without a rule finding is not even a candidate
SPOKEN_FROM = -2.0  # the same for the clause that speaks most of it, in a text that has candidates


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
    labels: Labels,
    taxonomy: Taxonomy,
    rarity: Floats,
) -> Candidates:
    """Candidates of the family "hazards" or "violations". `rarity`: the block's intercepts, lower for rarer labels."""
    codes = labels.hazards if family == "hazards" else labels.violations
    first = 0 if family == "hazards" else labels.first_violation
    columns = slice(first, first + len(codes))
    column = {code: at for at, code in enumerate(codes)}
    texts, chosen, rows = [], [], []
    block = scores[:, columns]
    tops = block.max(axis=1).tolist()
    relevances = scores[:, labels.relevant].tolist()
    worth = set(worth_reading(readings, scores, labels).tolist())
    likely: dict[int, list[int]] = {}
    places = np.nonzero((block > CONSIDERED_FROM) | (spoken.tops[:, columns] > SPOKEN_FROM))
    for at, label in zip(*(place.tolist() for place in places), strict=True):
        likely.setdefault(at, []).append(label)
    for at, reading in enumerate(readings):
        if at not in worth:
            continue
        by_code: dict[int, list[Hit]] = {}
        for hit in getattr(reading, family):
            by_code.setdefault(column[hit.code], []).append(hit)
        considered = {*by_code, *likely.get(at, ())}
        if not considered:
            continue
        known_for = {
            hazard
            for product in reading.products
            if product.code in taxonomy.products
            for hazard in taxonomy.products[product.code].hazards
        }
        own = block[at].tolist()
        asserted_codes = sum(any(hit.status == "asserted" for hit in hits) for hits in by_code.values())
        for label in sorted(considered):
            texts.append(at)
            chosen.append(label)
            rows.append(
                [
                    *_candidate(
                        own[label],
                        tops[at],
                        relevances[at],
                        by_code.get(label, ()),
                        codes[label] in known_for,
                    ),
                    asserted_codes / 3,
                ]
            )
    if not rows:
        return _stack(texts, chosen, rows)
    of, labelled = np.array(texts, dtype=np.int64), np.array(chosen, dtype=np.int64)
    more = [_shared(readings, scores, labels)[of], _spoken(spoken, columns, of, labelled, block)]
    if family == "violations":
        # Some have five hundred examples and some ten. For hazards, more even, the same feature raised false alarms.
        more.append(rarity[columns][labelled, None])
    return _stack(texts, chosen, rows, np.hstack(more))


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


def _shared(readings: Sequence[TextReading], scores: Floats, labels: Labels) -> Floats:
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


def _candidate(score: float, top: float, relevance: float, hits: Sequence[Hit], known_for: bool) -> list[float]:
    asserted = [hit for hit in hits if hit.status == "asserted"]
    strong = float(any(hit.strength == "strong" for hit in asserted))
    doubt = min(relevance, 0.0)
    spans = min(len({(hit.start, hit.end) for hit in asserted}), 4)
    longest = max((hit.end - hit.start for hit in asserted), default=0)
    return [
        score,
        score - top,
        strong,
        float(any(hit.strength == "medium" for hit in asserted)),
        float(any(hit.strength == "item" for hit in asserted)),
        float(spans),
        longest / 10,
        float(any(hit.status == "negated" for hit in hits)),
        float(any(hit.status in ("hypothetical", "rumour") for hit in hits)),
        float(not asserted),
        float(known_for),
        float(known_for and bool(asserted)),
        strong * score / 3,
        spans * score / 5,
        0.0 if asserted else score,
        strong * doubt,
        max(score, 0.0) * doubt / 3,
    ]


def product_candidates(
    readings: Sequence[TextReading], scores: Floats, labels: Labels, taxonomy: Taxonomy
) -> Candidates:
    """Candidates of the family of products: those that are named."""
    codes = {code: at for at, code in enumerate(taxonomy.products)}
    told = np.column_stack((scores[:, labels.relevant], scores[:, labels.kinds])).tolist()
    texts, chosen, rows = [], [], []
    for at, reading in enumerate(readings):
        if not reading.products:
            continue
        named: dict[str, list[int]] = {}
        for place, hit in enumerate(reading.products):
            named.setdefault(hit.code, []).append(place)
        hazards = {hit.code for hit in reading.hazards}
        size = max(len(reading.folded), 1)
        shared = [min(len(named), 5) / 2, size / 100]
        for code, places in named.items():
            hits = [reading.products[place] for place in places]
            first = hits[0]
            before = reading.folded[max(0, first.start - 2) : first.start]
            after = reading.folded[first.end : first.end + 2]
            texts.append(at)
            chosen.append(codes[code])
            rows.append(
                [
                    float(any(hit.certain for hit in hits)),
                    min(len(hits), 3),
                    first.start / size,
                    float(first.start < 12),
                    float(places[0] == 0),
                    max(hit.end - hit.start for hit in hits) / 4,
                    float(max(hit.end - hit.start for hit in hits) <= 2),
                    float(bool(hazards & set(taxonomy.products[code].hazards))),
                    float(any(char in "像跟似如" for char in before)),
                    float(any(char in "用拿把在往被从" for char in before)),
                    float(any(char in "的这那买新款个台" for char in before)),
                    float(any(char in "店厂里上旁边下味" for char in after[:1])),
                    *told[at],
                    *shared,
                ]
            )
    return _stack(texts, chosen, rows)


def _stack(texts: list[int], labels: list[int], rows: list[list[float]], more: Floats | None = None) -> Candidates:
    features = np.array(rows, dtype=np.float32) if rows else np.zeros((0, 0), dtype=np.float32)
    if more is not None:
        features = np.hstack((features, more))
    return Candidates(np.array(texts, dtype=np.int64), np.array(labels, dtype=np.int64), features)
