"""CSV: encodings, separators, quotes, headers, rows to ignore, cells of every kind."""

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

MAKER = "江城第1电器有限公司"


def _one(name: str, rows_in: list[object], valid: int = 1, **how: object) -> Case:
    return taken(name, csv_bytes([rows_in]), valid, **how)  # type: ignore[arg-type, list-item]


def encodings() -> list[Case]:
    """Clause C3."""
    table = text_table([row(1), row(2)])
    traditional = text_table(
        [[1, "電動自行車充電器", "江城電器有限公司", "", "48V", "2024-03-05", "合格", ""]],
        ("序號", "產品名稱", "標稱生產企業名稱", "統一社會信用代碼", "規格型號", "抽樣日期", "抽查結果", "不合格項目"),
    )
    damaged = bytearray(text_table([row(1), row(2), row(3)]).encode("gb18030"))
    at = damaged.index("第2电器".encode("gb18030"))
    damaged[at] = 0xFF
    cut = text_table([row(1), row(2)]).encode()
    return [
        refused(
            "chinese_utf16_without_mark.csv",
            csv_bytes([row(i) for i in range(9)]).decode().encode("utf-16-le"),
            "bad_encoding",
        ),
        taken("utf8.csv", table.encode(), 2),
        taken("utf8_bom.csv", table.encode("utf-8-sig"), 2),
        taken("gb18030.csv", table.encode("gb18030"), 2, rows=[{"maker": MAKER}, {"product": "电动自行车充电器"}]),
        taken(
            "gb18030_four_bytes.csv",
            csv_bytes([row(1, maker="㐂𠮷电器有限公司")], encoding="gb18030"),
            1,
            rows=[{"maker": "㐂𠮷电器有限公司"}],
        ),
        taken("big5.csv", traditional.encode("big5"), 1, rows=[{"product": "電動自行車充電器", "result": "pass"}]),
        taken("traditional_utf8.csv", traditional.encode(), 1, rows=[{"maker": "江城電器有限公司"}]),
        taken("utf16le_bom.csv", b"\xff\xfe" + table.encode("utf-16-le"), 2),
        taken("utf16be_bom.csv", b"\xfe\xff" + table.encode("utf-16-be"), 2),
        taken("utf32_bom.csv", b"\xff\xfe\x00\x00" + table.encode("utf-32-le"), 2),
        taken("bom_but_gb18030.csv", b"\xef\xbb\xbf" + table.encode("gb18030"), 2),
        taken("damaged_row.csv", bytes(damaged), 2, bad={"bad_encoding": 1}),
        taken("cut_in_a_character.csv", cut[:-6] + "耐".encode()[:2], 1, bad={"bad_encoding": 1}),
        taken(
            "replacement_character.csv", csv_bytes([row(1), row(2, maker="江城\ufffd电器")]), 1, bad={"bad_encoding": 1}
        ),
        taken("kuntakinte.csv", csv_bytes([row(1), row(2, product="锟斤拷电缆")]), 1, bad={"bad_encoding": 1}),
        refused("utf16_without_mark.csv", table.encode("utf-16-le"), "bad_encoding"),
        refused("gbk_read_as_latin1.csv", table.encode("gb18030").decode("latin-1").encode(), "bad_encoding"),
        refused("utf8_read_as_gbk.csv", table.encode().decode("gb18030", "replace").encode(), "bad_encoding"),
        taken(
            "invisible_marks.csv",
            csv_bytes([row(1, product="电动\u200b自行车\u202e充电器\ufeff"), row(2)]),
            2,
            warns=["invisible_removed"],
            rows=[{"product": "电动自行车充电器"}, {}],
        ),
        taken(
            "nul_bytes.csv",
            csv_bytes([row(1, product="充\x00电器"), row(2)]),
            2,
            warns=["invisible_removed"],
            rows=[{"product": "充电器"}, {}],
        ),
        taken("invisible_in_header.csv", table.replace("产品名称", "产品\u200b名称\ufeff").encode(), 2),
        taken(
            "only_invisible_maker.csv",
            csv_bytes([row(1, maker="\u200b\u200b")]),
            0,
            bad={"missing_required": 1},
            warns=["invisible_removed"],
        ),
    ]


