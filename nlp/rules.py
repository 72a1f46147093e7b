"""Lexicon rules: patterns kept as data find candidate hazards and violations; context decides what they mean.

The order is that of the lexicon's own advice. Harmless look-alikes are masked first; findings that contain 不 or 无
are patterns of their own, so the negation rules never see their first character; negation reaches eight
characters to the left in the same clause and stops at 但 or the next finding; drills, teaching and rumours
change the status of what the whole text says; a test item counts only beside a word of failure.

Pattern files (`*_patterns.tsv`: code, strength, pattern) are regular expressions with three conveniences:
`<name>` is a word class of `classes.tsv`, `…` at most four characters of the same clause, `……` at most twelve.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from re import _constants as opcodes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import ahocorasick
import opencc

from nlp.taxonomy import Taxonomy, TaxonomyError

CLAUSE_END = ",。!?;\n~"
_CLAUSE = re.compile(f"[{CLAUSE_END}]+")
_SENTENCE = re.compile(r"[。!?\n]+")
_GAP = f"[^{re.escape(CLAUSE_END)}]"
_CLASS = re.compile(r"<([a-z_]+)>")
_ANCHOR_PRODUCT = 400
REACH = 56
STRENGTHS = ("strong", "medium", "weak", "item")

_HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_PUNCTUATION = {"、": "、", "　": " ", "…": "~", "“": '"', "”": '"', "‘": "'", "’": "'", "！": "!", "—": "-"}


@cache
def _fold_table() -> dict[int, int]:
    """One character to one character, so that offsets stay: half width, lower case, simplified characters."""
    table = dict(_HALF_WIDTH)
    table.update({ord(char): ord(to) for char, to in _PUNCTUATION.items()})
    table.update({ord(char): ord(char.lower()) for char in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"})
    table.update({ord("Ａ") + at: ord("a") + at for at in range(26)})
    simplify = opencc.OpenCC("t2s")
    every = "".join(map(chr, range(0x4E00, 0x9FA6)))
    simple = simplify.convert(" ".join(every)).split(" ")
    if len(simple) == len(every):
        table.update(
            {ord(char): ord(to) for char, to in zip(every, simple, strict=True) if char != to and len(to) == 1}
        )
    return table


def fold(text: str) -> str:
    """Return `text` in the form patterns are matched on; same length, so offsets are the original's."""
    return text.translate(_fold_table())


@dataclass(frozen=True, slots=True)
class Pattern:
    """One compiled line of a pattern file. `anchors`: at least one of them is in every text it matches."""

    code: str
    strength: str
    regex: re.Pattern[str]
    anchors: frozenset[str]


@dataclass(frozen=True, slots=True)
class Hit:
    """One finding: what, where, how strongly the words mean it, and the status its context gives it."""

    code: str
    start: int
    end: int
    strength: str
    status: str = "asserted"


def read_rows(path: Path, columns: int) -> Iterator[list[str]]:
    """Yield the rows of a tab-separated lexicon file; blank lines and # comments are skipped."""
    if not path.exists():
        return
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = [cell.strip() for cell in line.split("\t") if cell.strip()]
        if len(cells) != columns:
            raise TaxonomyError(f"{path.name}:{number}: {columns} columns are needed, {len(cells)} found")
        yield cells


def read_classes(path: Path) -> dict[str, str]:
    """Word classes by name, each as a group of alternatives, longest first."""
    classes: dict[str, str] = {}
    for name, words in read_rows(path, 2):
        expanded = _CLASS.sub(lambda found: classes[found[1]][3:-1], words)
        alternatives = sorted({word for word in expanded.split("|") if word}, key=lambda word: (-len(word), word))
        classes[name] = f"(?:{'|'.join(alternatives)})"
    return classes


