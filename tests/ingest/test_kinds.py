"""Every kind of table: its declaration holds, its documented example goes in, its record is the one promised."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from ingest.importers import kind_names, load_kind, read_file
from ingest.importers.headers import alias_rows
from ingest.intake import REASONS, import_file
from ingest.pipelines import RECORD_TABLES
from ingest.rows import check_signal_spec
from store.tables import Enterprise, MonitoringPoint, Signal

DOCS = Path(__file__).parents[2] / "docs"
NOW = datetime(2026, 11, 1, 4, tzinfo=UTC)

EXPECTED: dict[str, list[dict[str, Any]]] = {
    "sampling": [
        {"outcome": "fail", "level": "province", "channel": "circulation", "cost_cny": 800.0,
         "failed_items": [{"item": "耐压", "measured": "1.2kV", "limit": "≥3kV"},
                          {"item": "标志", "measured": "缺", "limit": "齐全"}]},
        {"outcome": "pass", "failed_items": [], "level": "province"},
        {"outcome": "no_sample", "level": "city", "channel": "production"},
    ],
    "complaint": [
        {"kind": "complaint", "issue": "质量", "amount_cny": 89.0, "verified": True},
        {"kind": "report", "amount_cny": None, "verified": False},
    ],
    "recall": [{"number": "Z2026-001", "units": 8616, "brand": "启明", "ordered": False}],
    "licence": [{"kind": "ccc", "state": "valid", "expires_on": date(2029, 4, 30)}],
    "case": [{"fine_cny": 20000.0, "decided_on": date(2026, 6, 1), "number": "江市监罚〔2026〕1号"}],
    "inspection": [{"kind": "unannounced", "findings": 3, "serious_findings": 1, "passed": False}],
    "self_check": [{"kind": "monthly", "problems": 2, "rectified": 1, "officer_named": True}],
    "credit": [
        {"grade": "C", "blacklisted": False},
        {"grade": "D", "blacklisted": True, "valid_to": date(2029, 1, 15)},
    ],
    "injury": [{"severity": "moderate", "outcome": "home", "injured": 1, "deaths": 0, "cause": "烧烫伤"}],
    "monitoring": [{"severity": "moderate", "product_raw": "学生文具"}],
}  # fmt: skip


@pytest.mark.parametrize("name", kind_names())
def test_a_declaration_names_fields_it_has_and_headers_it_knows(name: str) -> None:
    kind = load_kind(name)
    check_signal_spec(kind)
    known = {field for field, _, _ in alias_rows()}
    assert [field.name for field in kind.fields if field.name not in known] == []
    if kind.signal and kind.signal.record:
        columns = set(RECORD_TABLES[kind.signal.record].columns.keys()) | {"plan_code", "point_name"}
        assert set(kind.signal.columns) <= columns


@pytest.mark.parametrize("name", kind_names())
def test_the_documented_example_goes_in_whole(sessions: sessionmaker[Session], tmp_path: Path, name: str) -> None:
    path = DOCS / "examples" / "import" / f"{name}.csv"
    file = import_file(sessions, path, kind=name, received_at=NOW, var=tmp_path, key=b"k")
    assert (file.status, file.quarantined, file.warnings) == ("accepted", 0, {})
    assert file.added == file.valid > 0
    with sessions() as session:
        spec = load_kind(name).signal
        if spec is None:
            assert session.scalar(select(func.count()).select_from(Enterprise)) == file.valid
            return
        signals = session.scalars(select(Signal).order_by(Signal.id)).all()
        assert {signal.channel for signal in signals} == {spec.channel}
        assert all(signal.known_at <= NOW and signal.text for signal in signals)
        if spec.record:
            table = RECORD_TABLES[spec.record]
            records = session.execute(select(table).order_by(table.c.signal_id)).mappings().all()
            wanted = EXPECTED[name]
            assert [{key: got[key] for key in want} for got, want in zip(records, wanted, strict=True)] == wanted
        if name == "monitoring":
            assert session.scalars(select(MonitoringPoint.name)).all() == ["江城第一小学监测点（虚构）"]


def test_injury_cards_with_names_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    text = (DOCS / "examples" / "import" / "injury.csv").read_text("utf-8")
    header, line = text.splitlines()
    path.write_text(f"{header},患者姓名\n{line},张某\n", "utf-8")
    assert read_file(path, "injury", today=NOW.date()).reason == "personal_data"


def test_everything_is_documented() -> None:
    text = (DOCS / "import.md").read_text("utf-8")
    assert [kind for kind in kind_names() if f"| `{kind}` |" not in text or f"{kind}.csv" not in text] == []
    assert [reason for reason in REASONS if f"`{reason}`" not in text] == []
