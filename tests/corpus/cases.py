"""What a corpus case is, and the small tables most of them are made of."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

HEADER = ("序号", "产品名称", "标称生产企业名称", "统一社会信用代码", "规格型号", "抽样日期", "抽查结果", "不合格项目")
COMPLAINT_HEADER = ("投诉编号", "投诉日期", "被投诉单位", "投诉内容", "产品名称", "联系电话", "涉及金额", "地市")
GOOD_CODE = "91330100000000020B"


@dataclass(frozen=True)
class Case:
    """One file and what must become of it. `rows` are checked for the keys they name; None: not checked."""

    name: str
    body: bytes
    kind: str = "sampling"
    reason: str | None = None
    valid: int = 0
    quarantined: int = 0
    ignored: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    warnings: frozenset[str] = frozenset()
    rows: Sequence[Mapping[str, Any]] | None = None
    errors: Sequence[tuple[str, int, str, str]] | None = None


def taken(
    name: str,
    body: bytes,
    valid: int,
    *,
    bad: Mapping[str, int] | None = None,
    ignored: int = 0,
    kind: str = "sampling",
    warns: Sequence[str] = (),
    rows: Sequence[Mapping[str, Any]] | None = None,
    errors: Sequence[tuple[str, int, str, str]] | None = None,
) -> Case:
    """A file that is accepted."""
    bad = bad or {}
    return Case(name, body, kind, None, valid, sum(bad.values()), ignored, bad, frozenset(warns), rows, errors)


def refused(name: str, body: bytes, reason: str, *, kind: str = "sampling") -> Case:
    """A file that is rejected as a whole."""
    return Case(name, body, kind, reason)


def row(number: object = 1, **changes: object) -> list[Any]:
    """A good sampling row with changes by short name; the rows of one file differ by their number."""
    cells: dict[str, object] = {
        "seq": number,
        "product": "电动自行车充电器",
        "maker": f"江城第{number}电器有限公司",
        "uscc": "",
        "spec": "48V",
        "date": "2024-03-05",
        "result": "合格",
        "item": "",
    }
    assert changes.keys() <= cells.keys(), changes
    return list((cells | changes).values())


def complaint(number: object = "T1", **changes: object) -> list[Any]:
    """A good complaint row."""
    cells: dict[str, object] = {
        "no": number,
        "date": "2024-03-05",
        "about": "江城百货商场",
        "text": f"充电器冒烟，要求退货（{number}）",
        "product": "充电器",
        "phone": "",
        "amount": "",
        "city": "",
    }
    assert changes.keys() <= cells.keys(), changes
    return list((cells | changes).values())


def text_table(
    rows: Sequence[Sequence[object]], header: Sequence[str] | None = HEADER, *, mark: str = ",", end: str = "\r\n"
) -> str:
    """The rows as separated text."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=mark, lineterminator=end)
    if header is not None:
        writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def csv_bytes(
    rows: Sequence[Sequence[object]], header: Sequence[str] | None = HEADER, encoding: str = "utf-8", **how: str
) -> bytes:
    """The rows as the bytes of a CSV file."""
    return text_table(rows, header, **how).encode(encoding)
