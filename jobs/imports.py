"""Imports as a job: from the command line, from a page's request, from the watched folder."""

from typing import Any

from ingest.importers import FileReport, load_kind


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
    if report.message:
        outcome["message"] = report.message
    return outcome


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
