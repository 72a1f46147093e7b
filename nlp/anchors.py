"""What every match of an expression must hold, and how far round it a match can reach.

An expression is tried only where one of its anchors stands, and only on the few characters a match with that anchor
can cover. The anchors are chosen branch by branch: of the literals a branch needs, the rarest by the frequencies of
Chinese characters.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from re import _constants as opcodes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from nlp.segment import character_shares

REACH = 56  # what a repetition without an end is taken to cover at most
_MOST_LITERALS = 400
# How much a character more makes a literal rarer: characters come in words, so less than its own share says.
_INDEPENDENCE = 0.75
_UNUSUAL = 1e-5


@dataclass(frozen=True, slots=True)
class Route:
    """One way to match: with one of the literals, not more than `before` characters ahead of it, and none read at or
    beyond `after` characters from where it starts.
    """

    literals: frozenset[str]
    before: int
    after: int


def routes(source: str) -> tuple[Route, ...]:
    """Return routes of which every match takes one; none when a match may hold no known literal."""
    return tuple(_sequence(list(parser.parse(source)), 0, 0))


def _sequence(items: Sequence[Any], before: int, after: int) -> list[Route]:
    """The cheapest routes of a sequence that has so many characters at most before and after it."""
    reaches = [_reach(op, argument) for op, argument in items]
    best: list[Route] = []

    def offer(candidate: list[Route]) -> None:
        nonlocal best
        if candidate and (not best or _cost(candidate) < _cost(best)):
            best = candidate

    run: set[str] = {""}
    run_before = before
    for at, (op, argument) in enumerate(items):
        ahead, behind = before + sum(reaches[:at]), after + sum(reaches[at + 1 :])
        exact = _exact(op, argument)
        if exact is not None and len(exact) * len(run) <= _MOST_LITERALS:
            run = {left + right for left in run for right in exact}
            # Look-aheads read on and take nothing, so what follows is counted from the sequence's own reach.
            offer(_route(run, run_before, sum(reaches[: at + 1]) - (run_before - before) + behind))
            continue
        offer(_nested(op, argument, ahead, behind))
        run, run_before = {""}, ahead + reaches[at]
        if exact is not None and len(exact) <= _MOST_LITERALS:
            run, run_before = set(exact), ahead
            offer(_route(run, ahead, reaches[at] + behind))
    return best


def _route(literals: set[str], before: int, after: int) -> list[Route]:
    if "" in literals:
        return []
    return [Route(frozenset(literals), min(before, REACH), min(after, REACH))]


def _nested(op: Any, argument: Any, before: int, after: int) -> list[Route]:
    if op is opcodes.SUBPATTERN:
        return _sequence(argument[3], before, after)
    if op is opcodes.MAX_REPEAT and argument[0] >= 1:
        again = _total(argument[2]) * (min(argument[1], REACH) - 1)
        return _sequence(argument[2], before + again, after + again)
    if op is opcodes.BRANCH:
        branches = [_sequence(branch, before, after) for branch in argument[1]]
        if all(branches):
            return [route for branch in branches for route in branch]
    return []


def _cost(found: Iterable[Route]) -> float:
    """About how many characters an expression tried by these routes reads for each character of text."""
    return sum(_share(literal) * (8 + route.before) for route in found for literal in route.literals)


@cache
def _share(literal: str) -> float:
    shares = character_shares()
    return math.prod(max(shares.get(char, _UNUSUAL), _UNUSUAL) for char in literal) ** (
        1 if len(literal) == 1 else _INDEPENDENCE
    )


def _total(items: Iterable[Any]) -> int:
    return sum(_reach(op, argument) for op, argument in items)


def _reach(op: Any, argument: Any) -> int:
    """How many characters a node takes or looks at, at most."""
    if op in (opcodes.LITERAL, opcodes.NOT_LITERAL, opcodes.IN, opcodes.ANY, opcodes.AT):
        return 1
    if op is opcodes.SUBPATTERN:
        return _total(argument[3])
    if op is opcodes.BRANCH:
        return max(map(_total, argument[1]))
    if op in (opcodes.ASSERT, opcodes.ASSERT_NOT):
        return _total(argument[1])
    if op in (opcodes.MAX_REPEAT, opcodes.MIN_REPEAT):
        return min(min(int(argument[1]), REACH) * _total(argument[2]), REACH)
    return REACH


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
        if exact is None or len(exact) * len(strings) > _MOST_LITERALS:
            return None
        strings = {left + right for left in strings for right in exact}
    return strings
