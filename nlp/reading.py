"""One text read once: folded, cut into words, with everything the rules found in it. What rules and models share."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from nlp.features import Reading
from nlp.products import ProductFinder, ProductHit
from nlp.rules import NO_FINDINGS, Findings, Genre, Hit, RuleBook, fold_many
from nlp.segment_many import BatchWords, load_batch_segmenter
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
        self._words: BatchWords = load_batch_segmenter(domain_words(self.products.names), native)

    def read(self, text: str) -> TextReading:
        """Read one text."""
        return self.read_many([text])[0]

    def read_many(self, texts: Sequence[str]) -> list[TextReading]:
        """Read many texts; the result is the same as one by one, at a fraction of the time."""
        folded = fold_many(texts)
        found = self.rules.read_many(folded)
        products = [tuple(hits) for hits in self.products.find_many(folded)]
        hidden = [_without_products(text, hits) for text, hits in zip(folded, products, strict=True)]
        words = self._words.cut_many(hidden)
        return [
            TextReading(
                text, Reading(blanked, cut, _names(told, hits)), told.genre, told.hazards, told.violations, hits
            )
            for text, told, hits, blanked, cut in zip(folded, found, products, hidden, words, strict=True)
        ]


def _names(found: Findings, products: Sequence[ProductHit]) -> list[str]:
    if found is NO_FINDINGS and not products:
        return []
    return _finding_names(found.genre, found.hazards, found.violations, products)


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
    return _hazard_name(hit.code, hit.status, hit.strength)


def violation_name(hit: Hit) -> str:
    """The feature that a finding of a violation is."""
    return _violation_name(hit.code, hit.strength)


# As many as the lexicon has labels, times a few: made once, since a text dense with risks has dozens.
@cache
def _hazard_name(code: str, status: str, strength: str) -> str:
    return f"h:{code}:{status}:{strength}"


@cache
def _violation_name(code: str, strength: str) -> str:
    return f"v:{code}:{strength}"


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
