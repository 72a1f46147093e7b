"""A second corpus, written from the import contract alone: what an outsider would send to find a clause unkept."""

import json
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

import xlwt
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from tests.corpus.cases import (
    COMPLAINT_HEADER,
    GOOD_CODE,
    HEADER,
    Case,
    complaint,
    csv_bytes,
    refused,
    row,
    taken,
    text_table,
)
from tests.corpus.sheet_cases import book, edited, repacked, table
from tests.corpus.web_cases import dump, html_table, item, objects, page, pdf_table, rss

MAKER = "江城第1电器有限公司"
WIDE_CODE = "".join(chr(ord(character) + 0xFEE0) for character in GOOD_CODE)  # full-width
EIGHT, LATE = (datetime.fromisoformat(f"2024-03-05T{at}") for at in ("08:00", "23:59"))  # cells know no zone
COMPLAINT_NEED = ("投诉编号", "投诉日期", "被投诉单位", "投诉内容")


def _dates(name: str, good: dict[str, str]) -> Case:
    rows = [row(i, date=written) for i, written in enumerate(good, start=1)]
    return taken(name, csv_bytes(rows), len(rows), rows=[{"date": meant} for meant in good.values()])


def _each_bad(
    name: str, reason: str, rows: Sequence[Sequence[Any]], header: Sequence[str] = HEADER, **how: Any
) -> Case:
    return taken(name, csv_bytes(rows, header), 0, bad={reason: len(rows)}, **how)


