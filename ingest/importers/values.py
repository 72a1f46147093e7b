"""What a cell may say: one reading per type of column, each with the classes of the import contract it can fail by.

Columns are read whole: a table of a million rows repeats its dates, firms and results, so each distinct cell is
parsed once and the rest are dictionary look-ups.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from unicodedata import normalize
from urllib.parse import urlsplit

from ingest.importers.kinds import Field
from ingest.importers.text import fold
from nlp.uscc import is_uscc, normalise_uscc
from store.china_time import CHINA

EARLIEST = date(1990, 1, 1)

_EMPTY_WORDS = ("", "/", "-", "--", "—", "——", "无", "N/A", "NA", "null", "None", "nan", "NaT")
_WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
EMPTY = frozenset(
    variant.translate(width)
    for word in (*_EMPTY_WORDS, "NaN")
    for variant in (word, word.upper(), word.lower(), word.capitalize())
    for width in ({}, _WIDE)
)
"""Words that mean "nothing" in any cell. Clause C9."""

NAME_LIMIT, TEXT_LIMIT, CELL_LIMIT = 500, 20_000, 32_767
_SAFE_ID = 2**53  # a larger number in a spreadsheet cell has already lost its last digits
_CACHE_LIMIT = 200_000


@dataclass(frozen=True, slots=True)
class OddCell:
    """A cell without a usable value. One that is `lost` reads as empty where its column is optional."""

    reason: str
    raw: str = ""
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a cell has no canonical value."""

    reason: str


Cell = str | int | float | bool | date | datetime | time | timedelta | OddCell | None


def as_text(cell: Cell) -> str:
    """Return the cell as a person would read it; an integral number has no decimal point."""
    if isinstance(cell, str):
        return cell
    if cell is None:
        return ""
    if isinstance(cell, OddCell):
        return cell.raw
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        if cell.is_integer() and abs(cell) < 1e21:
            return str(int(cell))
        return repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(" ") if cell.time() != time() or cell.tzinfo else cell.date().isoformat()
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell)


@dataclass(frozen=True, slots=True)
class Column:
    """The canonical values of one column, and the rows in which they fail or were repaired."""

    values: Sequence[Any]
    faults: Mapping[int, str]
    repaired: Mapping[int, str]


class ColumnReader:
    """Reads the cells of one column of one table; remembers distinct cells between chunks."""

    def __init__(self, field: Field, *, epoch_1904: bool, today: date) -> None:
        self.field = field
        self._limit = {"name": NAME_LIMIT, "text": TEXT_LIMIT}.get(field.type, CELL_LIMIT)
        parse = _parser(field, epoch_1904, today)
        self._known = _Known(parse, field.required) if parse else None

    def read(self, cells: Sequence[Cell], *, stripped: bool = False, longest: int = CELL_LIMIT + 1) -> Column:
        """Return the canonical values of the cells.

        Those that are `stripped` are text without blanks around it; none is longer than `longest`, if that is said.
        """
        return (
            self._read_text(cells, stripped, longest) if self._known is None else self._read_known(cells, self._known)
        )

    def _read_known(self, cells: Sequence[Cell], known: "_Known") -> Column:
        if len(known) > _CACHE_LIMIT:
            known.clear()
        values: list[Any] = list(map(known.__getitem__, cells))
        faults: dict[int, str] = {}
        repaired: dict[int, str] = {}
        if known.odd and not known.odd.isdisjoint(cells):
            for index, value in enumerate(values):
                if type(value) is Fault:
                    values[index] = None
                    if value.reason in _REPAIRS:
                        repaired[index] = value.reason
                    else:
                        faults[index] = value.reason
            if self.field.required:
                _miss(values, faults)
        return Column(values, faults, repaired)

    def _read_text(self, cells: Sequence[Cell], stripped: bool, longest: int) -> Column:
        faults: dict[int, str] = {}
        values: Any
        try:
            values = cells if stripped else list(map(str.strip, cells))  # type: ignore[arg-type]
        except TypeError:
            values = []
            for index, cell in enumerate(cells):
                if type(cell) is OddCell and not (cell.lost and not self.field.required):
                    faults[index] = cell.reason
                elif self.field.type == "id" and isinstance(cell, float) and abs(cell) >= _SAFE_ID:
                    faults[index] = "bad_id"
                values.append("" if type(cell) is OddCell else as_text(cell).strip())
        if longest > self._limit and max(map(len, values), default=0) > self._limit:
            faults |= {i: "field_too_long" for i, value in enumerate(values) if len(value) > self._limit}
        if not EMPTY.isdisjoint(values):
            values = [None if value in EMPTY else value for value in values]
            if self.field.required:
                _miss(values, faults)
        if self.field.type == "id":
            joined = "\n".join(filter(None, values))
            if "E" in joined or "e" in joined or "Ｅ" in joined:
                for index, value in enumerate(values):
                    if value and _SCIENTIFIC.fullmatch(normalize("NFKC", value)):
                        faults.setdefault(index, "bad_id")
        return Column(values, faults, {})


