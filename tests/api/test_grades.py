"""What people see and do around grades: reasons that add up, overrides by two people, statements, trials, queues."""

from collections.abc import Callable
from datetime import date, timedelta
from io import BytesIO

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from sqlalchemy import select

from api.grading import rounded_to_sum
from jobs.settings import Settings
from jobs.worker import work_once
from scoring.policy import load_policy
from store.tables import (
    Account,
    AuditEntry,
    Enterprise,
    Grade,
    Override,
    PlanLine,
    PolicyTrial,
    PolicyVersion,
    Statement,
)
from tests import factories
from tests.api.conftest import Browser, Province
from tests.factories import NOW, TODAY

Enter = Callable[[str], Browser]
PARTS = [("q1_sampling_fail", "抽查不合格", 20.04), ("q5_complaint", "投诉举报", 6.03), ("q11_scale", "规模", 2.02)]


@pytest.fixture
def graded(app: FastAPI, province: Province) -> int:
    """The firm of the small province with a grade under the real policy whose parts round down; returns its id."""
    policy = load_policy()
    with app.state.sessions.begin() as session:
        version = {"hash": policy.hash, "name": "grade", "body": policy.body, "first_used_at": NOW}
        session.add(PolicyVersion(**version))
        grade = session.scalars(select(Grade).where(Grade.enterprise_id == province.enterprise)).one()
        grade.policy_hash, grade.score, grade.level, grade.tier, grade.measure = policy.hash, 28.09, "B", 3, "常规+"
        grade.interval, grade.missing, grade.valid_to = [20.0, 41.0], ["信用风险分类：没有记录"], date(2027, 10, 31)
        grade.challenger = 0.123
        grade.contributions = [
            {
                "indicator": name, "zh": zh, "points": points, "weight": 25.0, "value": 0.5, "cap": None,
                "sentence": f"{zh}的说明。", "evidence": [province.signal] if points > 6 else [],
            }
            for name, zh, points in PARTS
        ]  # fmt: skip
        session.delete(session.get_one(Override, province.override))
    return province.enterprise


def ask(browser: Browser, firm: int, app: FastAPI, **changes: str):  # type: ignore[no-untyped-def]
    with app.state.sessions() as session:
        grade_id = session.scalar(select(Grade.id).where(Grade.enterprise_id == firm, Grade.product_id == ""))
    last = (TODAY + timedelta(days=60)).isoformat()
    fields = {"grade_id": grade_id, "value": "D", "reason": "停产整顿期间仍在生产", "expires_on": last}
    return browser.submit(f"/enterprises/{firm}/overrides", **(fields | changes))


def newest_override(app: FastAPI) -> Override:
    with app.state.sessions() as session:
        return session.scalars(select(Override).order_by(Override.id.desc())).first()


@given(st.lists(st.floats(-20, 25), max_size=13))
def test_points_shown_add_up_to_the_score_shown(points: list[float]) -> None:
    shown = rounded_to_sum(points, sum(points))
    assert round(sum(shown), 1) == pytest.approx(round(sum(points), 1), abs=1e-9)
    assert all(abs(one - point) < 0.2 for one, point in zip(shown, points, strict=True))


def test_the_page_answers_every_question(browser: Enter, graded: int, province: Province) -> None:
    page = browser("reader").get(f"/enterprises/{graded}").text
    for heading in ("为什么", "与上次相比", "什么会改变它", "有多大把握", "缺什么", "监管措施与对应等级"):
        assert f"<h3>{heading}</h3>" in page
    assert f'href="/signals/{province.signal}"' in page
    assert [part in page for part in ("+20.1", "+6.0", "+2.0", "28.1")] == [True] * 4  # as rounded, they sum
    assert "再加 6.9 分" in page
    assert "减少 13.1 分以上" in page
    assert "得分区间 20.0–41.0（80%）：按得分可能在" in page
    assert "每年检查 1 次，抽查比例 35%" in page
    assert "A（责任监管）" in page
    assert "B（信用风险一般）" in page
    assert "12.3%" in page
    assert "没有可比的上次" in page