def compile_pattern(code: str, strength: str, source: str, classes: dict[str, str]) -> Pattern:
    """Compile one pattern; TaxonomyError names what is wrong with it."""
    if strength not in STRENGTHS:
        raise TaxonomyError(f"{code}: unknown strength {strength!r}")
    try:
        expanded = _CLASS.sub(lambda found: classes[found[1]], _close_gap(source))
        expanded = expanded.replace("……", _GAP + "{0,12}").replace("…", _GAP + "{0,4}")
        regex = re.compile(expanded)
    except (KeyError, re.error) as error:
        raise TaxonomyError(f"{code}: cannot compile {source!r}: {error}") from error
    return Pattern(code, strength, regex, _required(parser.parse(expanded)))


def _close_gap(source: str) -> str:
    """`a…(?:b)?` at the end would take four characters of anything; make it `a(?:…(?:b))?`."""
    if not source.endswith(")?"):
        return source
    depth = 0
    for at in range(len(source) - 2, -1, -1):
        depth += (source[at] == ")") - (source[at] == "(")
        if depth == 0:
            head = source[:at]
            gap = next((gap for gap in ("……", "…") if head.endswith(gap)), "")
            return f"{head[: len(head) - len(gap)]}(?:{gap}{source[at:-1]})?" if gap else source
    return source


def read_patterns(path: Path, classes: dict[str, str]) -> list[Pattern]:
    """Compile a pattern file."""
    return [compile_pattern(code, strength, source, classes) for code, strength, source in read_rows(path, 3)]


def _required(tree: Any) -> frozenset[str]:
    """Literals of which every match contains at least one: the cheapest such set along the sequence."""
    best: frozenset[str] = frozenset()
    run: set[str] = {""}

    def offer(candidate: Iterable[str]) -> None:
        nonlocal best
        offered = frozenset(candidate)
        if "" not in offered and (not best or _cost(offered) < _cost(best)):
            best = offered

    for op, argument in tree:
        exact = _exact(op, argument)
        if exact is not None and len(exact) * len(run) <= _ANCHOR_PRODUCT:
            run = {left + right for left in run for right in exact}
            offer(run)
            continue
        run = {""}
        inner = _nested(op, argument)
        if inner:
            offer(inner)
        if exact is not None and len(exact) <= _ANCHOR_PRODUCT:
            run = set(exact)
            offer(run)
    return best


def _cost(anchors: frozenset[str]) -> float:
    return sum((60.0, 3.0, 1.0)[min(len(anchor), 3) - 1] for anchor in anchors)


def _exact(op: Any, argument: Any) -> set[str] | None:
    """Every string a node can match, when they are few."""
    if op is opcodes.LITERAL:
        return {chr(argument)}
    if op is opcodes.IN:
        chars: set[str] = set()
        for kind, value in argument:
            if kind is not opcodes.LITERAL:
                return None
            chars.add(chr(value))
        return chars
    if op is opcodes.SUBPATTERN:
        return _exact_sequence(argument[3])
    if op is opcodes.BRANCH:
        strings: set[str] = set()
        for branch in argument[1]:
            exact = _exact_sequence(branch)
            if exact is None:
                return None
            strings |= exact
        return strings
    if op is opcodes.MAX_REPEAT and argument[:2] == (0, 1):
        inner = _exact_sequence(argument[2])
        return None if inner is None else inner | {""}
    if op in (opcodes.ASSERT, opcodes.ASSERT_NOT, opcodes.AT):
        return {""}
    return None


def _exact_sequence(tree: Any) -> set[str] | None:
    strings = {""}
    for op, argument in tree:
        exact = _exact(op, argument)
        if exact is None or len(exact) * len(strings) > _ANCHOR_PRODUCT:
            return None
        strings = {left + right for left in strings for right in exact}
    return strings


def _nested(op: Any, argument: Any) -> frozenset[str]:
    if op is opcodes.SUBPATTERN:
        return _required(argument[3])
    if op is opcodes.MAX_REPEAT and argument[0] >= 1:
        return _required(argument[2])
    if op is opcodes.BRANCH:
        branches = [_required(branch) for branch in argument[1]]
        if all(branches):
            return frozenset().union(*branches)
    return frozenset()


