"""Writing the province's records as the files its offices would send: workbooks with titles and totals, GB18030 CSV."""

import csv
import json
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import xlsxwriter

from demo.firms import SIZE_ZH, Firm, trades
from demo.geography import BY_CODE, PLACES, PROVINCE_NAME
from demo.history import TODAY
from demo.records import Complaint, Post, Sample

# A fixed stamp keeps the bytes, and so the file hashes, the same from build to build.
_STAMP = {"created": datetime(2026, 10, 31)}  # noqa: DTZ001


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


@dataclass(frozen=True, slots=True)
class Delivery:
    """One file an office sends: where it lies, what it holds, which source it belongs to, and when it arrived."""

    path: Path
    kind: str
    source_id: str
    received_on: date


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a sampling table: the value, and what each of six templates prints above it (- leaves it out)."""

    value: Callable[[Sample, dict[int, Firm]], str]
    headers: str

    def header(self, template: int) -> str:
        """The header in that template; empty when the office does not report the column."""
        found = self.headers.split("|")
        name = found[template] if len(found) > 1 else found[0]
        return "" if name == "-" else name


def _maker_address(sample: Sample, firms: dict[int, Firm]) -> str:
    return firms[sample.producer].address


def _unit_address(sample: Sample, firms: dict[int, Firm]) -> str:
    return firms[sample.producer if sample.seller is None else sample.seller].address


_COLUMNS = (
    Column(lambda s, f: s.number, "抽样编号|抽样单编号|抽样单号|样品编号|抽样编号|抽样单编号"),
    Column(lambda s, f: s.written_product, "产品名称|样品名称|商品名称|产品名称|受检产品名称|产品 名称"),
    Column(lambda s, f: s.producer_written, "标称生产企业名称|生产企业名称|标称生产者|生产单位|标称生产企业|生产厂家"),
    Column(_maker_address, "标称生产企业地址|-|标称生产者地址|-|-|生产企业地址"),
    Column(lambda s, f: s.producer_code, "统一社会信用代码|社会信用代码|信用代码|统一社会信用代码|-|信用代码"),
    Column(lambda s, f: s.seller_written, "被抽样单位|受检单位|被抽样单位名称|被抽查单位|经销单位|销售单位"),
    Column(_unit_address, "被抽样单位地址|-|抽样地点|受检单位地址|-|-"),
    Column(lambda s, f: s.spec, "规格型号|型号规格|规格/型号|规格型号|规格|规格型号"),
    Column(lambda s, f: s.batch, "生产日期/批号|生产日期（批号）|批号|-|生产日期/批号|生产日期或批号"),
    Column(lambda s, f: BY_CODE[s.county].name, "所在区县|辖区|所属县区|所在区县|属地|所在区县"),
    Column(lambda s, f: s.channel, "抽样环节|抽样领域|环节|抽样环节|生产/流通|抽样场所"),
    Column(lambda s, f: f"{s.level[0]}级{s.task}", "任务来源|抽查类型|任务类别|任务来源|任务名称|抽查类型"),
    Column(lambda s, f: _shown(s.on, s.number), "抽样日期|抽样时间|抽样日期|抽检日期|抽样日期|采样日期"),
    Column(lambda s, f: "已抽样" if s.tested else s.outcome, "抽样情况"),
    Column(lambda s, f: s.outcome if s.tested else "", "检验结论|抽查结果|结论|判定结果|综合判定|检验结论"),
    Column(lambda s, f: _values(s, 0), "不合格项目|不合格项目名称|不合格项|主要不合格项目|不符合项目|不合格项目"),
    Column(lambda s, f: _values(s, 1), "检验结果|-|实测值|-|-|检测值"),
    Column(lambda s, f: _values(s, 2), "标准值|-|标准要求|-|-|标准值"),
    Column(lambda s, f: s.laboratory, "承检机构|检验机构|检验单位|承检机构名称|检测机构|承检单位"),
    Column(lambda s, f: s.handling, "处理情况|整改情况|后处理情况|整改复查结果|处理结果|-"),
    Column(lambda s, f: str(s.cost), "检验费用|-|-|检验费用|-|检验费用"),
    Column(lambda s, f: s.published.isoformat(), "公布日期"),
)
PLAN_COLUMN = Column(lambda s, f: s.plan_code, "计划行编号")


def _shown(day: date, key: str) -> str:
    """A date in one of the shapes clerks type; the same record is always typed the same way."""
    shape = int(key[-3:]) % 10 if key[-3:].isdigit() else 0
    if shape == 1:
        return f"{day.year}年{day.month}月{day.day}日"
    if shape == 2:
        return f"{day.year}.{day.month}.{day.day}"
    if shape == 3:
        return f"{day.year}/{day.month}/{day.day}"
    return day.isoformat()


def _values(sample: Sample, place: int) -> str:
    return "、".join(item[place] for item in sample.items)


def sampling_workbook(
    path: Path, title: str, sheets: dict[str, list[Sample]], firms: dict[int, Firm], template: int, rng: random.Random,
    *, plan: bool = False, spoil: bool = True,
) -> None:  # fmt: skip
    """Write sampling results in one office's template: merged title, sometimes two header rows, totals and a note."""
    columns = [column for column in _COLUMNS + ((PLAN_COLUMN,) if plan else ()) if column.header(template)]
    book = xlsxwriter.Workbook(str(path), {"in_memory": True, "strings_to_numbers": False})
    book.set_properties(_STAMP)
    bold = book.add_format({"bold": True, "align": "center"})
    for name, samples in sheets.items():
        sheet = book.add_worksheet(name)
        sheet.merge_range(0, 0, 0, len(columns), f"{title}（{name}）（虚构数据）", bold)
        row = 1
        if template in (2, 5):
            sheet.write_row(row, 0, [f"填报单位：{title[:3]}市场监督管理局", "", "", f"填报日期：{TODAY.isoformat()}"])
            row += 1
        headers = [column.header(template) for column in columns]
        if template in (0, 2):
            row = _two_levels(sheet, row, headers, bold)
        else:
            sheet.write_row(row, 0, ["序号", *headers], bold)
            row += 1
        failed = 0
        for number, sample in enumerate(samples, start=1):
            cells = [column.value(sample, firms) for column in columns]
            if spoil:
                _spoil(cells, headers, rng)
            sheet.write_row(row, 0, [number, *cells])
            failed += sample.outcome == "不合格"
            row += 1
            if template == 3 and number % 60 == 0:
                sheet.write_row(row, 0, ["序号", *headers])  # printed again at the head of each page
                row += 1
        sheet.write_row(row, 0, ["合计", f"{len(samples)}批次", f"不合格{failed}批次"])
        sheet.write(row + 1, 0, "备注：本表为演示用虚构数据。")
    book.close()


