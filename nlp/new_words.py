"""新词发现: strings that move with hazards and that no lexicon knows, proposed with examples for a person to judge."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nlp.features import character_runs
from nlp.rules import CLAUSE_END, fold

LEAST_TEXTS = 4
LEAST_COHESION = 2.0
LEAST_FREEDOM = 0.8
LEAST_LIFT = 2.0
EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class NewWord:
    """A proposal: the string, how many risk texts hold it, how many times likelier it is there, and examples."""

    text: str
    texts: int
    lift: float
    examples: tuple[str, ...]


def propose(risk: Sequence[str], other: Sequence[str], known: Sequence[str], *, most: int = 50) -> list[NewWord]:
    """Return new words of two to four characters, the ones that set risk texts apart most first.

    A string is a word when its parts stand together more than chance would have them (mutual information) and it
    stands beside many different characters (entropy of the neighbours); it is new when no known term contains it
    and it contains none.
    """
    texts = [fold(text) for text in risk]
    holds = Counter(run for text in texts for run in _runs(text))
    elsewhere = Counter(run for text in other for run in _runs(fold(text)))
    characters = Counter(char for text in texts for char in text)
    total = sum(characters.values()) or 1
    joined = "\n".join(fold(term) for term in known)
    terms = {fold(term) for term in known if len(term) >= 2}
    found = []
    for run, count in holds.items():
        if count < LEAST_TEXTS or run in joined or any(term in run for term in terms if len(term) <= len(run)):
            continue
        chance = math.prod(characters[char] / total for char in run)
        if math.log(count / total / chance) / (len(run) - 1) < LEAST_COHESION:
            continue
        lift = ((count + 0.5) / (len(texts) + 1)) / ((elsewhere[run] + 0.5) / (len(other) + 1))
        if lift >= LEAST_LIFT and _freedom(run, texts) >= LEAST_FREEDOM:
            found.append((count * math.log(lift), run, count, lift))
    found.sort(key=lambda item: (-item[0], item[1]))
    return [
        NewWord(run, count, round(lift, 2), tuple(text for text in risk if run in fold(text))[:EXAMPLES])
        for _, run, count, lift in _longest(found)[:most]
    ]


def _runs(text: str) -> set[str]:
    """The strings of two to four Chinese characters of a text, none across a clause."""
    found = character_runs([text])
    wanted = np.flatnonzero(found.sizes >= 2)
    pieces = (text[found.starts[at] : found.starts[at] + found.sizes[at]] for at in wanted.tolist())
    return {
        piece for piece in pieces if all("一" <= char <= "鿿" for char in piece) and not set(piece) & set(CLAUSE_END)
    }


def _freedom(run: str, texts: Sequence[str]) -> float:
    """The smaller entropy of the characters before and after."""
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    for text in texts:
        at = text.find(run)
        while at >= 0:
            before[text[at - 1] if at else "^"] += 1
            after[text[at + len(run)] if at + len(run) < len(text) else "$"] += 1
            at = text.find(run, at + 1)
    return min(_entropy(before), _entropy(after))


def _entropy(counts: Counter[str]) -> float:
    total = sum(counts.values())
    return -sum(count / total * math.log(count / total) for count in counts.values())


def _longest(found: list[tuple[float, str, int, float]]) -> list[tuple[float, str, int, float]]:
    """Leave out a string that a better placed one contains or is contained in."""
    kept: list[tuple[float, str, int, float]] = []
    for item in found:
        if not any(item[1] in other[1] or other[1] in item[1] for other in kept):
            kept.append(item)
    return kept
