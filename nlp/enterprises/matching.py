"""Exact search of many names in a text, leftmost and longest."""

from collections.abc import Iterable
from typing import Protocol


class Matcher(Protocol):
    """Finds names in a text, leftmost first and longest."""

    def find(self, text: str) -> Iterable[tuple[int, int, int]]:
        """(start, end, number) of each name found."""
        ...


class AnchorMatcher:
    """Leftmost-longest search of many names in pure Python.

    A name is looked for where its first two characters stand, then by its first four: the set of beginnings is small
    enough to stay in the processor's cache, the table of a million names is not.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names: dict[str, list[tuple[str, int]]] = {}
        self._short: dict[str, int] = {}
        for number, name in enumerate(names):
            if len(name) >= 4:
                self._names.setdefault(name[:4], []).append((name, number))
            elif len(name) >= 2:
                self._short[name] = number
        for same in self._names.values():
            same.sort(key=lambda pair: -len(pair[0]))
        self._heads = {start[:2] for start in self._names} | {name[:2] for name in self._short}

    def find(self, text: str) -> list[tuple[int, int, int]]:
        """(start, end, number) of each name found, in order, without overlap."""
        heads = self._heads
        places = [at for at in range(len(text) - 1) if text[at : at + 2] in heads]
        if not places:
            return []
        found, free = [], 0
        for at in places:
            if at >= free:
                hit = self._at(text, at)
                if hit is not None:
                    found.append(hit)
                    free = hit[1]
        return found

    def _at(self, text: str, at: int) -> tuple[int, int, int] | None:
        for name, number in self._names.get(text[at : at + 4], ()):
            if text.startswith(name, at):
                return at, at + len(name), number
        if self._short:
            for length in (3, 2):
                number = self._short.get(text[at : at + length], -1)
                if number >= 0 and at + length <= len(text):
                    return at, at + length, number
        return None


class _Native:
    """The same over a double-array automaton, where the optional package is installed."""

    def __init__(self, names: list[str]) -> None:
        import daachorse

        self._automaton = daachorse.CharwiseDoubleArrayAhoCorasick(
            names, match_kind=daachorse.MATCH_KIND_LEFTMOST_LONGEST
        )

    def find(self, text: str) -> list[tuple[int, int, int]]:
        return list(self._automaton.find(text))


def make_matcher(names: list[str]) -> Matcher:
    """The fastest matcher this installation has; both give the same matches."""
    if not names:
        return AnchorMatcher(())
    try:
        return _Native(names)
    except ImportError:
        return AnchorMatcher(names)
