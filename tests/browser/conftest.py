"""A real server on loopback and a real Chromium."""

import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from api.app import create_app
from jobs.settings import Settings
from store.migrations import upgrade
from store.session import make_sessions, open_engine
from tests.api.conftest import Province, fill


def chromium() -> str | None:
    """Where Chromium is, or None."""
    return next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Province]]:
    """The address of a server over the small province, and the ids of what it holds."""
    folder: Path = tmp_path_factory.mktemp("site")
    settings = Settings(var=folder, province_code="99", synthetic=True, secret="of the test")
    engine = open_engine(settings.store_url)
    upgrade(engine)
    with make_sessions(engine).begin() as session:
        province = fill(session)
    engine.dispose()
    listener = socket.create_server(("127.0.0.1", 0))
    app = create_app(settings)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}", province
    server.should_exit = True
    thread.join(timeout=20)
    listener.close()
    app.state.sessions.kw["bind"].dispose()
