"""How good the tags are: precision, recall and F1 by label with intervals, false alarms, calibration, errors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from nlp.corpus import Example
from nlp.rules import fold
from nlp.tagging import ASSERTED_FROM, Finding, Tagged
from nlp.taxonomy import Taxonomy

FAMILIES = ("hazards", "violations", "products")
QUIET_KINDS = ("negated", "drill", "confuser", "knowledge", "rebuttal", "offtopic")
RESAMPLES = 300


@dataclass(frozen=True, slots=True)
class LabelScore:
    """One label's counts."""

    code: str
    hits: int
    false_alarms: int
    misses: int

    @property
    def precision(self) -> float:
        """Share of what was tagged that is right."""
        return self.hits / max(self.hits + self.false_alarms, 1)

    @property
    def recall(self) -> float:
        """Share of what is there that was tagged."""
        return self.hits / max(self.hits + self.misses, 1)

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        return 2 * self.hits / max(2 * self.hits + self.false_alarms + self.misses, 1)


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and the middle 95 % of it over texts drawn again by event."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True, slots=True)
class Error:
    """One text with what was missed and what was claimed too much."""

    text: str
    missed: tuple[str, ...]
    claimed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scores:
    """Everything measured on one set of labelled texts."""

    texts: int
    labels: dict[str, tuple[LabelScore, ...]]
    macro_f1: dict[str, Interval]
    relevance_auc: Interval
    false_alarms: dict[str, tuple[int, int]]  # kind -> texts with any asserted hazard, texts
    quiet_rate: Interval  # over the texts of negated, drill and confuser kind
    outside_recall: Interval  # hazards none of whose lexicon terms stands in the text
    outcome_accuracy: float
    calibration: tuple[tuple[float, float, int], ...]  # mean probability, share right, count
    confusion: tuple[tuple[str, str, int], ...]  # missed hazard, claimed hazard, times
    errors: tuple[Error, ...]


def told(example: Example, family: str) -> frozenset[str]:
    """The codes a person gave."""
    if family == "hazards":
        return example.hazards()
    return example.violations if family == "violations" else frozenset(example.products)


def claimed(tags: Tagged, family: str, least: float = ASSERTED_FROM) -> frozenset[str]:
    """The codes the tagger asserts."""
    findings: tuple[Finding, ...] = getattr(tags, family)
    return frozenset(f.code for f in findings if f.probability >= least and f.status == "asserted")


def score(examples: Sequence[Example], tags: Sequence[Tagged], taxonomy: Taxonomy) -> Scores:
    """Measure; only labels that occur count towards a macro average."""
    pairs = {
        family: [(told(e, family), claimed(t, family)) for e, t in zip(examples, tags, strict=True)]
        for family in FAMILIES
    }
    codes = {
        "hazards": tuple(taxonomy.hazards),
        "violations": tuple(taxonomy.violations),
        "products": tuple(taxonomy.products),
    }
    arrays = {family: _arrays(pairs[family], codes[family]) for family in FAMILIES}
    draw = _Resampler([example.event for example in examples])
    relevant = np.array([example.relevant for example in examples])
    relevance = np.array([t.relevance for t in tags])
    alarmed = np.array([bool(found) for _, found in pairs["hazards"]])
    quiet = np.array([example.kind in ("negated", "drill", "confuser") for example in examples])
    outside = _outside_lexicon(examples, tags, taxonomy)
    return Scores(
        texts=len(examples),
        labels={family: _label_scores(*arrays[family], codes[family]) for family in FAMILIES},
        macro_f1={
            family: draw.interval(partial(_macro_f1_of, true, found)) for family, (true, found) in arrays.items()
        },
        relevance_auc=draw.interval(lambda rows: _auc(relevant[rows], relevance[rows])),
        false_alarms={
            kind: (int(alarmed[chosen].sum()), int(chosen.sum()))
            for kind in QUIET_KINDS
            if (chosen := np.array([example.kind == kind for example in examples])).any()
        },
        quiet_rate=draw.interval(lambda rows: _mean(alarmed[rows][quiet[rows]])),
        outside_recall=draw.interval(lambda rows: _mean(np.concatenate([outside[row] for row in rows]))),
        outcome_accuracy=_mean(np.array([t.outcome == e.outcome for e, t in zip(examples, tags, strict=True)])),
        calibration=_calibration(examples, tags),
        confusion=_confusion(pairs["hazards"]),
        errors=_errors(examples, pairs),
    )


def summary(scores: Scores) -> dict[str, float | None]:
    """The main figures by name, for a manifest or a comparison; None where the texts cannot tell."""
    return {
        "texts": scores.texts,
        "hazards_macro_f1": _rounded(scores.macro_f1["hazards"].value),
        "violations_macro_f1": _rounded(scores.macro_f1["violations"].value),
        "products_macro_f1": _rounded(scores.macro_f1["products"].value),
        "relevance_auc": _rounded(scores.relevance_auc.value),
        "false_alarm_rate": _rounded(scores.quiet_rate.value),
        "outside_lexicon_recall": _rounded(scores.outside_recall.value),
        "outcome_accuracy": _rounded(scores.outcome_accuracy),
    }


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 4)


