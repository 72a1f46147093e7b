"""What reading one file leads to: the rows that hold, the ones that do not and why, and how they add up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MAX_PROBLEMS = 100_000
"""Problems kept one by one in a report; beyond it only the counts go on."""


class Rejected(Exception):
    """The whole file cannot be taken; nothing of it is stored but the fact that it came.

    `reason` is one of the classes of the import contract, `message` tells the office what to do.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


@dataclass(frozen=True, slots=True)
class RowProblem:
    """One cell or row that was quarantined, or repaired with a warning, and where it stands.

    `row` counts from 1 as the file's own program shows it; `column` is the header as written, empty when the
    row as a whole is meant. `raw` is the cell as received: mask it before it leaves the house.
    """

    sheet: str
    row: int
    column: str
    reason: str
    raw: str = ""
    rejected: bool = True


@dataclass(frozen=True, slots=True)
class ReadRow:
    """One valid row: its place and its canonical values by field name."""

    sheet: str
    row: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FailedRow:
    """One quarantined row as received, under the headers as written, to be corrected and sent again."""

    sheet: str
    row: int
    reason: str
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FileReport:
    """The outcome of reading one file. read = valid + quarantined + ignored, always."""

    name: str
    kind: str
    status: str  # accepted | rejected
    reason: str | None = None
    message: str = ""
    detected: str = ""  # xlsx | xls | csv | json | jsonl | html | feed | xml | pdf
    sha256: str = ""
    read: int = 0
    valid: int = 0
    quarantined: int = 0
    ignored: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    warnings: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[RowProblem, ...] = ()
    rows: tuple[ReadRow, ...] = ()
    failed: tuple[FailedRow, ...] = ()
    unknown_headers: tuple[str, ...] = ()
    samples: Mapping[str, Sequence[str]] = field(
        default_factory=dict
    )  # a few cells under each unknown header, as received
    seconds: float = 0.0

    @property
    def accepted(self) -> bool:
        """True when the file was taken, whatever became of its single rows."""
        return self.status == "accepted"
