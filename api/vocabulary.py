"""Names of products, hazards and violations, from the lexicon folder in force."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nlp.taxonomy import TaxonomyError, load_taxonomy


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The Chinese names by code, of one lexicon folder."""

    products: Mapping[str, str] = field(default_factory=dict)
    hazards: Mapping[str, str] = field(default_factory=dict)
    violations: Mapping[str, str] = field(default_factory=dict)

    def name(self, code: str | None, kind: str) -> str:
        """Return the name of a code ('product', 'hazard' or 'violation'); the code itself when it is unknown."""
        if not code:
            return "—"
        names = {"product": self.products, "hazard": self.hazards, "violation": self.violations}.get(kind, {})
        return names.get(code, code)


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
    )
