"""Cutting columns out of plain text says exactly what the csv module says."""

import csv
import io
import random

import pytest

from ingest.importers import delimited
from ingest.importers.delimited import END, _blocks, _small, _Text
from ingest.importers.tables import Columns

_CELLS = ("", "合格", "BV 2.5", " 前", "后 ", "¶", "锟斤拷", "零\u200b宽", "全　角", "𠀀", "\x00", "a\tb", 'a"b')
_QUOTED = ('"一、""引"""', '"两\n行"', '"甲,乙;丙"', '"\r\n"', '""')


def _text(chance: random.Random, separator: str, end: str, *, odd: float) -> str:
    lines = []
    for number in range(300):
        cells = [f"GZ{number}", "电线电缆", "江城电器", "合格"]
        if chance.random() < odd:
            cells[chance.randrange(4)] = chance.choice(_CELLS + _QUOTED)
        if chance.random() < odd / 4:
            cells = chance.choice(([], [""], ["", "", "", ""], cells[:2], [*cells, "多"]))
        lines.append(separator.join(cells) + (chance.choice(("\n", "\r", "\r\n")) if end == "mixed" else end))
    return "".join(lines) + chance.choice(("", "GZ,没有行尾,,", '甲,"没有结束'))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "mixed"])
@pytest.mark.parametrize("odd", [0.0, 0.01, 0.3])
def test_blocks_are_the_rows_of_the_csv_module(
    separator: str, end: str, odd: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited, "_PIECE", 97)
    chance = random.Random(f"{separator}{end}{odd}")
    for _ in range(10):
        text = _text(chance, separator, end, odd=odd)
        blocks = list(_blocks(_small(text), separator))
        rows = [row for block in blocks for row in (block.rows() if isinstance(block, Columns) else block)]
        expected = [*csv.reader(io.StringIO(text, newline=""), delimiter=separator)]
        if rows[-1] == list(END):
            assert rows[:-1] == expected
        else:  # the open quote swallowed the end, too
            assert '"没有结束' in text
            assert rows[:-1] == expected[:-1]
            assert "".join(map(str, rows[-1])).startswith("".join(expected[-1]))
        if odd == 0.0 and end in ("\n", "\r\n"):
            assert sum(isinstance(block, Columns) for block in blocks) > len(blocks) / 2
        for block in blocks:
            if isinstance(block, Columns) and block.stripped:
                assert all(cell == cell.strip() for column in block.cells for cell in column)


def test_text_is_the_same_whether_it_was_kept_or_decoded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "MIB", 1001)  # odd, so that characters are cut
    said = "抽样编号,产品名称𠀀\r\n" * 2000
    for encoding in ("utf-8", "gb18030", "utf-16-le"):
        body = said.encode(encoding)
        for room in (0, 30_000, 10**9):
            monkeypatch.setattr(delimited, "_MOST_HELD", len(body) + room)
            text = _Text(body, encoding, "strict")
            assert text.is_valid()
            assert "".join(text.pieces()) == said
        assert not _Text(body + b"\xff", encoding, "strict").is_valid()
