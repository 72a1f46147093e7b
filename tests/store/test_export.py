"""Exports: what a spreadsheet gets must be what we hold, and never a formula."""

import csv
import io
from datetime import UTC, date, datetime

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.export import CUT_MARK, Sheet, neutral, to_csv, to_xlsx


def reopen(content: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(content))


def shown(value: object) -> object:
    return str(value) if isinstance(value, datetime) else value


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+86 531", "'+86 531"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\0=1", "'=1"),
        ("\x01=1", "'=1"),  # a dropped character must not bare a formula
        ("＝1+1", "'＝1+1"),
        ("电线电缆", "电线电缆"),
        ("3=1+2", "3=1+2"),
        ("", ""),
    ],
)
def test_text_that_would_run_is_made_inert(text: str, written: str) -> None:
    assert neutral(text) == written


@given(st.text())
def test_nothing_written_to_csv_starts_like_a_formula(text: str) -> None:
    rows = list(csv.reader(io.StringIO(to_csv(["列"], [[text]]).decode("utf-8-sig"), newline="")))
    cell = rows[1][0] if len(rows) > 1 and rows[1] else ""
    assert cell[:1] not in set("=+-@\t\r\n\0＝＋－＠")


def test_workbook_keeps_kinds_and_codes() -> None:
    moment = datetime(2026, 3, 1, 16, 30, tzinfo=UTC)
    sheet = Sheet(
        "抽查计划",
        ["代码", "批次", "费用", "日期", "时间", "重点", "备注"],
        [
            ["007", 12, -1.5, date(2026, 3, 1), moment, True, None],
            ["91370100MA3C8X7Y5T", 10**17, 0, None, None, False, ""],
        ],
        notes=["虚构数据"],
    )
    page = reopen(to_xlsx([sheet]))["抽查计划"]
    rows = [[shown(cell.value) for cell in row] for row in page.iter_rows()]
    assert rows[0][0] == "虚构数据"
    assert rows[1] == ["代码", "批次", "费用", "日期", "时间", "重点", "备注"]
    assert rows[2] == ["007", 12, -1.5, "2026-03-01 00:00:00", "2026-03-02 00:30:00", "是", None]
    assert rows[3][:2] == ["91370100MA3C8X7Y5T", "1" + "0" * 17]


def test_no_cell_of_a_workbook_is_a_formula() -> None:
    page = reopen(to_xlsx([Sheet("表", ["=A1"], [["=1+1"], ["@x"], ["=http://x"]])])).active
    assert page is not None
    assert {cell.data_type for row in page.iter_rows() for cell in row} == {"s"}
    assert page["A1"].value == "'=A1"


def test_a_cell_too_long_for_excel_says_it_was_cut() -> None:
    page = reopen(to_xlsx([Sheet("表", ["文"], [["字" * 40_000]])])).active
    assert page is not None
    assert len(page["A2"].value) == 32_767
    assert page["A2"].value.endswith(CUT_MARK)


def test_rows_beyond_one_sheet_go_on_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.export.SHEET_ROWS", 2)
    book = reopen(to_xlsx([Sheet("企业", ["号"], [[n] for n in range(5)])]))
    assert [[row[0].value for row in page.iter_rows(min_row=2)] for page in book] == [[0, 1], [2, 3], [4]]


def test_two_sheets_of_one_title_both_stay() -> None:
    book = reopen(to_xlsx([Sheet("甲/乙", ["a"], [[1]]), Sheet("甲:乙", ["a"], [[2]])]))
    assert [page["A2"].value for page in book] == [1, 2]


def test_same_rows_same_bytes() -> None:
    when = datetime(2026, 1, 1, tzinfo=UTC)
    assert to_xlsx([Sheet("表", ["a"], [[1]])], created_at=when) == to_xlsx(
        [Sheet("表", ["a"], [[1]])], created_at=when
    )
