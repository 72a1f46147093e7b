"""Reading files in a child process, so that no file can hurt the one that asked. Clause C11."""

import atexit
import os
import selectors
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson

from ingest.importers.kinds import Kind, load_kind
from ingest.importers.report import MAX_PROBLEMS, FailedRow, FileReport, ReadRow, RowProblem
from store.china_time import CHINA

MIB = 1024 * 1024
SECONDS_SMALL_FILE = 9.0  # for a file up to 1 MiB; clause C11 allows 10
SECONDS_PER_MIB = 2.0
_PROJECT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, slots=True)
class ReadBatch:
    """Some rows of a file, in file order; `count` of them are valid, though not all may have been asked for."""

    count: int
    rows: tuple[ReadRow, ...]
    problems: tuple[RowProblem, ...]
    failed: tuple[FailedRow, ...]


class _WorkerLost(Exception):
    """The child died, or had to be stopped."""

    def __init__(self, timed_out: bool) -> None:
        super().__init__(timed_out)
        self.timed_out = timed_out


class _Worker:
    def __init__(self) -> None:
        environment = {
            name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "LC_ALL", "HOME", "TZ")
        }
        environment |= {"PYTHONPATH": str(_PROJECT), "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
        environment["MALLOC_MMAP_THRESHOLD_"] = "524288"  # what is large goes back when it is freed
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ingest.importers.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise OSError("no pipe to the reading process")
        self._to, self._from = self._process.stdin, self._process.stdout
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._from, selectors.EVENT_READ)

    def ask(self, request: Mapping[str, Any], seconds: float) -> Iterator[dict[str, Any]]:
        """Yield the answers to a request. Raises _WorkerLost when the child dies or takes longer than `seconds`."""
        body = orjson.dumps(request)
        try:
            self._to.write(struct.pack("<I", len(body)) + body)
            self._to.flush()
        except OSError as gone:
            raise _WorkerLost(timed_out=False) from gone
        left = seconds
        while True:
            started = time.monotonic()
            (length,) = struct.unpack("<I", self._read(4, left))
            answer = orjson.loads(self._read(length, left))
            left = max(0.1, left - (time.monotonic() - started))  # the child's time, not the caller's
            yield answer
            if "report" in answer:
                return

    def _read(self, count: int, seconds: float) -> bytes:
        deadline = time.monotonic() + seconds
        pieces = []
        while count:
            if not self._selector.select(max(0.0, deadline - time.monotonic())):
                raise _WorkerLost(timed_out=True)
            piece = os.read(self._from.fileno(), min(count, MIB))
            if not piece:
                raise _WorkerLost(timed_out=False)
            pieces.append(piece)
            count -= len(piece)
        return b"".join(pieces)

    def close(self) -> None:
        """Stop the child."""
        self._selector.close()
        self._process.kill()
        self._process.wait()
        self._to.close()
        self._from.close()


_idle: list[_Worker] = []
_lock = threading.Lock()


def _borrow() -> _Worker:
    with _lock:
        return _idle.pop() if _idle else _Worker()


def _give_back(worker: _Worker) -> None:
    with _lock:
        _idle.append(worker)


@atexit.register
def close_workers() -> None:
    """Stop the children that wait for work."""
    with _lock:
        while _idle:
            _idle.pop().close()


class FileStream:
    """The rows of one file as they are read in the child: iterate, then ask for the `report`.

    Leaving the iteration early stops the child. The report holds no rows; problems are kept up to a limit.
    """

    def __init__(
        self,
        path: Path,
        kind: Kind | str,
        name: str | None = None,
        mapping: Mapping[str, str] | None = None,
        *,
        defaults: Mapping[str, str] | None = None,
        today: date | None = None,
        keep_rows: bool = True,
    ) -> None:
        self._path, self._name = path, name or path.name
        self._kind = load_kind(kind) if isinstance(kind, str) else kind
        self._mapping = dict(mapping or {})
        self._defaults = dict(defaults or {})
        self._today = today or datetime.now(CHINA).date()
        self._keep_rows = keep_rows
        self.report = FileReport(self._name, self._kind.name, "rejected", "corrupt", "没有读完")
        self.seconds = 0.0

    def __iter__(self) -> Iterator[ReadBatch]:
        started = time.monotonic()
        size = self._path.stat().st_size
        request = {
            "path": str(self._path.resolve()),
            "name": self._name,
            "kind": self._kind.name,
            "mapping": self._mapping,
            "defaults": self._defaults,
            "today": self._today.isoformat(),
            "rows": self._keep_rows,
        }
        problems: list[RowProblem] = []
        worker = _borrow()
        whole = False
        try:
            for answer in worker.ask(request, SECONDS_SMALL_FILE + SECONDS_PER_MIB * max(0.0, size / MIB - 1)):
                if "report" in answer:
                    self.report = replace(_report(answer["report"]), problems=tuple(problems))
                else:
                    batch = self._batch(answer)
                    problems.extend(batch.problems[: MAX_PROBLEMS - len(problems)])
                    yield batch
            whole = True
        except _WorkerLost as lost:
            reason, message = (
                ("limit_exceeded", "读取超时，文件过大或结构异常") if lost.timed_out else ("corrupt", "读取时意外中止")
            )
            self.report = replace(self.report, reason=reason, message=message)
        finally:
            if whole:
                _give_back(worker)
            else:
                worker.close()
            self.report = replace(self.report, seconds=time.monotonic() - started)

    def _batch(self, answer: Mapping[str, Any]) -> ReadBatch:
        sheet, fields = answer["sheet"], answer["fields"]
        columns = [_dates(column) if self._kind.field(name).type == "date" else column
                   for name, column in zip(fields, answer["columns"], strict=False)]  # fmt: skip
        rows = tuple(
            ReadRow(sheet, number, dict(zip(fields, values, strict=True)))
            for number, values in zip(answer["numbers"], zip(*columns, strict=True), strict=bool(columns))
        )
        problems = tuple(RowProblem(*problem) for problem in answer["problems"])
        failed = tuple(FailedRow(*row) for row in answer["failed"])
        return ReadBatch(answer["count"], rows, problems, failed)


def _dates(column: Sequence[str | None]) -> list[date | None]:
    known = {text: date.fromisoformat(text) if text else None for text in set(column)}
    return [known[text] for text in column]


def _report(answer: Mapping[str, Any]) -> FileReport:
    return FileReport(**{**answer, "problems": (), "rows": (), "failed": (),
                         "unknown_headers": tuple(answer["unknown_headers"])})  # fmt: skip


def read_file(
    path: Path,
    kind: Kind | str,
    name: str | None = None,
    mapping: Mapping[str, str] | None = None,
    *,
    defaults: Mapping[str, str] | None = None,
    today: date | None = None,
    keep_rows: bool = True,
) -> FileReport:
    """Return what a file holds, read as one kind; never raises for what is in it.

    `name` is the file's name as received, `mapping` the headers an analyst explained for this source, `defaults`
    the text of fields the table has no column for (a notice's date for its annex, by field name), `today`
    the day after which dates lie in the future (default: today in Shanghai). Without `keep_rows` only counts
    and problems come back, which takes flat memory. Raises KeyError for an unknown kind, OSError for no file.
    """
    stream = FileStream(path, kind, name, mapping, defaults=defaults, today=today, keep_rows=keep_rows)
    rows: list[ReadRow] = []
    failed: list[FailedRow] = []
    for batch in stream:
        rows.extend(batch.rows)
        failed.extend(batch.failed)
    if not stream.report.accepted:
        return replace(stream.report, problems=())
    return replace(stream.report, rows=tuple(rows), failed=tuple(failed))
