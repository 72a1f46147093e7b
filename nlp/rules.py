"""Lexicon rules: patterns kept as data find candidate hazards and violations; context decides what they mean.

The order is that of the lexicon's own advice. Harmless look-alikes are masked first; findings that contain 不 or 无
are patterns of their own, so the negation rules never see their first character; negation reaches eight
characters to the left in the same clause and stops at 但 or the next finding; drills, teaching and rumours
change the status of what the whole text says; a test item counts only beside a word of failure.

Pattern files (`*_patterns.tsv`: code, strength, pattern) are regular expressions with three conveniences:
`<name>` is a word class of `classes.tsv`, `…` at most four characters of the same clause, `……` at most twelve.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import opencc

from nlp.anchors import Route, routes
from nlp.scan import Batch, Ints, Scanner
from nlp.taxonomy import Taxonomy, TaxonomyError

CLAUSE_END = ",。!?;\n~"
_CLAUSE = re.compile(f"[{CLAUSE_END}]+")
_SENTENCE = re.compile(r"[。!?\n]+")
_GAP = f"[^{re.escape(CLAUSE_END)}]"
_CLASS = re.compile(r"<([a-z_]+)>")
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


@cache
def _fold_codes() -> npt.NDArray[np.uint32]:
    """The fold table as an array over the basic plane."""
    codes = np.arange(0x10000, dtype=np.uint32)
    table = _fold_table()
    codes[list(table)] = list(table.values())
    return codes


def fold(text: str) -> str:
    """Return `text` in the form patterns are matched on; same length, so offsets are the original's."""
    return text.translate(_fold_table())


def fold_many(texts: Sequence[str]) -> list[str]:
    """`fold` of each text, all characters in one look-up."""
    batch = Batch.of(texts)
    table = _fold_codes()
    codes = table[np.minimum(batch.codes, np.uint32(len(table) - 1))]
    codes = np.where(batch.codes < len(table), codes, batch.codes)
    folded = codes.tobytes().decode("utf-32-le", "surrogatepass")
    return [folded[begin : begin + len(text)] for begin, text in zip(batch.begins.tolist(), texts, strict=True)]


@dataclass(frozen=True, slots=True)
class Pattern:
    """One compiled line of a pattern file. `routes`: every match takes one of them."""

    code: str
    strength: str
    regex: re.Pattern[str]
    routes: tuple[Route, ...]


class Hit(NamedTuple):
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
    return Pattern(code, strength, regex, routes(expanded))


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


class PatternSet:
    """Many patterns over many texts, in named groups.

    One scan of all texts for the patterns' anchors says which can match and where; only there, and no farther than a
    match with that anchor can reach, is the expression itself tried.
    """

    def __init__(self, groups: Mapping[str, Iterable[Pattern]]) -> None:
        self.groups = tuple(groups)
        self.patterns = [(name, pattern) for name, patterns in groups.items() for pattern in patterns]
        self._expressions = [pattern.regex for _, pattern in self.patterns]
        self._always = [index for index, (_, pattern) in enumerate(self.patterns) if not pattern.routes]
        by_anchor: dict[str, list[tuple[int, int, int]]] = {}
        for index, (_, pattern) in enumerate(self.patterns):
            for route in pattern.routes:
                for anchor in route.literals:
                    by_anchor.setdefault(anchor, []).append((index, route.before, route.after))
        anchors = sorted(by_anchor)
        self._scanner = Scanner(anchors)
        self._counts = np.array([len(by_anchor[anchor]) for anchor in anchors], dtype=np.int64)
        self._firsts = np.cumsum(self._counts) - self._counts
        # One row a way a pattern can match at an anchor: pattern, characters before it, characters from its start on.
        ways = [way for anchor in anchors for way in by_anchor[anchor]]
        self._ways = np.array(ways, dtype=np.int64).reshape(-1, 3)

    def find(self, folded: str) -> Mapping[str, Sequence[Hit]]:
        """Return every match in a folded text by group, in pattern order."""
        return self.find_many([folded])[0]

    def find_many(self, texts: Sequence[str]) -> list[Mapping[str, Sequence[Hit]]]:
        """Return every match in each of many folded texts."""
        nothing: Mapping[str, Sequence[Hit]] = dict.fromkeys(self.groups, ())
        found: list[Mapping[str, Sequence[Hit]]] = [nothing] * len(texts)
        hits: dict[str, list[Hit]] = {}
        known = -1
        for text, index, low, latest, high in self._windows(texts):
            regex = self._expressions[index]
            matches: Iterable[re.Match[str]]
            if low == latest:
                match = regex.match(texts[text], low, high)
                if match is None:
                    continue
                matches = (match,)
            elif regex.search(texts[text], low, high) is None:  # most are not there, and this says so sooner
                continue
            else:
                matches = regex.finditer(texts[text], low, high)
            if text != known:
                known, hits = text, {name: [] for name in self.groups}
                found[text] = hits
            group, pattern = self.patterns[index]
            for match in matches:
                start, end = match.span()
                if end > start:
                    hits[group].append(Hit(pattern.code, start, end, pattern.strength))
        return found

    def _windows(self, texts: Sequence[str]) -> Iterator[tuple[int, int, int, int, int]]:
        """Where to try which pattern: text, pattern, the first and last place a match can start at, and its end.

        They come by text and pattern. Windows of one pattern that touch are one, so that no match is found twice or
        cut.
        """
        batch = Batch.of(texts)
        places, anchors = self._scanner.find(batch)
        owners = batch.owners(places)
        starts = places - batch.begins[owners]
        counts = self._counts[anchors]
        at = np.repeat(np.arange(len(anchors)), counts)
        ways = self._ways[np.arange(len(at)) + np.repeat(self._firsts[anchors] - np.cumsum(counts) + counts, counts)]
        sizes = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
        always = np.tile(np.array(self._always, dtype=np.int64), len(texts))
        everywhere = np.repeat(np.arange(len(texts)), len(self._always))
        return _merged(
            np.concatenate((owners[at], everywhere)),
            np.concatenate((ways[:, 0], always)),
            np.concatenate((np.maximum(starts[at] - ways[:, 1], 0), np.zeros_like(always))),
            np.concatenate((starts[at], sizes[everywhere])),
            np.concatenate((np.minimum(starts[at] + ways[:, 2], sizes[owners[at]]), sizes[everywhere])),
        )


