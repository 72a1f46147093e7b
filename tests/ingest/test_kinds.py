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
from ingest.points import duty_days
from ingest.rows import check_signal_spec
from store.reads import points
from store.reads.scope import PROVINCE, Scope
from store.tables import Enterprise, Mention, MonitoringPoint, Signal

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
            table = MonitoringPoint if name == "monitoring_point" else Enterprise
            assert session.scalar(select(func.count()).select_from(table)) == file.valid
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


def test_the_older_layout_of_12365_goes_in_and_one_submission_may_be_both(
    sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    path = DOCS / "examples" / "import" / "complaint_12365.csv"
    file = import_file(sessions, path, kind="complaint", received_at=NOW, var=tmp_path, key=b"k")
    assert (file.valid, file.quarantined, file.warnings) == (2, 0, {})
    with sessions() as session:
        table = RECORD_TABLES["complaint"]
        rows = session.execute(
            select(table.c.number, table.c.kind, table.c.claimant_hash).order_by(table.c.number)
        ).all()
        assert [(row.number, row.kind) for row in rows] == [
            ("12365-2017-0001", "complaint"),
            ("12365-2017-0002", "both"),
        ]
        assert len({row.claimant_hash for row in rows} - {None}) == 2


def test_points_are_seen_to_report_or_not(sessions: sessionmaker[Session], tmp_path: Path) -> None:
    folder = DOCS / "examples" / "import"
    for kind in ("monitoring", "monitoring_point"):
        import_file(sessions, folder / f"{kind}.csv", kind=kind, received_at=NOW, var=tmp_path)
    with sessions() as session:
        never, first = points.duties(session, PROVINCE, date(2026, 3, 20))
        assert (never.point.name, never.newest_on, never.is_late) == ("江城儿童医院监测点（虚构）", None, True)
        assert (first.newest_on, first.due_on, first.late_days) == (date(2026, 3, 10), date(2026, 4, 9), 0)
        late = points.duties(session, PROVINCE, date(2026, 4, 19))[1]
        assert (late.late_days, late.is_late, late.reports) == (10, True, 1)
        assert points.duties(session, Scope("3302"), date(2026, 4, 19)) == []
        assert len(points.duties(session, Scope("3301"), date(2026, 4, 19))) == 2


@pytest.mark.parametrize(
    ("said", "days"),
    [
        ("每月", 30),
        ("季度", 91),
        ("每半年", 182),
        ("每15天", 15),
        ("2个月", 60),
        ("每周一次", 7),
        ("", 30),
        ("双月", 61),
    ],
)
def test_a_duty_is_read_in_days(said: str, days: int) -> None:
    assert duty_days(said) == days


FOREIGN = {
    "recall_cpsc.json": {
        "number": "26-101", "authority": "US CPSC", "country": "US", "units": 3200, "spec_model": "IC-48；IC-36",
        "product_raw": "E-bike battery charger；Spare charger",
        "defect": "The charger can overheat, posing a fire hazard.",
    },
    "recall_safety_gate.xml": {
        "number": "SR/00188/26", "authority": "EU Safety Gate", "country": "EU", "brand": "Imaginary",
        "batch_no": "2025-11", "consequence": "Electric shock, Fire", "occurred_on": date(2026, 3, 6),
    },
    "recall_health_canada.json": {
        "number": "76543", "authority": "Health Canada", "country": "CA", "product_raw": "Magnetic balls",
        "defect": "Product safety - Choking hazard",
    },
}  # fmt: skip


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_recalls_go_in_as_published(sessions: sessionmaker[Session], tmp_path: Path, name: str) -> None:
    path = DOCS / "examples" / "import" / name
    file = import_file(sessions, path, kind="recall", received_at=NOW, var=tmp_path)
    assert (file.status, file.valid, file.ignored) == ("accepted", 1, 1)
    assert file.warnings == {"out_of_scope": 1}  # the other record is about another country's goods
    with sessions() as session:
        signal = session.scalars(select(Signal)).one()
        table = RECORD_TABLES["recall"]
        record = session.execute(select(table)).mappings().one()
        wanted = FOREIGN[name]
        assert {key: record[key] for key in wanted} == wanted
        assert (signal.channel, signal.trust, signal.external_id) == ("recall", "official", wanted["number"])
        assert "(fictional)" in signal.text
        assert "&amp;" not in signal.text
        assert signal.url is not None
        if name == "recall_cpsc.json":
            mentions = session.execute(select(Mention.role, Mention.text)).all()
            assert mentions == [
                ("producer", "Jiangcheng Imaginary Electric Co., Ltd."),
                ("seller", "Imaginary Imports LLC"),
            ]


def test_a_weekly_file_says_its_day_or_is_known_from_the_day_it_came(tmp_path: Path) -> None:
    text = (DOCS / "examples" / "import" / "recall_safety_gate.xml").read_text("utf-8")
    path = tmp_path / "weekly.xml"
    path.write_text(text.replace("<reportDate>2026-03-06</reportDate>", ""), "utf-8")
    assert [row.values["announced_on"] for row in read_file(path, "recall", today=NOW.date()).rows] == [NOW.date()]
    path.write_text(text.replace("<Safety-Gate>", "<!DOCTYPE x><Safety-Gate>"), "utf-8")
    assert read_file(path, "recall").reason == "xml_forbidden"
    path.write_text(text[:900], "utf-8")
    assert read_file(path, "recall").reason == "corrupt"
    path.write_text("<other><notification>x</notification></other>", "utf-8")
    assert read_file(path, "recall").reason == "type_mismatch"


def test_a_foreign_recall_as_a_flat_table_is_known_by_the_same_names(tmp_path: Path) -> None:
    path = tmp_path / "HCRSAMOpenData.csv"
    head = "NID,Title,URL,Organization,Product,Issue,Category,Recall class,Last updated,Archived"
    path.write_text(
        f"{head}\n7,Toy recalled,https://example.ca/7,Health Canada,Toy,Choking hazard,Toys,,2026-03-01,0\n", "utf-8"
    )
    report = read_file(path, "recall", today=NOW.date())
    assert (report.valid, report.warnings) == (1, {})
    assert report.rows[0].values["country"] == "CA"


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