_REPAIRS = frozenset({"bad_uscc", "unknown_value"})
_SCIENTIFIC = re.compile(r"[+-]?\d(?:\.\d+[eE][+-]?\d+|[eE][+-]\d+)")


def _miss(values: Sequence[Any], faults: dict[int, str]) -> None:
    if None in values:
        for index, value in enumerate(values):
            if value is None:
                faults.setdefault(index, "missing_required")


class _Known(dict[Any, Any]):
    """Cells already parsed; a cell seen for the first time is parsed on look-up.

    The `odd` ones are at fault, or empty where something is `required`.
    """

    def __init__(self, parse: Callable[[Cell], Any], required: bool) -> None:
        super().__init__()
        self._parse, self._required = parse, required
        self.odd: set[Cell] = set()

    def __missing__(self, cell: Cell) -> Any:
        value = self._parse(cell)
        if type(value) is Fault or (self._required and value is None):
            self.odd.add(cell)
        elif type(value) is str and value == cell:
            value = cell  # one string to look at in place of two, over and over
        self[cell] = value
        return value

    def clear(self) -> None:
        super().clear()
        self.odd.clear()


def _parser(field: Field, epoch_1904: bool, today: date) -> Callable[[Cell], Any] | None:
    """Return the reading of one cell of this type; None for plain text."""
    if field.type == "date":
        latest = today + timedelta(days=1)

        def parse(cell: Cell) -> Any:
            day = parse_date(cell, epoch_1904=epoch_1904)
            if day is None:
                return Fault("bad_date")
            return day if EARLIEST <= day <= latest else Fault("date_range")

        return _guarded(field, parse)
    if field.type == "result":
        words = field.choices or {}
        return _guarded(field, lambda cell: words.get(fold(as_text(cell)), Fault("bad_result")))
    if field.type == "choice":
        words = field.choices or {}
        return _guarded(field, lambda cell: words.get(fold(as_text(cell)), Fault("unknown_value")))
    simple = {"number": _number, "count": _count, "link": _link, "uscc": _uscc}.get(field.type)
    return _guarded(field, simple) if simple else None


def _guarded(field: Field, parse: Callable[[Cell], Any]) -> Callable[[Cell], Any]:
    def guarded(cell: Cell) -> Any:
        if cell is None:
            return None
        if type(cell) is OddCell:
            return None if cell.lost and not field.required else Fault(cell.reason)
        if isinstance(cell, str):
            cell = cell.strip()
            if cell in EMPTY:
                return None
            if len(cell) > CELL_LIMIT:
                return Fault("field_too_long")
        elif isinstance(cell, float) and math.isnan(cell):
            return None
        return parse(cell)

    return guarded


def _number(cell: Cell) -> Any:
    if isinstance(cell, bool):
        return Fault("bad_number")
    if isinstance(cell, int | float):
        value = float(cell) if abs(cell) < 1e300 else math.inf
    else:
        digits = normalize("NFKC", as_text(cell))
        for mark in "￥¥元,，":
            digits = digits.replace(mark, "")
        digits = digits.strip()
        if not _DECIMAL.fullmatch(digits):
            return Fault("bad_number")
        value = float(digits)
    return value if math.isfinite(value) and 0 <= value < 1e12 else Fault("bad_number")


_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")


def _count(cell: Cell) -> Any:
    found = re.search(r"[0-9]+", normalize("NFKC", as_text(cell)).replace(",", ""))
    if not found or len(found[0]) > 12:
        return Fault("unknown_value")
    return int(found[0])


def _link(cell: Cell) -> Any:
    link = as_text(cell)
    try:
        parts = urlsplit(link)
        good = parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
    except ValueError:
        good = False
    return link if good else Fault("bad_link")


def _uscc(cell: Cell) -> Any:
    code = normalise_uscc(as_text(cell))
    return code if is_uscc(code) else Fault("bad_uscc")


# ---- dates ------------------------------------------------------------------------------------------------

