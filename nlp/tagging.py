"""Text -> tags with evidence. A tagger is built once from a lexicon folder and, where there is one, a trained model.

Rules find and explain; the model weighs everything the text says, the rules' findings among it, and generalises to
words no rule knows. Without a model the rules speak alone, with fixed probabilities.
"""

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from nlp.artifacts import load_model
from nlp.classifiers.labels import KIND_LABELS
from nlp.classifiers.text_model import Judged, Judgement, TextModel
from nlp.extraction import Fact, Harm, read_facts, read_harm
from nlp.products import ProductHit
from nlp.reading import Reader, TextReading
from nlp.regions import shipped_index
from nlp.rules import Hit, fold
from nlp.taxonomy import Taxonomy, load_taxonomy

RULES_VERSION = "1"
ASSERTED_FROM = 0.5  # see docs/tagging.md: the model's probabilities are made for this point
SHOWN_FROM = 0.2  # below this a finding is noise and is not reported
OUTCOME_FROM = 0.35
OUTCOME_SEVERITY = {"none": 0, "near_miss": 1, "property": 2, "injury_minor": 2, "injury_serious": 3, "death": 4}

_BATCH_TEXTS, _BATCH_CHARACTERS = 1024, 131_072
_Item = tuple[str, str | None, date | None]  # text, channel, day it appeared

# What a rule alone is worth where no model was trained: a proposal, not a measurement.
_RULE_PROBABILITY = {"strong": 0.9, "item": 0.85, "medium": 0.7, "weak": 0.3}


@dataclass(frozen=True, slots=True)
class Finding:
    """One product, hazard or violation. `probability` of a hazard is that the text asserts it."""

    code: str
    probability: float
    status: str
    spans: tuple[tuple[int, int], ...]
    source: str  # rule | model | both


@dataclass(frozen=True, slots=True)
class Tagged:
    """Everything one text says. Spans are offsets into the text as given."""

    relevance: float
    products: tuple[Finding, ...]
    hazards: tuple[Finding, ...]
    violations: tuple[Finding, ...]
    outcome: str
    outcome_probability: float
    injured: int | None
    deaths: int | None
    severity: int  # 1 minor to 4 fatal; 0 when nothing is asserted
    info_grade: int | None  # 1 一级 … 3 三级; None when the text is not relevant
    facts: tuple[Fact, ...]
    regions: tuple[str, ...]
    version: str

    def as_json(self) -> dict[str, Any]:
        """The object that `zhian tag --json` writes, without the id."""
        return {
            "relevant": round(self.relevance, 4),
            "products": {f.code: round(f.probability, 4) for f in self.products},
            "hazards": {
                f.code: {
                    "p": round(f.probability, 4),
                    "status": f.status,
                    "evidence": [list(span) for span in f.spans],
                }
                for f in self.hazards
            },
            "violations": {
                f.code: {"p": round(f.probability, 4), "evidence": [list(span) for span in f.spans]}
                for f in self.violations
            },
            "outcome": self.outcome,
            "injured": self.injured,
            "deaths": self.deaths,
            "regions": list(self.regions),
            "info_grade": self.info_grade,
        }


