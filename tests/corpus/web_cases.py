"""HTML, JSON, feeds and PDF."""

import io
import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from tests.corpus.cases import COMPLAINT_HEADER, HEADER, Case, complaint, refused, row, taken

MAKER = "江城第1电器有限公司"


def html_table(
    rows: Sequence[Sequence[object]], header: Sequence[str] = HEADER, before: str = "", after: str = ""
) -> str:
    """The rows as a table element."""
    lines = ["<tr>" + "".join(f"<th>{name}</th>" for name in header) + "</tr>"]
    lines += ["<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>" for cells in rows]
    return "<table>" + before + "".join(lines) + after + "</table>"


def page(body: str, head: str = "") -> str:
    """A page around a body."""
    return f"<!DOCTYPE html><html><head><title>抽查结果</title>{head}</head><body>{body}</body></html>"


def pages() -> list[Case]:
    """Clauses C2, C3 and C7 for HTML."""
    rows = [row(1), row(2)]
    table = html_table(rows)
    title = "<tr><th colspan='8'>某市抽查结果</th></tr>"
    total = "<tr><td colspan='3'>合计</td><td colspan='5'>2批次</td></tr>"
    spans = (
        "<table><tr>" + "".join(f"<th>{name}</th>" for name in HEADER) + "</tr>"
        "<tr><td>1</td><td rowspan=2>充电器</td><td rowspan='2'>甲公司</td><td></td><td>48V</td><td>2024-03-05</td>"
        "<td>合格</td><td></td></tr>"
        "<tr><td>2</td><td></td><td>36V</td><td>2024-03-06</td><td>合格</td><td></td></tr></table>"
    )
    two_levels = (
        "<table><tr><th rowspan=2>序号</th><th rowspan=2>产品名称</th><th colspan=2>标称生产企业</th>"
        "<th rowspan=2>规格型号</th>"
        "<th rowspan=2>抽样日期</th><th colspan=2>检验情况</th></tr>"
        "<tr><th>标称生产企业名称</th><th>统一社会信用代码</th><th>抽查结果</th><th>不合格项目</th></tr>"
        + "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>" for cells in rows)
        + "</table>"
    )
    nested = f"<table><tr><td>导航</td></tr><tr><td>{table}</td></tr></table>"
    scripted = html_table([row(1, product="充电器<script>var 产品='电缆'</script><style>td{{}}</style>"), row(2)])
    login = page(
        "<form action='/login'><table><tr><td>用户名</td><td><input></td></tr><tr><td>密码</td></tr></table></form>"
    )
    return [
        taken(
            "control_characters.html",
            page(html_table([row(1, product="充\x01电\x00器")])).encode(),
            1,
            warns=["invisible_removed"],
            rows=[{"product": "充电器"}],
        ),
        taken("page.html", page(table).encode(), 2),
        taken(
            "page_gb18030.htm", page(table, "<meta charset=gb2312>").encode("gb18030"), 2, rows=[{"maker": MAKER}, {}]
        ),
        taken(
            "page_lies_about_charset.html",
            page(table, '<meta charset="gb2312">').encode(),
            2,
            rows=[{"maker": MAKER}, {}],
        ),
        taken(
            "page_big5.html",
            page(
                table.replace("产品名称", "產品名稱")
                .replace("标称生产企业名称", "標稱生產企業名稱")
                .replace("电动自行车充电器", "電動車充電器")
                .replace("统一社会信用代码", "統一社會信用代碼")
                .replace("规格型号", "規格型號")
                .replace("抽样日期", "抽樣日期")
                .replace("抽查结果", "抽查結果")
                .replace("不合格项目", "不合格項目")
                .replace("序号", "序號")
                .replace("电器", "電器")
            )
            .replace("抽查结果", "")
            .encode("big5"),
            2,
        ),
        taken("table_named_xls.xls", page(table).encode("gb18030"), 2, warns=["extension_mismatch"]),
        taken("fragment.html", table.encode(), 2),
        taken("title_and_total.html", page(html_table(rows, before=title, after=total)).encode(), 2, ignored=2),
        taken("rowspan.html", page(spans).encode(), 2, rows=[{"maker": "甲公司"}, {"maker": "甲公司", "spec": "36V"}]),
        taken("two_level_header.html", page(two_levels).encode(), 2, rows=[{"maker": MAKER}, {}]),
        taken("nested_table.html", page(nested).encode(), 2),
        taken("two_tables.html", page(html_table([row(1)]) + "<p>另附</p>" + html_table([row(2)])).encode(), 2),
        taken("script_in_cell.html", page(scripted).encode(), 2, rows=[{"product": "充电器"}, {}]),
        taken(
            "entities.html",
            page(html_table([row(1, product="A&amp;B&nbsp;充电器&#x200b;")])).encode(),
            1,
            rows=[{"product": "A&B 充电器"}],
            warns=["invisible_removed"],
        ),
        taken(
            "huge_colspan.html",
            page(html_table([row(1)], before="<tr><td colspan=99999999>标题</td></tr>")).encode(),
            1,
            ignored=1,
        ),
        taken("cut_page.html", page(table).encode()[:-20], 2),
        taken(
            "unclosed_cells.html",
            page(table.replace("</td>", "").replace("</th>", "").replace("</tr>", "")).encode(),
            2,
        ),
        refused("login_page.csv", login.encode(), "no_header"),
        refused("login_page.xlsx", login.encode(), "no_header"),
        refused("error_page.json", page("<h1>502 Bad Gateway</h1>").encode(), "no_header"),
        refused("page_without_table.html", page("<p>产品名称、抽查结果见附件</p>").encode(), "no_header"),
        refused("deep_page.html", page("<div>" * 300 + table + "</div>" * 300).encode(), "nesting_too_deep"),
        refused(
            "page_missing_column.html",
            page(html_table([r[:6] for r in rows], HEADER[:6])).encode(),
            "missing_required_column",
        ),
        refused(
            "page_with_entities.html",
            b'<!DOCTYPE html [<!ENTITY a "b">]><html><body>&a;' + table.encode() + b"</body></html>",
            "xml_forbidden",
        ),
    ]


