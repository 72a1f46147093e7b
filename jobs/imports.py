"""Imports as a job: from the command line, from a page's request, from the watched folder."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from ingest.importers import FileReport, FileStream, kind_names, load_kind
from ingest.intake import Lookups, ensure_source, header_mapping, import_file, look_through
from ingest.lookups import office_lookups
from jobs.opening import open_store, secret_key
from jobs.runs import recorded_run
from jobs.settings import Settings
from store.session import read_only
from store.tables import ImportFile, RowIssue


def make_lookups(sessions: sessionmaker[Session], settings: Settings) -> Lookups:
    """Return this office's look-ups; see `ingest.lookups`."""
    return office_lookups(sessions, settings.lexicon_dir)


def import_one(
    sessions: sessionmaker[Session],
    settings: Settings,
    path: Path,
    kind: str,
    *,
    source_id: str = "",
    known: str = "record",
    name: str | None = None,
    account_id: int | None = None,
    region_code: str | None = None,
    received_at: datetime | None = None,
    lookups: Lookups | None = None,
    progress: Callable[[float, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ImportFile:
    """Import one file as a recorded run; the same bytes again add nothing."""
    source_id = source_id or f"upload-{kind}"
    with sessions.begin() as session:
        ensure_source(session, source_id, load_kind(kind))
    with recorded_run(sessions, "import", source_id=source_id) as (run_id, counts):
        file = import_file(
            sessions,
            path,
            kind=kind,
            source_id=source_id,
            received_at=received_at or datetime.now(UTC),
            known=known,
            var=settings.var,
            key=secret_key(settings),
            account_id=account_id,
            run_id=run_id,
            region_code=region_code,
            name=name,
            lookups=lookups or make_lookups(sessions, settings),
            progress=progress,
            cancelled=cancelled,
        )
        counts |= {
            "file_id": file.id,
            "read": file.read,
            "valid": file.valid,
            "quarantined": file.quarantined,
            "ignored": file.ignored,
            "added": file.added if file.run_id == run_id else 0,
        }
    return file


def check_file(
    sessions: sessionmaker[Session],
    path: Path,
    kind: str,
    *,
    name: str | None = None,
    progress: Callable[[float, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> FileReport:
    """Return what importing a large upload would say, without storing anything. Raises Cancelled."""
    with read_only(sessions) as session:
        mapping = header_mapping(session, f"upload-{kind}")
    stream = FileStream(path, kind, name, mapping, keep_rows=False)
    look_through(stream, path.stat().st_size, progress, cancelled)
    return stream.report


def import_paths(
    paths: Sequence[Path], kind: str, *, source_id: str, known: str, with_rows: bool, settings: Settings | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the report of each file, stored in the order given."""
    from ingest.importers import read_file

    settings = settings or Settings()
    sessions = open_store(settings)
    lookups = make_lookups(sessions, settings)
    for path in paths:
        started = datetime.now(UTC)
        file = import_one(
            sessions, settings, path, kind, source_id=source_id, known=known, lookups=lookups, received_at=started
        )
        outcome = stored_report(sessions, file, file_name=str(path), added=file.received_at == started)
        if with_rows:
            seconds = outcome.pop("seconds")
            outcome["rows"] = as_report(read_file(path, kind), file=str(path), with_rows=True)["rows"]
            outcome["seconds"] = seconds
        yield outcome


@dataclass(slots=True)
class WatchedFolder:
    """A folder with one sub-folder a kind, into which an office drops its files.

    A file is taken once its size and time have not changed between two looks; then it moves to `已导入` or
    `未导入` beside it. Names that start with a dot or a tilde (a program's half-written copies) are left alone.
    """

    folder: Path
    seen: dict[Path, tuple[int, int]] = field(default_factory=dict)

    def settled(self) -> list[tuple[Path, str]]:
        """Return the files that have come to rest since the last look, with their kinds."""
        found: dict[Path, tuple[int, int]] = {}
        ready: list[tuple[Path, str]] = []
        for kind in kind_names():
            for path in sorted((self.folder / kind).glob("*")):
                if not path.is_file() or path.name.startswith((".", "~")):
                    continue
                facts = path.stat()
                found[path] = (facts.st_size, facts.st_mtime_ns)
                if self.seen.get(path) == found[path] and facts.st_size > 0:
                    ready.append((path, kind))
        self.seen = found
        return ready


def import_settled(
    sessions: sessionmaker[Session], settings: Settings, watched: WatchedFolder
) -> list[tuple[Path, ImportFile]]:
    """Import what has come to rest in a watched folder; return each file and what became of it."""
    done = []
    lookups: Lookups | None = None
    for path, kind in watched.settled():
        lookups = lookups or make_lookups(sessions, settings)
        file = import_one(sessions, settings, path, kind, source_id=f"folder-{kind}", lookups=lookups)
        shelf = path.parent / ("已导入" if file.status == "accepted" else "未导入")
        shelf.mkdir(exist_ok=True)
        path.replace(shelf / f"{file.id}_{path.name}")
        done.append((path, file))
    return done


def stored_report(sessions: sessionmaker[Session], file: ImportFile, *, file_name: str, added: bool) -> dict[str, Any]:
    """Return the report of a file that is in the store."""
    reasons: dict[str, int] = {}
    errors = []
    with read_only(sessions) as session:
        seen: set[tuple[str, int]] = set()
        for issue in session.scalars(
            select(RowIssue).where(RowIssue.file_id == file.id, RowIssue.rejected).order_by(RowIssue.id)
        ):
            errors.append({"sheet": issue.sheet, "row": issue.row, "column": issue.column, "class": issue.reason})
            if (issue.sheet, issue.row) not in seen:
                seen.add((issue.sheet, issue.row))
                reasons[issue.reason] = reasons.get(issue.reason, 0) + 1
    return {
        "file": file_name,
        "status": file.status,
        "reason": file.reason,
        "valid": file.valid,
        "quarantined": file.quarantined,
        "ignored": file.ignored,
        "added": file.added if added else 0,
        "reasons": reasons,
        "warnings": {name: count for name, count in file.warnings.items() if isinstance(count, int)},
        "errors": errors,
        "seconds": round(file.seconds, 3),
    }


def as_report(report: FileReport, *, file: str, with_rows: bool) -> dict[str, Any]:
    """Return the machine-readable report of one file; rows carry the canonical values the kind shows."""
    outcome: dict[str, Any] = {
        "file": file,
        "status": report.status,
        "reason": report.reason,
        "valid": report.valid,
        "quarantined": report.quarantined,
        "ignored": report.ignored,
        "reasons": dict(report.reasons),
        "warnings": dict(report.warnings),
        "errors": [
            {"sheet": problem.sheet, "row": problem.row, "column": problem.column, "class": problem.reason}
            for problem in report.problems
            if problem.rejected
        ],
    }
    if with_rows:
        shown = [(field.name, field.shown) for field in load_kind(report.kind).fields if field.shown]
        outcome["rows"] = [
            {public: _plain(row.values.get(name)) for name, public in shown if public} for row in report.rows
        ]
    outcome["seconds"] = round(report.seconds, 3)
    return outcome


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
