"""What the two databases must agree on: how many rows were written, one writer at a time, one clock."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from store.dialect import database_now, insert_ignore, serialise, upsert
from store.tables import Region

TABLE = Region.__table__


def rows(*codes: str, name: str = "甲") -> list[dict[str, str]]:
    return [{"code": code, "name": name, "short_name": name, "level": "county"} for code in codes]


def test_only_new_rows_are_written_and_counted(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        assert insert_ignore(session, TABLE, rows("1"), key=["code"]) == 1  # type: ignore[arg-type]
        assert insert_ignore(session, TABLE, rows("1", "2", "3", name="乙"), key=["code"]) == 2  # type: ignore[arg-type]
        assert insert_ignore(session, TABLE, rows("1", "2"), key=["code"]) == 0  # type: ignore[arg-type]
        assert insert_ignore(session, TABLE, [], key=["code"]) == 0  # type: ignore[arg-type]
    with sessions() as session:
        assert session.scalars(select(Region.name).order_by(Region.code)).all() == ["甲", "乙", "乙"]


def test_an_upsert_counts_what_it_touched(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        assert upsert(session, TABLE, rows("1", "2"), key=["code"], update=["name"]) == 2  # type: ignore[arg-type]
        assert upsert(session, TABLE, rows("2", "3", name="乙"), key=["code"], update=["name"]) == 2  # type: ignore[arg-type]
    with sessions() as session:
        assert session.scalars(select(Region.name).order_by(Region.code)).all() == ["甲", "乙", "乙"]


def test_more_rows_than_one_statement_takes(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        many = rows(*(f"{n:06d}" for n in range(1201)))
        assert insert_ignore(session, TABLE, many, key=["code"]) == 1201  # type: ignore[arg-type]
        assert insert_ignore(session, TABLE, many, key=["code"]) == 0  # type: ignore[arg-type]


def test_the_database_has_a_clock_of_its_own(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        serialise(session, "clock")
        found = database_now(session)
    assert found.tzinfo is not None
    assert abs(found - datetime.now(UTC)) < timedelta(minutes=5)