_DIGITS = str.maketrans("〇○零一二三四五六七八九", "000123456789")
_CLOCK = (
    r"(?:[T\s]*(?P<hour>[0-9]{1,2})(?::|时|点)(?P<minute>[0-9]{1,2})?(?:分|:?(?P<second>[0-9]{1,2})(?:[.,][0-9]{1,9})?秒?)?"
    r"(?:分(?P<second2>[0-9]{1,2})秒)?\s*(?P<zone>Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
_DATE = re.compile(
    r"(?P<year>[0-9]{4})(?:"
    r"\s*(?P<sep>[-/.])\s*(?P<month>[0-9]{1,2})(?:\s*(?P=sep)\s*(?P<day>[0-9]{1,2}))?"
    r"|\s*年\s*(?P<month2>[0-9]{1,2})\s*月\s*(?:(?P<day2>[0-9]{1,2})\s*[日号])?"
    r"|(?P<month3>[0-9]{2})(?P<day3>[0-9]{2})"
    r")" + _CLOCK
)
_CHINESE_DATE = re.compile(
    r"([〇○零一二三四五六七八九0-9]{4})年([一二三四五六七八九十]{1,3}|[0-9]{1,2})月"
    r"(?:([一二三四五六七八九十]{1,3}|[0-9]{1,2})[日号])?(.*)"
)
_SERIAL = re.compile(r"[0-9]{5}(?:\.[0-9]+)?")


def parse_date(cell: Cell, *, epoch_1904: bool = False) -> date | None:
    """Return the day in Shanghai a cell means, or None when it cannot be told without guessing. Clause C8."""
    if isinstance(cell, datetime):
        return cell.astimezone(CHINA).date() if cell.tzinfo else cell.date()
    if isinstance(cell, date):
        return cell
    if cell is None or isinstance(cell, bool | time | timedelta | OddCell):
        return None
    if isinstance(cell, int | float):
        if 20_000 <= cell <= 60_000:
            return _from_serial(float(cell), epoch_1904)
        return _from_text(str(int(cell))) if 10**7 <= cell < 10**8 and cell == int(cell) else None
    text = normalize("NFKC", cell).strip()
    if _SERIAL.fullmatch(text) and 20_000 <= float(text) <= 60_000:
        return _from_serial(float(text), epoch_1904)
    return _from_text(text)


def _from_serial(serial: float, epoch_1904: bool) -> date:
    start = date(1904, 1, 1) if epoch_1904 else date(1899, 12, 30)
    return start + timedelta(days=int(serial))


def _from_text(text: str) -> date | None:
    if len(text) > 64:
        return None
    if chinese := _CHINESE_DATE.fullmatch(text.replace(" ", "") if "年" in text else text):
        year, month, day, rest = chinese.groups()
        numbers = (_small_number(month), _small_number(day) if day else 1)
        if None in numbers or (rest and not day):
            return None
        text = f"{year.translate(_DIGITS)}-{numbers[0]}-{numbers[1]}{' ' + rest if rest else ''}"
    if found := _DATE.fullmatch(text):
        return _from_parts(found)
    return _from_rfc822(text)


def _from_parts(found: re.Match[str]) -> date | None:
    part = found.groupdict()
    month = part["month"] or part["month2"] or part["month3"]
    written_day = part["day"] or part["day2"] or part["day3"]
    second = part["second"] or part["second2"] or 0
    if part["hour"] is not None and (written_day is None or (part["minute"] is None and "时" not in found[0])):
        return None
    try:
        zone = _zone(part["zone"])
        moment = datetime(
            int(part["year"]), int(month or 0), int(written_day or 1), int(part["hour"] or 0), int(part["minute"] or 0),
            int(second), tzinfo=zone,
        )  # fmt: skip
        return moment.astimezone(CHINA).date()
    except (ValueError, OverflowError):
        return None


def _zone(written: str | None) -> Any:
    if written is None:
        return CHINA
    if written in ("Z", "UTC", "GMT"):
        return UTC
    return datetime.strptime(written.replace(":", "").ljust(5, "0"), "%z").tzinfo


def _from_rfc822(text: str) -> date | None:
    if not re.match(r"(?:[A-Za-z]{3},?\s*)?[0-9]{1,2}\s+[A-Za-z]{3,9}\s+[0-9]{4}\s", text):
        return None
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=CHINA)).astimezone(CHINA).date()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _small_number(numeral: str) -> int | None:
    """Return 1–99 for a Chinese numeral such as 二十一; None when it is not one."""
    digits = "一二三四五六七八九"
    if numeral.isascii():
        return int(numeral)
    if "十" not in numeral:
        return digits.find(numeral) + 1 if len(numeral) == 1 and numeral in digits else None
    tens, _, ones = numeral.partition("十")
    if len(tens) > 1 or len(ones) > 1 or "十" in ones:
        return None
    return (digits.find(tens) + 1 if tens else 1) * 10 + (digits.find(ones) + 1 if ones else 0)