def _two_levels(sheet: xlsxwriter.worksheet.Worksheet, row: int, headers: list[str], bold: object) -> int:
    """Write a group row over the names and addresses, then the header proper; return the next free row."""
    groups = {"标称生产": "标称生产者情况", "被抽样": "被抽样单位情况", "检验": "检验情况"}
    sheet.write(row, 0, "", bold)
    start = 1
    while start <= len(headers):
        group = next((zh for word, zh in groups.items() if headers[start - 1].startswith(word)), "")
        end = start
        while (
            group
            and end < len(headers)
            and any(headers[end].startswith(word) for word, zh in groups.items() if zh == group)
        ):
            end += 1
        if group and end > start:
            sheet.merge_range(row, start, row, end, group, bold)
        else:
            sheet.write(row, start, group, bold)
        start = end + 1
    sheet.write_row(row + 1, 0, ["序号", *headers], bold)
    return row + 2


def _spoil(cells: list[str], headers: list[str], rng: random.Random) -> None:
    """The slips real tables hold: an impossible day, a missing product, a pass with a failed item, a wrong code."""
    if rng.random() > 0.004:
        return
    match rng.choice(("day", "product", "both", "code")):
        case "day":
            place = next(
                i for i, header in enumerate(headers) if header in ("抽样日期", "抽样时间", "抽检日期", "采样日期")
            )
            cells[place] = "2025-02-30"
        case "product":
            cells[1] = "/"
        case "both":
            place = next(i for i, header in enumerate(headers) if header.startswith(("不合格", "不符合", "主要不合格")))
            cells[place] = cells[place] or "标志"
        case "code":
            for place, header in enumerate(headers):
                if "信用代码" in header and cells[place]:
                    cells[place] = cells[place][:-1] + ("0" if cells[place][-1] != "0" else "1")


def table_csv(
    path: Path, headers: Sequence[str], rows: Iterable[Sequence[str]], encoding: str, mark: str = ","
) -> None:
    """Write a CSV in the encoding offices still use."""
    with path.open("w", encoding=encoding, newline="") as out:
        writer = csv.writer(out, delimiter=mark, lineterminator="\r\n")
        writer.writerow(headers)
        writer.writerows(rows)


