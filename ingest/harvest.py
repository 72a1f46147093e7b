"""What a crawl fetched -> signals and files, read but not yet stored, so that the run can be judged as a whole."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from ingest.importers import FileReport, read_file
from ingest.platforms.page import Item
from ingest.signal import RawMention, RawSignal
from ingest.source import SourceSpec
from nlp.announcements import check_against_table, read_counts
from nlp.normalize import normalize
from store.china_time import CHINA
from store.tables import FrontierPage

_FAILS = frozenset({"fail", "不合格"})


@dataclass(frozen=True, slots=True)
class CarriedFile:
    """A file a notice carries, or a table of its text kept as one, and what reading it gave."""

    page_id: int  # the frontier row that is done once this file is imported
    path: Path
    name: str
    notice_url: str
    defaults: Mapping[str, str]  # what the notice says for columns the file has not
    report: FileReport


@dataclass(frozen=True, slots=True)
class Harvest:
    """A run's signals and files, in the order they were found."""

    signals: tuple[RawSignal, ...]
    files: tuple[CarriedFile, ...]

    @property
    def rows_read(self) -> int:
        """Rows of files that are lists of the wanted kind; a statistics table is no list."""
        return sum(file.report.read for file in self.files if file.report.accepted)

    @property
    def rows_quarantined(self) -> int:
        """Of these, the rows that could not be taken."""
        return sum(file.report.quarantined for file in self.files if file.report.accepted)

    @property
    def contradictions(self) -> int:
        """Notices whose numbers contradict each other or their table."""
        return sum(any(flag.startswith("counts:") for flag in signal.flags) for signal in self.signals)


def gather(rows: Sequence[FrontierPage], spec: SourceSpec, var: Path, now: datetime) -> Harvest:
    """Read everything that was fetched and not yet stored. Writes only files of tables into the archive."""
    today = now.astimezone(CHINA).date()
    files: list[CarriedFile] = []
    items: list[tuple[Item, FrontierPage]] = []

    def carry(row: FrontierPage, path: Path, name: str, notice_url: str, day: str | None) -> None:
        assert spec.attachments is not None
        defaults = _defaults(spec.attachments.kind, name, day)
        report = read_file(path, spec.attachments.kind, name, today=today, defaults=defaults)
        files.append(CarriedFile(row.id, path, name, notice_url, defaults, report))

    for row in rows:
        if row.kind == "attachment" and spec.attachments is not None:
            notice_url = str(row.meta.get("parent") or row.url)
            carry(row, var / "archive" / str(row.archive_path), _file_name(row), notice_url, row.meta.get("date"))
        for values in row.meta.get("items", ()):
            item = Item.from_json(values)
            items.append((item, row))
            if spec.attachments is None or not spec.attachments.tables:
                continue
            for number, table in enumerate(item.tables, start=1):
                name = f"{item.title[:80]} {'不合格名单' if '不合格' in table else '正文表'}{number}.html"
                carry(row, _table_file(var, table), name, item.url or row.url, values["published_on"])
    by_notice: dict[str, list[FileReport]] = {}
    for file in files:
        by_notice.setdefault(file.notice_url, []).append(file.report)
    signals = [_signal(item, row, spec, now, by_notice.get(item.url or row.url, [])) for item, row in items]
    return Harvest(tuple(signals), tuple(files))


def _defaults(kind: str, name: str, day: str | None) -> dict[str, str]:
    """Return what a sampling annex leaves unsaid: the notice's day, and 不合格 in a list of failures.

    Annexes seldom say when a batch was drawn; the day it was announced is the earliest anyone outside could know.
    """
    if kind != "sampling":
        return {}
    values = {"sampling_date": day, "published_on": day} if day else {}
    return values | ({"conclusion": "不合格"} if "不合格" in name else {})


def _file_name(row: FrontierPage) -> str:
    """Return the file's name as the notice gives it, with the ending its address has."""
    address = PurePosixPath(urlsplit(row.url).path)
    said = str(row.meta.get("name") or row.meta.get("title") or address.name)
    return said if said.lower().endswith(address.suffix.lower()) else f"{said}{address.suffix}"


def _signal(item: Item, row: FrontierPage, spec: SourceSpec, now: datetime, reports: Sequence[FileReport]) -> RawSignal:
    today = now.astimezone(CHINA).date()
    published = min(item.published_on or today, today)
    revised = bool(row.meta.get("revised"))
    clean = normalize(item.text)
    flags = ["revised"] if revised else []
    payload: Mapping[str, Any] = item.payload
    if item.published_on is None:
        flags.append("no_date")
    channel = item.channel or spec.channel
    if channel == "notice":
        said = read_counts(clean.text)
        tables = [report for report in reports if report.accepted and report.valid]
        failed = sum(1 for report in tables for found in report.rows if found.values.get("conclusion") in _FAILS)
        everything = sum(report.valid for report in tables)
        against = check_against_table(said, failed_rows=failed, all_rows=everything if everything > failed else None)
        flags += [f"counts:{message}" for message in (*said.contradictions, *against)]
        counts = {
            name: getattr(said, name)
            for name in ("batches", "failed", "passed", "fail_rate", "pass_rate", "enterprises")
            if getattr(said, name) is not None
        }
        payload = {**payload, **({"counts": counts} if counts else {})}
    return RawSignal(
        source_id=spec.id,
        channel=channel,
        trust=item.trust or spec.trust,
        title=item.title,
        text=item.text,
        occurred_on=published,
        # A page is known from the day it was published; it cannot be known later than it was fetched.
        known_at=min(datetime.combine(published, time(), CHINA), now),
        external_id=f"{item.external_id}#{str(row.content_hash)[:12]}" if revised else item.external_id,
        parent_external_id=item.external_id if revised else None,
        url=item.url or row.url,
        region_code=spec.region,
        record_kind=item.record_kind,
        record=item.record,
        mentions=tuple(RawMention(**mention) for mention in item.mentions),
        payload=payload,
        damaged=clean.damaged_original,
        flags=tuple(flags),
        archive_path=f"archive/{row.archive_path}" if row.archive_path else None,
    )


def _table_file(var: Path, table: str) -> Path:
    """Keep a table of a notice's text as a file of its own, so that it goes through the importers like any other."""
    page = f'<html><head><meta charset="utf-8"></head><body>{table}</body></html>'.encode()
    digest = hashlib.sha256(page).hexdigest()
    path = var / "archive" / digest[:2] / f"{digest}.html"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_bytes(page)
        part.replace(path)
    return path