def shapes() -> list[Case]:
    """Separators, line ends, quotes, widths: clauses C2, C5, C6."""
    rows = [row(1), row(2)]
    wide = [f"列{i}" for i in range(505)]
    return [
        taken("surplus_that_says_nothing.csv", csv_bytes([[*row(1), "/", "\u200b"], row(2)]), 2),
        taken("semicolon.csv", csv_bytes(rows, mark=";"), 2),
        taken("tab.tsv", csv_bytes(rows, mark="\t"), 2),
        taken("tab_named_csv.csv", csv_bytes(rows, mark="\t"), 2),
        taken("lf.csv", csv_bytes(rows, end="\n"), 2),
        taken("cr.csv", csv_bytes(rows, end="\r"), 2),
        taken("mixed_line_ends.csv", text_table(rows).replace("\r\n", "\r", 1).encode(), 2),
        taken("no_last_line_end.csv", text_table(rows).rstrip().encode(), 2),
        taken("txt_extension.txt", csv_bytes(rows), 2),
        taken(
            "line_break_in_cell.csv",
            csv_bytes([row(1, spec="48V\n2A"), row(2)]),
            2,
            rows=[{"spec": "48V\n2A"}, {"spec": "48V"}],
        ),
        taken("quotes_and_commas.csv", csv_bytes([row(1, spec='3"，48V,2A')]), 1, rows=[{"spec": '3"，48V,2A'}]),
        taken("stray_quote.csv", text_table([row(1)]).replace("48V", '48"V').encode(), 1, rows=[{"spec": '48"V'}]),
        refused("open_quote.csv", text_table(rows).replace("48V", '"48V', 1).encode(), "corrupt"),
        refused("open_quote_last_cell.csv", (text_table(rows) + '3,"充电器').encode(), "corrupt"),
        taken("short_rows.csv", csv_bytes([row(1)[:7], row(2)[:7]]), 2),
        taken("too_short_row.csv", csv_bytes([row(1), row(2)[:5]]), 1, bad={"missing_required": 1}),
        taken("long_row_empty_surplus.csv", csv_bytes([[*row(1), "", " "]]), 1),
        taken("long_row.csv", csv_bytes([row(1), [*row(2), "多"]]), 1, bad={"column_mismatch": 1}),
        taken(
            "blank_lines.csv",
            (text_table([row(1)]) + "\r\n,,,,,,,\r\n  ,\r\n" + text_table([row(2)], None)).encode(),
            2,
            ignored=3,
        ),
        refused("513_columns.csv", csv_bytes([[*row(1), *wide]], [*HEADER, *wide]), "limit_exceeded"),
        taken(
            "512_columns.csv", csv_bytes([[*row(1), *wide[:504]]], [*HEADER, *wide[:504]]), 1, warns=["unknown_column"]
        ),
        refused("million_and_one.csv", csv_bytes([row(1)]) + b",\n" * 1_000_001, "limit_exceeded"),
        taken("million_blank.csv", csv_bytes([row(1)]) + b",\n" * 999_000, 1, ignored=999_000),
        refused("empty.csv", b"", "empty_file"),
        refused("only_a_mark.csv", b"\xef\xbb\xbf", "empty_file"),
        refused("only_blanks.csv", b" \r\n\t\r\n", "empty_file"),
        taken("header_only.csv", csv_bytes([]), 0),
        refused("no_header.csv", csv_bytes(rows, None), "no_header"),
        refused("prose.txt", "各单位：请于本月底前报送抽查结果。\r\n谢谢配合。\r\n".encode("gb18030"), "no_header"),
        refused("no_result_column.csv", csv_bytes([r[:6] for r in rows], HEADER[:6]), "missing_required_column"),
        refused("one_column.csv", "产品名称\n充电器\n".encode(), "missing_required_column"),
        taken(
            "formula_text.csv",
            csv_bytes([row(1, product='=cmd|" /C calc"!A0')]),
            1,
            rows=[{"product": '=cmd|" /C calc"!A0'}],
        ),
        taken("separator_line.csv", b"sep=,\r\n" + csv_bytes(rows), 2, ignored=1),
        refused("png_named_csv.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, "type_mismatch"),
        refused("program_named_csv.csv", b"MZ\x90\x00" + bytes(range(256)) * 8, "type_mismatch"),
        refused("noise.csv", bytes((i * 7919 + (i >> 3) * 104729) % 256 for i in range(4096)), "type_mismatch"),
    ]


def headers() -> list[Case]:
    """Clauses C4, C5 and C6."""
    rows = [row(1), row(2)]
    titled = "某市2024年第1季度监督抽查结果\r\n填报单位：某市市场监督管理局,,,,填报日期：2024-04-01\r\n\r\n"
    renamed = (
        "序 号",
        "＊产品名称（必填）",
        "生产企业：",
        "社会信用代码",
        "型号规格",
        "抽样\n时间",
        "检验结论",
        "不合格项",
    )
    two_rows = (
        "序号,产品名称,标称生产企业,,规格型号,抽样日期,检验情况,\r\n"
        ",,标称生产企业名称,统一社会信用代码,,,抽查结果,不合格项目\r\n"
    )
    doubled = (*HEADER, "产品名称")
    return [
        taken("title_rows.csv", (titled + text_table(rows)).encode(), 2, ignored=3),
        taken("header_in_row_20.csv", ("标题\r\n" * 19 + text_table(rows)).encode(), 2, ignored=19),
        refused("header_in_row_21.csv", ("标题\r\n" * 20 + text_table(rows)).encode(), "no_header"),
        taken("aliases.csv", csv_bytes(rows, renamed), 2),
        taken("two_level.csv", (two_rows + text_table(rows, None)).encode(), 2, rows=[{"maker": MAKER}, {}]),
        taken("repeated_header.csv", (text_table([row(1)]) + text_table([row(2)])).encode(), 2, ignored=1),
        taken(
            "totals.csv",
            csv_bytes([row(1), ["合计", "1批次"], ["", "总 计：1"], ["小計", "", "", "", "", "", "1"]]),
            1,
            ignored=3,
        ),
        taken(
            "notes.csv",
            csv_bytes(
                [
                    row(1),
                    ["注：本表为初检结果"],
                    ["备注", "复检中"],
                    ["填报人：张某", "", "审核人：李某"],
                    ["说明：无"],
                    ["制表：王某"],
                    ["审核："],
                ]
            ),
            1,
            ignored=6,
        ),
        taken(
            "product_that_looks_like_a_note.csv", csv_bytes([row(1, product="注射器"), row(2, product="合计数器")]), 2
        ),
        taken("only_a_number.csv", csv_bytes([row(1), [2], [3, "", " "]]), 1, ignored=2),
        taken(
            "unknown_column.csv",
            csv_bytes([[*row(1), "甲"], [*row(2), "乙"]], [*HEADER, "网格员工号"]),
            2,
            warns=["unknown_column"],
        ),
        taken("same_column_twice.csv", csv_bytes([[*row(1), "电动自行车充电器"], [*row(2), ""]], doubled), 2),
        taken(
            "same_column_differs.csv",
            csv_bytes([[*row(1), "电缆"], [*row(2), ""]], doubled),
            1,
            bad={"ambiguous_column": 1},
        ),
        taken(
            "first_of_two_is_empty.csv",
            csv_bytes([[*row(1, product=""), "电缆"]], doubled),
            1,
            rows=[{"product": "电缆"}],
        ),
        taken(
            "two_aliases_differ.csv",
            csv_bytes([[*row(1), "电缆"]], (*HEADER, "样品名称")),
            0,
            bad={"ambiguous_column": 1},
        ),
        taken("ambiguous_alias.csv", csv_bytes([[*row(1), "1.2kV"], [*row(2), "3"]], (*HEADER, "检验结果")), 2),
        taken("ambiguous_alias_alone.csv", csv_bytes(rows, (*HEADER[:6], "检验结果", "不合格项目")), 2),
        taken(
            "blank_header_cell.csv", csv_bytes([[*row(1)[:4], "甲", *row(1)[4:]]], (*HEADER[:4], "", *HEADER[4:])), 1
        ),
    ]


def dates() -> list[Case]:
    """Clause C8."""
    good = {
        "2024-03-05": "2024-03-05",
        "2024-3-5": "2024-03-05",
        "2024/3/5": "2024-03-05",
        "2024.03.05": "2024-03-05",
        "2024年3月5日": "2024-03-05",
        "2024 年 03 月 05 日": "2024-03-05",
        "20240305": "2024-03-05",
        "二〇二四年三月五日": "2024-03-05",
        "二零二四年十二月三十一日": "2024-12-31",
        "二○二四年十月二十日": "2024-10-20",
        "２０２４－０３－０５": "2024-03-05",
        "２０２４年３月５日": "2024-03-05",
        "2024-03-05 10:20:30": "2024-03-05",
        "2024/3/5 8:05": "2024-03-05",
        "2024-03-05T23:30:00Z": "2024-03-06",
        "2024-03-05T23:30:00+08:00": "2024-03-05",
        "2024-03-05T20:30:00-0500": "2024-03-06",
        "2024-03-05T20:30:00-05": "2024-03-06",
        "2024年三月五日": "2024-03-05",
        "二〇二四年3月5日": "2024-03-05",
        "2024-03-05 10:20:30.123": "2024-03-05",
        "2024年3月": "2024-03-01",
        "2024-03": "2024-03-01",
        "2024/3": "2024-03-01",
        "45356": "2024-03-05",
        "45356.75": "2024-03-05",
        "2024-02-29": "2024-02-29",
        "1990-01-01": "1990-01-01",
        "二〇二四年三月": "2024-03-01",
        "2024年3月5日 10时20分": "2024-03-05",
        "20000": None,
        "2024年3月5号": "2024-03-05",
    }
    good.pop("20000")
    bad = (
        "24-03-05",
        "24/3/5",
        "05/03/2024",
        "3/5/2024",
        "2024-03-01至2024-03-05",
        "2024.3.1-3.5",
        "2024-02-30",
        "2023-02-29",
        "2024-13-01",
        "2024-00-10",
        "2024-03-32",
        "99999999",
        "待定",
        "2024年",
        "三月五日",
        "2024-03-05-06",
        "19999",
        "60001",
        "Mar 5 2024",
        "2024-03-05 25:00",
        "20240230",
        "2024-3-5.1",
        "二四年三月五日",
        "0000-00-00",
    )
    range_ = ("1989-12-31", "2199-01-01", "1900年1月1日")
    rows = [row(i, date=text) for i, text in enumerate(good, start=1)]
    return [
        taken("good_dates.csv", csv_bytes(rows), len(good), rows=[{"date": day} for day in good.values()]),
        taken(
            "bad_dates.csv", csv_bytes([row(i, date=text) for i, text in enumerate(bad)]), 0, bad={"bad_date": len(bad)}
        ),
        taken(
            "dates_out_of_range.csv",
            csv_bytes([row(i, date=text) for i, text in enumerate(range_)]),
            0,
            bad={"date_range": len(range_)},
        ),
        taken("no_date.csv", csv_bytes([row(1, date="无"), row(2, date="——")]), 0, bad={"missing_required": 2}),
    ]


def cells() -> list[Case]:
    """Clauses C9 and C10 for sampling."""
    nothing = ("/", "-", "--", "—", "——", "无", "N/A", "NA", "null", "None", "nan", "NaT", "", "  ", "\u200b", "\u3000")
    passed = ("合格", "符合", "通过", "合 格", "　合格　", "合\n格")
    failed = ("不合格", "不符合", "未通过", "不 合 格")
    wrong = ("基本合格", "待检", "是", "合格。", "pass", "OK", "不合格（复检）", "未检验", "/合格")
    codes = [GOOD_CODE, GOOD_CODE.lower(), " ".join(GOOD_CODE), "９１３３０１０００００００００２０Ｂ"]
    bad_codes = [GOOD_CODE[:-1] + "C", "12345", "9.1330E+17", "91330100000000020I", "911234567890123"]
    return [
        taken(
            "empty_words.csv",
            csv_bytes([row(i, maker=word) for i, word in enumerate(nothing)]),
            0,
            bad={"missing_required": len(nothing)},
            warns=["invisible_removed"],
        ),
        taken(
            "empty_words_optional.csv",
            csv_bytes([row(i, spec=word, item=word) for i, word in enumerate(nothing) if word != "\u200b"]),
            len(nothing) - 1,
            rows=[{"spec": None, "item": None}] * (len(nothing) - 1),
        ),
        taken(
            "good_results.csv",
            csv_bytes(
                [row(i, result=word) for i, word in enumerate(passed)]
                + [row(i + 50, result=word, item="耐压") for i, word in enumerate(failed)]
            ),
            len(passed) + len(failed),
            rows=[{"result": "pass"}] * len(passed) + [{"result": "fail"}] * len(failed),
        ),
        taken(
            "bad_results.csv",
            csv_bytes([row(i, result=word) for i, word in enumerate(wrong)]),
            0,
            bad={"bad_result": len(wrong)},
        ),
        taken(
            "contradictions.csv",
            csv_bytes([row(1, item="耐压"), row(2, result="不合格"), row(3, result="不合格", item="无"), row(4)]),
            1,
            bad={"inconsistent": 3},
        ),
        taken("failed_without_item_column.csv", csv_bytes([row(1, result="不合格")[:7], row(2)[:7]], HEADER[:7]), 2),
        taken(
            "long_names.csv",
            csv_bytes([row(1, product="缆" * 500), row(2, product="缆" * 501), row(3, maker="厂" * 501)]),
            1,
            bad={"field_too_long": 2},
        ),
        taken(
            "long_cell.csv",
            csv_bytes([row(1, spec="x" * 32_767), row(2, spec="x" * 32_768)]),
            1,
            bad={"field_too_long": 1},
        ),
        taken(
            "long_unknown_cell.csv",
            csv_bytes([[*row(1), "x" * 32_768], [*row(2), "y"]], [*HEADER, "自定义"]),
            1,
            bad={"field_too_long": 1},
            warns=["unknown_column"],
        ),
        taken(
            "codes.csv",
            csv_bytes([row(i, uscc=code) for i, code in enumerate(codes)]),
            len(codes),
            rows=[{"uscc": GOOD_CODE}] * len(codes),
        ),
        taken(
            "wrong_codes.csv",
            csv_bytes([row(i, uscc=code) for i, code in enumerate(bad_codes)]),
            len(bad_codes),
            rows=[{"uscc": None}] * len(bad_codes),
            warns=["bad_uscc"],
        ),
        taken(
            "duplicate_rows.csv",
            csv_bytes([row(1), row(2), row(1)[:1] + row(2)[1:], row(9, maker=MAKER)]),
            2,
            bad={"duplicate_row": 2},
            errors=[("", 4, "", "duplicate_row"), ("", 5, "", "duplicate_row")],
        ),
        taken(
            "several_faults.csv",
            csv_bytes([row(1, product="", date="24-1-1", result="?"), row(2)]),
            1,
            bad={"missing_required": 1},
            errors=[
                ("", 2, "产品名称", "missing_required"),
                ("", 2, "抽样日期", "bad_date"),
                ("", 2, "抽查结果", "bad_result"),
            ],
        ),
        taken(
            "visits.csv",
            csv_bytes(
                [
                    [*row(1, result=""), "未抽到样"],
                    [*row(2, result="/"), "拒检"],
                    [*row(3), "已抽样"],
                    [*row(4, result=""), "已抽样"],
                ],
                [*HEADER, "抽样情况"],
            ),
            3,
            bad={"missing_required": 1},
        ),
        taken(
            "unknown_visit_word.csv", csv_bytes([[*row(1), "不详"]], [*HEADER, "抽样情况"]), 1, warns=["unknown_value"]
        ),
    ]


def complaints() -> list[Case]:
    """Clauses C1 and C9 for complaints."""
    head = COMPLAINT_HEADER
    amounts = {
        "1200": 1200.0,
        "1,200.50": 1200.5,
        "￥1200": 1200.0,
        "¥ 88元": 88.0,
        "１２００": 1200.0,
        "0": 0.0,
        "/": None,
        "": None,
        "12.": 12.0,
        "999999999999": 999999999999.0,
    }
    wrong = ("-5", "inf", "约100", "1.2万", "1000000000000", "1e400", "12a", "１／２", "1_000", "Infinity", "--5")
    return [
        taken(
            "complaints.csv",
            csv_bytes([complaint("T1"), complaint("T2")], head, "gb18030"),
            2,
            kind="complaint",
            rows=[{"product": "充电器", "date": "2024-03-05", "amount": None}, {}],
        ),
        taken(
            "amounts.csv",
            csv_bytes([complaint(f"T{i}", amount=text) for i, text in enumerate(amounts)], head),
            len(amounts),
            kind="complaint",
            rows=[{"amount": value} for value in amounts.values()],
        ),
        taken(
            "wrong_amounts.csv",
            csv_bytes([complaint(f"T{i}", amount=text) for i, text in enumerate(wrong)], head),
            0,
            kind="complaint",
            bad={"bad_number": len(wrong)},
        ),
        taken(
            "scientific_numbers.csv",
            csv_bytes([complaint(no) for no in ("2.02403E+15", "2E+15", "1.2e15", "2024E15")], head),
            1,
            kind="complaint",
            bad={"bad_id": 3},
        ),
        taken(
            "complaint_no_twice.csv",
            csv_bytes([complaint("T1"), complaint("T1", text="另一件事"), complaint("T2")], head),
            2,
            kind="complaint",
            bad={"duplicate_key": 1},
            errors=[("", 3, "投诉编号", "duplicate_key")],
        ),
        taken(
            "complaint_row_twice.csv",
            csv_bytes([complaint("T1"), complaint("T1")], head),
            1,
            kind="complaint",
            bad={"duplicate_row": 1},
        ),
        taken(
            "long_complaint.csv",
            csv_bytes([complaint("T1", text="烟" * 20_000), complaint("T2", text="烟" * 20_001)], head),
            1,
            kind="complaint",
            bad={"field_too_long": 1},
        ),
        refused(
            "complaint_without_text.csv",
            csv_bytes([complaint()[:3]], head[:3]),
            "missing_required_column",
            kind="complaint",
        ),
        taken(
            "missing_respondent.csv",
            csv_bytes([complaint("T1", about="无"), complaint("T2", no="")], head),
            0,
            kind="complaint",
            bad={"missing_required": 2},
        ),
        taken(
            "emoji_and_markup.csv",
            csv_bytes([complaint("T1", text="🔥<script>alert(1)</script> 冒烟")], head),
            1,
            kind="complaint",
        ),
    ]


def cases() -> list[Case]:
    """All of them."""
    return [*encodings(), *shapes(), *headers(), *dates(), *cells(), *complaints()]