def table_workbook(path: Path, title: str, headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a plain register as a workbook with a title and a note under it."""
    book = xlsxwriter.Workbook(str(path), {"in_memory": True})
    book.set_properties(_STAMP)
    sheet = book.add_worksheet("台账")
    sheet.merge_range(0, 0, 0, len(headers) - 1, f"{PROVINCE_NAME}{title}（虚构数据）")
    sheet.write_row(1, 0, headers)
    last = 1
    for last, row in enumerate(rows, start=2):
        sheet.write_row(last, 0, row)
    sheet.write(last + 1, 0, "注：演示用虚构数据，与任何真实单位无关。")
    book.close()


REGISTER_HEADERS = _words("""
    统一社会信用代码 企业名称 曾用名 简称 品牌 店铺名称 所在区县
    行政区划代码 地址 主体类型 主要产品 企业规模 登记状态 成立日期
""")


def register_rows(firms: list[Firm]) -> list[list[str]]:
    """The enterprise register: about 85 firms in a hundred; the rest are met only in records."""
    rows = []
    for firm in firms:
        if not firm.registered:
            continue
        licensed = any(paper.kind == "生产许可证" for paper in firm.licences)
        kind = (
            ("获证生产企业" if licensed else "生产企业")
            if firm.is_producer
            else "网店"
            if firm.kind == "online"
            else "销售者"
        )
        rows.append(
            [
                firm.uscc, firm.name, firm.former, firm.short, "、".join(firm.brands), firm.shop_name,
                BY_CODE[firm.county].name, firm.county, firm.address, kind,
                "、".join(trades()[product].written_as[0] for product in firm.products),
                SIZE_ZH[firm.size], firm.status, firm.established.isoformat(),
            ]
        )  # fmt: skip
    return rows


LICENCE_HEADERS = (
    "企业名称",
    "统一社会信用代码",
    "证书类型",
    "证书编号",
    "产品名称",
    "发证日期",
    "有效期至",
    "状态",
    "登记日期",
)


def licence_rows(firms: list[Firm]) -> list[list[str]]:
    """The register of production licences and CCC certificates."""
    return [
        [firm.name, firm.uscc, paper.kind, paper.number, trades()[paper.product_id].written_as[0],
         paper.issued.isoformat(), paper.expires.isoformat(), paper.state,
         min(TODAY, paper.issued + timedelta(days=5)).isoformat()]
        for firm in firms for paper in firm.licences
    ]  # fmt: skip


COMPLAINT_HEADERS = _words("""
    投诉编号 投诉日期 诉求类型 被投诉单位 产品名称 问题类别 投诉内容
    投诉人 联系电话 证件号码 涉及金额 所在区县 是否查实
""")


def complaint_rows(complaints: Iterable[Complaint]) -> list[list[str]]:
    """The 12315 export, claimants and all; hiding them is the importer's duty."""
    return [
        [c.number, c.on.isoformat(), c.kind, c.respondent_written, c.product, c.issue, c.text, c.claimant, c.phone,
         c.identity, c.amount, BY_CODE[c.county].name, "是" if c.verified else "否"]
        for c in complaints
    ]  # fmt: skip


OPINION_HEADERS = ("编号", "标题", "链接", "发布时间", "来源媒体", "平台类型", "正文", "所在地区")


def opinion_rows(posts: Iterable[Post]) -> list[list[str]]:
    """The export of the opinion monitoring service."""
    return [
        [p.number, p.title, p.url, f"{p.on.isoformat()} {p.time}", p.outlet, p.medium, p.text,
         BY_CODE[p.county].name if p.county else ""]
        for p in posts
    ]  # fmt: skip


def opinion_json(path: Path, posts: Iterable[Post]) -> None:
    """The same export as the JSON another service sends."""
    rows = [dict(zip(OPINION_HEADERS, row, strict=True)) for row in opinion_rows(posts)]
    path.write_text(json.dumps({"data": rows}, ensure_ascii=False, indent=0), "utf-8")


def region_csv(path: Path) -> None:
    """The divisions of the province, as the store's region table wants them."""
    table_csv(
        path,
        ("code", "name", "short_name", "level", "parent_code"),
        [(p.code, p.name, p.short_name, p.level, p.parent_code or "") for p in PLACES],
        "utf-8",
    )


def city_of(sample: Sample) -> str:
    """The city whose office reports the sample."""
    return sample.county[:4] + "00"
