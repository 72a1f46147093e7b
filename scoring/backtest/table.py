"""Any table of inspections, read through a MAP: who was inspected, when, with what result."""

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


class TableError(ValueError):
    """The table or its MAP cannot be used; the message is one Chinese line."""


class Outcome(BaseModel):
    """The label: which column, and which of its values mean a failure."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: str
    fail: Any = 1

    def failing(self) -> set[str]:
        """Return the failing values as text."""
        values = self.fail if isinstance(self.fail, list) else [self.fail]
        return {_plain(value) for value in values}


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
    known_at: str | None = None
    embargo_days: int = Field(default=0, ge=0)
    bureau: str | None = None
    period: str = Field(default="", pattern="^(|month|quarter|half|year)$")
    ablate: tuple[str | tuple[str, ...], ...] = ()  # further columns, or groups of them, for the ablations

    def roles(self) -> dict[str, str]:
        """Return the single columns by the role they play."""
        names = ("size", "product", "channel", "region", "inspector", "laboratory", "bureau")
        return {name: column for name in names if (column := getattr(self, name))}


@dataclass(frozen=True)
class Inspections:
    """Inspections in the table's order. Days are counted from 1970; `known` is when the result could inform.

    `kinds` hold categorical columns as codes (-1 missing), `words` free text, `numbers` plain numbers. The entity
    is among the kinds, under its own name.
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
            }
        )

    def relabelled(self, failed: NDArray[np.bool_]) -> "Inspections":
        """Return the same inspections with other results, for the landmines."""
        return Inspections(**{**self.__dict__, "failed": failed})


