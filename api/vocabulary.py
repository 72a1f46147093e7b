"""Names of products, hazards and violations, from the lexicon folder in force."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import ingest
from nlp.taxonomy import TaxonomyError, load_taxonomy


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The Chinese names by code, of one lexicon folder."""

    products: Mapping[str, str] = field(default_factory=dict)
    hazards: Mapping[str, str] = field(default_factory=dict)
    violations: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)

    def name(self, code: str | None, kind: str) -> str:
        """Return the name of a code (product, hazard, violation or column); the code itself when it is unknown."""
        if not code:
            return "—"
        if kind == "relevance":
            return "相关"
        names = {
            "product": self.products,
            "hazard": self.hazards,
            "violation": self.violations,
            "column": self.columns,
        }
        return names.get(kind, {}).get(code, code)


@cache
def load_vocabulary(folder: Path) -> Vocabulary:
    """Read the names from a lexicon folder; a folder that cannot be read gives no names, and codes are shown."""
    try:
        taxonomy = load_taxonomy(folder)
    except TaxonomyError:
        return Vocabulary()
    return Vocabulary(
        products={product.category: product.category_name for product in taxonomy.products.values()}
        | {code: product.name for code, product in taxonomy.products.items()},
        hazards={code: hazard.name for code, hazard in taxonomy.hazards.items()},
        violations={code: violation.name for code, violation in taxonomy.violations.items()},
        columns=_columns(),
    )


def _columns() -> dict[str, str]:
    """Return the Chinese names of the columns that importers know."""
    with (Path(ingest.__file__).parent / "header_aliases.csv").open(encoding="utf-8", newline="") as lines:
        return {row["canonical_field"]: row["meaning_zh"] for row in csv.DictReader(lines)}
