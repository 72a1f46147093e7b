"""The bulk load against a plain `executemany` of the same prepared rows: the other half of bench_import."""

import gc
import sqlite3
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from ingest.importers import ReadRow, load_kind
from ingest.importers.values import parse_date
from ingest.intake import ensure_source
from ingest.pipelines import store_signals
from ingest.rows import Context, RowConverter
from ingest.signal import RawSignal
from store.migrations import upgrade
from store.session import make_sessions, open_engine

_FIELDS = (
    "sample_no",
    "product_name",
    "manufacturer_name",
    "uscc",
    "spec_model",
    "sampled_entity_name",
    "sampling_date",
    "conclusion",
    "failed_items",
    "city",
)
_TABLES = ("signal", "sampling_result", "mention")


def signals(rows: Iterable[list[str]]) -> list[RawSignal]:
    """Return the benchmark's rows as signals, ready to be stored."""
    context = Context(source_id="bench", received_at=datetime(2026, 11, 1, tzinfo=UTC))
    converter = RowConverter(load_kind("sampling"), context)
    read = []
    for number, row in enumerate(rows, start=2):
        values: dict[str, Any] = dict(zip(_FIELDS, row, strict=True))
        values["sampling_date"] = parse_date(values["sampling_date"])
        values["conclusion"] = "fail" if values["conclusion"] == "不合格" else "pass"
        values["failed_items"] = None if values["failed_items"] == "/" else values["failed_items"]
        read.append(ReadRow("", number, values))
    return [*converter.feed(read), *converter.finish()]


def load_ratio(folder: Path, rows: Iterable[list[str]], count: int, repeat: int) -> dict[str, object]:
    """Return rows a second of `store_signals` and of a raw executemany into the same tables and indexes."""
    items = signals(rows)
    gc.collect()
    gc.freeze()  # the prepared rows are the benchmark's, not the load's, to look through
    own, raw = [], []
    for turn in range(repeat):
        own.append(_store(folder / f"own{turn}.db", items))
        raw.append(_execute_raw(folder / f"own{turn}.db", folder / f"raw{turn}.db"))
    return {
        "bench": "bulk load",
        "rows": count,
        "rows_s": round(count / min(own)),
        "raw_rows_s": round(count / min(raw)),
        "of_raw": round(min(raw) / min(own), 2),
        "goal": ">= 0.7",
    }


def _store(path: Path, items: list[RawSignal]) -> float:
    sessions = _open(path)
    started = time.perf_counter()
    with sessions.begin() as session:
        stored = store_signals(session, items)
    seconds = time.perf_counter() - started
    if stored.added != len(items):
        raise SystemExit(f"{stored.added} of {len(items)} rows were stored")
    return seconds


def _execute_raw(source: Path, target: Path) -> float:
    """Put the very rows that were stored into an empty store, prepared beforehand, with sqlite3 alone."""
    _open(target)
    reader = sqlite3.connect(source)
    prepared = []
    for table in _TABLES:
        cursor = reader.execute(f"SELECT * FROM {table}")
        names = [column[0] for column in cursor.description]
        prepared.append((table, names, cursor.fetchall()))
    reader.close()
    connection = sqlite3.connect(target, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    started = time.perf_counter()
    connection.execute("BEGIN IMMEDIATE")
    for table, names, rows in prepared:
        marks = ",".join("?" * len(names))
        columns = ",".join(f'"{name}"' for name in names)
        connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)
    connection.execute("COMMIT")
    seconds = time.perf_counter() - started
    connection.close()
    return seconds


def _open(path: Path) -> sessionmaker[Session]:
    engine = open_engine(f"sqlite:///{path}")
    upgrade(engine)
    sessions = make_sessions(engine)
    with sessions.begin() as session:
        ensure_source(session, "bench", load_kind("sampling"))
    return sessions
