"""Reading one file from its bytes: the whole of what happens inside the child process."""

import hashlib
import time
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from ingest.importers.detect import detect, suits
from ingest.importers.headers import HeaderFinder, meanings
from ingest.importers.kinds import Kind
from ingest.importers.report import FileReport, Rejected
from ingest.importers.tables import Batch, Table, TableReader


class FileReading:
    """One file while it is read: iterate for its batches, then ask for the `report` (which holds no rows)."""

    def __init__(
        self,
        data: bytes,
        name: str,
        kind: Kind,
        *,
        today: date,
        mapping: Mapping[str, str] | None = None,
        defaults: Mapping[str, str] | None = None,
        keep_failed: bool = True,
    ) -> None:
        self._data, self._name, self._kind = data, name, kind
        self._finder = HeaderFinder(kind, mapping, defaults)
        self._reader = TableReader(kind, self._finder, today=today, keep_failed=keep_failed)
        self._started = time.perf_counter()
        self._detected = ""
        self._rejected: Rejected | None = None

    def __iter__(self) -> Iterator[Batch]:
        try:
            for table in self._tables():
                yield from self._reader.read(table)
            if not self._reader.tables:
                if self._reader.lacking is not None:
                    names = "、".join(meanings().get(name, name) for name in self._reader.lacking)
                    raise Rejected("missing_required_column", f"缺少必需的列：{names}")
                if self._detected == "feed":
                    raise Rejected("type_mismatch", "这是资讯订阅，不是表格")
                raise Rejected("no_header", "前 20 行中没有可识别的表头")
        except Rejected as rejected:
            self._rejected = rejected

    @property
    def report(self) -> FileReport:
        """The outcome, once all batches were taken."""
        tally = self._reader.tally
        common: dict[str, Any] = {
            "name": self._name,
            "kind": self._kind.name,
            "detected": self._detected,
            "sha256": hashlib.sha256(self._data).hexdigest(),
            "seconds": time.perf_counter() - self._started,
            "warnings": dict(tally.warnings),
        }
        if self._rejected is None or self._rejected.reason in ("no_header", "missing_required_column"):
            common["unknown_headers"] = tuple(tally.unknown_headers)
            common["samples"] = {name: cells for name, cells in tally.unknown_headers.items() if cells}
        if self._rejected:
            return FileReport(status="rejected", reason=self._rejected.reason, message=self._rejected.message, **common)
        return FileReport(
            status="accepted",
            read=tally.read,
            valid=tally.valid,
            quarantined=tally.quarantined,
            ignored=tally.ignored,
            reasons=dict(tally.reasons),
            **common,
        )

    def _tables(self) -> Iterator[Table]:
        self._detected = detect(self._data)
        warnings = self._reader.tally.warnings
        if not suits(self._name, self._detected):
            warnings["extension_mismatch"] += 1
        if self._detected == "xlsx":
            from ingest.importers.workbooks import read_xlsx

            yield from read_xlsx(self._data, warnings)
        elif self._detected == "xls":
            from ingest.importers.workbooks import read_xls

            yield from read_xls(self._data, warnings)
        elif self._detected == "json":
            from ingest.importers.structured import read_json

            self._detected, table = read_json(self._data, nested=bool(self._kind.layouts))
            yield table
        elif self._detected == "html":
            from ingest.importers.pages import read_html

            yield from read_html(self._data, self._finder)
        elif self._detected == "feed" and self._kind.layouts:
            from ingest.importers.published import read_published

            self._detected = "xml"
            yield read_published(self._data, self._kind)
        elif self._detected == "feed":
            from ingest.importers.feeds import read_feed

            yield read_feed(self._data)
        elif self._detected == "pdf":
            from ingest.importers.pdf_tables import read_pdf

            yield from read_pdf(self._data)
        else:
            from ingest.importers.delimited import read_delimited

            yield read_delimited(self._data, self._finder)
