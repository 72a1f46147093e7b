"""Every page answers, and leads back to the source."""

import json
from collections.abc import Callable
from dataclasses import asdict

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from api.rendering import timetable
from store.tables import JobRequest, ModelVersion
from tests.api.conftest import Browser, Province
from tests.factories import NOW, TODAY, make_enterprise, make_run

Enter = Callable[[str], Browser]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/enterprises",
        "/enterprises?level=C&region=9901&product=charger&worsened=true&sort=changed&q=明烛",
        "/signals",
        "/signals?channel=sampling&since=2026-01-01&hazard=fire&origins=true",
        "/plans",
        "/plans/{plan}",
        "/alerts",
        "/alerts?state=active&overdue=true",
        "/alerts/{alert}",
        "/cases",
        "/cases?overdue=true",
        "/cases/{case}",
        "/sources",
        "/sources/office",
        "/imports",
        "/imports/{file}",
        "/imports/{file}?rejected=true",
        "/runs",
        "/review",
        "/review?mention={mention}&q=明烛",
        "/merges",
        "/merges?kept={enterprise}",
        "/labelling",
        "/labelling?signal={signal}",
        "/policy",
        "/backtest",
        "/help",
        "/api/docs",
        "/account",
        "/search?q=明烛",
        "/search/suggest?q=明烛",
        "/accounts",
        "/audit",
    ],
)
def test_pages_answer(browser: Enter, province: Province, path: str) -> None:
    answer = browser("admin").get(path.format(**asdict(province)))
    assert answer.status_code == 200, answer.text[-3000:]
    assert "虚构" in answer.text or path.startswith("/search/suggest")


def test_a_grade_leads_to_the_text_it_came_from(browser: Enter, province: Province) -> None:
    page = browser("analyst").get(f"/enterprises/{province.enterprise}").text
    assert "近三年监督抽查不合格 1 批。" in page
    assert f'href="/signals/{province.signal}"' in page
    text = browser("analyst").get(f"/signals/{province.signal}").text
    assert '<mark class="hazard"' in text
    assert "蹿火苗</mark>" in text
    assert "13812345678" not in text


def test_the_backtest_shows_what_the_newest_run_found(app: FastAPI, browser: Enter) -> None:
    level = {"level": "D", "batches": 40, "failures": 12, "rate": 0.3, "low": 0.18, "high": 0.45}
    ranking = {"ranking": "score", "zh": "本库风险分", "auc": 0.71, "hit@2%": None, "hit@10%": 0.31, "recall@10%": 0.4}
    counts = {"batches": 400, "failures": 40, "base_rate": 0.1, "by_level": [level], "rankings": [ranking]}
    with app.state.sessions.begin() as session:
        make_run(session, job="backtest", as_of=TODAY, counts=counts)
    page = browser("near").get("/backtest").text
    assert "30.0%" in page
    assert "0.710" in page
    assert "counts" not in browser("analyst").get("/runs").text


def test_runs_are_for_the_province_alone(browser: Enter, province: Province) -> None:
    assert browser("near").get("/api/v1/runs").json()["total"] == 0
    assert browser("analyst").get("/api/v1/runs").json()["total"] == 1


def test_a_firms_relations_are_drawn_and_listed(app: FastAPI, browser: Enter, province: Province) -> None:
    with app.state.sessions.begin() as session:
        branch = make_enterprise(
            session, name="明烛公司城西分公司", region_code="990101", parent_id=province.enterprise
        )
        make_enterprise(session, name="明烛公司外市分公司", region_code="990201", parent_id=province.enterprise)
    page = browser("near").get(f"/enterprises/{province.enterprise}").text
    drawn = json.loads(page.split('id="relations-chart">', 1)[1].split("</script>", 1)[0])["series"][0]
    assert [(node["name"], node.get("href")) for node in drawn["data"]] == [
        ("海岳省明烛充电器有限公司", None),
        ("明烛公司城西分公司", f"/enterprises/{branch.id}"),
    ]
    assert [(link["target"], link["value"]) for link in drawn["links"]] == [(str(branch.id), "分支机构")]
    assert f'<a href="/enterprises/{branch.id}">明烛公司城西分公司</a>' in page  # and the table says the same
    assert "外市分公司" not in page
    assert "外市分公司" in browser("admin").get(f"/enterprises/{province.enterprise}").text