class PatternSet:
    """Many patterns over one text, in named groups.

    One Aho-Corasick pass over the patterns' anchors says which can match and where; only there, and no farther than
    `REACH` characters to either side, is the expression itself tried.
    """

    def __init__(self, groups: Mapping[str, Iterable[Pattern]]) -> None:
        self.groups = tuple(groups)
        self.patterns = [(name, pattern) for name, patterns in groups.items() for pattern in patterns]
        by_anchor: dict[str, set[int]] = {}
        self._always: list[int] = []
        for index, (_, pattern) in enumerate(self.patterns):
            if not pattern.anchors:
                self._always.append(index)
            for anchor in pattern.anchors:
                by_anchor.setdefault(anchor, set()).add(index)
        # A pattern that is one word needs no second look: the automaton's match is the pattern's.
        self._plain = {
            index: len(anchor)
            for index, (_, pattern) in enumerate(self.patterns)
            for anchor in pattern.anchors
            if re.escape(anchor) == pattern.regex.pattern
        }
        self._automaton = ahocorasick.Automaton()
        for anchor, indexes in by_anchor.items():
            self._automaton.add_word(anchor, tuple(sorted(indexes)))
        if by_anchor:
            self._automaton.make_automaton()
        self._empty = not by_anchor

    def find(self, folded: str) -> dict[str, list[Hit]]:
        """Return every match in a folded text by group, in pattern order."""
        hits: dict[str, list[Hit]] = {name: [] for name in self.groups}
        size = len(folded)
        windows: dict[int, list[tuple[int, int]]] = {index: [(0, size)] for index in self._always}
        if not self._empty:
            for end, indexes in self._automaton.iter(folded):
                low, high = max(0, end - REACH), min(size, end + REACH)
                for index in indexes:
                    if index in self._plain:
                        start = end + 1 - self._plain[index]
                        places = windows.setdefault(index, [])
                        if not places or places[-1][1] <= start:
                            places.append((start, end + 1))
                        continue
                    known = windows.get(index)
                    if known is None:
                        windows[index] = [(low, high)]
                    elif low <= known[-1][1]:
                        known[-1] = (known[-1][0], high)
                    else:
                        known.append((low, high))
        for index in sorted(windows):
            group, pattern = self.patterns[index]
            if index in self._plain:
                hits[group].extend(Hit(pattern.code, *place, pattern.strength) for place in windows[index])
                continue
            for low, high in windows[index]:
                for found in pattern.regex.finditer(folded, low, high):
                    start, end = found.span()
                    if end > start:
                        hits[group].append(Hit(pattern.code, start, end, pattern.strength))
        return hits


_BEFORE = re.compile(
    r"(?:会不会|有没有|是否|能不能|未发现|未检出|未见|未出现|未发生|未造成|未引发|没发现|没出现|没发生|没见|没有|没再|没起|没(?!几|多久|想到|法|人|过几|用几|用多|穿几|骑几|戴几|两|三|半|一会|怎么|等|什么|装|贴|写|印|标|盖|到|用(?:到|上)|注意|事)|不存在|不会|不易|不再|不含|从未|从没|从不|并未|并无|并没有"
    r"|无(?!法|线|人|良|证|奈)|零|防止|避免|预防|谨防|严防|杜绝|排除|免于|不曾|绝无|毫无|非(?:属)?|不是|不属于|不用担心|不怕|不担心|防(?!护|盗|水)|0起|不影响)"
)
_DOUBLE = re.compile(
    r"不能排除|无法排除|不排除|尚不排除|难以排除|尚未排除|没有排除|未排除|未能排除|并非没有|不无|未必没有|不得不|无不|没有不|不是没"
)
_AFTER = re.compile(
    r"(?:均|都|全部|全|一律|也|皆)?(?:未超标|优于|完好|良好|清楚|齐全|清晰|可靠|未见|未发现|未发生|未出现|无一|在限值|在正常|低于限|符合(?:标准|要求|国标|规定)|检测合格|检验合格|正常|已排除|已消除|不属实|系谣言|是谣言|属误报|合格(?!证)|达标|过关|未检出"
    r"|为不实|经查不实|0起|零事故|为0|为零|无异常|无关|没事|没问题|通过)"
)
_BREAK = re.compile(r"但是?|就|也|却|然而|不过|只是|反而|仍|依然|还是|结果|可是")
_NEGATION_REACH = 8