def test_the_challengers_set_is_shown_where_its_run_kept_one(app: FastAPI, browser: Enter, graded: int) -> None:
    page = f"/enterprises/{graded}"
    assert "把握）" not in browser("reader").get(page).text
    with app.state.sessions.begin() as session:
        kept = {"plausible": {"fail_from": 0.1, "pass_to": 0.3, "confidence": 0.9}}
        figures = {"promoted": True, "hit@10%": 0.31, "rival_hit@10%": 0.2}
        factories.make_run(session, job="challenger", as_of=TODAY - timedelta(days=31), counts=figures)
        factories.make_run(session, job="challenger", as_of=TODAY, counts=kept | figures)
    shown = browser("reader").get(page).text
    assert "合格、不合格都可能（90% 把握）" in shown
    stands = f"自 {(TODAY - timedelta(days=31)).isoformat()}"
    assert f"学习模型可用于抽查计划排序（{stands}）：近一年回测，排在前 10% 的批次里不合格占 31.0%" in shown
    assert f"{stands}：近一年回测" in browser("reader").get("/backtest").text
    answer = browser("reader").get(f"/api/v1{page}").json()
    assert answer["grades"][0]["plausible"] == "合格、不合格都可能（90% 把握）"
    assert answer["challenger_standing"]["promoted"] is True
    with app.state.sessions.begin() as session:
        lost = {"promoted": False, "note": "检验批次太少，不训练"}
        factories.make_run(session, job="challenger", as_of=TODAY, counts=lost)
    assert "学习模型不用于抽查计划排序" in browser("reader").get(page).text
    assert browser("reader").get(f"/api/v1{page}").json()["grades"][0]["plausible"] is None


def test_what_changed_names_the_records(app: FastAPI, browser: Enter, graded: int, province: Province) -> None:
    with app.state.sessions.begin() as session:
        now = session.scalars(select(Grade).where(Grade.enterprise_id == graded)).one()
        firm = session.get_one(factories.Enterprise, graded)
        for days, score in ((90, 8.05), (30, 28.09)):
            factories.make_grade(
                session, firm, as_of=TODAY - timedelta(days=days), level="A" if score < 15 else "B", score=score,
                policy_hash=now.policy_hash, contributions=now.contributions[1 if score < 15 else 0 :],
            )  # fmt: skip
    page = browser("reader").get(f"/enterprises/{graded}").text
    assert "与 2026-08-02 相比" in page  # the grading of a month ago said the same
    assert "抽查不合格 0.0 → 20.0 分，新增 1 条记录" in page
    assert "与 2026-10-01 相比" in browser("reader").get(f"/enterprises/{graded}?since=2026-10-05").text
    earlier = browser("reader").get(f"/enterprises/{graded}?as_of=2026-09-01").text
    assert "这是截至 2026-09-01 的分级" in earlier
    assert browser("reader").get(f"/api/v1/enterprises/{graded}?as_of=2026-09-01").json()["grades"][0]["level"] == "A"


def test_an_override_takes_two_people_and_is_seen_beside_the_scorecards_grade(
    app: FastAPI, browser: Enter, graded: int
) -> None:
    maker, approver = browser("analyst"), browser("admin")
    assert ask(maker, graded, app).status_code == 303
    asked = newest_override(app)
    assert maker.submit(f"/overrides/{asked.id}/decide", decision="approve").status_code == 409
    assert browser("near").submit(f"/overrides/{asked.id}/decide", decision="approve").status_code == 403
    assert browser("reader").get("/api/v1/enterprises").json()["rows"][0]["level"] == "B"
    assert approver.submit(f"/overrides/{asked.id}/decide", decision="approve", remark="属实").status_code == 303
    page = maker.get(f"/enterprises/{graded}").text
    assert "系统分级为" in page
    assert "停产整顿期间仍在生产" in page
    assert "风险升高" not in page  # nothing happened at the firm: a person judged it otherwise
    body = maker.get(f"/api/v1/enterprises/{graded}").json()["grades"][0]
    assert (body["level"], body["machine_level"], body["measure"], body["override_id"]) == ("D", "B", "严管", asked.id)
    assert maker.get("/api/v1/enterprises?level=D").json()["total"] == 1
    assert maker.get("/api/v1/overrides?state=holding").json()["rows"][0]["set_aside"] == "B"
    assert maker.submit(f"/overrides/{asked.id}/withdraw").status_code == 303
    assert maker.get(f"/api/v1/enterprises/{graded}").json()["grades"][0]["level"] == "B"
    with app.state.sessions() as session:
        acts = session.execute(
            select(AuditEntry.act, AuditEntry.username, AuditEntry.outcome)
            .where(AuditEntry.target_id == str(asked.id), AuditEntry.target_kind == "override")
            .order_by(AuditEntry.id)
        ).all()
    assert [tuple(act) for act in acts] == [
        ("propose_override", "analyst", "done"),
        ("approve_override", "admin", "done"),
        ("withdraw_override", "analyst", "done"),
    ]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"reason": " "}, 422),
        ({"value": "Z"}, 422),
        ({"value": "B"}, 409),
        ({"expires_on": "2020-01-01"}, 409),
        ({"expires_on": "soon"}, 422),
        ({"grade_id": "999"}, 409),
    ],
)
def test_an_override_without_a_reason_an_end_or_a_difference_is_refused(
    app: FastAPI, browser: Enter, graded: int, changes: dict[str, str], status: int
) -> None:
    assert ask(browser("analyst"), graded, app, **changes).status_code == status
    assert newest_override(app) is None