def _merged(text: Ints, pattern: Ints, low: Ints, latest: Ints, high: Ints) -> Iterator[tuple[int, int, int, int, int]]:
    if not len(text):
        return iter(())
    order = np.argsort((text * (pattern.max() + 1) + pattern) * (low.max() + 1) + low, kind="stable")
    text, pattern, low, latest, high = (column[order] for column in (text, pattern, low, latest, high))
    other = np.concatenate(([True], (text[1:] != text[:-1]) | (pattern[1:] != pattern[:-1])))
    # The farthest end so far within each group: groups are lifted one above the other for one running maximum.
    lift = np.cumsum(other) * (int(high.max()) + 1)
    farthest = np.maximum.accumulate(high + lift) - lift
    first = np.flatnonzero(other | np.concatenate(([True], low[1:] > farthest[:-1])))
    last = np.concatenate((first[1:], [len(order)])) - 1
    latest = np.maximum.reduceat(latest, first)
    columns = (text[first], pattern[first], low[first], latest, farthest[last])
    return zip(*(column.tolist() for column in columns), strict=True)


_BEFORE = re.compile(
    r"(?:会不会|有没有|是否|能不能|未发现|未检出|未见|未出现|未发生|未造成|未引发|没发现|没出现|没发生|没见|没有|没再|没起|没(?!几|多久|想到|法|人|过几|用几|用多|穿几|骑几|戴几|两|三|半|一会|怎么|等|什么|装|贴|写|印|标|盖|到|用(?:到|上)|注意|事)|不存在|不会|不易|不再|不含|从未|从没|从不|并未|并无|并没有"
    r"|无(?!法|线|人|良|证|奈)|零|防止|避免|预防|谨防|严防|杜绝|排除|免于|不曾|绝无|毫无|非(?:属)?|不是|不属于|不用担心|不怕|不担心|(?<!消)防(?!护|盗|水)|0起|不影响)"
)
_DOUBLE = re.compile(
    r"不能排除|无法排除|不排除|尚不排除|难以排除|尚未排除|没有排除|未排除|未能排除|并非没有|不无|未必没有|不得不|无不|没有不|不是没"
)
_AFTER = re.compile(
    r"(?:均|都|全部|全|一律|也|皆)?(?:未超标|优于|完好|良好|清楚|齐全|清晰|可靠|未见|未发现|未发生|未出现|无一|在限值|在正常|低于限|符合(?:标准|要求|国标|规定)|检测合格|检验合格|正常|已排除|已消除|不属实|系谣言|是谣言|属误报|合格(?!证)|达标|过关|未检出"
    r"|为不实|经查不实|0起|零事故|为0|为零|无异常|无关|没事|没问题|通过)"
)
_BREAK = re.compile(r"但是?|就|也|却|然而|不过|只是|反而|仍|依然|还是|结果|可是")


