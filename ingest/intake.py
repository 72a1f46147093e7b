"""A file -> the store: read it in the sandbox, store what holds, keep the reason for every row that does not."""

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session, sessionmaker

from ingest.importers import FailedRow, FileReport, FileStream, Kind, ReadRow, RowProblem, load_kind
from ingest.importers.sandbox import MIB
from ingest.pipelines import revise_signals, store_signals
from ingest.points import store_points
from ingest.register import store_register
from ingest.rows import Context, Notice, RowConverter
from ingest.signal import RawSignal
from nlp.masking import mask
from store.china_time import CHINA
from store.dialect import insert_ignore, serialise
from store.session import read_only
from store.tables import FrontierPage, HeaderMapping, ImportFile, RowIssue, Signal, Source

_TABLES = Source.metadata.tables
CHANNEL_OF_REGISTER = {"monitoring_point": "monitoring"}
_LARGE = 4 * MIB
_BYTES_PER_ROW = 120  # a usual row; only the progress bar depends on it


class Cancelled(Exception):
    """The import was called off; nothing of it was stored."""


@dataclass(frozen=True, slots=True)
class Lookups:
    """This office's look-ups, each optional: text -> adcode, text -> product id, failed item -> safety item."""

    locate: Callable[[str], str | None] | None = None
    product_of: Callable[[str], str | None] | None = None
    is_safety_item: Callable[[str], bool] | None = None
    name_key: Callable[[str], str] | None = None


