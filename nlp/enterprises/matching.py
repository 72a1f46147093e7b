"""Exact search of many names in a text, leftmost and longest."""

from collections.abc import Iterable
from typing import Protocol


class Matcher(Protocol):
    """Finds names in a text, leftmost first and longest."""

    def find(self, text: str) -> Iterable[tuple[int, int, int]]:
        """(start, end, number) of each name found."""
        ...


class AnchorMatcher:
    """Leftmost-longest search of many names in pure Python: a name is looked for where its first four signs stand."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names: dict[str, list[tuple[str, int]]] = {}
        self._short: dict[str, int] = {}
        for number, name in enumerate(names):
            if len(name) >= 4:
                self._names.setdefault(name[:4], []).append((name, number))
            else:
                self._short[name] = number
        for same in self._names.values():
            same.sort(key=lambda pair: -len(pair[0]))

    def find(self, text: str) -> list[tuple[int, int, int]]:
        """(start, end, number) of each name found, in order, without overlap."""
        found, at, last = [], 0, len(text)
        get, short = self._names.get, self._short
        while at < last:
            step = 1
            names = get(text[at : at + 4])
            if names is not None:
                for name, number in names:
                    if text.startswith(name, at):
                        found.append((at, at + len(name), number))
                        step = len(name)
                        break
            if step == 1 and short:
                for length in (3, 2):
                    number = short.get(text[at : at + length], -1)
                    if number >= 0 and at + length <= last:
                        found.append((at, at + length, number))
                        step = length
                        break
            at += step
        return found


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
