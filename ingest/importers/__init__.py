"""Files in, checked rows out. Parsing happens in a child process with limits; nothing here touches the store.

A path and a kind enter; a FileReport with canonical rows, problems and counts leaves. See docs/import.md.
"""

from ingest.importers.kinds import Field, Kind, kind_names, load_kind
from ingest.importers.report import FailedRow, FileReport, ReadRow, Rejected, RowProblem
from ingest.importers.sandbox import FileStream, ReadBatch, close_workers, read_file

__all__ = [
    "FailedRow",
    "Field",
    "FileReport",
    "FileStream",
    "Kind",
    "ReadBatch",
    "ReadRow",
    "Rejected",
    "RowProblem",
    "close_workers",
    "kind_names",
    "load_kind",
    "read_file",
]