def _signs(*expressions: re.Pattern[str]) -> re.Pattern[str]:
    """A set of characters of which any match of the expressions holds one."""
    firsts = {word[0] for source in expressions for way in routes(source.pattern) for word in way.literals}
    return re.compile(f"[{''.join(sorted(firsts))}]")


# Most findings have no negation or denial near, and a look for one character is quick.
_MAY_NEGATE = _signs(_BEFORE, _DOUBLE)
_MAY_DENY = _signs(_AFTER)
_NEGATION_REACH = 8
_DENIAL_REACH = 16


class Genre(NamedTuple):
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
        return ((name, count) for name, count in zip(self._fields, self, strict=True) if count)

    def all_counts(self) -> list[int]:
        """Every genre's count, in a fixed order."""
        return list(self)

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


NO_FINDINGS = Findings(Genre(), (), ())


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
        return self.read_many([folded])[0]

    def read_many(self, texts: Sequence[str]) -> list[Findings]:
        """Everything the rules say about each of many folded texts."""
        raw = self.patterns.find_many(texts)
        hazards = self._open_hazards(texts, [found["hazards"] for found in raw])
        return [
            self._findings(text, found["genres"], hazards.get(at, ()), found["violations"])
            for at, (text, found) in enumerate(zip(texts, raw, strict=True))
        ]

    def _open_hazards(self, texts: Sequence[str], raw: Sequence[Sequence[Hit]]) -> dict[int, Sequence[Hit]]:
        """The hazard findings that no mask covers; a test item counts only beside a word of failure."""
        hazards = {at: hits for at, hits in enumerate(raw) if hits}
        for (at, hits), found in zip(
            list(hazards.items()), self.masks.find_many([texts[at] for at in hazards]), strict=True
        ):
            hazards[at] = _unmasked(hits, found["masks"])
        items = [at for at, hits in hazards.items() if any(hit.strength == "item" for hit in hits)]
        for at, found in zip(items, self.failures.find_many([texts[at] for at in items]), strict=True):
            failures = [hit.start for hit in found["failures"]]
            hazards[at] = [
                hit for hit in hazards[at] if hit.strength != "item" or _beside_failure(hit, failures, texts[at])
            ]
        return hazards

    def _findings(
        self, folded: str, cues: Sequence[Hit], hazards: Sequence[Hit], violations: Sequence[Hit]
    ) -> Findings:
        if not (cues or hazards or violations):
            return NO_FINDINGS
        words: dict[str, set[str]] = {}
        for hit in cues:
            words.setdefault(hit.code, set()).add(folded[hit.start : hit.end])
        genre = Genre(**{code: len(found) for code, found in words.items()})
        imposed = genre.status
        return Findings(
            genre,
            tuple(_in_status(hit, _negated_status(folded, hit, hazards) or imposed) for hit in hazards),
            tuple(hit for hit in violations if _negated_status(folded, hit, ()) is None),
        )


def _plain(words: Iterable[str]) -> Iterator[str]:
    return (fold(word) for word in words if "(" not in word and len(word) > 1)


def _unmasked(hits: Sequence[Hit], masks: Sequence[Hit]) -> Sequence[Hit]:
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


def _in_status(hit: Hit, status: str | None) -> Hit:
    return hit if status is None else hit._replace(status=status)


def _negated_status(folded: str, hit: Hit, others: Sequence[Hit]) -> str | None:
    before = folded[max(0, hit.start - _NEGATION_REACH - 4) : hit.start]
    if _MAY_NEGATE.search(before):
        before = _CLAUSE.split(before)[-1]
        broken = [found.end() for found in _BREAK.finditer(before)]
        if broken:
            before = before[broken[-1] :]
        if _DOUBLE.search(before):
            return None
        # From a place, not cut there: 防 of 消防 must be seen with what stands before it.
        negations = list(_BEFORE.finditer(before, max(0, len(before) - _NEGATION_REACH)))
        if negations:
            reach = hit.start - (len(before) - negations[-1].end())
            if not any(reach <= other.start and other.end <= hit.start for other in others):
                return "negated"
    after = folded[hit.end : hit.end + _DENIAL_REACH]
    if not _MAY_DENY.search(after):
        return None
    sentence_end = _SENTENCE.search(after)
    if sentence_end is not None:
        after = after[: sentence_end.start()]
    found = _AFTER.search(after)
    if (
        found
        and not _BREAK.search(after[: found.start()])
        and not re.search(r"[不未无非]", after[: found.start()][-2:])
    ):
        return "negated"
    return None
