"""Products named in a text: longest alias first, parts apart from wholes, doubtful names by what stands near them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from nlp.anchors import routes
from nlp.rules import Pattern, PatternSet, fold, read_classes, read_rows
from nlp.scan import Batch, Scanner
from nlp.taxonomy import Taxonomy, TaxonomyError

# A firm's name is not goods: 远东电缆有限公司 sells, it is not, a cable.
_FIRM_ENDS = (
    *(
        "有限责任公司",
        "有限公司",
        "股份公司",
        "集团公司",
        "集团",
        "分公司",
        "协会",
        "商行",
        "经营部",
        "研究院",
        "研究所",
    ),
    *("检测中心", "质检院", "旗舰店", "专卖店", "专营店", "直营店"),
)
_FIRM = re.compile(rf"[\u4e00-\u9fffa-z0-9()·]{{2,24}}?(?:{'|'.join(_FIRM_ENDS)})")
_WINDOW = 40


class ProductHit(NamedTuple):
    """One naming of a product; `certain` is false where only a weak name spoke and nothing near supported it."""

    code: str
    start: int
    end: int
    certain: bool


@dataclass(frozen=True, slots=True)
class _Meaning:
    product: str
    weak: bool
    context: re.Pattern[str] | None
    usual: bool = False


class ProductFinder:
    """Finds products of one taxonomy.

    `product_contexts.tsv` (alias, product, regular expression) says near which words a doubtful alias means a
    product; the expression `*` makes a product the reading when no other context fits. `product_masks.tsv` lists
    expressions in which an alias is not goods at all.
    """

    def __init__(self, taxonomy: Taxonomy) -> None:
        classes = read_classes(taxonomy.folder / "classes.tsv")
        contexts: dict[tuple[str, str], str] = {}
        for written, product, pattern in read_rows(taxonomy.folder / "product_contexts.tsv", 3):
            contexts[fold(written), product] = re.sub(r"<([a-z_]+)>", lambda found: classes[found[1]], pattern)
        meanings: dict[str, dict[str, _Meaning]] = {}
        for alias in taxonomy.aliases:
            # 安全帽(口语混用): the remark in brackets is not part of the name.
            name = fold(re.sub(r"[(（].*?[)）]$", "", alias.text))
            if not name:
                continue
            context = contexts.get((name, alias.product))
            meanings.setdefault(name, {})[alias.product] = _Meaning(
                alias.product,
                alias.weak and context != "*",
                re.compile(context) if context and context != "*" else None,
                context == "*",
            )
        for product, names in read_rows(taxonomy.folder / "product_names.tsv", 2):
            if product not in taxonomy.products:
                raise TaxonomyError(f"product_names.tsv: no such product: {product}")
            for name in map(fold, names.split("|")):
                known = meanings.setdefault(name, {})
                if not known or product in known:
                    doubtful = any(other == name for other, _ in contexts)
                    context = contexts.get((name, product))
                    known[product] = _Meaning(
                        product,
                        doubtful and context != "*",
                        re.compile(context) if context and context != "*" else None,
                        context == "*",
                    )
        for (name, product), context in contexts.items():
            meanings.setdefault(name, {}).setdefault(
                product,
                _Meaning(product, context != "*", re.compile(context) if context != "*" else None, context == "*"),
            )
        self._meanings = {name: tuple(found.values()) for name, found in meanings.items()}
        masks = []
        for (pattern,) in read_rows(taxonomy.folder / "product_masks.tsv", 1):
            expanded = re.sub(r"<([a-z_]+)>", lambda found: classes[found[1]], pattern)
            masks.append(expanded.replace("…", r"[^,。!?;\n]{0,4}"))
        # A mask that is a plain word joins the scan as a name of nothing: the longest name wins.
        plain = [mask for mask in dict.fromkeys(masks) if _is_word(mask) and mask not in self._meanings]
        self._names = (*self._meanings, *plain)
        self._scanner = Scanner(self._names)
        self._masks = PatternSet(
            {
                "masks": [
                    Pattern("mask", "strong", re.compile(mask), routes(mask)) for mask in masks if not _is_word(mask)
                ]
            }
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Every name a product goes by."""
        return tuple(self._meanings)

    def find(self, folded: str) -> list[ProductHit]:
        """Return the namings of products in reading order."""
        return self.find_many([folded])[0]

    def find_many(self, texts: Sequence[str]) -> list[list[ProductHit]]:
        """Return the namings of products in each of many folded texts, in reading order."""
        hits: list[list[ProductHit]] = [[] for _ in texts]
        named = self._named(texts)
        masks = self._masks.find_many([texts[at] for at in named])
        for (at, names), found in zip(named.items(), masks, strict=True):
            folded = texts[at]
            masked = [(mask.start, mask.end) for mask in found["masks"]]
            if any(word in folded for word in _FIRM_ENDS):
                masked.extend(match.span() for match in _FIRM.finditer(folded))
            for start, end, name in names:
                if not any(low <= start and end <= high for low, high in masked):
                    hits[at].extend(self._read(folded, start, end, self._meanings[name]))
        return hits

    def _named(self, texts: Sequence[str]) -> dict[int, list[tuple[int, int, str]]]:
        """The names in each text that has any: from the left, the longest at each place, none inside another."""
        batch = Batch.of(texts)
        places, names = self._scanner.find(batch)
        ends = places + self._scanner.sizes[names]
        order = np.lexsort((-ends, places))
        owners = batch.owners(places)
        found: dict[int, list[tuple[int, int, str]]] = {}
        done = 0
        for at, start, end, number in zip(*(c[order].tolist() for c in (owners, places, ends, names)), strict=True):
            if start < done:
                continue
            done = end
            if number < len(self._meanings):
                begin = int(batch.begins[at])
                found.setdefault(at, []).append((start - begin, end - begin, self._names[number]))
        return found

    def _read(self, folded: str, start: int, end: int, meanings: Sequence[_Meaning]) -> list[ProductHit]:
        around = folded[max(0, start - _WINDOW) : start] + "\0" + folded[end : end + _WINDOW]
        supported = [m for m in meanings if m.context is not None and m.context.search(around)]
        if supported:
            return [ProductHit(m.product, start, end, True) for m in supported[:1]]
        usual = [m for m in meanings if m.usual]
        if usual:
            return [ProductHit(usual[0].product, start, end, True)]
        plain = [m for m in meanings if m.context is None and (not m.weak or len(meanings) == 1)]
        if plain:
            return [ProductHit(m.product, start, end, len(plain) == 1) for m in plain[:1]]
        return [ProductHit(m.product, start, end, False) for m in meanings[:1]]


def _is_word(pattern: str) -> bool:
    """Whether an expression holds no operator."""
    return re.fullmatch(r"[\w\u4e00-\u9fff]+", pattern) is not None