class _Resampler:
    """Draws whole events with replacement, so that reposts of one event do not narrow an interval."""

    def __init__(self, events: Sequence[str]) -> None:
        groups: dict[str, list[int]] = {}
        for row, event in enumerate(events):
            groups.setdefault(event, []).append(row)
        self._groups = [np.array(rows) for rows in groups.values()]
        self._all = np.arange(len(events))

    def interval(self, figure: Callable[[Any], float]) -> Interval:
        rng = np.random.default_rng(0)
        values = []
        for _ in range(RESAMPLES):
            chosen = rng.integers(0, len(self._groups), len(self._groups))
            values.append(figure(np.concatenate([self._groups[at] for at in chosen])))
        told = [value for value in values if not np.isnan(value)]
        low, high = np.percentile(told, [2.5, 97.5]) if told else (np.nan, np.nan)
        return Interval(figure(self._all), float(low), float(high))


def _arrays(pairs: Sequence[tuple[frozenset[str], frozenset[str]]], codes: Sequence[str]) -> tuple[Any, Any]:
    true = np.array([[code in gold for code in codes] for gold, _ in pairs], dtype=bool)
    found = np.array([[code in claim for code in codes] for _, claim in pairs], dtype=bool)
    return true, found


def _label_scores(true: Any, found: Any, codes: Sequence[str]) -> tuple[LabelScore, ...]:
    return tuple(
        LabelScore(
            code,
            int((true[:, at] & found[:, at]).sum()),
            int((~true[:, at] & found[:, at]).sum()),
            int((true[:, at] & ~found[:, at]).sum()),
        )
        for at, code in enumerate(codes)
    )


def _macro_f1(true: Any, found: Any) -> float:
    hits = (true & found).sum(axis=0)
    both = true.sum(axis=0) + found.sum(axis=0)
    there = true.any(axis=0)
    return float((2 * hits[there] / np.maximum(both[there], 1)).mean()) if there.any() else float("nan")


def _macro_f1_of(true: Any, found: Any, rows: Any) -> float:
    return _macro_f1(true[rows], found[rows])


def _auc(relevant: Any, relevance: Any) -> float:
    return float(roc_auc_score(relevant, relevance)) if 0 < relevant.sum() < len(relevant) else float("nan")


def _mean(values: Any) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _outside_lexicon(examples: Sequence[Example], tags: Sequence[Tagged], taxonomy: Taxonomy) -> list[Any]:
    """For each text, which of its hazards worded outside the published lexicon were found."""
    terms = {h.id: [fold(term) for term in (*h.terms, *h.test_items)] for h in taxonomy.hazards.values()}
    found = []
    for example, tagged in zip(examples, tags, strict=True):
        folded, claims = fold(example.text), claimed(tagged, "hazards")
        outside = [code for code in sorted(example.hazards()) if not any(term in folded for term in terms[code])]
        found.append(np.array([code in claims for code in outside], dtype=bool))
    return found


def _calibration(examples: Sequence[Example], tags: Sequence[Tagged]) -> tuple[tuple[float, float, int], ...]:
    points = [
        (finding.probability, finding.code in example.hazards())
        for example, tagged in zip(examples, tags, strict=True)
        for finding in tagged.hazards
    ]
    bins = []
    for low in np.arange(0, 1, 0.1):
        inside = [(p, right) for p, right in points if low <= p < low + 0.1 or (p == 1 and low > 0.85)]
        if inside:
            bins.append((_mean(np.array([p for p, _ in inside])), _mean(np.array([r for _, r in inside])), len(inside)))
    return tuple(bins)


def _confusion(pairs: Sequence[tuple[frozenset[str], frozenset[str]]]) -> tuple[tuple[str, str, int], ...]:
    counts: dict[tuple[str, str], int] = {}
    for gold, claims in pairs:
        for missed in gold - claims:
            for wrong in claims - gold:
                counts[missed, wrong] = counts.get((missed, wrong), 0) + 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple((missed, wrong, count) for (missed, wrong), count in ordered[:30])


def _errors(
    examples: Sequence[Example], pairs: dict[str, list[tuple[frozenset[str], frozenset[str]]]]
) -> tuple[Error, ...]:
    found = []
    for at, example in enumerate(examples):
        missed: list[str] = []
        wrong: list[str] = []
        for family in FAMILIES:
            gold, claims = pairs[family][at]
            missed.extend(sorted(gold - claims))
            wrong.extend(sorted(claims - gold))
        if missed or wrong:
            found.append(Error(example.text, tuple(missed), tuple(wrong)))
    return tuple(found)
