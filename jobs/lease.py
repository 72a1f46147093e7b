"""Who may run a job now: one row in the database, with a token that grows with every change of holder.

All times are the database's, so that two machines with different clocks agree. A holder that was too slow finds a
higher token in the row and must not write: `still_held` is asked inside the transaction that writes.
"""

import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from store.dialect import database_now, insert_ignore
from store.tables import Lease

SECONDS = 30.0

log = structlog.get_logger()


class LeaseLost(RuntimeError):
    """Another process holds the lease now; what was begun under the old token must not be written."""


@dataclass(frozen=True, slots=True)
class Held:
    """A lease we hold, under its token."""

    name: str
    holder: str
    token: int


def this_process() -> str:
    """Return a name of this process that no other process will have."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


def lives_here(holder: str) -> bool:
    """True when the holder is a process of this machine that still runs; of other machines nothing is known."""
    host, _, rest = holder.partition(":")
    process = rest.partition(":")[0]
    if host != socket.gethostname() or not process.isdigit():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def acquire(sessions: sessionmaker[Session], name: str, holder: str) -> Held | None:
    """Take the lease, or lengthen it when it is ours; None while somebody else holds it.

    The end counts from the database's time before the write, so a slow renewal never lengthens anybody's trust.
    """
    with sessions.begin() as session:
        now = database_now(session)
        until = now + timedelta(seconds=SECONDS)
        row = {"name": name, "holder": holder, "token": 1, "expires_at": until}
        if insert_ignore(session, Lease.__table__, [row], key=["name"]):  # type: ignore[arg-type]
            return Held(name, holder, 1)
        lease = session.scalars(select(Lease).where(Lease.name == name).with_for_update()).one()
        if lease.holder == holder and lease.expires_at > now:
            lease.expires_at = until
            return Held(name, holder, lease.token)
        if lease.expires_at > now:
            return None
        lease.holder, lease.token, lease.expires_at = holder, lease.token + 1, until
        return Held(name, holder, lease.token)


@contextmanager
def renewing(sessions: sessionmaker[Session], held: Held, also: Callable[[], None]) -> Iterator[None]:
    """Keep a lease alive while a long job runs, and tell `also` at each beat; the job's own writes stay fenced."""
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(SECONDS / 3):
            try:
                acquire(sessions, held.name, held.holder)
                also()
            except Exception as failure:  # a busy database: the next beat tries again before the lease ends
                log.warning("lease_beat_missed", lease=held.name, error=type(failure).__name__)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def still_held(session: Session, held: Held) -> None:
    """Make sure, inside the transaction that is about to write, that the lease is still ours. Raises LeaseLost."""
    lease = session.scalars(select(Lease).where(Lease.name == held.name).with_for_update()).one_or_none()
    if lease is None or lease.token != held.token or lease.holder != held.holder:
        raise LeaseLost(f"{held.name}: held by {lease.holder if lease else 'nobody'} now")
    if lease.expires_at <= database_now(session):
        raise LeaseLost(f"{held.name}: the lease ran out")
