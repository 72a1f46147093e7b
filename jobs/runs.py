"""Recording what ran: each execution of a job leaves one row, whatever becomes of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from store.tables import Run


@cache
def code_version() -> str:
    """The version of the installed code."""
    try:
        return version("zhian-radar")
    except PackageNotFoundError:
        return "unknown"


@contextmanager
def recorded_run(
    sessions: sessionmaker[Session],
    job: str,
    *,
    as_of: date | None = None,
    source_id: str | None = None,
    policy_hash: str | None = None,
    model_version: str | None = None,
    seed: int | None = None,
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the run's id and its counts, to be filled; the row says ok, failed or cancelled on leaving."""
    with sessions.begin() as session:
        run = Run(
            job=job,
            source_id=source_id,
            as_of=as_of,
            started_at=datetime.now(UTC),
            status="running",
            code_version=code_version(),
            policy_hash=policy_hash,
            model_version=model_version,
            seed=seed,
            counts={},
        )
        session.add(run)
        session.flush()
        run_id = run.id
    counts: dict[str, Any] = {}
    status, error = "failed", None
    try:
        yield run_id, counts
        status = "ok"
    except KeyboardInterrupt:
        status = "cancelled"
        raise
    except Exception as failure:
        error = f"{type(failure).__name__}: {failure}"[:2000]
        raise
    finally:
        with sessions.begin() as session:
            row = session.get_one(Run, run_id)
            row.status = counts.pop("status", status) if status == "ok" else status
            row.error = error
            row.counts = counts
            row.finished_at = datetime.now(UTC)
