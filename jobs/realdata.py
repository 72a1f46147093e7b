"""Published tables of real results, written out as the files offices hold and imported like any other file.

The tables are for measurement on the machine that has them; nothing of them is shipped. What the offices' files would
add — titles, totals, printed page headers, their own column names — is put around the real cells here.
"""

import csv
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from jobs.imports import import_one, make_lookups
from jobs.settings import Settings
from store.session import read_only
from store.tables import Link, Mention, SamplingResult

_FOLDED = {"原国家食药总局": "国家局"}


class NoData(Exception):
    """The tables are not on this machine; the message says what was looked for."""


@dataclass(frozen=True, slots=True)
class Layout:
    """One office's way to write the table: its header for each column ('' leaves it out), and what stands around."""

    headers: Sequence[str]
    write: Callable[[Path, str, Sequence[str], list[list[str]]], None]
    suffix: str


@dataclass(slots=True)
class Totals:
    """What became of all rows together."""

    rows: int = 0
    files: int = 0
    rejected: int = 0
    valid: int = 0
    quarantined: int = 0
    ignored: int = 0
    added: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0


def write_cn_sampling(shared: Path, out: Path) -> int:
    """Write the 2015 food sampling results as one file a bureau, in four layouts; return the rows written.

    The table has no sampling date, so the date of publication stands in both date columns.
    """
    frame = _table(shared, "cn_sampling")
    written = 0
    for number, (bureau, rows) in enumerate(sorted(_by(frame, "bureau").items())):
        cells = [
            [
                f"SC{row['record_id']}", row["product"], row["producer"], row["producer_region"], row["sampled_unit"],
                row["sampled_region"], row["spec"], row["brand"], row["published"], row["published"],
                row["notice_no"],
                row["level"], "不合格" if row["fail"] == "1" else "合格",
                row["fail_item"], row["measured"], row["limit"],
            ]
            for row in rows
        ]  # fmt: skip
        _write(out, number, f"{_FOLDED.get(bureau, bureau)}2015年抽检结果", cells, SAMPLING_LAYOUTS)
        written += len(cells)
    return written


def write_cn_cqn(shared: Path, out: Path) -> int:
    """Write the 2019 unqualified-product notices as two files; return the rows written.

    All of them are failures; the date of the news stands for the day of sampling. Its columns are shifted in places,
    as the original crawler left them.
    """
    frame = _table(shared, "cn_cqn_unqualified_2019")
    cells = [
        [
            f"CQN{row['id']}", row["product"], row["producer"], row["producer_region"], row["sampled_unit"],
            row["sampled_region"], row["spec"], row["brand"], row["publish_time"], row["publish_time"], "", "",
            "不合格",
            row["fail_item"], row["measured"], row["limit"],
        ]
        for row in frame
    ]  # fmt: skip
    half = len(cells) // 2
    _write(out, 0, "2019年不合格产品通报（一）", cells[:half], SAMPLING_LAYOUTS)
    _write(out, 1, "2019年不合格产品通报（二）", cells[half:], SAMPLING_LAYOUTS)
    return len(cells)


WRITERS = {"cn-sampling": write_cn_sampling, "cn-cqn": write_cn_cqn}


def import_folder(
    sessions: sessionmaker[Session], settings: Settings, folder: Path, *, source_id: str
) -> Iterator[dict[str, Any]]:
    """Import every file of a folder as sampling results; yield a line a file, then the totals."""
    from jobs.imports import stored_report

    totals = Totals()
    lookups = make_lookups(sessions, settings)
    started = time.perf_counter()
    for path in sorted(folder.iterdir()):
        received = datetime.now(UTC)
        file = import_one(
            sessions, settings, path, "sampling", source_id=source_id, lookups=lookups, received_at=received
        )
        told = stored_report(sessions, file, file_name=path.name, added=file.received_at == received)
        told.pop("errors")
        yield told
        totals.files += 1
        totals.rejected += file.status == "rejected"
        totals.rows += file.read
        totals.valid += file.valid
        totals.quarantined += file.quarantined
        totals.ignored += file.ignored
        totals.added += told["added"]
        for reason, count in told["reasons"].items():
            totals.reasons[reason] = totals.reasons.get(reason, 0) + count
    totals.seconds = round(time.perf_counter() - started, 2)
    yield {
        "total": True,
        "files": totals.files,
        "rejected_files": totals.rejected,
        "read": totals.rows,
        "valid": totals.valid,
        "quarantined": totals.quarantined,
        "ignored": totals.ignored,
        "adds_up": totals.rows == totals.valid + totals.quarantined + totals.ignored,
        "added": totals.added,
        "reasons": totals.reasons,
        "seconds": totals.seconds,
    }


def carry_on(sessions: sessionmaker[Session], settings: Settings, as_of: date) -> Iterator[dict[str, Any]]:
    """Resolve the producers and grade the firms as of a day; yield a line a step."""
    from jobs import grade, resolve

    for name, run in (("resolve", resolve.run), ("grade", grade.run)):
        started = time.perf_counter()
        counts = run(sessions, settings, as_of)
        plain = {key: value for key, value in counts.items() if isinstance(value, int | float | str | dict)}
        yield {"step": name, "as_of": as_of.isoformat(), **plain, "seconds": round(time.perf_counter() - started, 2)}
    with read_only(sessions) as session:
        producers = session.execute(
            select(func.count(), func.count(Link.enterprise_id), func.count(func.distinct(Link.enterprise_id)))
            .select_from(SamplingResult)
            .join(Mention, Mention.signal_id == SamplingResult.signal_id)
            .outerjoin(Link, Link.mention_id == Mention.id)
            .where(Mention.role == "producer")
        ).one()
    yield {"producers_named": producers[0], "producers_linked": producers[1], "enterprises": producers[2]}