@pytest.mark.parametrize(
    "form", [{"hazard:<script>": "yes"}, {"relevance:zzz": "no"}, {"outcome:fail": "yes"}, {"hazard:fire": "perhaps"}]
)
def test_a_label_nobody_was_asked_for_is_refused(browser: Enter, province: Province, form: dict[str, str]) -> None:
    assert browser("analyst").submit(f"/labelling/{province.signal}", **form).status_code == 422


def test_a_model_is_retrained_compared_and_put_in_force_from_the_labelling_page(app: FastAPI, browser: Enter) -> None:
    with app.state.sessions.begin() as session:
        model = ModelVersion(
            task="text", sha256="f" * 64, path="2026-10-31-1", trained_at=NOW, status="candidate",
            metrics={
                "old": {"hazards_macro_f1": 0.701}, "new": {"hazards_macro_f1": 0.734},
                "new_words": [{"word": "鼓胖子", "texts": 6, "lift": 9.5, "examples": ["又鼓胖子,电话13812345678"]}],
            },
        )  # fmt: skip
        session.add(model)
        session.flush()
        model_id = model.id
    analyst = browser("analyst")
    page = analyst.get("/labelling").text
    assert "0.701 → 0.734" in page
    assert "鼓胖子" in page
    assert "13812345678" not in page
    assert analyst.submit("/models/training").status_code == 303
    assert analyst.submit("/models/accepted", model=str(model_id)).status_code == 303
    assert analyst.submit("/models/accepted").status_code == 303
    assert analyst.submit("/models/accepted", model="999").status_code == 404
    with app.state.sessions() as session:
        asked = session.execute(select(JobRequest.job, JobRequest.arguments).order_by(JobRequest.id)).all()
    assert [tuple(row) for row in asked][-3:] == [
        ("train", {}),
        ("accept_model", {"model_id": model_id}),
        ("accept_model", {"model_id": None}),
    ]
    assert browser("reader").submit("/models/training").status_code == 403


def test_a_case_offers_the_step_that_comes_next(browser: Enter, province: Province) -> None:
    near, page = browser("near"), f"/cases/{province.case}"
    for step, following in (("opened", "notified"), ("notified", "rectifying")):
        assert near.submit(f"{page}/steps", step=step, done_on=TODAY.isoformat()).status_code == 303
        assert f'<option value="{following}" selected>' in near.get(page).text


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("15 6 * * *", "每天 06:15"),
        ("*/30 * * * *", "每 30 分钟"),
        ("5 */6 * * *", "每 6 小时"),
        ("0 8 1 * *", "0 8 1 * *"),
        ("", "上传"),
    ],
)
def test_a_timetable_is_told_in_words(cron: str, words: str) -> None:
    assert timetable(cron) == words


@pytest.mark.parametrize(("worst", "told"), [((0.30, 0.20, 0.40), False), ((0.10, 0.05, 0.22), True)])
def test_the_backtest_says_when_grades_do_not_rise(
    app: FastAPI, browser: Enter, worst: tuple[float, float, float], told: bool
) -> None:
    rates = {"A": (0.03, 0.02, 0.04), "C": (0.15, 0.12, 0.18), "D": worst}
    levels = [
        {"level": level, "batches": 100, "failures": 3, "rate": rate, "low": low, "high": high}
        for level, (rate, low, high) in rates.items()
    ]
    counts = {"batches": 300, "failures": 9, "base_rate": 0.03, "by_level": levels, "rankings": []}
    with app.state.sessions.begin() as session:
        make_run(session, job="backtest", as_of=TODAY, counts=counts)
    page = browser("reader").get("/backtest").text
    assert ("D 低于 C（区间重叠，可能出于偶然）" in page) is told