def text_files() -> list[Case]:
    """Clauses C1, C3 to C6 and C8 to C10 in separated text."""
    two = [row(1), row(2)]
    wide = ["产品 名　称*", "标称生产\n企业名称：", "抽样日期（必填）", "抽查\u200b结果【合格/不合格】", "序 号"]
    need = ("产品名称", "标称生产企业名称", "抽样日期", "抽查结果")
    plain_row = ["充电器", MAKER, "2024-03-05", "合格"]
    mixed = (
        text_table(two).encode() + text_table([row(3)], None).encode("gb18030") + text_table([row(4)], None).encode()
    )
    big5 = text_table(
        [[1, "電線", "臺北電器有限公司", "", "", "2024-03-05", "合格", ""]],
        ("序號", "產品名稱", "標稱生產企業名稱", "統一社會信用代碼", "規格型號", "抽樣日期", "抽查結果", "不合格項目"),
    )
    return [
        taken("o_required_only.csv", csv_bytes([plain_row], need), 1, rows=[{"maker": MAKER, "uscc": None}]),
        taken(
            "o_columns_in_another_order.csv", csv_bytes([plain_row[::-1]], need[::-1]), 1, rows=[{"date": "2024-03-05"}]
        ),
        taken(
            "o_dressed_headers.csv",
            csv_bytes([[*plain_row, 1]], wide),
            1,
            rows=[{"product": "充电器", "result": "pass"}],
        ),
        taken("o_full_width_headers.csv", csv_bytes([[1, *plain_row]], ("Ｎｏ．", *need)), 1),
        refused(
            "o_header_lacks_date.csv",
            csv_bytes([["充电器", MAKER, "合格"]], (need[0], need[1], need[3])),
            "missing_required_column",
        ),
        refused(
            "o_header_twice_lacks.csv", csv_bytes([["a", "b"]], ("产品名称", "产品名称")), "missing_required_column"
        ),
        taken(
            "o_tabs_and_commas.txt",
            text_table([row(1, spec="48V,2A")], mark="\t").encode("utf-16"),
            1,
            rows=[{"spec": "48V,2A"}],
        ),
        taken(
            "o_semicolons_gb.csv",
            csv_bytes([row(1, item=""), row(2, result="不合格", item="耐压,标志")], mark=";", encoding="gb18030"),
            2,
            rows=[{}, {"item": "耐压,标志"}],
        ),
        taken("o_cr_gb.csv", csv_bytes(two, end="\r", encoding="gb18030"), 2),
        taken(
            "o_quoted_everything.csv",
            "\r\n".join('"' + '","'.join(map(str, cells)) + '"' for cells in (HEADER, *two)).encode(),
            2,
        ),
        taken("o_doubled_quotes.csv", csv_bytes([row(1, spec='48V"A"')]), 1, rows=[{"spec": '48V"A"'}]),
        taken("o_line_ends_in_cells.csv", csv_bytes([row(1, spec="48V\r\n2A")]), 1),
        refused("o_quote_never_closed.csv", csv_bytes(two) + '3,"充电器,甲,,,2024-03-05,合格,\r\n'.encode(), "corrupt"),
        refused("o_quote_open_in_gb.csv", csv_bytes(two, encoding="gb18030") + b'3,"', "corrupt"),
        refused("o_zip_named_csv.csv", b"\x1f\x8b\x08\x00" + bytes(200), "type_mismatch"),
        refused("o_jpeg_named_xlsx.xlsx", b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(range(256)), "type_mismatch"),
        refused("o_elf.csv", b"\x7fELF\x02\x01\x01" + bytes(500), "type_mismatch"),
        refused("o_line_ends_only.csv", b"\r\n\r\n\r\n", "empty_file"),
        refused("o_bom_and_blanks.csv", b"\xef\xbb\xbf  \r\n", "empty_file"),
        taken("o_one_line_in_gb.csv", mixed, 3, bad={"bad_encoding": 1}),
        taken("o_big5.csv", big5.encode("big5"), 1, rows=[{"maker": "臺北電器有限公司"}]),
        taken(
            "o_bom_inside.csv",
            csv_bytes([row(1, spec="\ufeff48V")]),
            1,
            warns=["invisible_removed"],
            rows=[{"spec": "48V"}],
        ),
        taken(
            "o_bidi_in_maker.csv",
            csv_bytes([row(1, maker="\u202e" + MAKER + "\u202c")]),
            1,
            warns=["invisible_removed"],
            rows=[{"maker": MAKER}],
        ),
        taken(
            "o_zero_width_in_result.csv",
            csv_bytes([row(1, result="合\u200b格"), row(2, result="不\u2060合格", item="标志")]),
            2,
            warns=["invisible_removed"],
            rows=[{"result": "pass"}, {"result": "fail"}],
        ),
        taken(
            "o_replacement_in_optional.csv", csv_bytes([row(1, spec="48\ufffd"), row(2)]), 1, bad={"bad_encoding": 1}
        ),
        taken(
            "o_kun_in_unknown_column.csv",
            csv_bytes([[*row(1), "锟斤拷锟斤拷"], row(2)], (*HEADER, "抽样员感想")),
            1,
            bad={"bad_encoding": 1},
            warns=["unknown_column"],
        ),
        taken(
            "o_everything_to_ignore.csv",
            text_table(
                [
                    ["某市2024年抽查结果"],
                    [],
                    ["填报单位：某局", "", "", "", "填报日期：2024-03-09"],
                    HEADER,
                    row(1),
                    [2],
                    ["", "", ""],
                    HEADER,
                    row(2),
                    ["本页小计", "", "", "", "", "", "2"],
                    ["合计：2批次"],
                    ["总计", "2"],
                    ["注：结果仅对样品负责"],
                    ["备注：无"],
                    ["说明：按年度"],
                    ["", "审核：张三", "", "制表：李四"],
                    ["填报人：王五"],
                ],
                None,
            ).encode(),
            2,
            ignored=14,
        ),
        taken(
            "o_total_in_second_column.csv", csv_bytes([row(1), ["", "合计", "", "", "", "", "1批次", ""]]), 1, ignored=1
        ),
        taken(
            "o_products_like_notes.csv",
            csv_bytes(
                [
                    row(1, product="注塑机"),
                    row(2, product="说明牌"),
                    row(3, product="小计算器"),
                    row(4, product="备用电源"),
                ]
            ),
            4,
        ),
        taken(
            "o_number_only_rows.csv",
            csv_bytes([row(1), [2, *[""] * 7], [3, "/", "-", "无", "—", "N/A", "null", "None"]]),
            1,
            bad={"missing_required": 1},
            ignored=1,
        ),
        taken(
            "o_same_column_three_times.csv",
            csv_bytes([[*row(1), "", "48V"], [*row(2), "48V", "36V"]], (*HEADER, "规格型号", "规格型号")),
            1,
            bad={"ambiguous_column": 1},
        ),
        taken(
            "o_required_column_twice.csv",
            csv_bytes(
                [[*row(1, maker=""), "乙公司"], [*row(2), "乙公司"], [*row(3), "/"]], (*HEADER, "标称生产企业名称")
            ),
            2,
            bad={"ambiguous_column": 1},
            rows=[{"maker": "乙公司"}, {}],
        ),
        taken(
            "o_ragged.csv",
            text_table(
                [[1, "充电器", MAKER, "", "", "2024-03-05", "合格"], [*row(2), "", "  "], [*row(3), "", "多"]]
            ).encode(),
            2,
            bad={"column_mismatch": 1},
        ),
        taken(
            "o_short_before_required.csv", text_table([[1, "充电器", MAKER]]).encode(), 0, bad={"missing_required": 1}
        ),
        _dates(
            "o_dates_of_every_kind.csv",
            {
                "2024-3-5": "2024-03-05",
                "2024/03/05": "2024-03-05",
                "2024.3.05": "2024-03-05",
                "2024年3月5日": "2024-03-05",
                "20240305": "2024-03-05",
                "二〇二四年三月五日": "2024-03-05",
                "二零二四年十二月三十一日": "2024-12-31",
                "２０２４－０３－０５": "2024-03-05",
                "２０２４年０３月０５日": "2024-03-05",
                "2024-03": "2024-03-01",
                "2024年3月": "2024-03-01",
                "2024/12": "2024-12-01",
                "二〇二四年十月": "2024-10-01",
                "2024-03-05 23:59:59": "2024-03-05",
                "2024/3/5 8:05": "2024-03-05",
                "2024-03-05T16:00:00Z": "2024-03-06",
                "2024-03-05T23:30:00+00:00": "2024-03-06",
                "2024-03-05T00:30:00+09:00": "2024-03-04",
                "2024-03-05T12:00:00-0800": "2024-03-06",
                "2024-03-05T12:00:00.123+08:00": "2024-03-05",
                "45356": "2024-03-05",
                "45356.75": "2024-03-05",
                "2024-02-29": "2024-02-29",
                "1990-01-01": "1990-01-01",
                "2024年3月5日 10时30分": "2024-03-05",
                "2024年3月5号": "2024-03-05",
            },
        ),
        _each_bad(
            "o_dates_that_are_none.csv",
            "bad_date",
            [
                row(i, date=written)
                for i, written in enumerate(
                    (
                        "24-03-05",
                        "05/03/2024",
                        "5-3-2024",
                        "3/5/24",
                        "2024-02-30",
                        "2023-02-29",
                        "2024-13-01",
                        "2024-00-10",
                        "2024-03-00",
                        "2024-03-05至2024-03-08",
                        "2024年3月上旬",
                        "昨天",
                        "2024",
                        "2024-3-5/6",
                        "20240231",
                        "2024-03-05 25:00:00",
                        "19999",
                        "60001",
                        "二〇二四年十三月一日",
                        "二〇二四年二月三十日",
                        "2024年",
                        "0000-01-01",
                        "2024-03-05~08",
                        "Mar 5",
                    ),
                    start=1,
                )
            ],
        ),
        taken(
            "o_dates_too_early_or_late.csv",
            csv_bytes(
                [row(1, date="1989-12-31"), row(2, date="2199-01-01"), row(3, date="0999-01-01"), row(4, date="32874")]
            ),
            1,
            bad={"date_range": 3},
            rows=[{"date": "1990-01-01"}],
        ),
        _each_bad(
            "o_dates_that_say_nothing.csv",
            "missing_required",
            [
                row(i, date=word)
                for i, word in enumerate(
                    ("", "/", "-", "--", "—", "——", "无", "N/A", "NA", "null", "None", "nan", "NaT", "\u3000"), start=1
                )
            ],
        ),
        _each_bad(
            "o_makers_that_say_nothing.csv",
            "missing_required",
            [
                row(i, maker=word)
                for i, word in enumerate(("", " / ", "－", "－－", "ｎ／ａ", "NULL", "none", "NaN"), start=1)
            ],
        ),
        taken(
            "o_results_written_oddly.csv",
            csv_bytes(
                [
                    row(1, result=" 合 格 "),
                    row(2, result="不　合　格", item="标志"),
                    row(3, result="符合"),
                    row(4, result="不符合", item="标志"),
                    row(5, result="通过"),
                    row(6, result="未通过", item="标志"),
                ]
            ),
            6,
            rows=[{"result": r} for r in ("pass", "fail", "pass", "fail", "pass", "fail")],
        ),
        _each_bad(
            "o_results_that_are_none.csv",
            "bad_result",
            [
                row(i, result=word)
                for i, word in enumerate(
                    (
                        "基本合格",
                        "合格品",
                        "不合格（1项）",
                        "合格/不合格",
                        "pass",
                        "1",
                        "√",
                        "是",
                        "待定",
                        "未检",
                        "合格。",
                    ),
                    start=1,
                )
            ],
        ),
        taken(
            "o_contradictions.csv",
            csv_bytes([row(1, item="耐压"), row(2, item="无"), row(3, item="——"), row(4, result="符合", item="标志")]),
            2,
            bad={"inconsistent": 2},
        ),
        taken(
            "o_name_lengths.csv",
            csv_bytes([row(1, maker="江" * 500), row(2, maker="江" * 501), row(3, product="电" * 501)]),
            1,
            bad={"field_too_long": 2},
        ),
        taken(
            "o_cell_lengths.csv",
            csv_bytes([row(1, spec="x" * 32_767), row(2, spec="x" * 32_768)]),
            1,
            bad={"field_too_long": 1},
        ),
        taken(
            "o_codes.csv",
            csv_bytes(
                [
                    row(1, uscc=GOOD_CODE.lower()),
                    row(2, uscc=WIDE_CODE),
                    row(3, uscc=" ".join(GOOD_CODE)),
                    row(4, uscc="91330100000000020C"),
                    row(5, uscc="330100000000000"),
                    row(6, uscc="无"),
                    row(7, uscc="91330100000000020I"),
                ]
            ),
            7,
            warns=["bad_uscc"],
            rows=[{"uscc": code} for code in (GOOD_CODE, GOOD_CODE, GOOD_CODE, None, None, None, None)],
        ),
        taken(
            "o_duplicates_but_for_the_number.csv",
            csv_bytes([row(1), [9, *row(1)[1:]], row(2), [10, *row(2)[1:]], [11, *row(1)[1:]]]),
            2,
            bad={"duplicate_row": 3},
        ),
        taken(
            "o_almost_duplicates.csv",
            csv_bytes([row(1), [2, *row(1, spec="49V")[1:]], [3, *row(1, date="2024-03-06")[1:]]]),
            3,
        ),
        taken(
            "o_unknown_columns.csv",
            csv_bytes([[*row(1), "甲", "乙"]], (*HEADER, "天气", "心情")),
            1,
            warns=["unknown_column"],
        ),
        taken(
            "o_markup_in_cells.csv",
            csv_bytes(
                [
                    row(1, product="<script>alert(1)</script>"),
                    row(2, product='=HYPERLINK("http://x")'),
                    row(3, product="'; DROP TABLE signal;--"),
                ]
            ),
            3,
            rows=[
                {"product": "<script>alert(1)</script>"},
                {"product": '=HYPERLINK("http://x")'},
                {"product": "'; DROP TABLE signal;--"},
            ],
        ),
        taken(
            "o_emoji_and_rare.csv",
            csv_bytes([row(1, maker="𠮷野🔥电器有限公司")]),
            1,
            rows=[{"maker": "𠮷野🔥电器有限公司"}],
        ),
        refused(
            "o_600_columns.csv",
            csv_bytes([[1] * 600], [f"列{i}" for i in range(590)] + list(HEADER) + ["尾"] * 2),
            "limit_exceeded",
        ),
        taken("o_surplus_empty_columns.csv", csv_bytes([[*row(1), *[""] * 600]], (*HEADER, *[""] * 600)), 1),
        taken(
            "o_title_that_names_columns.csv",
            text_table(
                [["产品名称：充电器　抽样日期：2024年3月"], ["共2批次，产品名称见下"], HEADER, row(1)], None
            ).encode(),
            1,
            ignored=2,
        ),
        taken(
            "o_header_at_row_20.csv",
            text_table([[f"第{i}行"] for i in range(19)] + [list(HEADER), row(1)], None).encode(),
            1,
            ignored=19,
        ),
        refused(
            "o_header_at_row_21.csv",
            text_table([[f"第{i}行"] for i in range(20)] + [list(HEADER), row(1)], None).encode(),
            "no_header",
        ),
        taken("o_no_rows.csv", csv_bytes([], encoding="gb18030"), 0),
        taken("o_csv_named_pdf.pdf", csv_bytes(two), 2, warns=["extension_mismatch"]),
        taken("o_csv_named_xls.xls", csv_bytes(two, mark="\t", encoding="gb18030"), 2, warns=["extension_mismatch"]),
    ]


