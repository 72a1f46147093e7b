"""What must hold for every file, whatever is in it."""

import random
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.importers import FileReport, load_kind, read_file
from ingest.importers.reading import FileReading
from ingest.importers.text import DAMAGED, INVISIBLE
from ingest.importers.values import EMPTY, parse_date
from tests.corpus.cases import Case, csv_bytes, row
from tests.corpus.sheet_cases import plain
from tests.corpus.web_cases import html_table, page

REASONS = frozenset(
    [
        "empty_file",
        "type_mismatch",
        "corrupt",
        "encrypted",
        "xml_forbidden",
        "unsafe_archive",
        "too_large_expanded",
        "limit_exceeded",
        "nesting_too_deep",
        "no_header",
        "missing_required_column",
        "bad_encoding",
    ]
)

cells = st.text(st.characters(codec="gb18030", exclude_categories=["Cs"]), max_size=30)


def read_here(data: bytes, name: str = "a.csv") -> tuple[FileReport, list[dict[str, object]]]:
    """Read in this process, so that a mistake shows its own traceback."""
    reading = FileReading(data, name, load_kind("sampling"), today=date(2026, 11, 1))
    rows: list[dict[str, object]] = []
    for batch in reading:
        rows += [dict(zip(batch.fields, values, strict=True)) for values in zip(*batch.columns, strict=True)]
    report = reading.report
    return report, rows if report.accepted else []


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=8))
def test_any_gb18030_text_comes_back_as_it_was(texts: list[tuple[str, str]]) -> None:
    table = [row(i, product=f"缆{product}缆", spec=spec) for i, (product, spec) in enumerate(texts)]
    report, rows = read_here(csv_bytes(table, encoding="gb18030"))
    assert report.read == report.valid + report.quarantined + report.ignored == len(texts)
    kept = [pair for pair in texts if not DAMAGED.search("".join(pair))]
    assert [found["product_name"] for found in rows] == [INVISIBLE.sub("", f"缆{product}缆") for product, _ in kept]
    specs = [INVISIBLE.sub("", spec).strip() for _, spec in kept]
    assert [found.get("spec_model") for found in rows] == [None if spec in EMPTY else spec for spec in specs]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(cells, max_size=10), max_size=12))
def test_whatever_stands_under_a_header_is_counted_once(rows: list[list[str]]) -> None:
    report, valid = read_here(csv_bytes(rows))
    if report.accepted:
        assert report.read == report.valid + report.quarantined + report.ignored
        assert report.valid == len(valid)
        assert sum(report.reasons.values()) == report.quarantined
    else:
        assert report.reason in REASONS


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40))
def test_a_date_is_read_or_refused_but_never_breaks(text: str) -> None:
    found = parse_date(text)
    assert found is None or isinstance(found, date)


@settings(max_examples=60, deadline=None)
@given(
    st.dates(date(1990, 1, 1), date(2026, 11, 1)),
    st.sampled_from(["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y年%m月%d日"]),
)
def test_a_written_date_is_the_day_meant(day: date, shape: str) -> None:
    assert parse_date(day.strftime(shape)) == day


def mutations(data: bytes, count: int, seed: int) -> Iterator[bytes]:
    """Yield damaged copies: flipped, cut, doubled, spliced."""
    draw = random.Random(seed)
    for _ in range(count):
        body = bytearray(data)
        kind = draw.randrange(4)
        at = draw.randrange(len(body))
        if kind == 0:
            for _ in range(draw.randint(1, 8)):
                body[draw.randrange(len(body))] = draw.randrange(256)
        elif kind == 1:
            del body[at:]
        elif kind == 2:
            body[at:at] = body[at : at + draw.randrange(200)]
        else:
            other = draw.randrange(len(body))
            body[at : at + 40], body[other : other + 40] = body[other : other + 40], body[at : at + 40]
        yield bytes(body)


GOOD = [
    Case("a.csv", csv_bytes([row(i) for i in range(6)], encoding="gb18030")),
    Case("a.xlsx", plain()),
    Case("a.html", page(html_table([row(1), row(2)])).encode()),
    Case("a.json", b'[{"\xe4\xba\xa7\xe5\x93\x81\xe5\x90\x8d\xe7\xa7\xb0": "x", "b": [1, {"c": null}]}]'),
]


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.name)
def test_a_damaged_file_is_judged_not_stumbled_over(case: Case) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / case.name
        for body in mutations(case.body, 150, seed=len(case.body)):
            path.write_bytes(body)
            report = read_file(path, "sampling")
            assert "无法读取（" not in report.message, (body, report)
            assert "意外中止" not in report.message, (body, report)
            if report.accepted:
                assert report.read == report.valid + report.quarantined + report.ignored
                assert len(report.rows) == report.valid
            else:
                assert report.reason in REASONS
                assert (report.valid, report.rows) == (0, ())
