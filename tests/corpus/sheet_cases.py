"""XLSX and XLS: titles, merges, levels, hidden sheets, formulas, errors, dates, and what hides in the package."""

import io
import re
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any

import openpyxl
import xlwt
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from tests.corpus.cases import COMPLAINT_HEADER, HEADER, Case, complaint, csv_bytes, refused, row, taken

_STAMP = (2024, 1, 1, 0, 0, 0)
MAKER = "江城第1电器有限公司"


def repacked(
    data: bytes, change: Callable[[str, bytes], bytes | None] | None = None, extra: dict[str, bytes] | None = None
) -> bytes:
    """Return the package with parts changed or added; the same bytes each time."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            body = change(name, old.read(name)) if change else old.read(name)
            if body is not None:
                new.writestr(zipfile.ZipInfo(name, _STAMP), _fixed(name, body), zipfile.ZIP_DEFLATED)
        for name, body in (extra or {}).items():
            new.writestr(zipfile.ZipInfo(name, _STAMP), body, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _fixed(name: str, body: bytes) -> bytes:
    if name == "docProps/core.xml":
        return re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2024-01-01T00:00:00Z", body)
    return body


def book(fill: Callable[[Workbook, Worksheet], None], **how: Any) -> bytes:
    """A workbook filled by `fill`."""
    made = openpyxl.Workbook()
    sheet = made.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "结果"
    fill(made, sheet)
    out = io.BytesIO()
    made.save(out)
    return repacked(out.getvalue(), **how)


def table(rows: Sequence[Sequence[Any]], header: Sequence[str] = HEADER, **how: Any) -> bytes:
    """A workbook with one plain table."""

    def fill(_: Workbook, sheet: Worksheet) -> None:
        sheet.append(list(header))
        for cells in rows:
            sheet.append(list(cells))

    return book(fill, **how)


@cache
def plain() -> bytes:
    """Two good rows."""
    return table([row(1), row(2)])


def edited(part: str, old: bytes, new: bytes, data: bytes | None = None) -> bytes:
    def change(name: str, body: bytes) -> bytes:
        if name != part:
            return body
        assert old in body, (part, old)
        return body.replace(old, new, 1)

    return repacked(data or plain(), change)


def sheets() -> list[Case]:
    """Clause C7."""

    def titled(_: Workbook, sheet: Worksheet) -> None:
        sheet.append(["某市2024年监督抽查结果"])
        sheet.merge_cells("A1:H1")
        sheet.append(["填报单位：某市市场监督管理局"])
        sheet.append(list(HEADER))
        sheet.append(row(1))
        sheet.append(row(2))
        sheet.append(["合计", "2批次"])
        sheet.append(["注：虚构数据"])

    def vertical(_: Workbook, sheet: Worksheet) -> None:
        sheet.append(list(HEADER))
        sheet.append(row(1, maker="甲电器有限公司", result="不合格", item="耐压"))
        sheet.append([2, None, None, None, "36V", "2024-03-06", "合格", None])
        sheet.append([3, None, None, None, "24V", "2024-03-07", "合格", None])
        sheet.append(row(4))
        for column in "BCD":
            sheet.merge_cells(f"{column}2:{column}4")

    def two_levels(_: Workbook, sheet: Worksheet) -> None:
        sheet.append(["序号", "产品名称", "标称生产企业", None, "规格型号", "抽样日期", "检验情况", None])
        sheet.append([None, None, "标称生产企业名称", "统一社会信用代码", None, None, "抽查结果", "不合格项目"])
        for cells in ("A1:A2", "B1:B2", "C1:D1", "E1:E2", "F1:F2", "G1:H1"):
            sheet.merge_cells(cells)
        sheet.append(row(1))
        sheet.append(row(2, result="不合格", item="耐压"))

    def grouped(_: Workbook, sheet: Worksheet) -> None:
        sheet.append(["某市抽查结果"])
        sheet.merge_cells("A1:H1")
        sheet.append([None, "产品与企业", None, None, None, "抽检", None, None])
        sheet.merge_cells("B2:E2")
        sheet.merge_cells("F2:H2")
        sheet.append(list(HEADER))
        sheet.append(row(1))

    def hidden(made: Workbook, sheet: Worksheet) -> None:
        for target in (sheet, made.create_sheet("隐藏"), made.create_sheet("深藏")):
            target.append(list(HEADER))
            target.append(row(1))
        made["隐藏"].sheet_state = "hidden"
        made["深藏"].sheet_state = "veryHidden"

    def several(made: Workbook, sheet: Worksheet) -> None:
        sheet.append(list(HEADER))
        sheet.append(row(1))
        made.create_sheet("说明").append(["本表由各市报送"])
        other = made.create_sheet("第二批")
        other.append(["第二批"])
        other.append(list(HEADER))
        other.append(row(2))
        other.append(row(1))

    def hidden_rows(_: Workbook, sheet: Worksheet) -> None:
        sheet.append(list(HEADER))
        sheet.append(row(1))
        sheet.append(row(2))
        sheet.row_dimensions[3].hidden = True
        sheet.auto_filter.ref = "A1:H3"
        sheet.column_dimensions["C"].hidden = True

    def formulas(_: Workbook, sheet: Worksheet) -> None:
        sheet.append(list(HEADER))
        sheet.append(row(1, spec='="48"&"V"'))
        sheet.append(row(2, product='=CONCATENATE("充","电器")'))
        sheet.append(row(3))

    def errors(_: Workbook, sheet: Worksheet) -> None:
        sheet.append(list(HEADER))
        for number, name in ((1, "E"), (2, "C"), (3, "G"), (4, "D")):
            sheet.append(row(number))
            cell = sheet[f"{name}{number + 1}"]
            cell.value, cell.data_type = "#REF!", "e"

    def typed(_: Workbook, sheet: Worksheet) -> None:
        sheet.append(list(HEADER))
        sheet.append(row(1, date=datetime(2024, 3, 5, 10, 30), spec=48))  # noqa: DTZ001  a spreadsheet knows no zone
        sheet.append(row(2, date=date(2024, 3, 6), spec=48.0))
        sheet.append(row(3, date=45356, spec=1.5))
        sheet.append(row(4, date=20240305, spec=True))
        sheet.append(row(5, date=2024.3))
        sheet.append(row(6, date=True))
        sheet.append(row(7, date=12))

    def epoch(made: Workbook, sheet: Worksheet) -> None:
        made.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
        sheet.append(list(HEADER))
        sheet.append(row(1, date=43894))
        sheet.append(row(2, date=date(2024, 3, 5)))

    def offset(_: Workbook, sheet: Worksheet) -> None:
        for at, cells in ((4, HEADER), (5, row(1)), (6, row(2, date="bad"))):
            for column, value in enumerate(cells, start=3):
                sheet.cell(at, column, value)

    def far(_: Workbook, sheet: Worksheet) -> None:
        sheet.append(list(HEADER))
        sheet.append(row(1))
        sheet["ZZZ9"] = "远"

    def far_style(_: Workbook, sheet: Worksheet) -> None:
        sheet.append(list(HEADER))
        sheet.append(row(1))
        sheet["XFD1"].number_format = "@"
        sheet["A1048576"].number_format = "@"

    def deep_header(_: Workbook, sheet: Worksheet) -> None:
        for column, value in enumerate(HEADER, start=1):
            sheet.cell(21, column, value)
        sheet.append(row(1))

    def long_codes(_: Workbook, sheet: Worksheet) -> None:
        sheet.append(list(COMPLAINT_HEADER))
        sheet.append(complaint(202403050001))
        sheet.append(complaint(2.0240305000112346e17))
        sheet.append(complaint(3.5e20))
        sheet.append(complaint("T9", amount=12.5, date=datetime(2024, 3, 5)))  # noqa: DTZ001

    return [
        taken(
            "plain.xlsx", plain(), 2, rows=[{"maker": MAKER, "date": "2024-03-05", "result": "pass", "item": None}, {}]
        ),
        taken("title_total_note.xlsx", book(titled), 2, ignored=4),
        taken(
            "vertical_merges.xlsx",
            book(vertical),
            4,
            rows=[{"maker": "甲电器有限公司"}] * 3 + [{"maker": "江城第4电器有限公司"}],
        ),
        taken("two_level_header.xlsx", book(two_levels), 2, rows=[{"maker": MAKER}, {"item": "耐压"}]),
        taken("group_row_above_header.xlsx", book(grouped), 1, ignored=1),
        taken("hidden_sheets.xlsx", book(hidden), 1, warns=["hidden_sheet"]),
        taken(
            "several_sheets.xlsx",
            book(several),
            2,
            bad={"duplicate_row": 1},
            ignored=1,
            errors=[("第二批", 4, "", "duplicate_row")],
        ),
        taken("hidden_rows.xlsx", book(hidden_rows), 2),
        taken(
            "formulas_without_values.xlsx",
            book(formulas),
            2,
            bad={"formula_no_value": 1},
            rows=[{"spec": None}, {"spec": "48V"}],
            errors=[("结果", 3, "产品名称", "formula_no_value")],
        ),
        taken("formula_with_value.xlsx", _formula_with_value(), 1, rows=[{"spec": "48"}]),
        taken("error_cells.xlsx", book(errors), 2, bad={"error_cell": 2}, rows=[{"spec": None}, {"uscc": None}]),
        taken(
            "typed_cells.xlsx",
            book(typed),
            4,
            bad={"bad_date": 3},
            rows=[
                {"date": "2024-03-05", "spec": "48"},
                {"date": "2024-03-06", "spec": "48"},
                {"date": "2024-03-05", "spec": "1.5"},
                {"date": "2024-03-05"},
            ],
        ),
        taken("epoch_1904.xlsx", book(epoch), 2, rows=[{"date": "2024-03-05"}, {"date": "2024-03-05"}]),
        taken(
            "table_not_at_the_corner.xlsx",
            book(offset),
            1,
            bad={"bad_date": 1},
            ignored=3,
            errors=[("结果", 6, "抽样日期", "bad_date")],
        ),
        refused("far_cell.xlsx", book(far), "limit_exceeded"),
        taken("far_empty_styles.xlsx", book(far_style), 1),
        refused("header_in_row_21.xlsx", book(deep_header), "no_header"),
        taken("numbers_as_ids.xlsx", book(long_codes), 2, kind="complaint", bad={"bad_id": 2}),
        taken("header_only.xlsx", table([]), 0),
        refused("no_header.xlsx", table([row(1)], row(9)), "no_header"),
        refused("blank_sheet.xlsx", book(lambda made, sheet: None), "no_header"),
        refused("missing_column.xlsx", table([r[:6] for r in (row(1),)], HEADER[:6]), "missing_required_column"),
        taken(
            "lying_dimension.xlsx",
            edited("xl/worksheets/sheet1.xml", b'<dimension ref="A1:H3"', b'<dimension ref="A1:XFD1048576"'),
            2,
        ),
        taken("xlsx_named_csv.csv.xls", plain(), 2, warns=["extension_mismatch"]),
        taken("xlsx_named_csv.csv", plain(), 2, warns=["extension_mismatch"]),
        taken("csv_named_xlsx.xlsx", csv_bytes([row(1)]), 1, warns=["extension_mismatch"]),
        taken("cells_without_places.xlsx", _without_places(), 1, bad={"formula_no_value": 1, "error_cell": 1}),
        taken(
            "invisible_in_cells.xlsx",
            table([row(1, product="充\u200b电器")]),
            1,
            warns=["invisible_removed"],
            rows=[{"product": "充电器"}],
        ),
    ]


def _without_places() -> bytes:
    """A sheet as some exporters write it: rows and cells without their numbers."""

    def fill(_: Workbook, sheet: Worksheet) -> None:
        for cells in (HEADER, row(1, product="=1+1", uscc="-", item="-"), row(2, uscc="-", item="-"), row(3)):
            sheet.append(list(cells))
        sheet["C3"].value = "#N/A"
        sheet["C3"].data_type = "e"

    def change(name: str, body: bytes) -> bytes:
        return re.sub(rb' r="[A-Z]*[0-9]+"', b"", body) if name == "xl/worksheets/sheet1.xml" else body

    return repacked(book(fill), change)


def _formula_with_value() -> bytes:
    data = table([row(1, spec=7777)])
    return edited("xl/worksheets/sheet1.xml", b"<v>7777</v>", b"<f>40+8</f><v>48</v>", data)


def packages() -> list[Case]:
    """Clause C2: what an XLSX package may not hold."""
    dtd = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]>'
    sheet = "xl/worksheets/sheet1.xml"
    declaration = re.compile(rb"^<\?xml[^>]*\?>")

    def with_dtd(name: str, body: bytes) -> bytes:
        return dtd + declaration.sub(b"", body) if name == sheet else body

    def dtd_utf16(name: str, body: bytes) -> bytes:
        if name != "xl/styles.xml":
            return body
        text = dtd.decode().replace("?>", ' encoding="UTF-16"?>', 1) + declaration.sub(b"", body).decode()
        return text.encode("utf-16")

    def duplicate() -> bytes:
        out = io.BytesIO(plain())
        with zipfile.ZipFile(out, "a") as package:
            package.writestr(zipfile.ZipInfo(sheet.upper(), _STAMP), b"<x/>")
        return out.getvalue()

    def archive(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as package:
            for name, body in entries.items():
                package.writestr(zipfile.ZipInfo(name, _STAMP), body, method)
        return out.getvalue()

    data = plain()
    directory = data.rindex(b"PK\x05\x06")
    encrypted = bytearray(data)
    central = data.index(b"PK\x01\x02")
    encrypted[central + 8] |= 1
    flipped = bytearray(data)
    middle = data.index(b"xl/worksheets/sheet1.xml") + 60
    flipped[middle] ^= 0xFF
    lying = bytearray(repacked(data, extra={"xl/media/a.bin": b"\x00" * (17 * 1024 * 1024)}))
    entry = bytes(lying).rindex(b"PK\x01\x02")
    lying[entry + 24 : entry + 28] = (1000).to_bytes(4, "little")
    return [
        refused("dtd_in_sheet.xlsx", repacked(data, with_dtd), "xml_forbidden"),
        refused("dtd_in_utf16_styles.xlsx", repacked(data, dtd_utf16), "xml_forbidden"),
        refused("dtd_in_svg.xlsx", repacked(data, extra={"xl/media/a.svg": dtd + b"<svg/>"}), "xml_forbidden"),
        refused("traversal.xlsx", repacked(data, extra={"../../evil.txt": b"x"}), "unsafe_archive"),
        refused("absolute.xlsx", repacked(data, extra={"/etc/evil": b"x"}), "unsafe_archive"),
        refused("backslash.xlsx", repacked(data, extra={"..\\evil.txt": b"x"}), "unsafe_archive"),
        refused("drive.xlsx", repacked(data, extra={"C:evil.txt": b"x"}), "unsafe_archive"),
        refused("same_entry_twice.xlsx", duplicate(), "unsafe_archive"),
        refused("macros.xlsm", repacked(data, extra={"xl/vbaProject.bin": b"x"}), "unsafe_archive"),
        refused(
            "bomb.xlsx", repacked(data, extra={"xl/media/a.bin": b"\x00" * (17 * 1024 * 1024)}), "too_large_expanded"
        ),
        refused("bomb_with_lying_size.xlsx", bytes(lying), "too_large_expanded"),
        refused(
            "too_many_entries.xlsx", repacked(data, extra={f"x/{i}": b"" for i in range(1001)}), "too_large_expanded"
        ),
        taken("high_ratio_but_small.xlsx", repacked(data, extra={"xl/media/a.bin": b"\x00" * (8 * 1024 * 1024)}), 2),
        refused("cut.xlsx", data[: len(data) // 2], "corrupt"),
        refused("cut_directory.xlsx", data[: directory + 10], "corrupt"),
        refused("flipped_byte.xlsx", bytes(flipped), "corrupt"),
        refused("password_zip.xlsx", bytes(encrypted), "encrypted"),
        refused(
            "without_workbook.xlsx",
            repacked(data, lambda name, body: None if name == "xl/workbook.xml" else body),
            "corrupt",
        ),
        refused("without_sheet.xlsx", repacked(data, lambda name, body: None if name == sheet else body), "corrupt"),
        refused(
            "cut_sheet_xml.xlsx", repacked(data, lambda name, body: body[:-200] if name == sheet else body), "corrupt"
        ),
        refused("zip_of_csv.zip", archive({"a.csv": csv_bytes([row(1)])}), "type_mismatch"),
        refused(
            "document.xlsx",
            archive({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>"}),
            "type_mismatch",
        ),
        refused("empty_zip.xlsx", archive({}), "type_mismatch"),
        refused("traversal.zip", archive({"../a.csv": b"x"}), "unsafe_archive"),
    ]


def old_workbooks() -> list[Case]:
    """XLS."""

    def xls(rows: Sequence[Sequence[Any]], **how: Any) -> bytes:
        made = xlwt.Workbook(encoding="utf-8")
        if how.get("epoch_1904"):
            made.dates_1904 = True
        sheet = made.add_sheet("结果")
        style = xlwt.easyxf(num_format_str="YYYY-MM-DD")
        for at, cells in enumerate(rows):
            for column, value in enumerate(cells):
                if isinstance(value, date):
                    sheet.write(at, column, value, style)
                elif value != "":
                    sheet.write(at, column, value)
        for merge in how.get("merges", ()):
            sheet.merge(*merge)
        if how.get("hidden"):
            other = made.add_sheet("隐藏")
            for column, value in enumerate(HEADER):
                other.write(0, column, value)
            for column, value in enumerate(row(9)):
                other.write(1, column, value)
            other.visibility = 1
        out = io.BytesIO()
        made.save(out)
        return out.getvalue()

    good = xls([HEADER, row(1), row(2, date=date(2024, 3, 6))])
    marker = "EncryptedPackage".encode("utf-16-le")
    locked = good[:512] + bytes(512) + marker + bytes(4096)
    filepass = bytearray(good)
    start = good.index(b"\x09\x08\x10\x00")  # the first record of the workbook stream
    after = start + 4 + 16
    filepass[after : after + 2] = b"\x2f\x00"
    return [
        taken("plain.xls", good, 2, rows=[{"date": "2024-03-05"}, {"date": "2024-03-06"}]),
        taken("hidden_sheet.xls", xls([HEADER, row(1)], hidden=True), 1, warns=["hidden_sheet"]),
        taken(
            "vertical_merge.xls",
            xls([HEADER, row(1), [2, "", "", "", "36V", "2024-03-06", "合格"]], merges=[(1, 2, 1, 1), (1, 2, 2, 2)]),
            2,
            rows=[{"maker": MAKER}, {"maker": MAKER}],
        ),
        taken("titled.xls", xls([["抽查结果"], HEADER, row(1), ["合计", "1"]]), 1, ignored=2),
        taken("epoch_1904.xls", xls([HEADER, row(1, date=43894)], epoch_1904=True), 1, rows=[{"date": "2024-03-05"}]),
        taken("xls_named_xlsx.xlsx", good, 2, warns=["extension_mismatch"]),
        taken(
            "formulas.xls",
            xls([HEADER, row(1, spec=xlwt.Formula("40+8")), row(2, product=xlwt.Formula('"a"&"b"')), row(3)]),
            2,
            bad={"formula_no_value": 1},
            rows=[{"spec": None}, {}],
        ),
        refused("cut.xls", good[:2000], "corrupt"),
        refused("password.xlsx", locked, "encrypted"),
        refused("password.xls", bytes(filepass), "encrypted"),
    ]


def cases() -> list[Case]:
    """All of them."""
    return [*sheets(), *packages(), *old_workbooks()]
