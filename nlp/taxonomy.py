"""The taxonomies as data: products with their aliases, hazards, violations, outcomes, from one folder.

Another folder with the same files gives another product world (see `nlp/lexicon_food`); files a folder lacks
count as empty, so a taxonomy of products alone is enough.
"""

import csv
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml


class TaxonomyError(ValueError):
    """A lexicon folder that cannot be used; the message names the file and what is wrong."""


@dataclass(frozen=True, slots=True)
class Product:
    """One product of the taxonomy; `tier` 4 critical to 1 low is a proposed prior, not an official grade."""

    id: str
    name: str
    category: str
    category_name: str
    tier: int
    licence: str
    ccc: str
    hazards: tuple[str, ...]
    failing_items: tuple[str, ...]
    cost_cny: float | None = None  # middle of the published range for one batch; rough and unverified


@dataclass(frozen=True, slots=True)
class Hazard:
    """One hazard: its words as published in the lexicon, and its severity when nothing else is known (1 to 4)."""

    id: str
    name: str
    severity: int
    terms: tuple[str, ...]
    test_items: tuple[str, ...]
    confusers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Violation:
    """One violation: its words and the article it breaks."""

    id: str
    name: str
    terms: tuple[str, ...]
    legal_basis: str
    weight: int = 3  # 1..5, a proposal of the lexicon


@dataclass(frozen=True, slots=True)
class Alias:
    """A way to name a product. Weak or ambiguous ones count only with a context word (see `contexts`)."""

    text: str
    product: str
    ambiguous: bool
    weak: bool


@dataclass(frozen=True)
class Taxonomy:
    """Everything of one lexicon folder that names ids."""

    folder: Path
    products: dict[str, Product]
    hazards: dict[str, Hazard]
    violations: dict[str, Violation]
    aliases: tuple[Alias, ...]
    outcomes: dict[str, tuple[str, ...]]
    negation: dict[str, tuple[str, ...]]
    digest: str


@cache
def load_taxonomy(folder: Path) -> Taxonomy:
    """Read a lexicon folder. TaxonomyError when it has no products."""
    products = _products(_yaml(folder / "product_taxonomy.yaml"))
    if not products:
        raise TaxonomyError(f"{folder}: product_taxonomy.yaml is missing or names no product")
    lexicon = _yaml(folder / "hazard_lexicon.yaml")
    return Taxonomy(
        folder=folder,
        products=products,
        hazards={entry["id"]: _hazard(entry) for entry in lexicon.get("hazards", [])},
        violations={
            entry["id"]: Violation(
                entry["id"],
                entry["zh"],
                tuple(entry["terms"]),
                entry.get("legal_basis", ""),
                int(entry.get("proposed_weight", 3)),
            )
            for entry in _yaml(folder / "violation_types.yaml").get("violations", [])
        },
        aliases=tuple(_aliases(folder, products)),
        outcomes={entry["id"]: tuple(entry["terms"]) for entry in lexicon.get("outcomes", [])},
        negation={entry["type"]: tuple(entry["patterns"]) for entry in lexicon.get("negation", [])},
        digest=folder_digest(folder),
    )


def folder_digest(folder: Path) -> str:
    """A hash over every data file of a lexicon folder that a tag can depend on."""
    digest = hashlib.sha256()
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.csv"), *folder.glob("*.tsv")]):
        if path.name != "regions.csv":
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _yaml(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        loaded = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise TaxonomyError(f"{path.name} cannot be read: {error}") from error
    return loaded if isinstance(loaded, dict) else {}


def _products(taxonomy: dict[str, Any]) -> dict[str, Product]:
    return {
        entry["id"]: Product(
            id=entry["id"],
            name=entry["zh"],
            category=category["id"],
            category_name=category["zh"],
            tier=int(entry.get("inherent_tier", 2)),
            licence=str(entry.get("licence", "no")),
            ccc=str(entry.get("ccc", "no")),
            hazards=tuple(entry.get("hazards", ())),
            failing_items=tuple(entry.get("typical_nonconforming", ())),
            cost_cny=_middle(entry.get("cost_per_batch_cny")),
        )
        for category in taxonomy.get("categories", [])
        for entry in category["products"]
    }


def _middle(span: Any) -> float | None:
    if not isinstance(span, dict) or "low" not in span or "high" not in span:
        return None
    return (float(span["low"]) + float(span["high"])) / 2


def _hazard(entry: dict[str, Any]) -> Hazard:
    terms = entry["terms"]
    return Hazard(
        id=entry["id"],
        name=entry["zh"],
        severity=int(entry["default_severity"]),
        terms=(*terms.get("formal", ()), *terms.get("colloquial", ())),
        test_items=tuple(terms.get("test_item", ())),
        confusers=tuple(entry.get("confusers", ())),
    )


def _aliases(folder: Path, products: dict[str, Product]) -> list[Alias]:
    found: dict[tuple[str, str], Alias] = {}
    for path in sorted(folder.glob("*aliases*.csv")):
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                if row["product_id"] not in products:
                    raise TaxonomyError(
                        f"{path.name}: the alias {row['alias']!r} names no product: {row['product_id']}"
                    )
                # The later file wins, so that our own additions can re-rate a published alias.
                found[row["alias"], row["product_id"]] = Alias(
                    row["alias"], row["product_id"], row.get("ambiguous") == "yes", row.get("strength") == "weak"
                )
    return list(found.values())