def objects(rows: Sequence[Sequence[Any]], header: Sequence[str] = HEADER) -> list[dict[str, Any]]:
    """The rows as objects."""
    return [dict(zip(header, cells, strict=True)) for cells in rows]


def dump(value: Any, encoding: str = "utf-8") -> bytes:
    """A value as JSON."""
    return json.dumps(value, ensure_ascii=False).encode(encoding)


def json_files() -> list[Case]:
    """Clauses C2, C6 and C7 for JSON."""
    good = objects([row(1), row(2)])
    lines = "\n".join(json.dumps(item, ensure_ascii=False) for item in good)
    deep: Any = "x"
    for _ in range(70):
        deep = [deep]
    twice = lines.split("\n")[0]
    same = twice[:-1] + ', "产品名称": "电动自行车充电器"}'
    other = twice[:-1] + ', "产品名称": "电缆"}'
    typed = objects([row(1, spec=48, date=20240305), row(2, spec=1.5, item=None), row(3, spec=True)])
    odd = objects([row(1, product={"name": "充电器"}), row(2, spec=["48V"]), row(3)])
    return [
        taken("array.json", dump(good), 2, rows=[{"maker": MAKER}, {}]),
        taken("array_gb18030.json", dump(good, "gb18030"), 2),
        taken("array_bom.json", dump(good, "utf-8-sig"), 2),
        taken("array_utf16.json", dump(good, "utf-16"), 2),
        taken("escaped.json", json.dumps(good).encode(), 2, rows=[{"maker": MAKER}, {}]),
        taken("under_data.json", dump({"code": 0, "data": good}), 2),
        taken("under_data_list.json", dump({"code": 0, "data": {"total": 2, "list": good}}), 2),
        taken("under_result_records.json", dump({"result": {"records": good}}), 2),
        taken("under_results.json", dump({"results": good}), 2),
        taken("lines.jsonl", lines.encode(), 2),
        taken("lines_named_json.json", (lines + "\n").encode(), 2),
        taken(
            "bad_line.jsonl",
            (lines + '\n{"产品名称": "充\n' + json.dumps(objects([row(3)])[0])).encode(),
            3,
            bad={"bad_row": 1},
            errors=[("", 3, "", "bad_row")],
        ),
        taken("line_that_is_no_object.jsonl", (lines + "\n[1, 2]\n17\n").encode(), 2, bad={"bad_row": 2}),
        taken("first_line_bad.jsonl", ("{cut\n" + lines).encode(), 2, bad={"bad_row": 1}),
        taken("first_line_an_array.jsonl", ("[1, 2]\n" + lines).encode(), 2, bad={"bad_row": 1}),
        taken("first_line_a_remark.jsonl", ("以下为数据\n" + lines).encode(), 2, bad={"bad_row": 1}),
        taken("most_lines_bad.jsonl", (lines + "\na\n{b\n[1]\n{}}\n").encode(), 2, bad={"bad_row": 4}),
        taken("lines_ending_cr.jsonl", (lines.replace("\n", "\r") + "\r").encode(), 2),
        taken(
            "line_separator_inside.jsonl",
            dump(objects([row(1, spec="a\u2028b")])[0]) + b"\n" + dump(objects([row(2)])[0]),
            2,
            rows=[{"spec": "a\u2028b"}, {}],
        ),
        refused("cut_under_data.json", ('{"data": [\n' + lines.replace("\n", ",\n")).encode(), "corrupt"),
        taken(
            "raw_control_characters.json",
            dump(objects([row(1, product="充@电器")])).replace(b"@", b"\x00\x01"),
            1,
            warns=["invisible_removed"],
            rows=[{"product": "充电器"}],
        ),
        taken("blank_lines.jsonl", (lines.replace("\n", "\n\n") + "\n").encode(), 2, ignored=1),
        taken(
            "item_that_is_no_object.json",
            dump([*good, 5, "文字", None]),
            2,
            bad={"bad_row": 3},
            errors=[("", 3, "", "bad_row"), ("", 4, "", "bad_row"), ("", 5, "", "bad_row")],
        ),
        taken("nested_values.json", dump(odd), 1, bad={"bad_type": 2}),
        taken(
            "nested_value_in_unknown_key.json",
            dump([{**good[0], "附件": [{"name": "a"}]}]),
            1,
            warns=["unknown_column"],
        ),
        taken("typed_values.json", dump(typed), 3, rows=[{"spec": "48", "date": "2024-03-05"}, {"spec": "1.5"}, {}]),
        taken(
            "missing_key.json",
            dump([good[0], {k: v for k, v in good[1].items() if k != "抽查结果"}]),
            1,
            bad={"missing_required": 1},
        ),
        taken("key_twice_same.json", f"[{same}]".encode(), 1),
        taken("key_twice_differs.json", f"[{other}]".encode(), 0, bad={"ambiguous_column": 1}),
        taken(
            "not_a_number.json",
            json.dumps(
                objects(
                    [
                        complaint("T1", amount=float("nan")),
                        complaint("T2", amount=float("inf")),
                        complaint("T3", amount=1e400),
                        complaint("T4", amount=5),
                    ],
                    COMPLAINT_HEADER,
                ),
                ensure_ascii=False,
            ).encode(),
            2,
            kind="complaint",
            bad={"bad_number": 2},
            rows=[{"amount": None}, {"amount": 5.0}],
        ),
        taken(
            "lone_surrogate.json",
            b"[" + json.dumps(objects([row(1, product="\ud83d\u7f06")])[0]).encode() + b"]",
            0,
            bad={"bad_encoding": 1},
        ),
        refused("cut_array.json", dump(good)[:-20], "corrupt"),
        refused("cut_object.json", dump({"data": good})[:-20], "corrupt"),
        refused("trailing_garbage.json", dump(good) + b"]]", "corrupt"),
        refused("too_deep.json", dump([{**good[0], "x": deep}]), "nesting_too_deep"),
        refused("very_deep.json", b"[" * 100_000, "nesting_too_deep"),
        refused("array_too_deep_down.json", dump({"data": {"result": {"list": good}}}), "no_header"),
        refused("empty_array.json", b"[]", "no_header"),
        refused("no_array.json", dump({"code": 401, "message": "请先登录"}), "no_header"),
        refused(
            "json_missing_column.json",
            dump(objects([r[:6] for r in (row(1), row(2))], HEADER[:6])),
            "missing_required_column",
        ),
    ]