@dataclass(frozen=True, slots=True)
class Genre:
    """What kind of text this is, as far as fixed words can say; each is the number of different cues found."""

    drill: int = 0
    knowledge: int = 0
    rumour: int = 0
    hearsay: int = 0
    rebuttal: int = 0
    advert: int = 0
    fiction: int = 0
    passed: int = 0
    unrelated: int = 0
    harm: int = 0
    report: int = 0
    gripe: int = 0
    service: int = 0

    def counts(self) -> Iterator[tuple[str, int]]:
        """The genres with at least one cue."""
        for name in self.__slots__:
            count = getattr(self, name)
            if count:
                yield name, count

    def all_counts(self) -> list[int]:
        """Every genre's count, in a fixed order."""
        return [getattr(self, name) for name in self.__slots__]

    @property
    def status(self) -> str | None:
        """The status the genre imposes on findings, or None."""
        if self.rebuttal > self.harm:
            return "rumour"
        if self.drill or self.knowledge > 1 + self.harm + self.report:
            return "hypothetical"
        return "rumour" if self.rumour and not self.harm and not self.report else None


@dataclass(frozen=True, slots=True)
class Findings:
    """What the rules say about one text; violations are those found, not those denied."""

    genre: Genre
    hazards: tuple[Hit, ...]
    violations: tuple[Hit, ...]