def complaints() -> list[Case]:
    """The kind of complaints in each format."""
    good = [complaint("T1"), complaint("T2")]
    amounts = {
        "￥1,234.50元": 1234.5,
        "１２０元": 120.0,
        "0": 0.0,
        "￥ 88": 88.0,
        "999999999999.99": 999999999999.99,
        "１，２００．５": 1200.5,
        "¥99": 99.0,
        "无": None,
        "100元": 100.0,
    }
    bad = ("-1", "abc", "约100", "inf", "1000000000000", "￥", "100元整", "12..5", "壹佰元", "Infinity", "1e400")
    shown = text_table(good, COMPLAINT_HEADER)

    def fill(made: Workbook, sheet: Worksheet) -> None:
        sheet.append(["某市投诉登记"])
        sheet.merge_cells("A1:H1")
        sheet.append(list(COMPLAINT_HEADER))
        sheet.append([20240001, EIGHT, "百货", "冒烟", None, 13812345678, 120.5, None])
        sheet.append([20240002.0, date(2024, 3, 5), "百货", "漏电", None, None, "=1+1", None])

    old = xlwt.Workbook(encoding="utf-8")
    sheet = old.add_sheet("投诉")
    for at, cells in enumerate((COMPLAINT_HEADER, *good)):
        for column, cell in enumerate(cells):
            sheet.write(at, column, cell)
    return [
        taken(
            "o_complaints_required_only.csv",
            csv_bytes([["T1", "2024-03-05", "百货", "冒烟"]], COMPLAINT_NEED),
            1,
            kind="complaint",
            rows=[{"maker": "百货"}],
        ),
        taken(
            "o_complaints.xlsx",
            book(fill),
            2,
            ignored=1,
            kind="complaint",
            rows=[{"date": "2024-03-05", "amount": 120.5}, {"amount": None}],
        ),
        taken("o_complaints.xls", _saved(old), 2, kind="complaint"),
        taken("o_complaints.json", dump({"data": {"list": objects(good, COMPLAINT_HEADER)}}), 2, kind="complaint"),
        taken(
            "o_complaints.jsonl",
            "\r\n".join(json.dumps(one, ensure_ascii=False) for one in objects(good, COMPLAINT_HEADER)).encode(
                "gb18030"
            ),
            2,
            kind="complaint",
        ),
        taken("o_complaints.html", page(html_table(good, COMPLAINT_HEADER)).encode("gb18030"), 2, kind="complaint"),
        taken(
            "o_complaints.pdf",
            pdf_table((COMPLAINT_HEADER, *(tuple(map(str, one)) for one in good))),
            2,
            kind="complaint",
        ),
        taken(
            "o_complaint_amounts.csv",
            csv_bytes([complaint(f"T{i}", amount=said) for i, said in enumerate(amounts)], COMPLAINT_HEADER),
            len(amounts),
            kind="complaint",
            rows=[{"amount": meant} for meant in amounts.values()],
        ),
        _each_bad(
            "o_complaint_bad_amounts.csv",
            "bad_number",
            [complaint(f"T{i}", amount=said) for i, said in enumerate(bad)],
            COMPLAINT_HEADER,
            kind="complaint",
        ),
        _each_bad(
            "o_complaint_scientific.csv",
            "bad_id",
            [complaint(no) for no in ("1.23E+15", "1E+18", "2.0240305e13", "１．２Ｅ＋１０")],
            COMPLAINT_HEADER,
            kind="complaint",
        ),
        taken(
            "o_complaint_ids_with_letters.csv",
            csv_bytes(
                [complaint("2024E05A"), complaint("E12"), complaint("TS-2024E+"), complaint("00012")], COMPLAINT_HEADER
            ),
            4,
            kind="complaint",
        ),
        taken(
            "o_complaint_numbers_again.csv",
            csv_bytes(
                [complaint("T1"), complaint("T1", text="别的事"), complaint("T1"), complaint("T2")], COMPLAINT_HEADER
            ),
            2,
            bad={"duplicate_key": 1, "duplicate_row": 1},
            kind="complaint",
        ),
        taken(
            "o_complaint_text_lengths.csv",
            csv_bytes([complaint("T1", text="烟" * 20_000), complaint("T2", text="烟" * 20_001)], COMPLAINT_HEADER),
            1,
            bad={"field_too_long": 1},
            kind="complaint",
        ),
        taken(
            "o_complaint_empty_fields.csv",
            csv_bytes(
                [complaint(""), complaint("T2", date="/"), complaint("T3", about="—"), complaint("T4", text="\u200b")],
                COMPLAINT_HEADER,
            ),
            0,
            bad={"missing_required": 4},
            kind="complaint",
            warns=["invisible_removed"],
        ),
        taken(
            "o_complaint_lines_in_text.csv",
            csv_bytes([complaint("T1", text="第一行\n第二行，合计：三行")], COMPLAINT_HEADER),
            1,
            kind="complaint",
        ),
        refused("o_complaint_as_sampling.csv", shown.encode(), "missing_required_column"),
        refused("o_sampling_as_complaint.csv", csv_bytes([row(1)]), "missing_required_column", kind="complaint"),
    ]