def test_refusing_needs_a_reason_and_changes_nothing(app: FastAPI, browser: Enter, graded: int) -> None:
    ask(browser("near"), graded, app)
    path = f"/overrides/{newest_override(app).id}/decide"
    assert browser("admin").submit(path, decision="refuse").status_code == 409
    assert browser("admin").submit(path, decision="refuse", remark="证据不足").status_code == 303
    assert browser("admin").get(f"/api/v1/enterprises/{graded}").json()["grades"][0]["level"] == "B"


def test_a_statement_is_kept_with_its_file_answered_and_shown(app: FastAPI, browser: Enter, graded: int) -> None:
    near, text = browser("near"), "样品系仿冒 <script>alert(1)</script>，电话 13812345678"
    sent = near.post(
        f"/enterprises/{graded}/statements",
        data={"csrf": near.csrf, "text": text, "received_on": TODAY.isoformat()},
        files={"file": ("..\\检测报告.pdf", b"%PDF-1.4 report", "application/pdf")},
    )
    assert sent.status_code == 303
    with app.state.sessions() as session:
        row = session.scalars(select(Statement).order_by(Statement.id.desc())).first()
        assert (row.file_name, row.about_level, len(row.file_sha256)) == ("检测报告.pdf", "B", 64)
    page = near.get(f"/enterprises/{graded}").text
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert "13812345678" not in page
    assert near.get(f"/statements/{row.id}/file").status_code == 403  # may hold personal data
    with app.state.sessions.begin() as session:
        session.scalars(select(Account).where(Account.username == "near")).one().raw_text = True
    opened = near.get(f"/statements/{row.id}/file")
    assert (opened.content, opened.headers["content-type"]) == (b"%PDF-1.4 report", "application/octet-stream")
    assert opened.headers["content-disposition"].startswith("attachment")
    assert browser("far").get(f"/statements/{row.id}/file").status_code == 404
    assert browser("analyst").submit(f"/statements/{row.id}/reply", reply="不予采纳，抽样单相符").status_code == 303
    assert browser("analyst").submit(f"/statements/{row.id}/reply", reply="再说一遍").status_code == 409
    assert near.submit(f"/statements/{row.id}/withdraw").status_code == 409
    dossier = browser("reader").get(f"/enterprises/{graded}/dossier").text
    assert "不予采纳，抽样单相符" in dossier
    assert "13812345678" not in dossier


@pytest.mark.parametrize(
    ("name", "content", "text", "received"),
    [
        ("报告.exe", b"x", "有话说", "2026-10-31"),
        ("报告.pdf", b"", "有话说", "2026-10-31"),
        ("", b"", "", "2026-10-31"),
        ("", b"", "有话说", "2030-01-01"),
    ],
)
def test_a_statement_that_cannot_be_kept_leaves_no_file(
    app: FastAPI, settings: Settings, browser: Enter, graded: int, name: str, content: bytes, text: str, received: str
) -> None:
    near = browser("near")
    answer = near.post(
        f"/enterprises/{graded}/statements",
        data={"csrf": near.csrf, "text": text, "received_on": received},
        files={"file": (name, content, "application/pdf")} if name else None,
    )
    assert answer.status_code == 422
    assert list((settings.var / "statements").glob("*")) == []


def test_a_scan_of_several_megabytes_is_kept_and_one_beyond_the_limit_is_not(
    settings: Settings, browser: Enter, graded: int
) -> None:
    near = browser("near")
    fields = {"csrf": near.csrf, "text": "见扫描件", "received_on": TODAY.isoformat()}
    for megabytes, status in ((3, 303), (20, 303), (22, 413)):
        file = {"file": ("扫描件.pdf", bytes(megabytes << 20), "application/pdf")}
        assert near.post(f"/enterprises/{graded}/statements", data=fields, files=file).status_code == status
    assert len(list((settings.var / "statements").glob("*"))) == 2