def load_map(path: Path) -> TableMap:
    """Return the MAP in `path`; TableError with one clear line when it cannot be used."""
    try:
        return TableMap.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except OSError as error:
        raise TableError(f"读不到 {path.name}：{error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise TableError(f"{path.name} 不是有效的 YAML") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise TableError(f"{path.name} 第 {'.'.join(map(str, first['loc']))} 项有误：{first['msg']}") from error


def read_table(path: Path) -> pd.DataFrame:
    """Return the rows of a Parquet or CSV file (UTF-8 or GB18030), in their order."""
    if not path.exists():
        raise TableError(f"没有这个文件：{path.name}")
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            return pd.read_parquet(path)
        if path.suffix.lower() in (".csv", ".tsv", ".gz"):
            separator = "\t" if ".tsv" in path.name else ","
            for encoding in ("utf-8-sig", "gb18030"):
                try:
                    return pd.read_csv(path, sep=separator, encoding=encoding, low_memory=False)
                except UnicodeDecodeError:
                    continue
    except (ValueError, OSError) as error:
        raise TableError(f"{path.name} 无法读取：{error}") from error
    raise TableError(f"{path.name} 不是 Parquet 或 CSV，或编码无法识别")


def inspections(frame: pd.DataFrame, table_map: TableMap) -> Inspections:
    """Turn a table into inspections. TableError when a column the MAP needs is missing or useless."""
    for name in (table_map.entity, table_map.date, table_map.outcome.column):
        if name not in frame.columns:
            raise TableError(f"表中没有“{name}”列；现有列：{'、'.join(map(str, frame.columns))}")
    if frame.empty:
        raise TableError("表中没有行")
    notes = []
    days = _days(frame[table_map.date])
    if (days < 0).all():
        raise TableError(f"“{table_map.date}”列没有一个能识别的日期")
    undated = int((days < 0).sum())
    if undated:
        notes.append(f"{undated} 行没有日期，既不评估也不作依据")
    known = days
    if table_map.known_at and table_map.known_at in frame.columns:
        known = _days(frame[table_map.known_at])
        known = np.where(known < 0, days, np.maximum(known, days))
    result = frame[table_map.outcome.column].map(_plain)
    failed = result.isin(table_map.outcome.failing()).to_numpy(dtype=bool)
    if not failed.any():
        raise TableError(f"“{table_map.outcome.column}”列没有一行等于 {sorted(table_map.outcome.failing())}")
    unlabelled = (result == "").to_numpy()
    if unlabelled.any():
        notes.append(f"{int(unlabelled.sum())} 行没有结果，既不评估也不作依据")
        days = np.where(unlabelled, -1, days)
    barred = {table_map.date, table_map.outcome.column, table_map.known_at, table_map.cost, table_map.severity}
    barred |= set(table_map.exclude)
    kinds, words, numbers, names = _columns(frame, table_map, {name for name in barred if name}, notes)
    missing = [name for name in (*table_map.groups, *table_map.roles().values()) if name not in frame.columns]
    if missing:
        notes.append(f"MAP 中的列不在表里，已略过：{'、'.join(dict.fromkeys(missing))}")
    return Inspections(
        entity=table_map.entity,
        days=days,
        known=known + table_map.embargo_days,
        failed=failed,
        kinds=kinds,
        words=words,
        numbers=numbers,
        roles={role: column for role, column in table_map.roles().items() if column in kinds or column in words},
        names=names,
        severity=_numbers(frame, table_map.severity),
        cost=_numbers(frame, table_map.cost),
        embargo_days=table_map.embargo_days,
        notes=tuple(notes),
    )


def _columns(
    frame: pd.DataFrame, table_map: TableMap, barred: set[str], notes: list[str]
) -> tuple[dict[str, Ints], dict[str, list[str]], dict[str, Floats], dict[str, list[str]]]:
    kinds: dict[str, Ints] = {}
    words: dict[str, list[str]] = {}
    numbers: dict[str, Floats] = {}
    names: dict[str, list[str]] = {}
    named = {table_map.entity, *table_map.groups, *table_map.roles().values()}
    for name in frame.columns:
        column = frame[name]
        if name in barred or (name not in named and column.notna().mean() < LEAST_FILLED):
            continue
        if name not in named and _identifies_rows(column):
            notes.append(f"“{name}”列每行都不同，像行号，未用")
            continue
        numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
        if numeric and name not in named:
            numbers[name] = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
            continue
        text = column.map(_plain)
        codes, kinds_found = pd.factorize(text.where(text != "", None))
        if len(kinds_found) > MOST_KINDS and not numeric:
            words[name] = text.tolist()
        if name in named or len(kinds_found) <= MOST_KINDS:
            kinds[name] = codes.astype(np.int64)
            names[name] = [str(kind) for kind in kinds_found]
    return kinds, words, numbers, names


def _identifies_rows(column: pd.Series) -> bool:
    distinct = column.nunique(dropna=True)
    return bool(distinct == column.notna().sum() and distinct > MOST_KINDS and not _is_text(column))


def _is_text(column: pd.Series) -> bool:
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
        return pd.api.types.is_float_dtype(column)
    return bool(column.dropna().astype(str).str.len().mean() > 12)


def _days(column: pd.Series) -> Ints:
    """Return days since 1970, -1 where no date can be read; dates may be text or yyyymmdd numbers."""
    if pd.api.types.is_numeric_dtype(column):
        whole = pd.to_numeric(column, errors="coerce")
        column = whole.map(lambda value: f"{value:.0f}" if pd.notna(value) else None)
    stamps = pd.to_datetime(column, errors="coerce", format=None if _one_format(column) else "mixed", utc=True)
    days = stamps.dt.tz_localize(None).to_numpy().astype("datetime64[D]")
    return np.where(np.isnat(days), -1, days.astype(np.int64))


def _one_format(column: pd.Series) -> bool:
    return pd.api.types.is_datetime64_any_dtype(column)


def _numbers(frame: pd.DataFrame, name: str | None) -> Floats | None:
    if not name or name not in frame.columns:
        return None
    return pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=float, na_value=np.nan)


def _plain(value: Any) -> str:
    """Return a cell as text, so that 1, 1.0, '1' and True compare as people mean them; '' where it is empty."""
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
