"""The rows of a file that did not go in, as a file with the same columns and the reason, to be mended and sent back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ingest.importers import read_file
from ingest.intake import REASONS
from store.export import Sheet, to_xlsx

REASON_HEADER = "原因"
"""The header of the added column; importers know it and pass it over."""


@dataclass(frozen=True, slots=True)
class RejectedRows:
    """Rejected rows as received, under the file's own headers and the reason."""

    headers: Sequence[str]
    rows: Sequence[Sequence[str]]

    def as_workbook(self, title: str) -> bytes:
        """Return them as an XLSX file."""
        return to_xlsx([Sheet(title[:31] or "未入库行", self.headers, self.rows)])


def rejected_rows(
    path: Path,
    kind: str,
    *,
    name: str | None = None,
    mapping: Mapping[str, str] | None = None,
    today: date | None = None,
) -> RejectedRows:
    """Read a file again and return the rows that do not hold.

    They are unmasked, as the sender wrote them: show them only to who may see raw text. Rows kept out because the
    store already knew their number are not among them, for the file alone does not show that.
    """
    report = read_file(path, kind, name, mapping, today=today)
    headers: dict[str, None] = {}
    for row in report.failed:
        headers.update(dict.fromkeys(row.cells))
    headers.pop(REASON_HEADER, None)
    rows = [
        [*(row.cells.get(header, "") for header in headers), REASONS.get(row.reason, row.reason)]
        for row in report.failed
    ]
    return RejectedRows([*headers, REASON_HEADER], rows)
