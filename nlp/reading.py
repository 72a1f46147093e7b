"""One text read once: folded, cut into words, with everything the rules found in it. What rules and models share."""

from collections.abc import Sequence
from dataclasses import dataclass

from nlp.features import Reading
from nlp.products import ProductFinder, ProductHit
from nlp.rules import Genre, Hit, RuleBook, fold
from nlp.segment import Words, load_segmenter
from nlp.taxonomy import Taxonomy

_SHORTEST_WORD, _LONGEST_WORD = 3, 8


@dataclass(frozen=True, slots=True)
class TextReading:
    """What was found in one text, and the same as a model's features."""

    features: Reading
    genre: Genre
    hazards: tuple[Hit, ...]
    violations: tuple[Hit, ...]
    products: tuple[ProductHit, ...]

    @property
    def folded(self) -> str:
        """The text in the form patterns are matched on; offsets are those of the text as given."""
        return self.features.folded


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
        reading = Reading(folded, self._words.cut(folded), names)
        return TextReading(reading, found.genre, found.hazards, found.violations, products)


def domain_words(names: Sequence[str]) -> tuple[str, ...]:
    """The domain dictionary: product names a general dictionary would cut apart."""
    return tuple(sorted(name for name in names if _SHORTEST_WORD <= len(name) <= _LONGEST_WORD and not name.isascii()))


def _finding_names(
    genre: Genre, hazards: Sequence[Hit], violations: Sequence[Hit], products: Sequence[ProductHit]
) -> list[str]:
    names = {f"h:{hit.code}:{hit.status}:{hit.strength}" for hit in hazards}
    asserted = {f"h:{hit.code}" for hit in hazards if hit.status == "asserted"}
    names |= asserted
    names |= {f"v:{hit.code}:{hit.strength}" for hit in violations}
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