def item(number: int = 1, **changes: str | None) -> str:
    """A feed item; a part set to None is left out."""
    parts: dict[str, str | None] = {
        "title": f"第{number}批抽查通告",
        "link": f"https://example.cn/{number}",
        "pubDate": "Tue, 05 Mar 2024 10:00:00 +0800",
        "guid": None,
    }
    parts |= changes
    return (
        "<item>" + "".join(f"<{name}>{text}</{name}>" for name, text in parts.items() if text is not None) + "</item>"
    )


def rss(*items: str, head: str = '<?xml version="1.0" encoding="UTF-8"?>') -> str:
    """An RSS document."""
    return f'{head}<rss version="2.0"><channel><title>通告</title>{"".join(items)}</channel></rss>'


def feeds() -> list[Case]:
    """Clauses C1 and C2 for feeds."""
    two = rss(item(1), item(2))
    atom = (
        '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>通告</title>'
        '<entry><title>甲</title><id>urn:1</id><link rel="self" href="https://example.cn/self"/>'
        '<link href="https://example.cn/1"/><updated>2024-03-05T20:00:00Z</updated></entry></feed>'
    )
    rdf = (
        '<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        'xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>t</title></channel>'
        "<item><title>甲</title><link>http://example.cn/1</link><dc:date>2024-03-05</dc:date></item></rdf:RDF>"
    )
    entity = '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    laughs = (
        '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
        '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>'
    )
    plain_doctype = (
        '<?xml version="1.0"?><!DOCTYPE rss PUBLIC "-//Netscape//DTD RSS 0.91//EN" "http://example.cn/rss.dtd">'
    )
    return [
        taken(
            "title_of_an_extension_first.xml",
            rss(item(1).replace("<title>", "<m:title xmlns:m='urn:m'>别的</m:title><title>")).encode(),
            1,
            kind="feed",
            rows=[{"title": "第1批抽查通告"}],
        ),
        taken(
            "control_character.xml",
            rss(item(1, title="通\x01告")).encode(),
            1,
            kind="feed",
            warns=["invisible_removed"],
            rows=[{"title": "通告"}],
        ),
        taken(
            "feed.xml",
            two.encode(),
            2,
            kind="feed",
            rows=[{"title": "第1批抽查通告", "link": "https://example.cn/1", "date": "2024-03-05"}, {}],
        ),
        taken("feed.rss", two.encode(), 2, kind="feed"),
        taken(
            "feed_gb.xml",
            rss(item(1), head='<?xml version="1.0" encoding="gb2312"?>').encode("gb18030"),
            1,
            kind="feed",
            rows=[{"title": "第1批抽查通告"}],
        ),
        taken(
            "feed_lies_about_charset.xml",
            rss(item(1), head='<?xml version="1.0" encoding="gb2312"?>').encode(),
            1,
            kind="feed",
            rows=[{"title": "第1批抽查通告"}],
        ),
        taken(
            "feed_utf16.xml",
            rss(item(1), head='<?xml version="1.0" encoding="UTF-16"?>').encode("utf-16"),
            1,
            kind="feed",
            rows=[{"title": "第1批抽查通告"}],
        ),
        taken(
            "feed_big5.xml",
            rss(item(1, title="電纜抽查"), head='<?xml version="1.0" encoding="big5"?>')
            .replace("通告", "")
            .encode("big5"),
            1,
            kind="feed",
            rows=[{"title": "電纜抽查"}],
        ),
        taken(
            "feed_cdata.xml",
            rss(item(1, title="<![CDATA[电缆 & 充电器]]>")).encode(),
            1,
            kind="feed",
            rows=[{"title": "电缆 & 充电器"}],
        ),
        taken(
            "atom.xml",
            atom.encode(),
            1,
            kind="feed",
            rows=[{"title": "甲", "link": "https://example.cn/1", "date": "2024-03-06"}],
        ),
        taken("rss1.rdf", rdf.encode(), 1, kind="feed", rows=[{"title": "甲", "date": "2024-03-05"}]),
        taken("empty_feed.xml", rss().encode(), 0, kind="feed"),
        taken(
            "feed_zones.xml",
            rss(
                item(1, pubDate="Tue, 05 Mar 2024 20:00:00 GMT"),
                item(2, pubDate="Tue, 05 Mar 2024 03:00:00 -0800"),
                item(3, pubDate="2024-03-05T23:59:59+08:00"),
                item(4, pubDate="5 Mar 2024 10:00:00 +0800"),
            ).encode(),
            4,
            kind="feed",
            rows=[{"date": "2024-03-06"}, {"date": "2024-03-05"}, {"date": "2024-03-05"}, {"date": "2024-03-05"}],
        ),
        taken(
            "feed_bad_links.xml",
            rss(
                item(1, link="javascript:alert(1)"),
                item(2, link="/a/b.html"),
                item(3, link="ftp://a.cn/x"),
                item(4, link="http://"),
                item(5, link="HTTPS://example.cn/5"),
                item(6, link="http://[::1"),
            ).encode(),
            1,
            kind="feed",
            bad={"bad_link": 5},
        ),
        taken(
            "feed_missing_parts.xml",
            rss(item(1, title=None), item(2, link=None), item(3, pubDate=None), item(4, title="  "), item(5)).encode(),
            1,
            kind="feed",
            bad={"missing_required": 4},
        ),
        taken(
            "feed_bad_dates.xml",
            rss(item(1, pubDate="yesterday"), item(2, pubDate="Tue, 30 Feb 2024 10:00:00 +0800"), item(3)).encode(),
            1,
            kind="feed",
            bad={"bad_date": 2},
        ),
        taken(
            "feed_same_guid.xml",
            rss(item(1, guid="a"), item(2, guid="a"), item(3, guid="b")).encode(),
            2,
            kind="feed",
            bad={"duplicate_key": 1},
        ),
        taken(
            "feed_same_link.xml",
            rss(item(1), item(1, title="改过的标题")).encode(),
            1,
            kind="feed",
            bad={"duplicate_key": 1},
        ),
        taken("feed_item_twice.xml", rss(item(1), item(1)).encode(), 1, kind="feed", bad={"duplicate_row": 1}),
        taken(
            "feed_as_table.csv", "title,link,pubDate\n通告,https://example.cn/1,2024-03-05\n".encode(), 1, kind="feed"
        ),
        taken(
            "feed_with_comment_and_pi.xml",
            two.replace("<channel>", "<!-- <!DOCTYPE x> --><?x y?><channel>").encode(),
            2,
            kind="feed",
        ),
        refused("feed_entity.xml", rss(item(1), head=entity).encode(), "xml_forbidden", kind="feed"),
        refused("feed_laughs.xml", rss(item(1, title="&c;"), head=laughs).encode(), "xml_forbidden", kind="feed"),
        refused("feed_doctype.xml", rss(item(1), head=plain_doctype).encode(), "xml_forbidden", kind="feed"),
        refused("feed_entity_utf16.xml", rss(item(1), head=entity).encode("utf-16"), "xml_forbidden", kind="feed"),
        refused(
            "feed_entity_utf16_no_mark.xml", rss(item(1), head=entity).encode("utf-16-be"), "xml_forbidden", kind="feed"
        ),
        refused("feed_entity_utf32.xml", rss(item(1), head=entity).encode("utf-32"), "xml_forbidden", kind="feed"),
        refused(
            "feed_entity_utf7.xml",
            (
                '<?xml version="1.0" encoding="UTF-7"?>'
                + entity[21:].replace("<", "+ADw-").replace(">", "+AD4-")
                + "+ADw-rss/+AD4-"
            ).encode(),
            "xml_forbidden",
            kind="feed",
        ),
        refused("svg.svg", entity.encode() + b"<svg/>", "xml_forbidden", kind="feed"),
        refused("cut_feed.xml", two.encode()[:-40], "corrupt", kind="feed"),
        refused("broken_feed.xml", two.replace("</title>", "", 1).encode(), "corrupt", kind="feed"),
        refused("undefined_entity.xml", rss(item(1, title="a&nbsp;b")).encode(), "corrupt", kind="feed"),
        refused("deep_feed.xml", rss("<a>" * 70 + "</a>" * 70).encode(), "nesting_too_deep", kind="feed"),
        refused("other_xml.xml", "<?xml version='1.0'?><书><页>1</页></书>".encode(), "type_mismatch", kind="feed"),
        refused("feed_for_sampling.xml", two.encode(), "type_mismatch"),
    ]


