"""Rejected rows come back as a file that can be mended and sent again."""

from datetime import date
from pathlib import Path

from ingest.importers import read_file
from ingest.rejected import rejected_rows
from tests.corpus.cases import HEADER, csv_bytes, row

DAY = date(2026, 11, 1)


def test_mended_rows_go_in(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(csv_bytes([row(1), row(2, date="24-1-1"), row(3, maker="")], encoding="gb18030"))
    found = rejected_rows(path, "sampling", today=DAY)
    assert found.headers == [*HEADER, "原因"]
    assert [cells[-1] for cells in found.rows] == ["日期无法识别", "必填项为空"]

    back = tmp_path / "back.xlsx"
    back.write_bytes(found.as_workbook("未入库行"))
    again = read_file(back, "sampling", today=DAY)
    assert (again.valid, again.quarantined, dict(again.warnings)) == (0, 2, {})

    mended = [[*cells[:5], "2024-01-01", *cells[6:]] for cells in found.rows]
    mended[1][2] = "江城第3电器有限公司"
    path.write_bytes(csv_bytes(mended, found.headers))
    assert read_file(path, "sampling", today=DAY).valid == 2
