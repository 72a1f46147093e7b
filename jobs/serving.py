"""Serving the pages with the worker beside them, stopped together and cleanly."""

import contextlib
import socket
import threading
from collections.abc import Callable

import uvicorn
from sqlalchemy.orm import Session, sessionmaker

from jobs import worker
from jobs.settings import Settings

APP = "api.app:create_app"  # a name, not an import: the api stands above the jobs
GRACE_SECONDS = 15


class PortTaken(RuntimeError):
    """Another program listens there already; the message says which port, in Chinese."""


def serve_pages(
    sessions: sessionmaker[Session],
    settings: Settings,
    host: str,
    port: int,
    *,
    with_worker: bool = True,
    on_ready: Callable[[], None] | None = None,
) -> None:
    """Serve until Ctrl-C or SIGTERM, then let open requests and the running job end, at most for the grace time.

    Raises PortTaken before anything is started when the port is in use.
    """
    _check_port(host, port)
    config = uvicorn.Config(
        APP, factory=True, host=host, port=port, log_level="warning", timeout_graceful_shutdown=GRACE_SECONDS,
        proxy_headers=False, server_header=False,
    )  # fmt: skip
    stop = threading.Event()
    behind = threading.Thread(target=worker.serve, args=(sessions, settings, stop), name="worker", daemon=True)
    if with_worker:
        behind.start()
    if on_ready:
        on_ready()
    try:
        # uvicorn raises the signal again once it has shut down; by then everything is closed.
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run()
    finally:
        stop.set()
        if with_worker:
            behind.join(timeout=GRACE_SECONDS)


def _check_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(
                f"{host}:{port} 无法监听（{error.strerror}）：请换一个端口，例如 --port {port + 1}"
            ) from None