class Tagger:
    """Tags texts by one lexicon folder and an optional model."""

    def __init__(self, taxonomy: Taxonomy, model: TextModel | None = None, native: bool = False) -> None:
        self.taxonomy = taxonomy
        self.reader = Reader(taxonomy, native)
        self.model = model
        parts = [f"rules-{RULES_VERSION}", taxonomy.digest]
        if model is not None:
            parts.append(model.version)
        self.version = "+".join(parts)

    def tag(self, text: str, channel: str | None = None, on: date | None = None) -> Tagged:
        """Tag one text; `on` is the day it appeared, for dates told without a year."""
        return self.tag_many([(text, channel, on)])[0]

    def tag_many(self, items: Iterable[_Item]) -> list[Tagged]:
        """Tag many (text, channel, day) in one pass; the result is the same as one by one.

        The channel is not weighed: what a text says must not depend on the door it came through.
        """
        return [tags for batch in _batches(items) for tags in self._tag_batch(batch)]

    def _tag_batch(self, given: Sequence[_Item]) -> list[Tagged]:
        # Notices repeat themselves word for word, so each wording is read once and told once a day of appearance.
        place = {text: at for at, text in enumerate(dict.fromkeys(text for text, _, _ in given))}
        readings = self.reader.read_many(list(place))
        judgements = self._judged(readings)
        told: dict[tuple[int, date | None], Tagged] = {}
        for text, _, on in given:
            at = place[text]
            if (at, on) not in told:
                told[at, on] = self._told(readings[at], judgements[at], on)
        return [told[place[text], on] for text, _, on in given]

    def _judged(self, readings: Sequence[TextReading]) -> Sequence[Judgement | None]:
        """What the model makes of each text; nothing where there is none."""
        return [None] * len(readings) if self.model is None else self.model.judge(readings, self.taxonomy)

    def _told(self, reading: TextReading, judgement: Judgement | None, on: date | None) -> Tagged:
        return self._by_rules(reading, on) if judgement is None else self._by_model(reading, judgement, on)

    def tag_sample(
        self, text: str, tags: Tagged, *, failed_items: Sequence[str], safety_failed: bool, product: str | None
    ) -> Tagged:
        """The tags of one sampled batch: its cells decide, not its wording.

        A failed item maps to its hazard through the item map; a batch that passed asserts nothing, whatever items
        its row lists. A product mapped at intake wins over one read from the text.
        """
        folded = fold(text)
        products = tags.products
        if product in self.taxonomy.products and product not in {f.code for f in products}:
            products = (Finding(product, 0.99, "asserted", (), "record"), *products)
        hazards: dict[str, list[tuple[int, int]]] = {}
        spans = []
        for item in failed_items:
            at = folded.find(fold(item)) if item else -1
            span = [(at, at + len(item))] if at >= 0 else []
            spans.extend(span)
            for code in self.reader.rules.hazards_of_item(item, product):
                hazards.setdefault(code, []).extend(span)
        found = tuple(Finding(code, 0.97, "asserted", tuple(where), "item map") for code, where in hazards.items())
        violations = (
            (Finding("safety_standard_violation", 0.97, "asserted", tuple(spans), "item map"),)
            if (safety_failed or found) and "safety_standard_violation" in self.taxonomy.violations
            else ()
        )
        relevance = 0.99 if failed_items else 0.01
        severity = self._severity(found, "none")
        return replace(
            tags,
            relevance=relevance,
            products=products,
            hazards=found,
            violations=violations,
            outcome="none",
            injured=None,
            deaths=None,
            severity=severity,
            info_grade=info_grade(severity, relevance),
        )

    def _by_rules(self, reading: TextReading, on: date | None) -> Tagged:
        hazards = merge_hazards(reading.hazards)
        violations = merge_plain(reading.violations)
        asserted = max((f.probability for f in hazards if f.status == "asserted"), default=0.0)
        relevance = max(asserted, max((f.probability for f in violations), default=0.0))
        if reading.genre.status is not None:
            relevance *= 0.5 if reading.genre.rumour and not reading.genre.rebuttal else 0.2
        return self._assemble(reading, on, relevance, merge_products(reading.products), hazards, violations, {})

    def _by_model(self, reading: TextReading, judgement: Judgement, on: date | None) -> Tagged:
        hazards = self._weighed_all(judgement.hazards, "hazard", reading.hazards, judgement)
        violations = self._weighed_all(judgement.violations, "violation", reading.violations, judgement)
        spans: dict[str, list[tuple[int, int]]] = {}
        for hit in reading.products:
            spans.setdefault(hit.code, []).append((hit.start, hit.end))
        products = [
            Finding(judged.code, judged.probability, "asserted", tuple(spans[judged.code]), "both")
            for judged in judgement.products
        ]
        return self._assemble(
            reading, on, judgement.relevance, tuple(products), hazards, violations, judgement.outcomes
        )

    def _weighed_all(
        self, candidates: Sequence[Judged], family: str, hits: Sequence[Hit], judgement: Judgement
    ) -> tuple[Finding, ...]:
        by_code: dict[str, list[Hit]] = {}
        for hit in hits:
            by_code.setdefault(hit.code, []).append(hit)
        weighed = [
            self._weighed(judged, family, by_code.get(judged.code, ()), judgement)
            for judged in candidates
            if judged.probability >= ASSERTED_FROM or judged.code in by_code
        ]
        return tuple(found for found in weighed if found is not None)

    def _weighed(self, judged: Judged, family: str, own: Sequence[Hit], judgement: Judgement) -> Finding | None:
        """A finding with its evidence, or None where neither model nor rules have anything to show."""
        if judged.probability >= ASSERTED_FROM:
            chosen = [hit for hit in own if hit.status == "asserted"] or own
            # Where no rule shows the words, the clause that speaks most of it was recognised.
            spans = _spans(chosen) if chosen else () if judged.clause is None else (judged.clause,)
            return Finding(judged.code, judged.probability, "asserted", spans, "both" if chosen else "model")
        if not own:
            return None
        other = next((hit.status for hit in own if hit.status != "asserted"), None)
        status = other or (
            "asserted" if judged.probability >= SHOWN_FROM or family == "violation" else _kind_status(judgement)
        )
        if status is None or (status == "asserted" and judged.probability < SHOWN_FROM):
            return None
        return Finding(judged.code, judged.probability, status, _spans(own), "both")

    def _assemble(
        self,
        reading: TextReading,
        on: date | None,
        relevance: float,
        products: tuple[Finding, ...],
        hazards: tuple[Finding, ...],
        violations: tuple[Finding, ...],
        outcomes: Mapping[str, float],
    ) -> Tagged:
        asserted = [f for f in hazards if f.status == "asserted" and f.probability >= ASSERTED_FROM]
        harm = read_harm(reading.folded) if asserted else Harm(None, None)
        outcome, probability = decide_outcome(outcomes, harm, bool(asserted) and relevance >= 0.5)
        people = outcome in ("death", "injury_minor", "injury_serious")
        near_miss = outcome == "near_miss"
        severity = self._severity(asserted, outcome)
        return Tagged(
            relevance=relevance,
            products=products,
            hazards=hazards,
            violations=violations,
            outcome=outcome,
            outcome_probability=probability,
            injured=harm.injured if people else 0 if near_miss else None,
            deaths=(harm.deaths or 0) if people else 0 if near_miss else None,
            severity=severity,
            info_grade=info_grade(severity, relevance),
            facts=tuple(read_facts(reading.folded, on)) if relevance >= SHOWN_FROM else (),
            regions=_regions(reading.folded) if relevance >= SHOWN_FROM else (),
            version=self.version,
        )

    def _severity(self, asserted: Sequence[Finding], outcome: str) -> int:
        inherent = max((self.taxonomy.hazards[f.code].severity for f in asserted), default=0)
        return max(min(inherent, 3), OUTCOME_SEVERITY[outcome])


