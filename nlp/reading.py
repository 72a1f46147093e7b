"""One text read once: folded, cut into words, with everything the rules found in it. What rules and models share."""

from collections.abc import Sequence
from dataclasses import dataclass

from nlp.features import Reading
from nlp.products import ProductFinder, ProductHit
from nlp.rules import Genre, Hit, RuleBook, fold
from nlp.segment import Words, load_segmenter
from nlp.taxonomy import Taxonomy

_SHORTEST_WORD, _LONGEST_WORD = 3, 8
_BLANK = "◇"


@dataclass(frozen=True, slots=True)
class TextReading:
    """What was found in one text, and the same as a model's features.

    `folded` is the text in the form patterns are matched on; its offsets are those of the text as given.
    """

    folded: str
    features: Reading
    genre: Genre
    hazards: tuple[Hit, ...]
    violations: tuple[Hit, ...]
    products: tuple[ProductHit, ...]


class Reader:
    """Reads texts by one lexicon folder. `native` cuts words by the Rust port."""

    def __init__(self, taxonomy: Taxonomy, native: bool = False) -> None:
        self.taxonomy = taxonomy
        self.rules = RuleBook(taxonomy)
        self.products = ProductFinder(taxonomy)
        self._words: Words = load_segmenter(domain_words(self.products.names), native)

    def read(self, text: str) -> TextReading:
        """Read one text."""
        folded = fold(text)
        found = self.rules.read(folded)
        products = tuple(self.products.find(folded))
        names = _finding_names(found.genre, found.hazards, found.violations, products)
        hidden = _without_products(folded, products)
        reading = Reading(hidden, self._words.cut(hidden), names)
        return TextReading(folded, reading, found.genre, found.hazards, found.violations, products)


def _without_products(folded: str, products: Sequence[ProductHit]) -> str:
    """The text with the names of goods blanked, at the same length.

    A model that sees the names learns that e-bikes burn and finds fires in every notice about e-bikes; one that
    does not learns how people say that something burns. The goods are told to it apart.
    """
    if not products:
        return folded
    pieces: list[str] = []
    at = 0
    for hit in sorted(products, key=lambda hit: hit.start):
        if hit.start >= at:
            pieces.extend((folded[at : hit.start], _BLANK * (hit.end - hit.start)))
            at = hit.end
    pieces.append(folded[at:])
    return "".join(pieces)


def domain_words(names: Sequence[str]) -> tuple[str, ...]:
    """The domain dictionary: product names a general dictionary would cut apart."""
    return tuple(sorted(name for name in names if _SHORTEST_WORD <= len(name) <= _LONGEST_WORD and not name.isascii()))


def hazard_name(hit: Hit) -> str:
    """The feature that a finding of a hazard is."""
    return f"h:{hit.code}:{hit.status}:{hit.strength}"


def violation_name(hit: Hit) -> str:
    """The feature that a finding of a violation is."""
    return f"v:{hit.code}:{hit.strength}"


def _finding_names(
    genre: Genre, hazards: Sequence[Hit], violations: Sequence[Hit], products: Sequence[ProductHit]
) -> list[str]:
    names = {hazard_name(hit) for hit in hazards}
    asserted = {f"h:{hit.code}" for hit in hazards if hit.status == "asserted"}
    names |= asserted
    names |= {violation_name(hit) for hit in violations}
    names |= {f"p:{hit.code}" for hit in products}
    for cue, count in genre.counts():
        names.add(f"g:{cue}")
        if count > 1:
            names.add(f"g:{cue}:more")
    if asserted:
        names.add("any:hazard")
    if len(asserted) > 1:
        names.add("any:hazards")
    if violations:
        names.add("any:violation")
    if products:
        names.add("any:product")
    return sorted(names)
