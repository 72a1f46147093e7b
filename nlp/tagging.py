"""Text -> tags with evidence. A tagger is built once from a lexicon folder and, where there is one, a trained model.

Rules find and explain; the model weighs everything the text says, the rules' findings among it, and generalises to
words no rule knows. Without a model the rules speak alone, with fixed probabilities.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from nlp.extraction import Fact, read_facts, read_harm
from nlp.products import ProductFinder, ProductHit
from nlp.rules import Genre, Hit, RuleBook, fold
from nlp.taxonomy import Taxonomy, load_taxonomy

RULES_VERSION = "1"
OUTCOME_SEVERITY = {"none": 0, "near_miss": 1, "property": 2, "injury_minor": 2, "injury_serious": 3, "death": 4}

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

    def __init__(self, taxonomy: Taxonomy, model: Any | None = None) -> None:
        self.taxonomy = taxonomy
        self.rules = RuleBook(taxonomy)
        self.product_finder = ProductFinder(taxonomy)
        self.model = model

    @property
    def version(self) -> str:
        """What made the tags: rules, lexicon and model."""
        parts = [f"rules-{RULES_VERSION}", self.taxonomy.digest]
        if self.model is not None:
            parts.append(self.model.version)
        return "+".join(parts)

    def tag(self, text: str, channel: str | None = None, on: date | None = None) -> Tagged:
        """Tag one text; `on` is the day it appeared, for dates told without a year."""
        return self.tag_many([(text, channel, on)])[0]

    def tag_many(self, items: Iterable[tuple[str, str | None, date | None]]) -> list[Tagged]:
        """Tag many (text, channel, day) in one pass; the result is the same as one by one."""
        return [self._by_rules(text, on) for text, _, on in items]

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
            for code in self.rules.hazards_of_item(item, product):
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

    def _by_rules(self, text: str, on: date | None) -> Tagged:
        folded = fold(text)
        genre = self.rules.genre(folded)
        products = self.product_finder.find(folded)
        hazards = merge_hazards(self.rules.find_hazards(folded, genre))
        violations = merge_plain(self.rules.find_violations(folded))
        asserted = max((f.probability for f in hazards if f.status == "asserted"), default=0.0)
        relevance = max(asserted, max((f.probability for f in violations), default=0.0))
        if genre.status is not None:
            relevance *= 0.5 if genre.rumour and not genre.rebuttal else 0.2
        return self._assemble(folded, on, genre, relevance, merge_products(products), hazards, violations)

    def _assemble(
        self,
        folded: str,
        on: date | None,
        genre: Genre,
        relevance: float,
        products: tuple[Finding, ...],
        hazards: tuple[Finding, ...],
        violations: tuple[Finding, ...],
    ) -> Tagged:
        harm = read_harm(folded)
        asserted = [f for f in hazards if f.status == "asserted" and f.probability >= 0.5]
        outcome = "none"
        if asserted and genre.status is None:
            outcome = "death" if harm.deaths else "injury_minor" if harm.injured else "none"
        told = outcome in ("death", "injury_minor", "injury_serious")
        severity = self._severity(asserted, outcome)
        return Tagged(
            relevance=relevance,
            products=products,
            hazards=hazards,
            violations=violations,
            outcome=outcome,
            outcome_probability=0.7 if outcome != "none" else 0.9,
            injured=harm.injured if told else None,
            deaths=(harm.deaths or 0) if told else None,
            severity=severity,
            info_grade=info_grade(severity, relevance),
            facts=tuple(read_facts(folded, on)),
            regions=(),
            version=self.version,
        )

    def _severity(self, asserted: Sequence[Finding], outcome: str) -> int:
        inherent = max((self.taxonomy.hazards[f.code].severity for f in asserted), default=0)
        return max(min(inherent, 3), OUTCOME_SEVERITY[outcome])


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


@cache
def load_tagger(lexicon_dir: Path, model: Path | None = None, native: bool = False) -> Tagger:
    """Return the tagger of a lexicon folder, built once a process. `model`: the folder of a saved model, or None."""
    return Tagger(load_taxonomy(lexicon_dir), None)