def test_the_dossier_holds_the_reasons_and_both_scales(browser: Enter, graded: int) -> None:
    page = browser("reader").get(f"/enterprises/{graded}/dossier").text
    for told in (
        "合计（其余指标 0 分）",
        "28.1",
        "B（信用风险一般） / A（责任监管）",
        "信用风险分类：没有记录",
        "有效期至 2027-10-31",
    ):
        assert told in page, told


def test_a_wrong_policy_is_refused_beside_its_text_and_a_right_one_is_tried(
    app: FastAPI, settings: Settings, browser: Enter, graded: int, province: Province
) -> None:
    expert, body = browser("analyst"), load_policy().body
    wrong = expert.submit("/whatif", body=body.replace("D: 60", "D: sixty"), as_of=TODAY.isoformat())
    assert wrong.status_code == 422
    assert "thresholds.D 项有误：应是数字" in wrong.text
    assert "D: sixty" in wrong.text  # what was typed is not lost
    unusable = expert.submit(
        "/whatif", body=body.replace("    saturation: 1.25", "    other: 1.25"), as_of="2026-10-31"
    )
    assert "缺少参数 saturation" in unusable.text
    strict = body.replace("thresholds: {B: 15, C: 35, D: 60}", "thresholds: {B: 1, C: 2, D: 60}")
    asked = expert.submit("/whatif", body=strict, as_of=TODAY.isoformat())
    assert asked.status_code == 303
    before = expert.get(f"/api/v1/enterprises/{graded}").json()["grades"]
    assert "排队中" in expert.get(asked.headers["location"]).text
    assert work_once(app.state.sessions, settings, "worker of the test") == "done"
    page = expert.get(asked.headers["location"]).text
    assert "thresholds.B" in page
    trial = expert.get("/api/v1" + asked.headers["location"]).json()
    assert [(move["enterprise_id"], move["level_then"]) for move in trial["moves"]["rows"]] == [(graded, "C")]
    assert trial["differences"] == [["thresholds.B", "15.0", "1.0"], ["thresholds.C", "35.0", "2.0"]]
    book = load_workbook(BytesIO(expert.get(asked.headers["location"] + ".xlsx").content))
    assert book.sheetnames[1] == "改动"
    assert expert.get(f"/api/v1/enterprises/{graded}").json()["grades"] == before  # nothing was adopted
    assert browser("near").get(asked.headers["location"]).status_code == 403


def test_yaml_that_unfolds_is_refused(app: FastAPI, browser: Enter, province: Province) -> None:
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
    answer = browser("analyst").submit("/whatif", body=bomb, as_of=TODAY.isoformat())
    assert (answer.status_code, "不能使用 YAML 引用" in answer.text) == (422, True)
    with app.state.sessions() as session:
        assert session.scalars(select(PolicyTrial.id)).all() == [province.trial]


def test_a_trial_shows_a_reader_of_one_city_only_its_firms(app: FastAPI, province: Province) -> None:
    from store.reads import trials
    from store.reads.page import PageRequest
    from store.reads.scope import Scope

    with app.state.sessions() as session:
        totals = [
            trials.one(session, Scope(prefix), province.trial, PageRequest()).row.moved for prefix in ("9901", "9902")
        ]
    assert totals == [1, 0]


def test_the_unknown_stand_in_a_queue_of_their_own(app: FastAPI, browser: Enter, province: Province) -> None:
    with app.state.sessions.begin() as session:
        for tier, days in ((2, 0), (4, 0), (4, 400)):
            firm = factories.make_enterprise(
                session, established_on=TODAY - timedelta(days=3000 + days), address="明河路1号，联系人13812345678"
            )
            factories.make_grade(session, firm, level="U", score=0.0, tier=tier, contributions=[])
            factories.make_grade(session, firm, level="U", as_of=TODAY - timedelta(days=90), contributions=[])
            gone = factories.make_signal(session, occurred_on=date(2023, 5, 1))
            factories.make_sample(session, firm, signal=gone, outcome="no_sample")
    rows = browser("reader").get("/api/v1/unknown").json()["rows"]
    assert [row["tier"] for row in rows] == [4, 4, 2]
    assert rows[0]["enterprise_id"] > rows[1]["enterprise_id"]  # the older firm first
    assert {(row["unknown_since"], row["last_attempt_on"]) for row in rows} == {("2026-08-02", "2023-05-01")}
    assert browser("reader").get("/api/v1/unknown?tier=2").json()["total"] == 1
    book = load_workbook(BytesIO(browser("reader").get("/unknown.xlsx").content))
    cells = [str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row]
    assert any("明河路1号" in cell for cell in cells)
    assert not any("13812345678" in cell for cell in cells)
    assert "去过而未抽到样，上门核查" in browser("reader").get("/unknown").text
    assert browser("far").get("/api/v1/unknown").json()["total"] == 0
    with app.state.sessions.begin() as session:
        kept, gone = (session.get_one(factories.Enterprise, row["enterprise_id"]) for row in rows[:2])
        factories.make_sample(session, gone, signal=factories.make_signal(session, occurred_on=TODAY))
        gone.merged_into_id = kept.id
    rows = browser("reader").get("/api/v1/unknown").json()["rows"]
    assert [(row["enterprise_id"] == kept.id, row["last_signal_on"]) for row in rows] == [
        (True, TODAY.isoformat()),
        (False, "2023-05-01"),
    ]