def _saved(made: xlwt.Workbook) -> bytes:
    import io

    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


GROUP_OWN_NAME = [
    ["序号", "样品信息", None, "标称生产企业", None, "抽样日期", "判定", "不合格项目", None],
    [None, "样品名称", "型号规格", "名称", "地址", None, None, "项目名称", "限量值"],
    [1, "充电器", "48V", MAKER, "江城", "2024-03-05", "不合格", "耐压", "3kV"],
    [2, "充电器", "36V", MAKER, "江城", "2024-03-05", "合格", None, None],
]
"""A lower name that means nothing by itself: the group says what it is."""


def workbooks() -> list[Case]:
    """Clauses C2 and C7 for XLSX and XLS."""
    rich = CellRichText("江城第1", TextBlock(InlineFont(b=True), "电器"), "有限公司")

    def merged(_: Workbook, sheet: Worksheet) -> None:
        for cells in (
            HEADER,
            row(1, date="2024-03-05"),
            row(2, product=None, maker=None, date=None, spec="36V"),
            row(3, product=None, maker=None, date=None, spec="24V"),
        ):
            sheet.append(list(cells))
        for column in "BCF":
            sheet.merge_cells(f"{column}2:{column}4")

    def two_levels(_: Workbook, sheet: Worksheet) -> None:
        sheet.append(["序号", "产品信息", None, "企业信息", None, "抽样日期", "结论", None])
        sheet.append(
            [None, "产品名称", "规格型号", "标称生产企业名称", "统一社会信用代码", None, "抽查结果", "不合格项目"]
        )
        for merge in ("A1:A2", "B1:C1", "D1:E1", "F1:F2", "G1:H1"):
            sheet.merge_cells(merge)
        sheet.append([1, "充电器", "48V", MAKER, GOOD_CODE, "2024-03-05", "合格", None])
        sheet.append([2, "充电器", "36V", MAKER, None, "2024-03-06", "不合格", "标志"])

    def group_names(_: Workbook, sheet: Worksheet) -> None:
        for cells in GROUP_OWN_NAME:
            sheet.append(cells)
        for merge in ("A1:A2", "B1:C1", "D1:E1", "F1:F2", "G1:G2", "H1:I1"):
            sheet.merge_cells(merge)

    def typed(_: Workbook, sheet: Worksheet) -> None:
        sheet.append(list(HEADER))
        sheet.append([1.0, "充电器", MAKER, None, 48.0, LATE, "合格", None])
        sheet.append([2, "充电器", rich, None, 1.5, date(2024, 3, 5), "合格", None])
        sheet.append([3, "充电器", "乙公司", None, True, 45356, "合格", None])
        sheet.append([4, "充电器", "丙公司", None, "x", time(8, 0), "合格", None])
        sheet.append([5, "充电器", "丁公司", None, "x", 20240305, "合格", None])

    def hidden_parts(made: Workbook, sheet: Worksheet) -> None:
        for cells in (HEADER, row(1), row(2)):
            sheet.append(list(cells))
        sheet.column_dimensions["B"].hidden = True
        sheet.row_dimensions[3].hidden = True
        for title, state in (("旧", "hidden"), ("更旧", "veryHidden")):
            other = made.create_sheet(title)
            other.append(list(HEADER))
            other.append(row(3))
            other.sheet_state = state

    def sheets(made: Workbook, sheet: Worksheet) -> None:
        sheet.append(["封面"])
        for number in (1, 2):
            other = made.create_sheet(f"表{number}")
            other.append(list(HEADER))
            other.append(row(number))
        made.create_sheet("空")

    def formulas(_: Workbook, sheet: Worksheet) -> None:
        for cells in (HEADER, row(1, maker='="甲"&"公司"'), row(2, item='=IF(1,"","")'), row(3, spec="#DIV/0!")):
            sheet.append(list(cells))

    def links(_: Workbook, sheet: Worksheet) -> None:
        for cells in (HEADER, row(1)):
            sheet.append(list(cells))
        sheet["C2"].hyperlink = "http://127.0.0.1:1/x"
        sheet["E2"].value = "48V"

    def far_away(_: Workbook, sheet: Worksheet) -> None:
        sheet.append(list(HEADER))
        sheet.cell(2, 600, "x")

    def big(_: Workbook, sheet: Worksheet) -> None:
        sheet.append(list(HEADER))
        for number in range(1, 3001):
            sheet.append(row(number))

    entity = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'
    many = {f"xl/media/{i}.bin": bytes(10 << 20) for i in range(21)}
    good = table([row(1), row(2)])
    noise = bytes(range(256)) * 4
    return [
        taken(
            "o_group_says_what_it_is.xlsx",
            book(group_names),
            2,
            rows=[{"item": "耐压", "maker": MAKER}, {"item": None}],
        ),
        taken("o_vertical_merges.xlsx", book(merged), 3, rows=[{"maker": MAKER, "date": "2024-03-05"}] * 3),
        taken(
            "o_two_levels.xlsx",
            book(two_levels),
            2,
            ignored=0,
            rows=[{"uscc": GOOD_CODE, "spec": "48V"}, {"item": "标志"}],
        ),
        taken(
            "o_typed.xlsx",
            book(typed),
            4,
            bad={"bad_date": 1},
            rows=[
                {"spec": "48", "date": "2024-03-05"},
                {"maker": MAKER, "spec": "1.5"},
                {"date": "2024-03-05"},
                {"maker": "丁公司", "date": "2024-03-05"},
            ],
        ),
        taken("o_hidden_parts.xlsx", book(hidden_parts), 2, warns=["hidden_sheet"]),
        taken("o_cover_and_two_sheets.xlsx", book(sheets), 2),
        taken(
            "o_formulas_never_counted.xlsx",
            book(formulas),
            2,
            bad={"formula_no_value": 1},
            rows=[{"item": None}, {"spec": None}],
        ),
        taken("o_hyperlinks.xlsx", book(links), 1, rows=[{"maker": MAKER}]),
        taken("o_three_thousand.xlsx", book(big), 3000),
        taken("o_macro_free.xlsm", good, 2),
        taken("o_xlsx_without_extension", good, 2, warns=["extension_mismatch"]),
        taken("o_embedded_object.xlsx", repacked(good, extra={"xl/embeddings/oleObject1.bin": noise}), 2),
        taken(
            "o_external_link.xlsx",
            repacked(
                good,
                extra={
                    "xl/externalLinks/externalLink1.xml": b'<externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"/>'
                },
            ),
            2,
        ),
        refused("o_entity_in_doc_props.xlsx", repacked(good, extra={"docProps/custom.xml": entity}), "xml_forbidden"),
        refused(
            "o_entity_in_utf16_part.xlsx",
            repacked(
                good,
                extra={
                    "xl/comments1.xml": entity.decode()
                    .replace('version="1.0"', 'version="1.0" encoding="UTF-16"')
                    .encode("utf-16")
                },
            ),
            "xml_forbidden",
        ),
        refused(
            "o_entity_in_lower_case.xlsx", repacked(good, extra={"xl/x.xml": b"<!doctype a><a/>"}), "xml_forbidden"
        ),
        refused("o_many_middling_entries.xlsx", repacked(good, extra=many), "too_large_expanded"),
        refused("o_macro_sheet.xlsx", repacked(good, extra={"xl/macrosheets/sheet1.xml": b"<a/>"}), "unsafe_archive"),
        refused("o_vba_in_capitals.xlsx", repacked(good, extra={"xl/VBAPROJECT.BIN": noise}), "unsafe_archive"),
        refused("o_dots_inside.xlsx", repacked(good, extra={"xl/../../evil.xml": b"<a/>"}), "unsafe_archive"),
        refused("o_names_in_other_case.xlsx", repacked(good, extra={"XL/Workbook.xml": b"<a/>"}), "unsafe_archive"),
        refused("o_half_a_workbook.xlsx", good[: len(good) // 2], "corrupt"),
        refused("o_tail_cut.xlsx", good[:-30], "corrupt"),
        refused("o_only_a_signature.xlsx", b"PK\x03\x04", "corrupt"),
        refused("o_only_a_signature.xls", bytes.fromhex("d0cf11e0a1b11ae1"), "corrupt"),
        refused(
            "o_cell_in_column_600.xlsx",
            book(far_away),
            "limit_exceeded",
        ),
        refused(
            "o_two_of_four_columns.xlsx",
            table([["充电器", MAKER]], ("产品名称", "标称生产企业名称")),
            "missing_required_column",
        ),
        taken(
            "o_value_beside_formula.xlsx",
            edited("xl/worksheets/sheet1.xml", b"<v>7777</v>", b"<f>1/0</f><v>7777</v>", table([row(1, spec=7777)])),
            1,
            rows=[{"spec": "7777"}],
        ),
        taken(
            "o_seventeen_digits.xlsx",
            table(
                [
                    [12345678901234567, "2024-03-05", "百货", "冒烟"],
                    ["12345678901234567", "2024-03-05", "百货", "冒烟"],
                ],
                COMPLAINT_NEED,
            ),
            1,
            bad={"bad_id": 1},
            kind="complaint",
        ),
    ]


def web_files() -> list[Case]:
    """HTML, JSON, feeds and PDF."""
    two = [row(1), row(2)]
    good = objects(two)
    spans = (
        "<table><tr><th rowspan=2>序号</th><th colspan=2>产品</th>"
        "<th rowspan=2>标称生产企业名称</th><th rowspan=2>抽样日期</th><th rowspan=2>抽查结果</th></tr>"
        "<tr><th>产品名称</th><th>规格型号</th></tr>"
        "<tr><td>1</td><td rowspan=2>充电器</td><td>48V</td>"
        "<td rowspan=2>甲公司</td><td>2024-03-05</td><td>合格</td></tr>"
        "<tr><td>2</td><td>36V</td><td>2024-03-06</td><td>合格</td></tr></table>"
    )
    deep64: Any = "x"
    for _ in range(62):
        deep64 = [deep64]
    ld = json.dumps(good[0], ensure_ascii=False)
    atom = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>t</title>'
        '<entry><title type="html">甲 &lt;b&gt;乙&lt;/b&gt;</title><link href="https://example.cn/1"/><id>1</id>'
        "<published>2024-03-05T20:00:00-08:00</published></entry>"
        "<entry><title>丙</title><link href='/relative'/>"
        "<id>2</id><updated>2024-03-05T00:00:00Z</updated></entry></feed>"
    )
    prefixed = (
        '<a:feed xmlns:a="http://www.w3.org/2005/Atom"><a:entry><a:title>甲</a:title><a:link href="https://example.cn/1"/><a:id>1</a:id>'
        "<a:updated>2024-03-05T00:00:00Z</a:updated></a:entry></a:feed>"
    )
    pdf_rows = tuple(
        tuple(str(cell) for cell in cells)
        for cells in (HEADER, row(1), row(2, result="不合格", item="标志"), row(3, date="2024-02-30"))
    )
    return [
        taken("o_table_in_table.html", page(f"<table><tr><td>{html_table(two)}</td></tr></table>").encode(), 2),
        taken(
            "o_two_levels_by_spans.html",
            page(spans).encode(),
            2,
            rows=[
                {"product": "充电器", "spec": "48V", "maker": "甲公司"},
                {"product": "充电器", "spec": "36V", "maker": "甲公司"},
            ],
        ),
        taken(
            "o_blank_looking_cells.html",
            page(html_table([row(1, item="&nbsp;", uscc="&#8203;"), row(2, item="<br/>")])).encode(),
            2,
            warns=["invisible_removed"],
        ),
        taken(
            "o_broken_lines_in_cells.html",
            page(
                html_table(
                    [
                        row(
                            1,
                            maker="江城第1<wbr>电器<!-- x -->有限公司",
                            item="<script>var a='耐压'</script><style>b{}</style>",
                        )
                    ]
                )
            ).encode(),
            1,
            rows=[{"maker": MAKER, "item": None}],
        ),
        taken(
            "o_header_with_breaks.html",
            page(html_table(two).replace("标称生产企业名称", "标称生产<br>企业名称")).encode(),
            2,
        ),
        taken(
            "o_upper_case.html",
            page(html_table(two).replace("table", "TABLE").replace("td", "TD").replace("tr", "TR")).encode(),
            2,
        ),
        taken(
            "o_big5_page.html",
            (
                "<html><head><meta charset='big5'></head><table>"
                "<tr><th>產品名稱</th><th>標稱生產企業名稱</th><th>抽樣日期</th><th>抽查結果</th></tr>"
                "<tr><td>電線</td><td>臺灣廠</td><td>2024-03-05</td><td>合格</td></tr></table></html>"
            ).encode("big5"),
            1,
        ),
        taken("o_page_named_xlsx.xlsx", page(html_table(two)).encode(), 2, warns=["extension_mismatch"]),
        refused("o_captcha.html", page("<form><img src=c.png><input name=captcha></form>").encode(), "no_header"),
        refused(
            "o_table_of_links.html",
            page("<table><tr><td><a href=1>一</a></td><td>二</td></tr></table>").encode(),
            "no_header",
        ),
        taken(
            "o_numbers_and_nulls.json",
            dump(
                [
                    {
                        "产品名称": "充电器",
                        "标称生产企业名称": MAKER,
                        "抽样日期": 20240305,
                        "抽查结果": "合格",
                        "规格型号": 48.0,
                        "不合格项目": None,
                    },
                    {"产品名称": "充电器", "标称生产企业名称": None, "抽样日期": "2024-03-05", "抽查结果": "合格"},
                    {"产品名称": "充电器", "标称生产企业名称": MAKER, "抽样日期": 45356, "抽查结果": True},
                ]
            ),
            1,
            bad={"missing_required": 1, "bad_result": 1},
            rows=[{"spec": "48", "date": "2024-03-05"}],
        ),
        taken("o_records_two_down.json", dump({"code": 0, "result": {"records": good, "total": 2}}), 2),
        refused("o_records_three_down.json", dump({"result": {"data": {"list": good}}}), "no_header"),
        taken("o_depth_64.json", dump([{**good[0], "附注": deep64}]), 1, warns=["unknown_column"]),
        refused("o_depth_66.json", dump([{**good[0], "附注": [[[deep64]]]}]), "nesting_too_deep"),
        taken("o_brackets_in_texts.json", dump([{**good[0], "规格型号": "[" * 100 + '"{'}]), 1),
        refused("o_cut_in_a_text.json", dump(good)[:-40], "corrupt"),
        refused("o_cut_after_comma.json", (json.dumps(good, ensure_ascii=False)[:-1] + ",").encode(), "corrupt"),
        taken("o_mixed_items.json", dump([good[0], "文字", 5, None, ["x"], good[1]]), 2, bad={"bad_row": 4}),
        taken(
            "o_bad_lines.jsonl",
            f"{ld}\n{{broken\n[1,2]\n\n{json.dumps(good[1], ensure_ascii=False)}\n".encode(),
            2,
            bad={"bad_row": 2},
            ignored=1,
        ),
        taken(
            "o_objects_in_cells.json",
            dump([{**good[0], "产品名称": ["充电器"]}, {**good[1], "统一社会信用代码": {"code": GOOD_CODE}}]),
            0,
            bad={"bad_type": 2},
        ),
        taken("o_escaped_keys.json", json.dumps(good).encode(), 2),
        taken("o_keys_with_blanks.json", dump([{f" {key} ": value for key, value in one.items()} for one in good]), 2),
        taken(
            "o_zones.xml",
            rss(
                *(
                    item(i, pubDate=said)
                    for i, said in enumerate(
                        (
                            "Tue, 05 Mar 2024 20:00:00 -0800",
                            "5 Mar 2024 10:00:00 GMT",
                            "2024-03-05T16:30:00Z",
                            "2024-03-05",
                        ),
                        start=1,
                    )
                )
            ).encode(),
            4,
            kind="feed",
            rows=[{"date": "2024-03-06"}, {"date": "2024-03-05"}, {"date": "2024-03-06"}, {"date": "2024-03-05"}],
        ),
        taken(
            "o_atom.atom",
            atom.encode(),
            1,
            bad={"bad_link": 1},
            kind="feed",
            rows=[{"date": "2024-03-06", "link": "https://example.cn/1"}],
        ),
        taken("o_prefixed.xml", prefixed.encode(), 1, kind="feed", rows=[{"title": "甲"}]),
        taken(
            "o_links.xml",
            rss(
                *(
                    item(i, link=said)
                    for i, said in enumerate(
                        (
                            "javascript:alert(1)",
                            "ftp://example.cn/1",
                            "//example.cn/1",
                            "example.cn",
                            "data:text/html,x",
                            "HTTP://EXAMPLE.CN/1",
                        ),
                        start=1,
                    )
                )
            ).encode(),
            1,
            bad={"bad_link": 5},
            kind="feed",
        ),
        taken(
            "o_parts.xml",
            rss(
                item(1, title=None), item(2, link=None), item(3, pubDate=None), item(4, pubDate="soon"), item(5)
            ).encode(),
            1,
            bad={"missing_required": 3, "bad_date": 1},
            kind="feed",
        ),
        taken(
            "o_guids.xml",
            rss(item(1, guid="g"), item(2, guid="g"), item(1, guid="g"), item(3, guid="h")).encode("gb18030"),
            2,
            bad={"duplicate_key": 1, "duplicate_row": 1},
            kind="feed",
        ),
        refused(
            "o_dtd.xml", rss(item(1), head='<?xml version="1.0"?><!DOCTYPE rss>').encode(), "xml_forbidden", kind="feed"
        ),
        refused(
            "o_dtd_utf16be.xml",
            rss(item(1), head='<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE rss [<!ENTITY a "a">]>').encode(
                "utf-16-be"
            ),
            "xml_forbidden",
            kind="feed",
        ),
        refused(
            "o_dtd_after_comment.xml",
            rss(item(1), head='<?xml version="1.0"?><!-- <x> --><!DOCTYPE rss SYSTEM "http://127.0.0.1/x">').encode(
                "gb18030"
            ),
            "xml_forbidden",
            kind="feed",
        ),
        refused("o_cut.xml", rss(item(1), item(2)).encode()[:-20], "corrupt", kind="feed"),
        refused("o_two_roots.xml", (rss(item(1)) + "<x/>").encode(), "corrupt", kind="feed"),
        refused(
            "o_other_language.xml", b'<?xml version="1.0"?><catalog><book/></catalog>', "type_mismatch", kind="feed"
        ),
        taken(
            "o_feed_table.json",
            dump(
                [
                    {"title": "甲", "link": "https://example.cn/1", "pubDate": "2024-03-05"},
                    {"title": "乙", "link": "x", "pubDate": "2024-03-05"},
                ]
            ),
            1,
            bad={"bad_link": 1},
            kind="feed",
        ),
        taken(
            "o_results.pdf", pdf_table(pdf_rows), 2, bad={"bad_date": 1}, rows=[{"result": "pass"}, {"item": "标志"}]
        ),
        refused("o_not_a_pdf.pdf", b"%PDF-1.4\nnothing here", "corrupt"),
    ]


def cases() -> list[Case]:
    """All of them."""
    return [*text_files(), *complaints(), *workbooks(), *web_files()]
