"""Any table of inspections, read through a MAP: who was inspected, when, with what result."""

import csv
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scoring.features import Floats, Ints

# A text column of more kinds than this is read as words, not as categories.
MOST_KINDS = 400
LEAST_FILLED = 0.02
# Texts of this much digits are numbers of something; their pieces say nothing.
MOST_DIGITS = 0.8
MOST_TEXTS = 12
# A date shortly after the visit is one of its consequences; one far ahead, as an expiry, may well be known before.
SOON_AFTER_DAYS = 120
DATED_SHARE = 0.9
FIRST_YEAR, LAST_YEAR = 1970, 2300
PLACES = ({"lat", "latitude", "纬度"}, {"lon", "lng", "long", "longitude", "经度"})
EXCEL_EPOCH = 25_569  # 1970-01-01 as spreadsheets number days
TRUE_WORDS = frozenset({"1", "true", "yes", "y", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "n", "off"})


class TableError(ValueError):
    """The table or its MAP cannot be used; the message is one Chinese line."""


class Outcome(BaseModel):
    """The label: which column, and which of its values mean a failure."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: str
    fail: Any = 1

    def failing(self) -> set[str]:
        """Return the failing values as text, folded as cells are.

        YAML reads a bare yes or no as a truth value, so a truth value stands for each way to write it.
        """
        found: set[str] = set()
        for value in self.fail if isinstance(self.fail, list) else [self.fail]:
            text = _folded(_plain(value))
            truth = value if isinstance(value, bool) else {"true": True, "false": False}.get(text)
            found |= {text} if truth is None else TRUE_WORDS if truth else FALSE_WORDS
        return found


class TableMap(BaseModel):
    """MAP.yml: what the columns of a table mean. Columns it does not name may be used as features."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    entity: str
    date: str
    outcome: Outcome
    groups: tuple[str, ...] = ()
    size: str | None = None
    product: str | None = None
    channel: str | None = None
    region: str | None = None
    inspector: str | None = None
    laboratory: str | None = None
    cost: str | None = None
    severity: str | None = None
    exclude: tuple[str, ...] = ()
    history: tuple[str, ...] = ()  # outcomes of a visit beside the label: they may inform later visits only
    known_at: str | None = None
    embargo_days: int = Field(default=0, ge=0)
    bureau: str | None = None
    period: str = Field(default="", pattern="^(|month|quarter|half|year)$")
    ablate: tuple[str | tuple[str, ...], ...] = ()  # further columns, or groups of them, for the ablations

    def roles(self) -> dict[str, str]:
        """Return the single columns by the role they play."""
        names = ("size", "product", "channel", "region", "inspector", "laboratory", "bureau")
        return {name: column for name in names if (column := getattr(self, name))}

    def needed(self) -> list[str]:
        """Return the columns without which the figures would mean something else."""
        optional = (self.known_at, self.cost, self.severity)
        named = (self.entity, self.date, self.outcome.column, *self.groups, *self.roles().values(), *self.history)
        return list(dict.fromkeys([*named, *(name for name in optional if name)]))


@dataclass(frozen=True)
class Inspections:
    """Inspections in the table's order. Days are counted from 1970; `known` is when the result could inform.

    `kinds` hold categorical columns as codes (-1 missing), `words` free text, `numbers` plain numbers. The entity
    is among the kinds, under its own name. `earlier` and `earlier_kinds` are results of a visit that only later
    visits may see. `place` holds latitude and longitude where the table has them.
    """

    entity: str
    days: Ints
    known: Ints
    failed: NDArray[np.bool_]
    kinds: dict[str, Ints]
    words: dict[str, list[str]]
    numbers: dict[str, Floats]
    roles: dict[str, str]
    names: dict[str, list[str]]  # names of the codes
    earlier: dict[str, Floats]
    earlier_kinds: dict[str, Ints]
    place: tuple[str, str] | None
    late: tuple[str, ...]  # columns dated after the visit: set aside
    severity: Floats | None
    cost: Floats | None
    embargo_days: int
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.days)

    def without(self, columns: Sequence[str]) -> "Inspections":
        """Return the same inspections with some columns unknown to every ranking."""
        gone = set(columns) - {self.entity}
        return Inspections(
            **{
                **self.__dict__,
                "kinds": {name: codes for name, codes in self.kinds.items() if name not in gone},
                "words": {name: texts for name, texts in self.words.items() if name not in gone},
                "numbers": {name: values for name, values in self.numbers.items() if name not in gone},
                "roles": {role: column for role, column in self.roles.items() if column not in gone},
                "place": None if self.place and gone & set(self.place) else self.place,
            }
        )

    def relabelled(self, failed: NDArray[np.bool_]) -> "Inspections":
        """Return the same inspections with other results, for the landmines."""
        return Inspections(**{**self.__dict__, "failed": failed})