def import_file(
    sessions: sessionmaker[Session],
    path: Path,
    *,
    kind: str,
    received_at: datetime,
    var: Path,
    source_id: str = "",
    known: str = "record",
    key: bytes | None = None,
    account_id: int | None = None,
    run_id: int | None = None,
    region_code: str | None = None,
    name: str | None = None,
    notice: Notice | None = None,
    lookups: Lookups | None = None,
    defaults: Mapping[str, str] | None = None,
    progress: Callable[[float, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    again: bool = False,
) -> ImportFile:
    """Read a file as `kind`, store its rows in one transaction, and return its record.

    The same bytes under the same source and kind are not read again: the first record comes back. `known="record"`
    dates each row by its own publication or registration, else by its event and the kind's usual delay;
    `known="now"` by `received_at`. `notice` is what the file was attached to. `key` makes the claimant hash; without
    it no claimant is kept. `defaults` are values the table has no column for. `progress` is told the share done (0 to
    1) and the rows so far, of a large file while it is looked through; when `cancelled` says so, Cancelled is raised
    and nothing stays. `again` reads the bytes though they were read before, because a header was explained since: the
    report is made anew, and a row that now says more says it in the signal it already became.

    Raises KeyError for an unknown kind and OSError when the file cannot be read; nothing for what is in it.
    """
    declared = load_kind(kind)
    source_id = source_id or f"upload-{kind}"
    digest, size = _digest(path)
    with sessions.begin() as session:
        source = ensure_source(session, source_id, declared)
        trust = source.trust if source.platform != "import" else None
        home = region_code or source.region_code
        if (found := _earlier(session, digest, kind, source_id)) and not again:
            return found
        mapping = header_mapping(session, source_id)
    stored_path = _keep_copy(path, digest, var)
    context = Context(
        source_id=source_id,
        received_at=received_at,
        known=known,
        trust=trust,
        region_code=home,
        notice=notice,
        key=key,
        locate=lookups.locate if lookups else None,
        product_of=lookups.product_of if lookups else None,
        is_safety_item=lookups.is_safety_item if lookups else None,
    )
    today = received_at.astimezone(CHINA).date()
    if progress and size > _LARGE:
        checking = FileStream(path, declared, name, mapping, defaults=defaults, today=today, keep_rows=False)
        # While its rows are stored in their one transaction nobody else can write to an SQLite store, not even how
        # far it has come; reading twice costs little beside storing.
        look_through(checking, size, progress, cancelled, whole=0.5)
    stream = FileStream(path, declared, name, mapping, defaults=defaults, today=today)
    with sessions.begin() as session:
        serialise(session, "signals")
        found = _earlier(session, digest, kind, source_id)
        if found and not again:
            return found
        if found:
            file = found
            file.status = "accepted"
            session.execute(delete(RowIssue).where(RowIssue.file_id == file.id))
        else:
            file = ImportFile(
                sha256=digest,
                kind=kind,
                source_id=source_id,
                run_id=run_id,
                account_id=account_id,
                region_code=home,
                name=name or path.name,
                stored_path=str(stored_path.relative_to(var)),
                received_at=received_at,
                status="accepted",
            )
            session.add(file)
            session.flush()
        work = _Import(session, file, declared, context, lookups or Lookups())
        savepoint = session.begin_nested()
        for batch in stream:
            if cancelled and cancelled():
                raise Cancelled(path.name)
            work.take(batch.rows)
            work.note(batch.problems, batch.failed)
        work.finish()
        if stream.report.accepted:
            savepoint.commit()
        else:
            savepoint.rollback()
        work.close(stream.report)
    return file


def import_again(
    sessions: sessionmaker[Session],
    file: ImportFile,
    *,
    var: Path,
    key: bytes | None = None,
    lookups: Lookups | None = None,
    progress: Callable[[float, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ImportFile:
    """Read a stored file again, with what was said about its headers since; see `import_file`.

    Raises OSError when its copy is gone.
    """
    with read_only(sessions) as session:
        notice = _notice_of(session, file)
    return import_file(
        sessions,
        var / (file.stored_path or ""),
        kind=file.kind,
        received_at=file.received_at,
        var=var,
        source_id=file.source_id,
        key=key,
        account_id=file.account_id,
        run_id=file.run_id,
        region_code=file.region_code,
        name=file.name,
        notice=notice,
        lookups=lookups,
        progress=progress,
        cancelled=cancelled,
        again=True,
    )


def _notice_of(session: Session, file: ImportFile) -> Notice | None:
    """Return the notice a crawled file hangs under."""
    page = session.scalar(
        select(FrontierPage).where(FrontierPage.source_id == file.source_id, FrontierPage.content_hash == file.sha256)
    )
    url = page.meta.get("parent") if page else None
    if not url:
        return None
    day = session.scalar(
        select(Signal.occurred_on).where(Signal.source_id == file.source_id, Signal.external_id == url)
    )
    return Notice(url, day) if day else None


class _Import:
    """The state of one import inside its transaction."""

    def __init__(self, session: Session, file: ImportFile, kind: Kind, context: Context, lookups: Lookups) -> None:
        self._session, self._file, self._kind, self._context, self._lookups = session, file, kind, context, lookups
        self._converter = RowConverter(kind, context) if kind.signal else None
        self._conflicts = 0
        self._added = 0
        places = select(Signal.file_place, Signal.id).where(Signal.file_id == file.id)
        self._read_before: dict[str | None, int] = dict(session.execute(places).all())

    def take(self, rows: Sequence[ReadRow]) -> None:
        """Store valid rows."""
        if self._converter is not None:
            self._store(self._converter.feed(rows))
        elif rows and self._kind.name == "monitoring_point":
            self._added += store_points(self._session, rows, self._context)
        elif rows:
            self._added += store_register(
                self._session, rows, self._context, run_id=self._file.run_id, name_key=self._lookups.name_key
            )

    def finish(self) -> None:
        """Store what waited for more."""
        if self._converter is not None:
            self._store(self._converter.finish())

    def _store(self, signals: Iterable[RawSignal]) -> None:
        if self._read_before:
            signals = list(signals)
            known = [(self._read_before[s.file_place], s) for s in signals if s.file_place in self._read_before]
            self._added += revise_signals(self._session, known)
            signals = [s for s in signals if s.file_place not in self._read_before]
        stored = store_signals(self._session, signals, run_id=self._file.run_id, file_id=self._file.id)
        self._added += stored.added
        if stored.conflicts:
            self._quarantine(stored.conflicts)

    def _quarantine(self, conflicts: list[RawSignal]) -> None:
        problems = []
        failed = []
        for signal in conflicts:
            sheet, _, row = (signal.file_place or "0").rpartition("!")
            problems.append(RowProblem(sheet, int(row), "", "duplicate_key", signal.external_id or ""))
            cells = {name: str(value) for name, value in signal.payload.items()}
            failed.append(FailedRow(sheet, int(row), "duplicate_key", cells))
        self._conflicts += len(conflicts)
        self.note(problems, failed)

    def note(self, problems: Iterable[RowProblem], failed: Iterable[FailedRow]) -> None:
        """Keep why rows were quarantined or repaired, with their cells masked."""
        personal, known = personal_headers(self._kind), known_headers(self._kind.name)
        cells = {
            (row.sheet, row.row): {
                header: "***"
                if header in personal and text
                else mask(text)
                if header in known
                else _sample(header, text)
                for header, text in row.cells.items()
            }
            for row in failed
        }
        issues = [
            {
                "file_id": self._file.id,
                "sheet": problem.sheet,
                "row": problem.row,
                "column": problem.column,
                "reason": problem.reason,
                "message": REASONS.get(problem.reason, problem.reason),
                "rejected": problem.rejected,
                "cells": cells.get((problem.sheet, problem.row))
                or {problem.column: "***" if problem.column in personal else mask(problem.raw)},
            }
            for problem in problems
        ]
        if issues:
            insert_ignore(
                self._session, _TABLES["row_issue"], issues, key=("file_id", "sheet", "row", "reason", "column")
            )

    def close(self, report: FileReport) -> None:
        """Write the outcome to the file's record."""
        file = self._file
        file.status, file.reason = report.status, report.reason
        file.read, file.ignored, file.seconds = report.read, report.ignored, report.seconds
        if report.accepted:
            file.valid, file.quarantined = report.valid - self._conflicts, report.quarantined + self._conflicts
            file.added = self._added
        else:
            file.valid = file.quarantined = file.added = 0
        file.warnings = dict(report.warnings)
        if report.unknown_headers:
            file.warnings["unknown_headers"] = list(report.unknown_headers)
            file.warnings["samples"] = {
                header: [_sample(header, cell) for cell in cells] for header, cells in report.samples.items()
            }
        if report.message and not report.accepted:
            file.warnings["message"] = report.message


_PERSONAL_HEADER = re.compile("人|姓名|名字|电话|手机|联系|身份|证件|住址|地址|邮箱|签名|卡号|账号|车牌|微信|患者|法人")


def _sample(header: str, cell: str) -> str:
    """Return a cell as an example of what stands under a header nobody knows yet: it may be anybody's name."""
    if _PERSONAL_HEADER.search(header):
        return "***"
    asked = "姓名："
    return mask(asked + cell)[len(asked) :]


REASONS: Mapping[str, str] = {
    "missing_required": "必填项为空",
    "bad_date": "日期无法识别",
    "date_range": "日期早于 1990 年或晚于明天",
    "bad_result": "结果只能是 合格/符合/通过 或 不合格/不符合/未通过",
    "inconsistent": "结果与不合格项目矛盾",
    "field_too_long": "内容过长",
    "bad_number": "金额无法识别",
    "bad_id": "编号成了科学计数法，原编号已丢失",
    "duplicate_row": "与前面的行完全相同",
    "duplicate_key": "编号已有不同内容的记录",
    "bad_link": "链接不是 http 或 https",
    "bad_row": "这一行不是记录",
    "bad_type": "单元格不是单个值",
    "bad_encoding": "文字已损坏",
    "ambiguous_column": "同名列的内容不一致",
    "column_mismatch": "列数多于表头",
    "formula_no_value": "公式没有保存结果",
    "error_cell": "单元格是错误值",
    "bad_uscc": "统一社会信用代码校验不符，已置空",
    "unknown_value": "取值不在约定范围，已置空",
    "empty_file": "文件是空的",
    "type_mismatch": "不支持这种文件",
    "corrupt": "文件损坏或不完整",
    "encrypted": "文件有密码",
    "xml_forbidden": "XML 含 DTD 或实体声明",
    "unsafe_archive": "压缩包不安全（越界路径、重名条目或宏）",
    "too_large_expanded": "解压后过大",
    "limit_exceeded": "行数、列数或耗时超过限制",
    "nesting_too_deep": "嵌套过深",
    "no_header": "没有可识别的表头",
    "missing_required_column": "缺少必需的列",
    "scanned_pdf": "扫描件，没有可读取的文字",
    "personal_data": "含个人信息列",
    "out_of_scope": "国外通报中非中国制造等与本省无关的记录，已略过",
}
"""What each class of the import contract means, for the people who sent the file."""


def ensure_source(session: Session, source_id: str, kind: Kind) -> Source:
    """Return the source of that id; an upload names a new one, with the kind's channel and trust."""
    source = session.get(Source, source_id)
    if source is None:
        channel = kind.signal.channel if kind.signal else CHANNEL_OF_REGISTER.get(kind.name, "licence")
        trust = kind.signal.trust if kind.signal else "official"
        insert_ignore(
            session,
            _TABLES["source"],
            [
                {
                    "id": source_id,
                    "title": f"{kind.title}（上传）",
                    "channel": channel,
                    "trust": trust,
                    "platform": "import",
                    "expect": {},
                    "active": True,
                    "synthetic": False,
                }
            ],
            key=("id",),
        )
        source = session.get_one(Source, source_id)
    return source


def header_mapping(session: Session, source_id: str) -> dict[str, str]:
    """Return what analysts said about this source's own headers."""
    rows = session.execute(
        select(HeaderMapping.header, HeaderMapping.field).where(HeaderMapping.source_id == source_id)
    )
    return dict(rows.all())


def remember_header(
    session: Session, source_id: str, header: str, field: str, *, account_id: int | None, at: datetime
) -> None:
    """Remember that a header of this source means a field; a later answer replaces an earlier one."""
    found = session.scalar(
        select(HeaderMapping).where(HeaderMapping.source_id == source_id, HeaderMapping.header == header)
    )
    if found is None:
        session.execute(
            insert(HeaderMapping).values(
                source_id=source_id, header=header, field=field, account_id=account_id, mapped_at=at
            )
        )
    else:
        found.field, found.account_id, found.mapped_at = field, account_id, at


@cache
def personal_headers_of(kind: str) -> frozenset[str]:
    """Return the headers under which a kind of table holds personal data."""
    from ingest.importers.headers import alias_rows

    personal = {field.name for field in load_kind(kind).fields if field.type == "personal"}
    return frozenset(alias for field, alias, _ in alias_rows() if field in personal)


@cache
def known_headers(kind: str) -> frozenset[str]:
    """Return the headers this kind of table is known to use."""
    from ingest.importers.headers import alias_rows

    fields = {field.name for field in load_kind(kind).fields}
    return frozenset(alias for field, alias, _ in alias_rows() if field in fields)


def personal_headers(kind: Kind) -> frozenset[str]:
    """Return the headers under which this kind holds personal data."""
    return personal_headers_of(kind.name)


def _earlier(session: Session, digest: str, kind: str, source_id: str) -> ImportFile | None:
    return session.scalar(
        select(ImportFile).where(
            ImportFile.sha256 == digest, ImportFile.kind == kind, ImportFile.source_id == source_id
        )
    )


def _digest(path: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    for piece in _pieces(path):
        digest.update(piece)
        size += len(piece)
    return digest.hexdigest(), size


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(MIB):
            yield piece


def _keep_copy(path: Path, digest: str, var: Path) -> Path:
    """Keep the file as received under its hash; a half-written copy never stands under that name."""
    kept = var / "files" / digest[:2] / digest
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        partial = kept.with_suffix(f".{os.getpid()}.part")
        shutil.copyfile(path, partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(kept)
    return kept


def look_through(
    stream: FileStream,
    size: int,
    progress: Callable[[float, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    *,
    whole: float = 1.0,
) -> None:
    """Read a file of `size` bytes without storing it, telling how far; `whole` is the share of the work this is.

    Raises Cancelled when called off.
    """
    done = 0
    for batch in stream:
        if cancelled and cancelled():
            raise Cancelled(stream.report.name)
        done += batch.count + len(batch.problems)
        if progress:
            progress(min(whole, done * _BYTES_PER_ROW / size * whole), done)
    if progress:
        progress(whole, done)
