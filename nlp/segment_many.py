"""Chinese words: jieba's own algorithm and dictionary, over a whole batch of texts at once.

`jieba.lcut` looks words up in a dictionary of strings, computes a logarithm and passes a generator for every edge of
its word graph. Here one walk of arrays finds the edges of all texts of a batch, one pass from the ends of all clauses
finds their best paths side by side, and runs of unknown characters are decoded side by side by the same hidden Markov
model, the answers kept in a bounded cache. Every sum is taken in jieba's order, so the tokens are identical; a test
compares them. Where the package `rjieba` is installed it can take over (`native=True`): it differs from jieba only in
runs of Latin letters and digits.
"""

import math
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import pairwise
from typing import Protocol

import numpy as np
import numpy.typing as npt
from jieba import finalseg

from nlp.scan import Batch, Ints, Scanner
from nlp.segment import CACHE_LIMIT, IMPOSSIBLE, ONLY_CHINESE, jieba_tokenizer, transition

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_WORD_CHARACTERS = (
    *range(0x4E00, 0x9FD6),
    *map(ord, "+#&._%-"),
    *range(0x30, 0x3A),
    *range(0x41, 0x5B),
    *range(0x61, 0x7B),
)


class BatchWords(Protocol):
    """Anything that cuts texts into words whose concatenation is the text."""

    def cut_many(self, texts: Sequence[str]) -> list[list[str]]:
        """Return the words of each text, white space and punctuation included."""
        ...


@cache
def _in_words() -> Flags:
    """For each code point of the basic plane whether it can be in a word of more than one character."""
    table = np.zeros(0x10001, dtype=bool)
    table[list(_WORD_CHARACTERS)] = True
    return table