class RuleBook:
    """All rules of one lexicon folder, ready to read texts."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        folder = taxonomy.folder
        self.taxonomy = taxonomy
        self.classes = read_classes(folder / "classes.tsv")
        hazards = read_patterns(folder / "hazard_patterns.tsv", self.classes)
        listed = {pattern.regex.pattern for pattern in hazards}
        for hazard in taxonomy.hazards.values():
            hazards.extend(
                compile_pattern(hazard.id, strength, re.escape(fold(term)), {})
                for strength, terms in (("medium", hazard.terms), ("item", hazard.test_items))
                for term in terms
                if "(" not in term and re.escape(term) not in listed
            )
        self._items = [
            (re.compile(item), code, frozenset(products.split("|")) - {"*"})
            for item, code, products in read_rows(folder / "item_map.tsv", 3)
        ]
        hazards.extend(
            compile_pattern(code, "item", item, {})
            for item, code, products in read_rows(folder / "item_map.tsv", 3)
            if products == "*"
        )
        violations = read_patterns(folder / "violation_patterns.tsv", self.classes)
        for violation in taxonomy.violations.values():
            violations.extend(
                compile_pattern(violation.id, "medium", re.escape(fold(term)), {}) for term in violation.terms
            )
        masks = [re.escape(word) for hazard in taxonomy.hazards.values() for word in _plain(hazard.confusers)]
        masks.extend(pattern for (pattern,) in read_rows(folder / "masks.tsv", 1))
        self.patterns = PatternSet(
            {
                "hazards": hazards,
                "violations": violations,
                "genres": read_patterns(folder / "genre_patterns.tsv", self.classes),
            }
        )
        self.masks = PatternSet(
            {"masks": [compile_pattern("mask", "strong", pattern, self.classes) for pattern in masks]}
        )
        self.failures = PatternSet(
            {
                "failures": [
                    compile_pattern("failure", "strong", pattern, self.classes)
                    for (pattern,) in read_rows(folder / "failure_words.tsv", 1)
                ]
            }
        )

    def hazards_of_item(self, item: str, product: str | None = None) -> tuple[str, ...]:
        """The hazards a failed test item stands for: the item map's rows in order, those for the product first.

        An item nothing is known about stands for none: guessing would invent a hazard.
        """
        folded = fold(item)
        matching = [(code, products) for pattern, code, products in self._items if pattern.search(folded)]
        own = [code for code, products in matching if product in products]
        general = [code for code, products in matching if not products]
        if not own and not general:
            general = [h.id for h in self.taxonomy.hazards.values() if any(fold(t) in folded for t in h.test_items)]
        return tuple(dict.fromkeys(own or general[:1]))

    def read(self, folded: str) -> Findings:
        """Everything the rules say about one folded text."""
        raw = self.patterns.find(folded)
        cues: dict[str, set[str]] = {}
        for hit in raw["genres"]:
            cues.setdefault(hit.code, set()).add(folded[hit.start : hit.end])
        genre = Genre(**{code: len(found) for code, found in cues.items()})
        hazards = self._hazards(folded, raw["hazards"], genre)
        violations = [hit for hit in raw["violations"] if _negated_status(folded, hit, []) is None]
        return Findings(genre, tuple(hazards), tuple(violations))

    def _hazards(self, folded: str, raw: list[Hit], genre: Genre) -> list[Hit]:
        """Hazard findings with the status their context gives them."""
        if not raw:
            return []
        raw = _unmasked(raw, self.masks.find(folded)["masks"])
        if any(hit.strength == "item" for hit in raw):
            failures = [hit.start for hit in self.failures.find(folded)["failures"]]
            raw = [hit for hit in raw if hit.strength != "item" or _beside_failure(hit, failures, folded)]
        imposed = genre.status
        found = []
        for hit in raw:
            status = _negated_status(folded, hit, raw) or imposed or "asserted"
            found.append(Hit(hit.code, hit.start, hit.end, hit.strength, status))
        return found


def _plain(words: Iterable[str]) -> Iterator[str]:
    return (fold(word) for word in words if "(" not in word and len(word) > 1)


def _unmasked(hits: list[Hit], masks: list[Hit]) -> list[Hit]:
    """Drop findings that lie inside a masked stretch; a finding longer than the mask stays."""
    if not masks:
        return hits
    return [hit for hit in hits if not any(mask.start <= hit.start and hit.end <= mask.end for mask in masks)]


def _beside_failure(hit: Hit, failures: list[int], folded: str) -> bool:
    """A test item counts when a word of failure is in its sentence, and closer than forty characters."""
    for at in failures:
        low, high = (at, hit.start) if at < hit.start else (hit.end, at)
        if high - low <= 40 and not any(mark in folded[low:high] for mark in "。!?\n"):
            return True
    return False


def _negated_status(folded: str, hit: Hit, others: list[Hit]) -> str | None:
    before = _CLAUSE.split(folded[max(0, hit.start - _NEGATION_REACH - 4) : hit.start])[-1]
    broken = [found.end() for found in _BREAK.finditer(before)]
    if broken:
        before = before[broken[-1] :]
    if _DOUBLE.search(before):
        return None
    before = before[-_NEGATION_REACH:]
    negations = list(_BEFORE.finditer(before))
    if negations:
        reach = hit.start - (len(before) - negations[-1].end())
        if not any(reach <= other.start and other.end <= hit.start for other in others):
            return "negated"
    sentence_end = _SENTENCE.search(folded, hit.end)
    after = folded[hit.end : min(sentence_end.start() if sentence_end else len(folded), hit.end + 16)]
    found = _AFTER.search(after)
    if (
        found
        and not _BREAK.search(after[: found.start()])
        and not re.search(r"[不未无非]", after[: found.start()][-2:])
    ):
        return "negated"
    return None


def clauses(folded: str) -> list[tuple[int, int]]:
    """The clauses of a folded text as offsets, empty ones left out."""
    cuts = [0, *(at for found in _CLAUSE.finditer(folded) for at in found.span()), len(folded)]
    return [(start, end) for at, (start, end) in enumerate(pairwise(cuts)) if at % 2 == 0 and end > start]