@cache
def pdf_table(rows: tuple[tuple[str, ...], ...], password: str = "") -> bytes:
    from reportlab.lib import colors
    from reportlab.lib.pagesizes import A4, landscape
    from reportlab.lib.pdfencrypt import StandardEncryption
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.platypus import SimpleDocTemplate, Table

    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    out = io.BytesIO()
    made = SimpleDocTemplate(
        out,
        pagesize=landscape(A4),
        invariant=True,
        encrypt=StandardEncryption(password, strength=40) if password else None,
    )
    table = Table([list(cells) for cells in rows], repeatRows=1)
    table.setStyle([("FONT", (0, 0), (-1, -1), "STSong-Light", 7), ("GRID", (0, 0), (-1, -1), 0.5, colors.black)])
    made.build([table])
    return out.getvalue()


def _scan() -> bytes:
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    pixel = io.BytesIO(b"P6 2 2 255\n" + bytes(12))
    out = io.BytesIO()
    canvas = Canvas(out, invariant=True)
    canvas.drawImage(ImageReader(pixel), 50, 50, 400, 600)
    canvas.save()
    return out.getvalue()


def documents() -> list[Case]:
    """PDF."""
    rows = tuple(tuple(str(cell) for cell in cells) for cells in (HEADER, *(row(i) for i in range(1, 61))))
    return [
        taken("table.pdf", pdf_table(rows[:3]), 2, rows=[{"maker": MAKER, "date": "2024-03-05"}, {}]),
        taken("three_pages.pdf", pdf_table(rows), 60, ignored=2),
        taken("pdf_named_csv.csv", pdf_table(rows[:3]), 2, warns=["extension_mismatch"]),
        refused("scanned.pdf", _scan(), "scanned_pdf"),
        refused("password.pdf", pdf_table(rows[:3], "secret"), "encrypted"),
        refused("cut.pdf", pdf_table(rows)[:1500], "corrupt"),
        refused("pdf_without_header.pdf", pdf_table(rows[1:3]), "no_header"),
    ]


def cases() -> list[Case]:
    """All of them."""
    return [*pages(), *json_files(), *feeds(), *documents()]