class BatchSegmenter:
    """Cuts like `jieba.Tokenizer.lcut` with the same dictionary and words added in the same order."""

    def __init__(self, words: Iterable[str] = ()) -> None:
        tokenizer = jieba_tokenizer(words)
        log_total = math.log(tokenizer.total)
        self._scanner = Scanner([word for word, count in tokenizer.FREQ.items() if count])
        self._weights = np.array([math.log(count) - log_total for count in tokenizer.FREQ.values() if count])
        self._unknown = -log_total
        # A run of characters the dictionary did not join -> where in it the hidden Markov model joins two.
        self._joins: dict[str, tuple[int, ...]] = {}

    def cut_many(self, texts: Sequence[str]) -> list[list[str]]:
        """Return the words of each text; the result is the same as one by one."""
        if not texts:
            return []
        batch = Batch.of(texts)
        inside = _in_words()[np.minimum(batch.codes, np.uint32(0x10000))]
        joined = "\0".join(texts) + "\0"
        starts = self._word_starts(batch, inside)
        self._join_runs(joined, inside, starts)
        # Line ends of two characters are one token.
        starts[1:] &= ~((batch.codes[:-1] == ord("\r")) & (batch.codes[1:] == ord("\n")))
        bounds = np.flatnonzero(starts)
        # The NUL behind each text is a token of its own.
        cuts = np.searchsorted(bounds, batch.begins).tolist()
        ends = [*cuts[1:], len(bounds)]
        places = [*bounds.tolist(), len(joined)]
        words = [joined[at:to] for at, to in pairwise(places)]
        return [words[first : last - 1] for first, last in zip(cuts, ends, strict=True)]

    def _word_starts(self, batch: Batch, inside: Flags) -> Flags:
        """Where the words of the likeliest path start, before unknown characters are joined."""
        changes = np.flatnonzero(np.diff(inside, prepend=False, append=False))
        begins, ends = changes[::2], changes[1::2]
        longest_first = np.argsort(begins - ends, kind="stable")
        begins, ends = begins[longest_first], ends[longest_first]
        end_of = np.zeros(len(inside), dtype=np.int64)
        end_of[begins] = ends
        end_of = np.maximum.accumulate(end_of)
        goes_to = self._best_ends(batch, inside, ends, end_of, (ends - begins))
        starts = ~inside
        at, stop = begins, ends
        while len(at):
            starts[at] = True
            at = goes_to[at]
            going = at < stop
            at, stop = at[going], stop[going]
        return starts

    def _best_ends(self, batch: Batch, inside: Flags, ends: Ints, end_of: Ints, sizes: Ints) -> Ints:
        """For each character the end of the word that starts with it on the likeliest path to its clause's end.

        All clauses are walked together from their last characters; `ends` and `sizes` have the longest first.
        """
        places, words = self._scanner.find(Batch(np.where(inside, batch.codes, np.uint32(0)), batch.begins))
        lengths, weights = self._scanner.sizes[words], self._weights[words]
        goes_to = np.arange(1, len(inside) + 1)
        alone = np.full(len(inside), -np.inf)
        known = np.zeros(len(inside), dtype=bool)
        known[places] = True
        alone[~known] = self._unknown
        single = lengths == 1
        alone[places[single]] = weights[single]
        longer = np.flatnonzero(~single)
        # Longer words by how far from the clause's end they start, shorter ones first.
        key = (end_of[places[longer]] - places[longer]) * (int(lengths.max(initial=1)) + 1) + lengths[longer]
        order = np.argsort(key, kind="stable")
        longer, key = longer[order], key[order]
        first = np.flatnonzero(np.diff(key, prepend=-1))
        groups: dict[int, list[tuple[int, int]]] = {}
        distances = end_of[places[longer[first]]] - places[longer[first]]
        for distance, low, high in zip(
            distances.tolist(), first.tolist(), np.append(first, len(longer))[1:].tolist(), strict=True
        ):
            groups.setdefault(distance, []).append((low, high))
        places, lengths, weights = places[longer], lengths[longer], weights[longer]
        best = np.zeros(len(inside) + 1)
        walking = np.searchsorted(-sizes, -np.arange(1, int(sizes.max(initial=0)) + 1), side="right").tolist()
        for distance, count in enumerate(walking, 1):
            at = ends[:count] - distance
            best[at] = alone[at] + best[at + 1]
            for low, high in groups.get(distance, ()):
                start, end = places[low:high], places[low:high] + lengths[low:high]
                score = weights[low:high] + best[end]
                # jieba takes the maximum of (score, end): on equal scores the longer word.
                better = score >= best[start]
                best[start[better]] = score[better]
                goes_to[start[better]] = end[better]
        return goes_to

    def _join_runs(self, joined: str, inside: Flags, starts: Flags) -> None:
        """Take away the starts between characters that the hidden Markov model joins."""
        single = starts & inside
        single[:-1] &= starts[1:]
        changes = np.flatnonzero(np.diff(single, prepend=False, append=False))
        begins, ends = changes[::2], changes[1::2]
        several = ends - begins > 1
        begins, ends = begins[several].tolist(), ends[several].tolist()
        runs = [joined[begin:end] for begin, end in zip(begins, ends, strict=True)]
        # Another thread may begin a new cache at any time, so this one is held on to.
        joins = self._joins
        if len(joins) >= CACHE_LIMIT:
            joins = self._joins = {}
        self._learn(list({run for run in runs if run not in joins}), joins)
        inner = [begin + at for begin, run in zip(begins, runs, strict=True) for at in joins[run]]
        starts[inner] = False

    def _learn(self, runs: Sequence[str], joins: dict[str, tuple[int, ...]]) -> None:
        """Add the joins of unknown runs."""
        batch = Batch.of(runs)
        places, words = self._scanner.find(batch)
        owners = batch.owners(places)
        sizes = np.fromiter(map(len, runs), dtype=np.int64, count=len(runs))
        whole = (places == batch.begins[owners]) & (self._scanner.sizes[words] == sizes[owners])
        in_dictionary = set(owners[whole].tolist())
        to_decode = []
        for at, run in enumerate(runs):
            if at in in_dictionary:
                joins[run] = ()  # the likeliest path left its characters apart
            elif ONLY_CHINESE.fullmatch(run):
                to_decode.append(run)
            else:
                joins[run] = _joins_of(finalseg.cut(run))
        joins.update(zip(to_decode, _decode(to_decode), strict=True))


def _joins_of(words: Iterable[str]) -> tuple[int, ...]:
    """Where two characters of one word meet, counted from the first word's first character."""
    joins: list[int] = []
    at = 0
    for word in words:
        joins.extend(range(at + 1, at + len(word)))
        at += len(word)
    return tuple(joins)