def _regions(folded: str) -> tuple[str, ...]:
    """The adcodes of places that can mean only one, in reading order; a doubtful name gives none."""
    codes = (place.code for place in shipped_index().locate(folded))
    return tuple(dict.fromkeys(code for code in codes if code is not None))


def _kind_status(judgement: Judgement) -> str | None:
    """The status a rule's finding takes in a text the model reads as something other than a report."""
    kind = KIND_LABELS[int(judgement.kinds.argmax())]
    return {"drill": "hypothetical", "knowledge": "hypothetical", "negated": "negated", "rebuttal": "rumour"}.get(kind)


def decide_outcome(outcomes: Mapping[str, float], harm: Harm, happened: bool) -> tuple[str, float]:
    """The worst harm the text asserts from the product, and how sure that is.

    Counted dead or injured decide where the text is a report at all; otherwise the model's likeliest outcome.
    """
    if not happened:
        return "none", 1 - max(outcomes.values(), default=0.1)
    likeliest = max(outcomes, key=outcomes.__getitem__, default="none")
    probability = outcomes.get(likeliest, 0.0)
    if harm.deaths and outcomes.get("death", 1.0) >= 0.2:
        return "death", max(outcomes.get("death", 0.0), 0.8)
    if harm.injured and likeliest not in ("injury_serious", "death"):
        serious = outcomes.get("injury_serious", 0.0) > outcomes.get("injury_minor", 0.0)
        return ("injury_serious" if serious else "injury_minor"), max(probability, 0.6)
    if probability >= OUTCOME_FROM and (likeliest != "death" or harm.deaths):
        return likeliest, probability
    return "none", 1 - probability


