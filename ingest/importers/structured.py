"""JSON files: an array of objects, an array under a usual name, or one object a line. Clause C7.

A kind that foreign authorities publish in nested records (`Kind.layouts`) has them spread over columns: a member of
a member stands under `A.B`, the members of a list together in one cell.
"""

import html
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ingest.importers.report import Rejected
from ingest.importers.tables import MAX_COLUMNS, Row, Table
from ingest.importers.text import readings
from ingest.importers.values import Cell, OddCell, as_text

MAX_DEPTH = 64
_LINE_END = re.compile(r"\r\n|\n|\r")
_ARRAYS = ("data", "rows", "list", "records", "items", "results", "result")
_TOGETHER = 400  # characters of a list shown in one cell: a name may have 500


class _Twice(list[Any]):
    """The values of a key that stands more than once in one object."""


def read_json(data: bytes, *, nested: bool = False) -> tuple[str, Table]:
    """Return ("json" or "jsonl", table); item n is row n. Raises Rejected: corrupt, nesting_too_deep, no_header."""
    last: Rejected | None = None
    for _, _, text in readings(data):
        try:
            detected, items = _read_text(text.strip("\x00"))
            return detected, table_of([spread(item) for item in items] if nested else items)
        except Rejected as rejected:
            if rejected.reason == "nesting_too_deep":
                raise
            last = last or rejected
    raise last or Rejected("bad_encoding", "无法识别文字编码")


def _read_text(text: str) -> tuple[str, list[Any]]:
    _check_depth(text)
    try:
        whole = _loads(text)
    except (ValueError, RecursionError):
        lines = _LINE_END.split(text)
        if not is_lines(lines):
            raise Rejected("corrupt", "JSON 不完整或有错误") from None
        return "jsonl", [_line(line) for line in (lines if lines[-1] else lines[:-1])]
    items = _array(whole, 0)
    if items is None:
        if isinstance(whole, dict):
            return "jsonl", [whole]
        raise Rejected("no_header", "JSON 中没有记录数组")
    return "json", items


def _loads(text: str) -> Any:
    # control characters in texts are let through here: they are taken out, and told, with those of every format
    return json.loads(text, strict=False, object_pairs_hook=_object, parse_constant=str, parse_int=_integer)


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) < 19 else digits


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            before = found[key]
            found[key] = _Twice([*(before if isinstance(before, _Twice) else [before]), value])
        else:
            found[key] = value
    return found


def _check_depth(text: str) -> None:
    depth, quoted, skip = 0, False, False
    for character in text if "[" in text or "{" in text else ():
        if skip:
            skip = False
        elif quoted:
            if character == "\\":
                skip = True
            elif character == '"':
                quoted = False
        elif character == '"':
            quoted = True
        elif character in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise Rejected("nesting_too_deep", f"嵌套超过 {MAX_DEPTH} 层")
        elif character in "]}":
            depth -= 1
        elif character == "\n" and depth < 0:
            depth = 0


def is_lines(lines: Sequence[str]) -> bool:
    """True when the lines are meant as one object each, whatever single lines are worth.

    A cut array or object printed over several lines is none: its first line opens something and does not end it.
    """
    filled = [line.strip() for line in lines if line.strip()]
    if not filled:
        return False
    if _parses(filled[0]):
        return True
    objects = sum(1 for line in filled if line.startswith("{") and line.endswith("}") and _parses(line))
    if objects == 0 or (
        (filled[0].endswith(("[", "{", ",", ":")) or filled[0].startswith("[")) and not _is_json(filled[0])
    ):
        return False
    return objects * 2 >= len(filled)


def _is_json(line: str) -> bool:
    try:
        _loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _parses(line: str) -> bool:
    try:
        return isinstance(_loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _line(line: str) -> Any:
    if not line.strip():
        return {}
    if not line.lstrip().startswith("{"):
        return line
    try:
        return _loads(line)
    except (ValueError, RecursionError):
        return line


def _array(value: Any, depth: int) -> list[Any] | None:
    if isinstance(value, list) and not isinstance(value, _Twice):
        return value
    if isinstance(value, dict) and depth < 2:
        for name in _ARRAYS:
            for key, inner in value.items():
                if key.strip().lower() == name and (found := _array(inner, depth + 1)) is not None:
                    return found
    return None


def spread(item: Any) -> Any:
    """Return a nested record as a flat one; what is no record comes back as it is."""
    if not isinstance(item, dict):
        return item
    found: dict[str, list[str]] = {}
    flat: dict[str, Any] = {}
    for key, value in item.items():
        if isinstance(value, dict | list) and not isinstance(value, _Twice):
            _collect(value, key, found)
        else:
            flat[key] = html.unescape(value) if isinstance(value, str) else value
    return flat | {path: _together(list(dict.fromkeys(texts))) for path, texts in found.items()}


def _collect(value: Any, path: str, found: dict[str, list[str]]) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _collect(inner, f"{path}.{key}", found)
    elif isinstance(value, list):
        for inner in value:
            _collect(inner, path, found)
    elif value is not None and (text := html.unescape(as_text(value)).strip()):
        found.setdefault(path, []).append(text)


def _together(texts: Sequence[str]) -> str:
    """Return the members of a list as one cell; of a very long list the first, and how many there are."""
    for count in range(len(texts), 1, -1):
        said = "；".join(texts[:count])
        if len(said) <= _TOGETHER:
            return said if count == len(texts) else f"{said} 等 {len(texts)} 项"
    return texts[0] if len(texts) == 1 else f"{texts[0]} 等 {len(texts)} 项"


def table_of(items: Iterable[Any]) -> Table:
    """Return flat records as a table under the names of their members."""
    keys: dict[str, int] = {}
    objects: list[Mapping[str, Any] | None] = []
    odd: dict[int, OddCell] = {}
    for number, item in enumerate(items, start=1):
        if isinstance(item, dict):
            for key in item:
                keys.setdefault(key, len(keys))
            if len(keys) > MAX_COLUMNS:  # before every row is given room for all of them
                raise Rejected("limit_exceeded", f"超过 {MAX_COLUMNS} 列")
            objects.append(item)
        else:
            raw = item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)
            odd[number] = OddCell("bad_row", raw[:1000])
            objects.append(None)
    rows: list[Row] = [list(keys)]
    for item in objects:
        row: Row = [""] * len(keys)
        for key, value in (item or {}).items():
            row[keys[key]] = _cell(value)
        rows.append(row)
    return Table("", rows, first_row=0, odd_rows=odd)


def _cell(value: Any) -> Cell:
    if isinstance(value, _Twice):
        said = {str(v).strip(): v for v in value if v is not None and str(v).strip()}
        if len(said) > 1:
            return OddCell("ambiguous_column", " | ".join(said))
        value = next(iter(said.values()), None)
    if isinstance(value, dict | list):
        return OddCell("bad_type", json.dumps(value, ensure_ascii=False)[:1000])
    return "" if value is None else value
