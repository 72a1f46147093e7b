"""The one place that knows which database is underneath."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Table, column, event, func, select, text
from sqlalchemy import table as named_table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session

T = TypeVar("T")

BUSY_TIMEOUT_MS = 10_000
KEEP_COUNT = {"preserve_rowcount": True}


def configure(engine: Engine) -> None:
    """Give every SQLite connection WAL, synchronous FULL, foreign keys and IMMEDIATE writers.

    WAL with synchronous NORMAL may lose the last commits at power loss; only FULL lets the service say
    "acknowledged means kept". PostgreSQL needs nothing.
    """
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _pragmas(dbapi_connection: Any, _record: Any) -> None:
        dbapi_connection.isolation_level = None
        cursor = dbapi_connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        deferred = connection.get_execution_options().get("read_only", False)
        connection.exec_driver_sql("BEGIN" if deferred else "BEGIN IMMEDIATE")


def chunked(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield the rows in lists of at most `size`."""
    iterator = iter(rows)
    while chunk := list(islice(iterator, size)):
        yield chunk


def insert_ignore(session: Session, table: Table, rows: Sequence[Mapping[str, Any]], *, key: Sequence[str]) -> int:
    """Insert rows whose `key` is not yet there; return how many were new."""
    written = 0
    for chunk in chunked(rows, 500):
        # Without the option PostgreSQL's driver does not tell how many rows an INSERT wrote.
        statement = _insert(session, table).values([dict(row) for row in chunk]).execution_options(**KEEP_COUNT)
        result = session.execute(statement.on_conflict_do_nothing(index_elements=list(key)))
        written += max(result.rowcount, 0)  # type: ignore[attr-defined]
    return written


def upsert(
    session: Session,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    key: Sequence[str],
    update: Sequence[str],
) -> int:
    """Insert rows, or set the `update` columns where the `key` is already there; return rows touched."""
    touched = 0
    for chunk in chunked(rows, 500):
        statement = _insert(session, table).values([dict(row) for row in chunk]).execution_options(**KEEP_COUNT)
        result = session.execute(
            statement.on_conflict_do_update(
                index_elements=list(key), set_={name: statement.excluded[name] for name in update}
            )
        )
        touched += max(result.rowcount, 0)  # type: ignore[attr-defined]
    return touched


def serialise(session: Session, name: str) -> None:
    """Let one transaction at a time pass this point until it ends.

    SQLite's writers are alone from BEGIN IMMEDIATE on; PostgreSQL takes an advisory lock for `name`.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": name})


def bulk_insert(session: Session, table: Table, names: Sequence[str], columns: Sequence[Sequence[Any]]) -> None:
    """Insert many rows, given column by column in the order of `names`, with one executemany of the driver.

    Values pass the same type conversions as anywhere else, but a repeated one only once; no default is filled in,
    so every column without one in the database has to be named.
    """
    if not columns or not columns[0]:
        return
    connection = session.connection()
    dialect = connection.dialect
    mark = "%s" if dialect.name == "postgresql" else "?"
    quote = dialect.identifier_preparer.quote
    statement = (
        f"INSERT INTO {quote(table.name)} ({', '.join(map(quote, names))}) "  # noqa: S608  names of our own tables
        f"VALUES ({', '.join(mark for _ in names)})"
    )
    prepared = [_for_driver(table.c[name], values, dialect) for name, values in zip(names, columns, strict=True)]
    connection.exec_driver_sql(statement, list(zip(*prepared, strict=True)))


def _for_driver(column: Any, values: Sequence[Any], dialect: Any) -> Sequence[Any]:
    process = column.type.dialect_impl(dialect).bind_processor(dialect)
    if process is None:
        return values
    try:
        known = {value: process(value) for value in set(values)}
    except TypeError:  # lists and dicts, most of them empty
        empty = {kind: process(kind()) for kind in (list, dict)}
        return [process(value) if value or value is None else empty[type(value)] for value in values]
    return [known[value] for value in values]


def allocate_ids(session: Session, table: str, count: int) -> Sequence[int]:
    """Return `count` ids nobody else will use for rows of `table`, so that rows and what hangs on them go in bulk.

    On SQLite the caller's transaction must be the writing one (it is, from BEGIN IMMEDIATE on).
    """
    if session.get_bind().dialect.name == "postgresql":
        drawn = session.execute(
            text("SELECT nextval(pg_get_serial_sequence(:table, 'id')) FROM generate_series(1, :count)"),
            {"table": table, "count": count},
        )
        return [int(row[0]) for row in drawn]
    highest = session.execute(select(func.max(column("id"))).select_from(named_table(table))).scalar() or 0
    return range(highest + 1, highest + 1 + count)


def database_now(session: Session) -> datetime:
    """Return the database's clock, which all processes on one store share whatever their own clocks say."""
    if session.get_bind().dialect.name == "postgresql":
        moment = session.scalar(text("SELECT clock_timestamp()"))
        assert isinstance(moment, datetime)
        return moment.astimezone(UTC)
    stamp = session.scalar(text("SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')"))
    return datetime.fromisoformat(str(stamp)).replace(tzinfo=UTC)


def _insert(session: Session, table: Table) -> Any:
    name = session.get_bind().dialect.name
    return (postgresql if name == "postgresql" else sqlite).insert(table)