def _table(shared: Path, name: str) -> list[dict[str, str]]:
    path = shared / name / f"{name}.parquet"
    if not path.is_file():
        raise NoData(f"没有 {path.name}：此命令只在持有该数据的机器上可用（--shared 指向数据目录）")
    import pandas as pd

    frame = pd.read_parquet(path)
    for column in ("published", "publish_time"):
        if column in frame:
            frame[column] = pd.to_datetime(frame[column]).dt.strftime("%Y-%m-%d")
    texts = frame.astype("string").fillna("")
    return [{str(key): str(value) for key, value in row.items()} for row in texts.to_dict("records")]


def _by(rows: list[dict[str, str]], column: str) -> dict[str, list[dict[str, str]]]:
    groups: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        groups.setdefault(row[column], []).append(row)
    return groups


def _write(out: Path, number: int, title: str, rows: list[list[str]], layouts: Sequence[Layout]) -> None:
    layout = layouts[number % len(layouts)]
    kept = [at for at, header in enumerate(layout.headers) if header]
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{number:02d}_{title}{layout.suffix}"
    layout.write(path, title, [layout.headers[at] for at in kept], [[row[at] for at in kept] for row in rows])


def _workbook(path: Path, title: str, headers: Sequence[str], rows: list[list[str]]) -> None:
    """A merged title, the sender's line, the header, a printed header every 500 rows, a total, a note."""
    book, sheet = _new_book(path)
    sheet.merge_range(0, 0, 0, len(headers), title)
    sheet.write_row(1, 0, ["填报单位：市场监督管理局", "", "", "填报日期：2015-12-31"])
    at = 2
    for number, row in enumerate(rows, start=1):
        if number % 500 == 1:
            sheet.write_row(at, 0, ["序号", *headers])
            at += 1
        sheet.write_row(at, 0, [str(number), *row])
        at += 1
    sheet.write_row(at, 0, ["合计", f"{len(rows)}批次"])
    sheet.write(at + 1, 0, "注：以上为公布的抽检结果。")
    book.close()


def _two_level_workbook(path: Path, title: str, headers: Sequence[str], rows: list[list[str]]) -> None:
    """Group names over the columns, the results in two sheets, a hidden sheet of codes."""
    book, first = _new_book(path)
    sheets = [first, book.add_worksheet("第二部分")]
    hidden = book.add_worksheet("代码")
    hidden.write_row(0, 0, headers)
    hidden.hide()
    half = (len(rows) + 1) // 2
    for sheet, part in zip(sheets, (rows[:half], rows[half:]), strict=True):
        sheet.merge_range(0, 0, 0, len(headers), title)
        sheet.merge_range(1, 0, 2, 0, "序号")
        sheet.merge_range(1, 1, 1, 4, "产品与企业")
        sheet.merge_range(1, 5, 1, len(headers), "抽样与检验")
        sheet.write_row(2, 1, headers)
        for at, row in enumerate(part, start=3):
            sheet.write_row(at, 0, [str(at - 2), *row])
    book.close()


def _gb_csv(path: Path, title: str, headers: Sequence[str], rows: list[list[str]]) -> None:
    """A title line, GB18030, CRLF, a total."""
    _csv(path, "gb18030", ",", [[title], list(headers), *rows, ["总计", str(len(rows))]])


def _semicolon_csv(path: Path, title: str, headers: Sequence[str], rows: list[list[str]]) -> None:
    """Semicolons, UTF-8 with a mark, blank lines between hundreds, dashes where nothing is known."""
    lines: list[list[str]] = [["序号", *headers]]
    for number, row in enumerate(rows, start=1):
        lines.append([str(number), *(cell or "——" for cell in row)])
        if number % 100 == 0:
            lines.append([])
    _csv(path, "utf-8-sig", ";", lines)


def _csv(path: Path, encoding: str, mark: str, lines: list[list[str]]) -> None:
    with path.open("w", encoding=encoding, newline="") as out:
        csv.writer(out, delimiter=mark, lineterminator="\r\n").writerows(lines)


def _new_book(path: Path) -> tuple[Any, Any]:
    import xlsxwriter

    options = {"strings_to_numbers": False, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(str(path), options)
    book.set_properties({"created": datetime(2015, 12, 31)})  # noqa: DTZ001  the same bytes each time
    return book, book.add_worksheet("结果")


SAMPLING_LAYOUTS = tuple(
    Layout(headers.split("|"), write, suffix)
    for headers, write, suffix in (
        (
            "抽样编号|产品名称|标称生产企业名称|标称生产企业所在地|被抽样单位名称|被抽样单位所在地|规格型号|商标|抽样日期|公布日期|公告号|任务来源"
            "|抽查结果|不合格项目|实测值|标准值",
            _workbook,
            ".xlsx",
        ),
        (
            "样品编号|样品名称|生产企业|产地|受检单位|抽样省份|规格|品牌|抽样时间|发布日期|通告号|抽检类型|检验结论|不合格项|检测值|限值",
            _gb_csv,
            ".csv",
        ),
        (
            "抽样单编号|受检产品名称|生产单位|生产企业所在地|被抽查单位|所在区县|型号规格|注册商标|抽检日期|公告日期|通报编号|抽查级别"
            "|判定结果|主要不合格项目|检验值|标准要求",
            _two_level_workbook,
            ".xlsx",
        ),
        (
            "抽样单号|商品名称|标称生产者（名称）|企业所在地区|经销单位|属地|规格/型号*|商标/品牌|购样日期|公示日期||任务类别"
            "|综合判定：|不合格项目(检验结果/标准值)|实测结果|标准限值",
            _semicolon_csv,
            ".csv",
        ),
    )
)
"""Four layouts in use; the names of their columns are in ingest/header_aliases.csv."""
