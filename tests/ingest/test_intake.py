"""Files into the store: what is kept, what is told, and that doing it twice changes nothing."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from ingest.intake import Cancelled, Lookups, import_again, import_file, remember_header
from store.tables import (
    Complaint,
    Enterprise,
    EnterpriseName,
    EnterpriseRole,
    ImportFile,
    Mention,
    Plan,
    PlanLine,
    RowIssue,
    SamplingResult,
    Signal,
    Tag,
)

NOW = datetime(2026, 11, 1, 4, 0, tzinfo=UTC)

SAMPLING = """某市监督抽查结果
抽样编号,产品名称,标称生产企业名称,被抽样单位,抽样日期,抽查结果,不合格项目,检验结果,公布日期
S1,充电器,甲公司,乙商场,2026-03-05,合格,/,/,2026-04-01
S2,充电器,甲公司,乙商场,2026-03-05,不合格,耐压,1.2kV,
S2,充电器,甲公司,乙商场,2026-03-05,不合格,标志,缺,
S3,充电器,,乙商场,2026-03-05,合格,,,
合计,4批次,,,,,,,
"""

COMPLAINTS = """投诉编号,投诉日期,被投诉单位,投诉内容,投诉人,联系电话,涉及金额
T1,2026-03-05,乙商场,充电器冒烟，请打13812345678,张三,13812345678,￥120元
T2,2026-03-06,乙商场,又冒烟,张三,138-1234-5678,
T3,2026-03-06,,电话13812345678,李四,13900000000,
"""


def write(folder: Path, name: str, text: str, encoding: str = "gb18030") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def bring_in(sessions: sessionmaker[Session], path: Path, kind: str, **changes: object) -> ImportFile:
    settings: dict[str, object] = {"received_at": NOW, "var": path.parent / "var", "key": b"key"}
    return import_file(sessions, path, kind=kind, **(settings | changes))  # type: ignore[arg-type]


def test_rows_become_signals_with_record_and_mentions(sessions: sessionmaker[Session], tmp_path: Path) -> None:
    file = bring_in(sessions, write(tmp_path, "a.csv", SAMPLING), "sampling")
    assert (file.status, file.read, file.valid, file.quarantined, file.ignored) == ("accepted", 6, 3, 1, 2)
    assert file.added == 2  # two rows tell of one batch
    with sessions() as session:
        first, second = session.scalars(select(Signal).order_by(Signal.external_id))
        assert first.text == "产品充电器，标称生产企业甲公司，被抽样单位乙商场，抽查结果：合格"
        assert first.known_at == datetime(2026, 3, 31, 16, tzinfo=UTC)  # its own date of publication
        assert second.known_at == datetime(2026, 4, 18, 16, tzinfo=UTC)  # sampled, and the usual delay
        result = session.get_one(SamplingResult, second.id)
        assert result.outcome == "fail"
        assert result.failed_items == [
            {"item": "耐压", "measured": "1.2kV", "limit": None},
            {"item": "标志", "measured": "缺", "limit": None},
        ]
        mentions = session.execute(select(Mention.role, Mention.text).where(Mention.signal_id == first.id)).all()
        assert sorted(mentions) == [("producer", "甲公司"), ("sampled", "乙商场")]


def test_the_claimant_is_kept_as_a_keyed_hash_alone(sessions: sessionmaker[Session], tmp_path: Path) -> None:
    file = bring_in(sessions, write(tmp_path, "c.csv", COMPLAINTS), "complaint")
    assert (file.valid, file.quarantined) == (2, 1)
    with sessions() as session:
        first, second = session.scalars(select(Complaint).order_by(Complaint.number))
        assert first.claimant_hash == second.claimant_hash  # one person, the number written in two ways
        assert "138" not in str(first.claimant_hash)
        assert first.claimant_hash is not None
        assert first.amount_cny == 120
        assert session.get_one(Signal, first.signal_id).text == "充电器冒烟，请打13812345678"  # as received
        payloads = "".join(str(payload) for payload in session.scalars(select(Signal.payload)))
        assert "张三" not in payloads
        issue = session.scalars(select(RowIssue)).one()
        assert (issue.row, issue.column, issue.reason) == (4, "被投诉单位", "missing_required")
        assert "13900000000" not in str(issue.cells)
        assert "13812345678" not in str(issue.cells)
        assert "李四" not in str(issue.cells)


def contents(sessions: sessionmaker[Session]) -> list[object]:
    with sessions() as session:
        rows = session.execute(
            select(Signal.source_id, Signal.external_id, Signal.content_hash, Signal.text).order_by(
                Signal.source_id, Signal.external_id
            )
        )
        return [tuple(row) for row in rows]


def test_twice_and_in_another_order_leaves_the_same_store(sessions: sessionmaker[Session], tmp_path: Path) -> None:
    one = write(tmp_path, "a.csv", SAMPLING)
    lines = SAMPLING.splitlines()
    other = write(tmp_path, "b.csv", "\n".join([lines[1], lines[3], lines[4], lines[2]]), "utf-8")
    first = bring_in(sessions, one, "sampling")
    before = contents(sessions)
    again = bring_in(sessions, one, "sampling")
    assert again.id == first.id
    reordered = bring_in(sessions, other, "sampling")
    assert (reordered.valid, reordered.added) == (3, 0)
    assert contents(sessions) == before


def test_a_known_number_with_other_content_is_quarantined(sessions: sessionmaker[Session], tmp_path: Path) -> None:
    bring_in(sessions, write(tmp_path, "a.csv", COMPLAINTS), "complaint")
    changed = write(tmp_path, "b.csv", COMPLAINTS.replace("又冒烟", "又不冒烟"))
    file = bring_in(sessions, changed, "complaint")
    assert (file.valid, file.quarantined, file.added) == (1, 2, 0)
    assert file.read == file.valid + file.quarantined + file.ignored
    with sessions() as session:
        reasons = session.scalars(select(RowIssue.reason).where(RowIssue.file_id == file.id)).all()
        assert sorted(reasons) == ["duplicate_key", "missing_required"]


def test_a_rejected_file_leaves_its_record_only(sessions: sessionmaker[Session], tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", SAMPLING.replace("S3,", '"S3,'))
    file = bring_in(sessions, path, "sampling")
    assert (file.status, file.reason, file.valid) == ("rejected", "corrupt", 0)
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Signal)) == 0


def test_a_cancelled_import_leaves_nothing(sessions: sessionmaker[Session], tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        bring_in(sessions, write(tmp_path, "a.csv", SAMPLING), "sampling", cancelled=lambda: True)
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Signal)) == 0
        assert session.scalar(select(func.count()).select_from(ImportFile)) == 0
    assert bring_in(sessions, tmp_path / "a.csv", "sampling").added == 2


def test_a_result_answers_its_plan_line(sessions: sessionmaker[Session], tmp_path: Path) -> None:
    with sessions.begin() as session:
        firm = Enterprise(name="甲公司", name_key="甲", known_at=NOW)
        plan = Plan(
            key="k", title="计划", as_of=NOW.date(), budget_cny=1, seed=1, rules={}, pool={}, status="issued",
            policy_hash="x", created_at=NOW,
        )  # fmt: skip
        session.add_all([firm, plan])
        session.flush()
        for number in (1, 2):
            session.add(
                PlanLine(
                    plan_id=plan.id, number=number, code=f"P-{number}", enterprise_id=firm.id, product_id="charger",
                    channel="production", purpose="find", rule="risk", why="", grade_level="B",
                    inclusion_probability=0.5, expected_fail=0.1, base_rate=0.1, cost_cny=100,
                )
            )  # fmt: skip
    text = (
        "计划编号,产品名称,标称生产企业名称,抽样日期,抽查结果,不合格项目,抽样情况\n"
        "P-1,充电器,甲公司,2026-03-05,不合格,耐压,已抽样\n"
        "P-2,充电器,甲公司,2026-03-05,,,未抽到样\n"
    )
    file = bring_in(sessions, write(tmp_path, "a.csv", text), "sampling")
    assert (file.valid, file.quarantined) == (2, 0)
    with sessions() as session:
        lines = session.execute(select(PlanLine.status, PlanLine.outcome).order_by(PlanLine.number)).all()
        assert lines == [("sampled", "fail"), ("no_sample", None)]
        outcomes = session.execute(select(SamplingResult.outcome, SamplingResult.plan_line_id)).all()
        assert sorted(outcomes) == [("fail", 1), ("no_sample", 2)]


REGISTER = """统一社会信用代码,企业名称,曾用名,品牌,行政区划代码,类型,产品,规模,状态,成立日期
91110000802100433B,江城甲电缆有限公司,江城电缆厂、江城老厂,甲牌,330106,获证生产企业,电线电缆,小型,存续,2010-01-01
,江城乙商行,,,330106,销售,,微型,注销,
"""


def test_a_register_fills_enterprises(sessions: sessionmaker[Session], tmp_path: Path) -> None:
    lookups = Lookups(product_of={"电线电缆": "cable"}.get)
    file = bring_in(sessions, write(tmp_path, "r.csv", REGISTER), "register", lookups=lookups)
    assert (file.valid, file.added) == (2, 2)
    renamed = REGISTER.replace("江城甲电缆有限公司", "江城新电缆有限公司")
    again = bring_in(sessions, write(tmp_path, "r2.csv", renamed), "register", lookups=lookups)
    assert again.added == 0
    with sessions() as session:
        first, second = session.scalars(select(Enterprise).order_by(Enterprise.id))
        assert (first.name, first.size, first.status) == ("江城新电缆有限公司", "small", "active")
        assert (second.uscc, second.status) == (None, "revoked")
        names = session.execute(select(EnterpriseName.kind, EnterpriseName.name).order_by(EnterpriseName.name)).all()
        assert sorted(names) == [
            ("brand", "甲牌"),
            ("former", "江城甲电缆有限公司"),
            ("former", "江城电缆厂"),
            ("former", "江城老厂"),
        ]
        roles = session.execute(select(EnterpriseRole.role, EnterpriseRole.product_id)).all()
        assert sorted(roles) == [
            ("licensed_producer", ""),
            ("licensed_producer", "cable"),
            ("producer", ""),
            ("producer", "cable"),
            ("seller", ""),
        ]


def test_a_header_explained_later_is_read_in_the_same_signals(sessions: sessionmaker[Session], tmp_path: Path) -> None:
    header = "产品名称,标称生产企业名称,抽样日期,抽查结果,在哪儿买的,谁经手"
    text = f"{header}\n充电器,甲公司,2026-03-05,合格,乙商场,张三\n插座,甲公司,2026-03-05,合格,丙商场,李四\n"
    path = write(tmp_path, "a.csv", text)
    file = bring_in(sessions, path, "sampling")
    assert file.warnings["unknown_headers"] == ["在哪儿买的", "谁经手"]
    assert file.warnings["samples"] == {"在哪儿买的": ["乙商场", "丙商场"], "谁经手": ["张*", "李*"]}
    with sessions.begin() as session:
        before = session.execute(select(Signal.id, Signal.known_at).order_by(Signal.id)).all()
        session.add(Tag(signal_id=before[0].id, kind="relevance", code="relevant", status="asserted",
                        probability=1.0, version="1"))  # fmt: skip
        remember_header(session, file.source_id, "在哪儿买的", "sampled_entity_name", account_id=None, at=NOW)
    for _ in range(2):  # and once more changes nothing
        again = import_again(sessions, file, var=tmp_path / "var")
        assert (again.id, again.valid, again.added, again.warnings["unknown_headers"]) == (file.id, 2, 2, ["谁经手"])
        with sessions() as session:
            signals = session.scalars(select(Signal).order_by(Signal.id)).all()
            assert [(signal.id, signal.known_at) for signal in signals] == [tuple(row) for row in before]
            assert [signal.text.split("，")[2] for signal in signals] == ["被抽样单位乙商场", "被抽样单位丙商场"]
            assert len(set(signals[0].external_id + signals[1].external_id)) > 2
            assert session.scalars(select(Mention.text).where(Mention.role == "sampled")).all() == ["乙商场", "丙商场"]
            assert session.scalar(select(func.count()).select_from(SamplingResult)) == 2
            assert session.scalar(select(func.count()).select_from(Tag)) == 0
    fresh = bring_in(sessions, write(tmp_path, "b.csv", text + "\n"), "sampling")
    assert (fresh.valid, fresh.added) == (2, 0)  # the same rows in another file are the same signals


def test_a_file_refused_for_a_header_goes_in_once_it_is_explained(
    sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    text = "产品名称,标称生产企业名称,抽样日期,判得怎样\n充电器,甲公司,2026-03-05,合格\n充电器,甲公司,2026-13-05,合格\n"
    file = bring_in(sessions, write(tmp_path, "a.csv", text), "sampling")
    assert (file.reason, file.warnings["unknown_headers"]) == ("missing_required_column", ["判得怎样"])
    with sessions.begin() as session:
        remember_header(session, file.source_id, "判得怎样", "conclusion", account_id=None, at=NOW)
    again = import_again(sessions, file, var=tmp_path / "var")
    assert (again.id, again.status, again.valid, again.quarantined) == (file.id, "accepted", 1, 1)
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Signal)) == 1
        assert session.scalar(select(func.count()).select_from(ImportFile)) == 1
        assert session.scalars(select(RowIssue.reason)).all() == ["bad_date"]
