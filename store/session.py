"""Opening the store."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session, sessionmaker

from store.dialect import configure


def open_engine(url: str) -> Engine:
    """Return an engine for `url` (sqlite:///path, or postgresql+psycopg://…), ready to use.

    The folder of an SQLite file is made when it is missing. Errors do not repeat the values of a statement: they
    end in logs and run rows, and the values may be a complaint.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(
            parsed, hide_parameters=True, json_serializer=_to_json, connect_args={"check_same_thread": False}
        )
    else:
        engine = create_engine(parsed, hide_parameters=True, json_serializer=_to_json, pool_pre_ping=True)
    configure(engine)
    return engine


def make_sessions(engine: Engine) -> sessionmaker[Session]:
    """Return the factory of sessions on `engine`; rows stay readable after a commit."""
    return sessionmaker(engine, expire_on_commit=False)


@contextmanager
def transaction(sessions: sessionmaker[Session]) -> Iterator[Session]:
    """Yield a session whose work is kept whole on leaving, or not at all."""
    with sessions.begin() as session:
        yield session


@contextmanager
def read_only(sessions: sessionmaker[Session]) -> Iterator[Session]:
    """Yield a session for reading that never takes SQLite's write lock; what it read stays readable after."""
    with sessions() as session:
        session.connection(execution_options={"read_only": True})
        yield session


_to_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
