"""Lines of JSON in and out, as the commands read and write them that other programs drive.

Each line of input that is not blank gives one line of output in its place: an answer, or what is wrong with the line.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Line:
    """One line of input: its number from 1 and its object, or why it cannot be used."""

    number: int
    value: dict[str, Any]
    error: str | None = None

    def refused(self, key: str) -> dict[str, Any]:
        """What is written for a line that cannot be used; `key` names its identity, null where it has none."""
        return {key: self.value.get(key), "line": self.number, "error": self.error}


def read_lines(wrong_with: Callable[[dict[str, Any]], str | None]) -> Iterator[Line]:
    """The objects of standard input. `wrong_with` says in Chinese why an object cannot be used, or None."""
    for number, raw in enumerate(sys.stdin.buffer, 1):
        if not raw.strip():
            continue
        try:
            value = _object(raw)
        except ValueError:
            yield Line(number, {}, "这一行不是 JSON 对象")
            continue
        yield Line(number, value, wrong_with(value))


def _object(raw: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        value = json.loads(raw)  # reads what orjson does not: half a surrogate pair, NaN, another encoding's mark
    if not isinstance(value, dict):
        raise ValueError("no object")
    return value


def write_lines(objects: Iterable[dict[str, Any]]) -> None:
    """Write one object a line to standard output and hand them over at once."""
    sys.stdout.flush()
    sys.stdout.buffer.write(b"".join(_line(value) for value in objects))
    sys.stdout.buffer.flush()


def _line(value: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:
        return (json.dumps(value) + "\n").encode("ascii")
