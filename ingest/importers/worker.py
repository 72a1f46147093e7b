"""The child process that opens files from outside: limited in memory and time, and given nothing but a path.

Speaks length-prefixed JSON over its standard streams, so that a file which takes it over can at worst send wrong
rows, not run code in the parent.
"""

import gc
import resource
import struct
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from ingest.importers.tables import CHUNK_ROWS, Batch

MAX_DATA_BYTES = 448 * 1024 * 1024
MAX_ADDRESS_BYTES = 1536 * 1024 * 1024


def main() -> None:
    """Answer requests until the parent hangs up."""
    limit_process()
    answers = sys.stdout.buffer
    sys.stdout = sys.stderr
    from ingest.importers.reading import FileReading  # noqa: F401  (loaded before the first file comes)

    requests = sys.stdin.buffer
    gc.disable()  # rows make no cycles, and looking for some costs a fifth of the time
    gc.freeze()
    while (request := receive(requests)) is not None:
        for answer in serve(request):
            send(answers, answer)
        gc.collect()


def limit_process() -> None:
    """Cap the memory this process may ask for; it writes no core file when it dies."""
    for kind, most in (
        (resource.RLIMIT_AS, MAX_ADDRESS_BYTES),
        (resource.RLIMIT_DATA, MAX_DATA_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (most if hard < 0 else min(most, hard), hard))


def serve(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the batches a file holds, then its report."""
    from ingest.importers.kinds import load_kind
    from ingest.importers.reading import FileReading
    from ingest.importers.report import FileReport

    kind, name = load_kind(request["kind"]), request["name"]
    try:
        data = Path(request["path"]).read_bytes()
        reading = FileReading(
            data,
            name,
            kind,
            today=date.fromisoformat(request["today"]),
            mapping=request.get("mapping"),
            defaults=request.get("defaults"),
            keep_failed=request["rows"],
        )
        for batches in _gathered(reading, request["rows"]):
            yield _message(batches)
        yield {"report": asdict(reading.report)}
    except MemoryError:
        yield {
            "report": asdict(FileReport(name, kind.name, "rejected", "limit_exceeded", "读取此文件所需内存超过限制"))
        }
    except (Exception, RecursionError) as broken:
        yield {
            "report": asdict(
                FileReport(name, kind.name, "rejected", "corrupt", f"文件无法读取（{type(broken).__name__}）")
            )
        }


def _gathered(reading: Iterable[Batch], with_rows: bool) -> Iterator[list[Batch]]:
    """Yield batches of one table that together are worth a message; their rows are dropped if nobody wants them."""
    held: list[Batch] = []
    rows = 0
    for batch in reading:
        if held and (rows >= CHUNK_ROWS or (batch.sheet, batch.fields) != (held[0].sheet, held[0].fields)):
            yield held
            held, rows = [], 0
        rows += len(batch.numbers) + len(batch.problems)
        held.append(batch if with_rows else replace(batch, columns=()))
    if held:
        yield held


def _message(batches: Sequence[Batch]) -> dict[str, Any]:
    columns = [list(chain.from_iterable(parts)) for parts in zip(*(batch.columns for batch in batches), strict=True)]
    return {
        "sheet": batches[0].sheet,
        "count": sum(len(batch.numbers) for batch in batches),
        "numbers": [number for batch in batches for number in batch.numbers] if columns else [],
        "fields": batches[0].fields,
        "columns": columns,
        "problems": [[p.sheet, p.row, p.column, p.reason, p.raw, p.rejected] for b in batches for p in b.problems],
        "failed": [[f.sheet, f.row, f.reason, f.cells] for b in batches for f in b.failed],
    }


def send(stream: BinaryIO, message: Any) -> None:
    """Write one message and its length."""
    body = orjson.dumps(message)
    stream.write(struct.pack("<I", len(body)))
    stream.write(body)
    stream.flush()


def receive(stream: BinaryIO) -> dict[str, Any] | None:
    """Return the next message; None when the other side is gone."""
    head = stream.read(4)
    if len(head) < 4:
        return None
    (length,) = struct.unpack("<I", head)
    body = stream.read(length)
    return orjson.loads(body) if len(body) == length else None


if __name__ == "__main__":
    main()
