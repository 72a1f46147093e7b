"""Bringing files in through the pages: tried, explained, mended, called off."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from fastapi import FastAPI
from openpyxl import Workbook, load_workbook
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from jobs.settings import Settings
from jobs.worker import work_once
from store.session import transaction
from store.tables import (
    Account,
    AuditEntry,
    Complaint,
    HeaderMapping,
    ImportFile,
    JobRequest,
    RowIssue,
    SamplingResult,
    Signal,
)
from tests.api.conftest import Browser, Province

Enter = Callable[[str], Browser]

COMPLAINTS = """投诉编号,投诉日期,被投诉单位,投诉内容,联系电话
T1,2026-03-05,乙商场,充电器冒烟，请打13812345678,13812345678
T2,2026/13/45,乙商场,又冒烟，请打13987654321,13987654321
T3,2026-03-07,,无人处理,13700001111
""".replace("，", "；")

UNKNOWN = "产品名称,标称生产企业名称,抽样日期,抽查结果,在哪儿买的,谁经手\n充电器,甲公司,2026-03-05,合格,乙商场,张三\n"


def upload(browser: Browser, kind: str, content: bytes, name: str = "表.csv", **fields: str) -> Any:
    return browser.post(
        "/imports", data={"csrf": browser.csrf, "kind": kind, **fields}, files={"file": (name, content)}
    )


def rows_of(content: bytes, first_header: str) -> list[list[Any]]:
    rows = [list(row) for row in load_workbook(BytesIO(content)).worksheets[0].iter_rows(values_only=True)]
    return rows[next(at for at, row in enumerate(rows) if first_header in row) :]


def as_xlsx(rows: list[list[Any]]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    kept = BytesIO()
    book.save(kept)
    return kept.getvalue()


def give_raw(store: sessionmaker[Session], username: str) -> None:
    with transaction(store) as session:
        account = session.scalars(select(Account).where(Account.username == username)).one()
        account.raw_text = True


def test_a_header_is_explained_once_and_the_file_read_again(
    browser: Enter, store: sessionmaker[Session], province: Province
) -> None:
    analyst = browser("analyst")
    where = upload(analyst, "sampling", UNKNOWN.encode()).headers["location"]
    page = analyst.get(where).text
    assert "在哪儿买的" in page
    assert "乙商场" in page
    assert "张三" not in page
    assert "张*" in page
    fields = {"header-0": "在哪儿买的", "field-0": "sampled_entity_name", "header-1": "谁经手", "field-1": ""}
    for wrong in ({"field-0": "no_such_field"}, {"header-0": "别的"}, {"field-0": ""}):
        assert analyst.submit(f"{where}/headers", **(fields | wrong)).status_code == 422
    answer = analyst.submit(f"{where}/headers", **fields)
    assert answer.status_code == 303
    assert "按新的表头重新读取这份文件" in analyst.get(answer.headers["location"]).text
    assert analyst.submit(f"{where}/again").headers["location"] == where
    with store() as session:
        mapping = session.scalars(select(HeaderMapping)).one()
        assert (mapping.source_id, mapping.header, mapping.field) == (
            "upload-sampling", "在哪儿买的", "sampled_entity_name",
        )  # fmt: skip
        acts = session.scalars(select(AuditEntry.act).order_by(AuditEntry.id)).all()
        assert acts[-2:] == ["explain_header", "import_again"]
        texts = session.scalars(select(Signal.text).where(Signal.file_id == int(where.rsplit("/", 1)[1]))).all()
        assert ["被抽样单位乙商场" in text for text in texts] == [True]
    # the next file of the source is read so at once, and only analysts may explain
    second = upload(analyst, "sampling", UNKNOWN.replace("甲公司", "丁公司").encode()).headers["location"]
    with store() as session:
        assert session.get_one(ImportFile, int(second.rsplit("/", 1)[1])).warnings["unknown_headers"] == ["谁经手"]
    assert browser("near").submit(f"{where}/headers", **fields).status_code == 403


def test_a_refused_file_is_offered_its_headers_too(browser: Enter, store: sessionmaker[Session]) -> None:
    analyst = browser("analyst")
    where = upload(analyst, "sampling", UNKNOWN.replace("抽查结果", "判得怎样").encode()).headers["location"]
    assert "判得怎样" in analyst.get(where).text
    analyst.submit(f"{where}/headers", **{"header-0": "判得怎样", "field-0": "conclusion"})
    analyst.submit(f"{where}/again")
    with store() as session:
        file = session.get_one(ImportFile, int(where.rsplit("/", 1)[1]))
        assert (file.status, file.valid) == ("accepted", 1)


def test_mended_rows_go_in_and_the_good_ones_are_not_doubled(
    browser: Enter, store: sessionmaker[Session], province: Province
) -> None:
    give_raw(store, "near")
    near = browser("near")
    where = upload(near, "complaint", COMPLAINTS.encode("gb18030")).headers["location"]
    masked = near.get(f"{where}/rejected.xlsx")
    assert b"13987654321" not in b"".join(str(rows_of(masked.content, "投诉编号")).encode().split())
    assert near.submit(f"{where}/unmask").status_code == 422  # without a reason
    answer = near.submit(f"{where}/unmask", reason="改正日期后重新导入")
    header, *rows = rows_of(answer.content, "投诉编号")
    assert header[:5] == ["投诉编号", "投诉日期", "被投诉单位", "投诉内容", "联系电话"]
    assert [row[0] for row in rows] == ["T2", "T3"]
    assert rows[0][3] == "又冒烟；请打13987654321"
    rows[0][1], rows[1][2] = "2026-03-06", "丙商场"
    good = ["T1", "2026-03-05", "乙商场", "充电器冒烟；请打13812345678", "13812345678"]
    again = upload(near, "complaint", as_xlsx([header, *rows, [*good, None]]), "改正.xlsx").headers["location"]
    with store() as session:
        file = session.get_one(ImportFile, int(again.rsplit("/", 1)[1]))
        assert (file.valid, file.added, file.quarantined, file.warnings) == (3, 2, 0, {})
        records = session.execute(select(Complaint.number, Signal.text).join(Signal, Signal.id == Complaint.signal_id))
        assert sorted(map(tuple, records)) == [
            ("T1", "充电器冒烟；请打13812345678"), ("T2", "又冒烟；请打13987654321"), ("T3", "无人处理"),
        ]  # fmt: skip
        reasons = session.scalars(select(AuditEntry.detail).where(AuditEntry.act == "unmask")).all()
        assert reasons == [{"reason": "改正日期后重新导入"}]


def test_unmasked_rows_need_the_right_to_raw_text(browser: Enter, province: Province) -> None:
    near = browser("near")
    where = upload(near, "complaint", COMPLAINTS.encode()).headers["location"]
    assert near.submit(f"{where}/unmask", reason="想看").status_code == 403


def test_trying_a_file_stores_nothing(browser: Enter, store: sessionmaker[Session], settings: Settings) -> None:
    def counts() -> list[int | None]:
        with store() as session:
            tables = (Signal, ImportFile, RowIssue, SamplingResult, Complaint, JobRequest)
            return [session.scalar(select(func.count()).select_from(table)) for table in tables]

    near = browser("near")
    before = counts()
    answer = upload(near, "complaint", COMPLAINTS.encode(), dry_run="true")
    assert answer.status_code == 200
    assert "只检查，没有入库" in answer.text
    assert "2026/13/45" in answer.text
    assert "13812345678" not in answer.text
    rows = "产品名称,生产企业,检验结论,抽样日期\n充电器,明烛厂,不符合,2026-10-01\n".encode()
    tried = upload(near, "sampling", rows, dry_run="true").text
    assert ("<td>不合格</td>" in tried, "fail" in tried) == (True, False)  # words, not codes
    refused = upload(near, "complaint", b"PK\x03\x04 not a workbook", dry_run="true")
    assert "整份文件不能入库" in refused.text
    assert counts() == before
    assert list((settings.var / "uploads").iterdir()) == []
    assert not (settings.var / "files").exists()


LARGE = 40_000


@pytest.fixture
def large() -> bytes:
    head = "产品名称,标称生产企业名称,抽样日期,抽查结果,备注\n"
    return (head + "".join(f"充电器,甲公司{i},2026-03-05,合格,{'说' * 30}\n" for i in range(LARGE))).encode()


def test_a_large_upload_is_tried_called_off_and_taken_by_the_worker(
    browser: Enter, app: FastAPI, store: sessionmaker[Session], settings: Settings, large: bytes
) -> None:
    near = browser("near")

    def signals() -> int | None:
        with store() as session:
            return session.scalar(select(func.count()).select_from(Signal).where(Signal.source_id == "upload-sampling"))

    job = upload(near, "sampling", large, dry_run="true").headers["location"]
    assert work_once(store, settings, "worker") == "done"
    assert f"有效 {LARGE}" in near.get(job).text
    assert signals() == 0

    waiting = upload(near, "sampling", large).headers["location"]
    assert near.submit(f"{waiting}/cancel").status_code == 303
    assert work_once(store, settings, "worker") is None
    assert "已取消" in near.get(waiting).text

    running = upload(near, "sampling", large).headers["location"]
    number = int(running.rsplit("/", 1)[1])
    settings.cancel_mark(number).parent.mkdir(exist_ok=True)
    settings.cancel_mark(number).touch()  # what the button leaves while the store is held by the import
    assert work_once(store, settings, "worker") == "cancelled"
    assert not settings.cancel_mark(number).exists()
    with store() as session:
        assert session.scalar(select(func.count()).select_from(ImportFile).where(ImportFile.name == "表.csv")) == 0
    assert signals() == 0
    assert browser("far").submit(f"{running}/cancel").status_code == 404
    assert near.submit(f"{running}/cancel").status_code == 409  # it is over

    upload(near, "sampling", large)
    assert work_once(store, settings, "worker") == "done"
    assert signals() == LARGE
    assert list((settings.var / "uploads").iterdir()) == []