def info_grade(severity: int, relevance: float) -> int | None:
    """The information grade 一级, 二级 or 三级 as 1, 2, 3, from severity × certainty (P: a proposal)."""
    if relevance < 0.5:
        return None
    if severity >= 4:
        return 1 if relevance >= 0.8 else 2
    return 2 if severity == 3 and relevance >= 0.8 else 3


def merge_hazards(hits: Sequence[Hit]) -> tuple[Finding, ...]:
    """One finding a hazard: asserted when any of its hits is, else by its strongest hit."""
    by_code: dict[str, list[Hit]] = {}
    for hit in hits:
        by_code.setdefault(hit.code, []).append(hit)
    found = []
    for code, group in by_code.items():
        asserted = [hit for hit in group if hit.status == "asserted"]
        status = "asserted" if asserted else group[0].status
        chosen = [hit for hit in group if hit.status == status]
        best = max(_RULE_PROBABILITY[hit.strength] for hit in chosen)
        probability = best if asserted else 0.1 * best
        found.append(Finding(code, probability, status, _spans(chosen), "rule"))
    return tuple(sorted(found, key=lambda f: (-f.probability, f.code)))


def merge_plain(hits: Sequence[Hit]) -> tuple[Finding, ...]:
    """One finding a violation."""
    by_code: dict[str, list[Hit]] = {}
    for hit in hits:
        by_code.setdefault(hit.code, []).append(hit)
    found = [
        Finding(code, max(_RULE_PROBABILITY[hit.strength] for hit in group), "asserted", _spans(group), "rule")
        for code, group in by_code.items()
    ]
    return tuple(sorted(found, key=lambda f: (-f.probability, f.code)))


def merge_products(hits: Sequence[ProductHit]) -> tuple[Finding, ...]:
    """One finding a product."""
    by_code: dict[str, list[ProductHit]] = {}
    for hit in hits:
        by_code.setdefault(hit.code, []).append(hit)
    found = [
        Finding(
            code,
            0.95 if any(hit.certain for hit in group) else 0.4,
            "asserted",
            tuple((hit.start, hit.end) for hit in group),
            "rule",
        )
        for code, group in by_code.items()
    ]
    return tuple(sorted(found, key=lambda f: (-f.probability, f.code)))


def _spans(hits: Sequence[Hit]) -> tuple[tuple[int, int], ...]:
    """The spans of some hits, those inside another left out."""
    spans = sorted({(hit.start, hit.end) for hit in hits}, key=lambda span: (span[0], -span[1]))
    kept: list[tuple[int, int]] = []
    for span in spans:
        if not kept or span[1] > kept[-1][1]:
            kept.append(span)
    return tuple(kept)


def _batches(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    """Batches whose arrays stay small, however many or long the texts are."""
    batch: list[_Item] = []
    size = 0
    for item in items:
        batch.append(item)
        size += len(item[0])
        if size >= _BATCH_CHARACTERS or len(batch) >= _BATCH_TEXTS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


@cache
def load_tagger(lexicon_dir: Path, model: Path | None = None, native: bool = False) -> Tagger:
    """Return the tagger of a lexicon folder, built once a process. `model`: the folder of a saved model, or None."""
    taxonomy = load_taxonomy(lexicon_dir)
    tagger = Tagger(taxonomy, None if model is None else load_model(model, taxonomy), native)
    # The dictionary lives as long as the process; the collector need not walk its half million entries again.
    gc.freeze()
    return tagger