def load_map(path: Path) -> TableMap:
    """Return the MAP in `path`; TableError with one clear line when it cannot be used."""
    try:
        return TableMap.model_validate(yaml.safe_load(path.read_text(encoding="utf-8-sig")) or {})
    except OSError as error:
        raise TableError(f"读不到 {path.name}：{error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        said = "缺少这一项" if first["type"] == "missing" else first["msg"]
        raise TableError(f"{path.name} 第 {'.'.join(map(str, first['loc']))} 项有误：{said}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a date such as 2026-02-30, odd bytes
        raise TableError(f"{path.name} 不是有效的 YAML") from error


def read_table(path: Path) -> pd.DataFrame:
    """Return the rows of a Parquet or CSV file, in their order.

    CSV may be UTF-8, GB18030, UTF-16 or, last, Latin-1, parted by commas, semicolons, tabs or bars.
    """
    if not path.exists():
        raise TableError(f"没有这个文件：{path.name}")
    suffixes = {suffix.lower() for suffix in path.suffixes}
    try:
        if suffixes & {".parquet", ".pq"}:
            return _tidy(pd.read_parquet(path))
        if suffixes & {".csv", ".tsv", ".txt"}:
            for encoding in ("utf-8-sig", "utf-16", "gb18030", "latin-1"):
                try:
                    return _tidy(_read_csv(path, encoding))
                except UnicodeError:
                    continue
    except (ValueError, OSError, csv.Error) as error:
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise TableError(f"{path.name} 无法读取：{said[0][:200]}") from error
    raise TableError(f"{path.name} 不是 Parquet 或 CSV，或编码无法识别")


def _read_csv(path: Path, encoding: str) -> pd.DataFrame:
    header = pd.read_csv(path, sep="\0", header=None, nrows=1, encoding=encoding, dtype=str, engine="python")
    line = str(header.iat[0, 0])
    separator = max(",;\t|", key=line.count)
    return pd.read_csv(path, sep=separator, encoding=encoding, low_memory=False)


def _tidy(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table with plain column names, the first of equal ones, and rows counted from 0."""
    frame = frame.rename(columns=lambda name: str(name).strip())
    return frame.loc[:, ~frame.columns.duplicated()].reset_index(drop=True)


def inspections(frame: pd.DataFrame, table_map: TableMap) -> Inspections:
    """Turn a table into inspections. TableError when a column the MAP needs is missing or useless."""
    if missing := [name for name in table_map.needed() if name not in frame.columns]:
        wanted = "、".join(f"“{name}”" for name in missing)
        raise TableError(f"表中没有{wanted}列（MAP 提到）；现有列：{'、'.join(map(str, frame.columns))}")
    if frame.empty:
        raise TableError("表中没有行")
    notes = []
    if unknown := [name for name in table_map.exclude if name not in frame.columns]:
        notes.append(f"exclude 中的列不在表里：{'、'.join(unknown)}；请核对拼写")
    days = _days(frame[table_map.date])
    if (days < 0).all():
        raise TableError(f"“{table_map.date}”列没有一个能识别的日期")
    undated = int((days < 0).sum())
    if undated:
        notes.append(f"{undated} 行没有日期，既不评估也不作依据")
    known = _known(days, frame, table_map)
    codes, names = _codes(frame[table_map.outcome.column])
    result = np.array([*(_folded(name) for name in names), ""])[codes]
    failed = np.isin(result, sorted(table_map.outcome.failing()))
    if not failed.any():
        shown = "、".join(sorted(set(result) - {""})[:8])
        raise TableError(f"“{table_map.outcome.column}”列没有一行等于 {table_map.outcome.fail}；其中有：{shown}")
    unlabelled = result == ""
    if unlabelled.any():
        notes.append(f"{int(unlabelled.sum())} 行没有结果，既不评估也不作依据")
        days = np.where(unlabelled, -1, days)
    if failed[days >= 0].all():
        raise TableError(f"“{table_map.outcome.column}”列全部等于 {table_map.outcome.fail}，无从比较")
    columns = _columns(frame, table_map, days, notes)
    if (columns.kinds.get(table_map.entity, np.full(1, -1)) < 0).all():
        raise TableError(f"“{table_map.entity}”列为空，无法建立历史")
    earlier, earlier_kinds = _earlier(frame, table_map)
    return Inspections(
        entity=table_map.entity,
        days=days,
        known=known + table_map.embargo_days,
        failed=failed,
        kinds=columns.kinds,
        words=columns.words,
        numbers=columns.numbers,
        roles={
            role: column
            for role, column in table_map.roles().items()
            if column in columns.kinds or column in columns.words
        },
        names=columns.names,
        earlier=earlier,
        earlier_kinds=earlier_kinds,
        place=_place(columns.numbers),
        late=tuple(columns.late),
        severity=_numbers(frame, table_map.severity),
        cost=_numbers(frame, table_map.cost),
        embargo_days=table_map.embargo_days,
        notes=tuple(notes),
    )


def _known(days: Ints, frame: pd.DataFrame, table_map: TableMap) -> Ints:
    """Return the day from which each result was known, never before the visit; where unsaid, as late as usual."""
    if not table_map.known_at:
        return days
    said = _days(frame[table_map.known_at])
    told = (said >= 0) & (days >= 0)
    usual = int(np.median(np.maximum(said[told] - days[told], 0))) if told.any() else 0
    return np.where(said < 0, days + usual, np.maximum(said, days))


@dataclass
class _Columns:
    """The table's columns by how they can be used."""

    kinds: dict[str, Ints]
    words: dict[str, list[str]]
    numbers: dict[str, Floats]
    names: dict[str, list[str]]
    late: list[str]


def _columns(frame: pd.DataFrame, table_map: TableMap, days: Ints, notes: list[str]) -> _Columns:
    found = _Columns({}, {}, {}, {}, [])
    singles = {table_map.date, table_map.outcome.column, table_map.known_at, table_map.cost, table_map.severity}
    barred = singles | set(table_map.exclude) | set(table_map.history)
    named = {table_map.entity, *table_map.groups, *table_map.roles().values()}
    for name in frame.columns:
        column = frame[name]
        # Excluded means never used, even where a group or a role names it too; only the entity cannot be spared.
        if (name in barred and name != table_map.entity) or (
            name not in named and column.notna().mean() < LEAST_FILLED
        ):
            continue
        if name not in named and (dates := _dates(column)) is not None:
            _add_dates(found, name, dates, days, notes)
            continue
        codes, kinds = _codes(column)
        if name not in named and len(kinds) == (codes >= 0).sum() > MOST_KINDS and not _is_text(column, kinds):
            notes.append(f"“{name}”列每行都不同，像行号，未用")
            continue
        if name != table_map.entity and len(kinds) < 2 and (not kinds or not (codes < 0).any()):
            notes.append(f"“{name}”列只有一个值，未用")
            continue
        numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
        if numeric and name not in named:
            found.numbers[name] = _finite(column)
            continue
        if len(kinds) > MOST_KINDS and not numeric and not _is_code(kinds) and len(found.words) < MOST_TEXTS:
            found.words[name] = np.array([*kinds, ""], dtype=object)[codes].tolist()
        if name in named or len(kinds) <= MOST_KINDS:
            found.kinds[name] = codes
            found.names[name] = kinds
    return found


def _add_dates(found: _Columns, name: str, dates: Ints, days: Ints, notes: list[str]) -> None:
    """Add a date as the days it lies before the visit, unless it mostly follows soon after the visit."""
    ahead = dates - days
    both = (dates >= 0) & (days >= 0)
    later = both & (ahead > 0)
    if both.any() and later.sum() > 0.5 * both.sum() and np.median(ahead[later]) <= SOON_AFTER_DAYS:
        found.late.append(name)
        notes.append(f"“{name}”列疑似泄漏答案：日期多在检查之后不久，检查时还不知道，已从全部排序中剔除")
        return
    found.numbers[name] = np.where(both, -ahead.astype(float), np.nan)


def _earlier(frame: pd.DataFrame, table_map: TableMap) -> tuple[dict[str, Floats], dict[str, Ints]]:
    """Return the columns that only later visits may see: numbers, and kinds; of a longer text its length."""
    numbers: dict[str, Floats] = {}
    kinds: dict[str, Ints] = {}
    wanted = [*table_map.history, *([table_map.severity] if table_map.severity else [])]
    for name in dict.fromkeys(name for name in wanted if name not in table_map.exclude):
        column = frame[name]
        if pd.api.types.is_numeric_dtype(column):
            numbers[name] = _finite(column)
            continue
        codes, names = _codes(column)
        if len(names) <= MOST_KINDS:
            kinds[name] = codes
        else:
            numbers[name] = np.array([*(len(one) for one in names), 0], dtype=float)[codes]
    return numbers, kinds


def _place(numbers: dict[str, Floats]) -> tuple[str, str] | None:
    found = [next((name for name in numbers if name.lower() in wanted), None) for wanted in PLACES]
    return (found[0], found[1]) if found[0] and found[1] else None


def _codes(column: pd.Series) -> tuple[Ints, list[str]]:
    """Return a code for each cell, -1 where empty, and what the codes stand for."""
    try:
        raw, values = pd.factorize(column)
    except TypeError:  # lists and the like
        raw, values = pd.factorize(column.map(lambda value: None if value is None else str(value)))
    texts = np.array([_plain(value) or None for value in values], dtype=object)
    again, names = pd.factorize(texts)
    codes = np.append(again, -1)[raw]
    return codes.astype(np.int64), [str(name) for name in names]


def _is_text(column: pd.Series, kinds: Sequence[str]) -> bool:
    if pd.api.types.is_numeric_dtype(column):
        return pd.api.types.is_float_dtype(column)
    return float(np.mean([len(kind) for kind in kinds])) > 12


def _is_code(kinds: Sequence[str]) -> bool:
    shares = [sum(sign.isdigit() for sign in kind) / len(kind) for kind in kinds[:1000]]
    return float(np.mean(shares)) > MOST_DIGITS


def _dates(column: pd.Series) -> Ints | None:
    """Return the days of a column of dates; None for any other."""
    if pd.api.types.is_datetime64_any_dtype(column):
        return _days(column)
    if pd.api.types.is_numeric_dtype(column):
        return None
    some = column.dropna().astype(str).head(500)
    looks = some.str.fullmatch(r"\s*\d{1,4}[-/.年]\d{1,2}[-/.月]\d{1,4}日?(?:[ T].*)?")
    return _days(column) if len(some) and looks.mean() >= DATED_SHARE else None


def _days(column: pd.Series) -> Ints:
    """Return days since 1970 in the table's own time zone, -1 where no date can be read.

    Dates may be stamps, text in the usual orders (day first where any cell proves it), yyyymmdd, years, numbers of a
    spreadsheet, or seconds and finer since 1970.
    """
    if pd.api.types.is_datetime64_any_dtype(column):
        stamps = column.dt.tz_localize(None) if column.dt.tz is not None else column
    else:
        numbers = pd.to_numeric(column, errors="coerce")
        if numbers.notna().sum() >= DATED_SHARE * max(int(column.notna().sum()), 1):
            stamps = _numbered_dates(numbers)
        else:
            stamps = _written_dates(column)
    days = stamps.to_numpy().astype("datetime64[D]")
    years = days.astype("datetime64[Y]").astype(np.int64) + 1970
    readable = ~np.isnat(days) & (years >= FIRST_YEAR) & (years < LAST_YEAR)
    return np.where(readable, days.astype(np.int64), -1)


def _numbered_dates(numbers: pd.Series) -> pd.Series:
    middle = float(numbers.median())
    if FIRST_YEAR <= middle < LAST_YEAR:
        return pd.to_datetime(numbers.map("{:.0f}-01-01".format), errors="coerce", format="%Y-%m-%d")
    if FIRST_YEAR * 10_000 <= middle < LAST_YEAR * 10_000:
        return pd.to_datetime(numbers.map("{:.0f}".format), errors="coerce", format="%Y%m%d")
    if 20_000 <= middle < 90_000:
        days = numbers - EXCEL_EPOCH
    else:
        ticks = next((ticks for ticks, most in ((1, 1e11), (1e3, 1e14), (1e6, 1e17)) if middle < most), 1e9)
        days = numbers / (86_400 * ticks)
    readable = days.between(0, (LAST_YEAR - FIRST_YEAR) * 366)
    whole = np.floor(days.where(readable, 0.0)).to_numpy(dtype=np.int64).astype("datetime64[D]")
    return pd.Series(np.where(readable, whole, np.datetime64("NaT", "D")).astype("datetime64[s]"))


def _written_dates(column: pd.Series) -> pd.Series:
    codes, values = pd.factorize(column)
    texts = pd.Series([str(value).strip() for value in values], dtype=object)
    texts = texts.str.replace(r"[年月]", "-", regex=True).str.replace("日", "", regex=False)
    # The day is the one written, whatever the zone.
    texts = texts.str.replace(r"(\d{2}:\d{2}\S*?)\s*(?:Z|[+-]\d{2}:?\d{2})$", r"\1", regex=True)
    parts = texts.str.extract(r"^(\d{1,2})[-/.](\d{1,2})[-/.]\d{2,4}")
    day_first = bool((pd.to_numeric(parts[0], errors="coerce") > 12).any())
    stamps = pd.to_datetime(texts, errors="coerce", format="mixed", dayfirst=day_first)
    found = stamps.to_numpy(dtype="datetime64[s]")
    return pd.Series(np.append(found, np.datetime64("NaT", "s"))[codes])


def _finite(column: pd.Series) -> Floats:
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    return np.where(np.isfinite(values), values, np.nan)


def _numbers(frame: pd.DataFrame, name: str | None) -> Floats | None:
    return _finite(frame[name]) if name else None


def _plain(value: Any) -> str:
    """Return a cell as text, so that 1, 1.0, '1' and True compare as people mean them; '' where it is empty."""
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()


def _folded(text: str) -> str:
    """Return a result as people mean it: without case, width, doubled spaces or a needless '.0'."""
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    whole, dot, rest = plain.partition(".")
    return whole if dot and whole.lstrip("-").isdigit() and not rest.strip("0") else plain