def test_an_area_leads_to_its_batches(browser: Enter, province: Province) -> None:
    page = browser("near").get(f"/areas/{province.area}").text
    assert f'href="/signals/{province.signal}"' in page
    assert f'href="/enterprises/{province.enterprise}"' in page
    assert browser("near").get(f"/api/v1/areas/{province.area}").json()["counted"] == [province.signal]
    assert browser("near").get("/api/v1/areas?colour=red").json()["total"] == 0


def test_inherent_risk_is_worked_out_with_its_doubt(browser: Enter) -> None:
    reader = browser("reader")
    sure = reader.get("/inherent?severity=4&steps=0.5").text
    assert "结果：严重" in sure
    assert "结论稳定" in sure
    unsure = reader.get("/inherent?severity=2&steps=0.1+0.005&product=ebike_charger").text
    assert "结果：中" in unsure
    assert "“低”到“高”之间" in unsure
    assert "4 级" in unsure
    for query in (
        "severity=9&steps=0.1",
        "severity=2&steps=often",
        "severity=2&steps=2",
        "severity=2&steps=0.1&items=x",
    ):
        assert 'role="alert"' in reader.get(f"/inherent?{query}").text, query


def test_a_line_is_taken_out_of_a_plan_for_a_reason(app: FastAPI, browser: Enter, province: Province) -> None:
    with app.state.sessions() as session:
        line = session.scalars(select(PlanLine).where(PlanLine.plan_id == province.plan)).one()
    address, analyst = f"/plans/{province.plan}/lines/{line.id}/withdraw", browser("analyst")
    assert f'action="{address}"' in analyst.get(f"/plans/{province.plan}").text
    assert f'action="{address}"' not in browser("reader").get(f"/plans/{province.plan}").text
    assert browser("near").submit(address, reason="企业已搬迁").status_code == 403
    assert analyst.submit(address, reason=" ").status_code == 422
    assert analyst.submit(f"/plans/{province.plan + 1}/lines/{line.id}/withdraw", reason="搬迁").status_code == 404
    assert analyst.submit(address, reason="企业已搬迁").status_code == 303
    assert analyst.submit(address, reason="企业已搬迁").status_code == 409
    assert "撤销一条抽查计划行：企业已搬迁" in analyst.get(f"/enterprises/{province.enterprise}").text
    with app.state.sessions() as session:
        assert session.get_one(PlanLine, line.id).status == "withdrawn"
        acts = session.scalars(select(AuditEntry.detail).where(AuditEntry.act == "withdraw_plan_line")).all()
    assert [act["reason"] for act in acts] == ["企业已搬迁"]


def test_a_rule_that_a_person_set_aside_is_not_said_to_decide(app: FastAPI, browser: Enter, graded: int) -> None:
    with app.state.sessions.begin() as session:
        grade = session.scalars(select(Grade).where(Grade.enterprise_id == graded)).one()
        firm, newest = session.get_one(Enterprise, graded), grade.id
        grade.level, grade.previous_level, grade.forced_rule = "D", "B", "f_refused"
        rule = {"indicator": "forced:f_refused", "zh": "强制规则", "sentence": "拒检", "points": 0.0, "evidence": []}
        grade.contributions = [*grade.contributions, rule]
        factories.make_grade(
            session,
            firm,
            as_of=TODAY - timedelta(days=30),
            level="D",
            score=20.0,
            policy_hash=grade.policy_hash,
        )
    before = browser("reader").get(f"/enterprises/{graded}").text
    assert "拒检。等级由这条规则决定" in before
    assert ask(browser("near"), graded, app, value="C", grade_id=str(newest)).status_code == 303
    browser("analyst").submit(f"/overrides/{newest_override(app).id}/decide", decision="approve")
    after = browser("reader").get(f"/enterprises/{graded}").text
    assert "拒检。系统分级由这条规则决定" in after
    assert "含人工调整，系统分级" in after
    assert "本次等级由它决定" not in after