@cache
def _emissions() -> Floats:
    """How likely each character is as begin, middle, end of a word and alone; one row a code point from U+4E00."""
    table = np.full((0x9FD6 - 0x4E00, 4), IMPOSSIBLE)
    for column, state in enumerate("BMES"):
        for char, logarithm in finalseg.emit_P[state].items():
            if 0x4E00 <= ord(char) < 0x9FD6:
                table[ord(char) - 0x4E00, column] = logarithm
    return table


_STARTS = np.array([float(finalseg.start_P[state]) for state in "BMES"])
# For each state the two it can follow and the logarithms of the steps. On equal sums jieba takes the later letter.
_BEFORE: tuple[tuple[int, float, int, float], ...] = tuple(
    (
        "BMES".index(later),
        transition(later, state),
        "BMES".index(earlier),
        transition(earlier, state),
    )
    for state, later, earlier in (("B", "S", "E"), ("M", "M", "B"), ("E", "M", "B"), ("S", "S", "E"))
)


def _decode(runs: Sequence[str]) -> list[tuple[int, ...]]:
    """The joins of many runs of Chinese characters by Viterbi over begin, middle, end, single, all runs together."""
    order = sorted(range(len(runs)), key=lambda at: -len(runs[at]))
    sizes = np.array([len(runs[at]) for at in order], dtype=np.int64)
    batch = Batch.of([runs[at] for at in order])
    emissions = _emissions()
    if not runs:
        return []
    codes = batch.codes.astype(np.int64) - 0x4E00
    scores = _STARTS + emissions[codes[batch.begins]]
    last = np.empty_like(scores)
    backs = []
    for step in range(1, int(sizes[0])):
        going = int(np.searchsorted(-sizes, -step, side="left"))
        last[going : len(scores)] = scores[going:]
        scores = scores[:going]
        here = emissions[codes[batch.begins[:going] + step]]
        new, back = np.empty_like(scores), np.empty(scores.shape, dtype=np.int8)
        for column, (later, to_later, earlier, to_earlier) in enumerate(_BEFORE):
            from_later = scores[:, later] + to_later + here[:, column]
            from_earlier = scores[:, earlier] + to_earlier + here[:, column]
            takes_later = from_later >= from_earlier
            new[:, column] = np.where(takes_later, from_later, from_earlier)
            back[:, column] = np.where(takes_later, later, earlier)
        backs.append(back)
        scores = new
    last[: len(scores)] = scores
    # The last character ends a word or is one.
    state = np.where(last[:, 3] >= last[:, 2], 3, 2)
    joins: list[list[int]] = [[] for _ in runs]
    for step in range(int(sizes[0]) - 1, 0, -1):
        going = len(backs[step - 1])
        # A middle or an end continues the word of the character before it.
        for at in np.flatnonzero((state[:going] == 1) | (state[:going] == 2)).tolist():
            joins[at].append(step)
        state[:going] = backs[step - 1][np.arange(going), state[:going]]
    found: list[tuple[int, ...]] = [()] * len(runs)
    for at, places in zip(order, joins, strict=True):
        found[at] = tuple(places)
    return found


class NativeSegmenter:
    """The same cut by the Rust port, with the same words at the same frequencies."""

    def __init__(self, words: Sequence[str] = ()) -> None:
        import rjieba

        tokenizer = jieba_tokenizer(words)
        self._jieba = rjieba.Jieba()
        for word in words:
            self._jieba.add_word(word, tokenizer.FREQ[word], "n")

    def cut_many(self, texts: Sequence[str]) -> list[list[str]]:
        """Return the words of each text."""
        return [self._jieba.cut(text) for text in texts]


def native_available() -> bool:
    """Whether the Rust port is installed."""
    try:
        import rjieba  # noqa: F401
    except ImportError:
        return False
    return True


@cache
def load_batch_segmenter(words: tuple[str, ...] = (), native: bool = False) -> BatchWords:
    """Return the segmenter for `words`, built once a process; build it before forking to share its memory."""
    return NativeSegmenter(words) if native else BatchSegmenter(words)
