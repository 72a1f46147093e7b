"""An office's look-ups for its imports: places, products and safety items, from the store and the lexicon."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from ingest.intake import Lookups
from nlp.regions import RegionIndex, shipped_regions
from nlp.taxonomy import load_taxonomy
from store.session import read_only
from store.tables import Region

_SAFETY_SEVERITY = 3  # P: items behind hazards of severity 3 and 4 count as safety items


def office_lookups(sessions: sessionmaker[Session], lexicon_dir: Path) -> Lookups:
    """Return this office's look-ups: places of the store's table over the shipped one, unambiguous product names."""
    with read_only(sessions) as session:
        own = list(session.scalars(select(Region)))
    return Lookups(
        locate=_locator(RegionIndex([*shipped_regions(), *own])),
        product_of=_product_names(lexicon_dir).get,
        is_safety_item=_safety_check(lexicon_dir),
    )


def _locator(index: RegionIndex) -> Callable[[str], str | None]:
    @cache
    def locate(text: str) -> str | None:
        return index.code_of(text)

    return locate


@cache
def _product_names(lexicon_dir: Path) -> dict[str, str]:
    """Return the names that mean one product and nothing else."""
    taxonomy = load_taxonomy(lexicon_dir)
    meanings: dict[str, set[str]] = {}
    for alias in taxonomy.aliases:
        meanings.setdefault(alias.text, set()).add("" if alias.ambiguous else alias.product)
    for product in taxonomy.products.values():
        meanings.setdefault(product.name, set()).add(product.id)
    return {name: next(iter(found)) for name, found in meanings.items() if len(found) == 1 and "" not in found}


def _safety_check(lexicon_dir: Path) -> Callable[[str], bool]:
    items = frozenset(
        item
        for hazard in load_taxonomy(lexicon_dir).hazards.values()
        if hazard.severity >= _SAFETY_SEVERITY
        for item in hazard.test_items
    )

    @cache
    def is_safety_item(name: str) -> bool:
        return any(item in name for item in items)

    return is_safety_item
