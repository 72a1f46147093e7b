"""One failed sample walks the whole path: page, store, tags, enterprise, grade, plan, alert, and back to its source."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from demo.history import TODAY
from demo.results import RESULTS_ON
from store.china_time import end_of
from store.session import read_only
from store.tables import (
    Alert,
    Case,
    Delivery,
    Enterprise,
    FrontierPage,
    Grade,
    Link,
    Mention,
    PlanLine,
    SamplingResult,
    Signal,
    Tag,
)
from tests.api.conftest import Browser
from tests.flows.conftest import Shown

pytestmark = pytest.mark.xdist_group("demo")
NUMBER = "HY2026S30003"


@pytest.fixture(scope="module")
def signal(shown: Shown) -> Signal:
    """The third failure of the firm that rectifies on paper; the province published it on its site."""
    with read_only(shown.sessions) as session:
        found = session.scalars(select(Signal).where(Signal.external_id == NUMBER)).one()
        session.expunge(found)
        return found


@pytest.fixture(scope="module")
def firm(shown: Shown) -> Enterprise:
    """That firm."""
    return shown.enterprise(shown.province.players.repeat_failer)


def test_it_came_in_from_a_notice_of_the_site(shown: Shown, signal: Signal) -> None:
    with read_only(shown.sessions) as session:
        record = session.get_one(SamplingResult, signal.id)
        pages = session.scalars(select(FrontierPage).where(FrontierPage.source_id == "demo_notices")).all()
    assert signal.source_id == "demo_notices"
    assert record.outcome == "fail"
    assert [item["item"] for item in record.failed_items] == ["防触电保护"]
    assert signal.occurred_on.isoformat() == "2026-08-27"
    assert {page.kind for page in pages} == {"list", "detail", "attachment"}
    assert all(page.url.startswith("http://haiyue.example/") for page in pages)


def test_its_notice_and_the_saved_page_are_kept(shown: Shown, signal: Signal) -> None:
    with read_only(shown.sessions) as session:
        assert signal.parent_id is not None
        notice = session.get_one(Signal, signal.parent_id)
    assert notice.channel == "notice"
    assert "省级监督抽查" in notice.title
    assert notice.url is not None
    assert notice.url.startswith("http://haiyue.example/notices/art_")
    assert notice.archive_path is not None
    assert (shown.demonstration.var / "archive" / notice.archive_path).exists() or (
        shown.demonstration.var / notice.archive_path
    ).exists()


def test_its_tags_point_into_its_text(shown: Shown, signal: Signal) -> None:
    with read_only(shown.sessions) as session:
        tags = session.scalars(select(Tag).where(Tag.signal_id == signal.id)).all()
    by_kind = {tag.kind: tag for tag in tags}
    assert by_kind["product"].code == "socket"
    assert "electric_shock" in {tag.code for tag in tags if tag.kind == "hazard"}
    spans = [span for tag in tags for span in tag.evidence]
    assert spans
    assert all(0 <= start < end <= len(signal.text) for start, end in spans)


def test_it_is_tied_to_the_firm_that_made_it(shown: Shown, signal: Signal, firm: Enterprise) -> None:
    with read_only(shown.sessions) as session:
        links = session.execute(
            select(Mention.role, Link.enterprise_id, Link.reasons)
            .join(Link, Link.mention_id == Mention.id)
            .where(Mention.signal_id == signal.id, Mention.start == -1)
        ).all()
    assert {row.enterprise_id for row in links if row.role == "producer"} == {firm.id}
    assert all(row.reasons for row in links)


def test_the_grade_names_it_among_its_reasons(shown: Shown, signal: Signal, firm: Enterprise) -> None:
    with read_only(shown.sessions) as session:
        grades = {
            grade.as_of: grade
            for grade in session.scalars(
                select(Grade).where(Grade.enterprise_id == firm.id, Grade.product_id == "", Grade.role == "producer")
            )
        }
    grade = grades[TODAY]
    evidence = {part["indicator"]: part["evidence"] for part in grade.contributions}
    assert signal.id in evidence["q1_sampling_fail"]
    assert grade.level == "D"
    assert grade.forced_rule


def test_no_grade_of_before_knows_of_it(shown: Shown, signal: Signal, firm: Enterprise) -> None:
    with read_only(shown.sessions) as session:
        earlier = [
            grade
            for grade in session.scalars(select(Grade).where(Grade.enterprise_id == firm.id))
            if end_of(grade.as_of) <= signal.known_at
        ]
    assert earlier
    assert not any(signal.id in part["evidence"] for grade in earlier for part in grade.contributions)


def test_the_plan_goes_back_to_the_firm_and_says_why(shown: Shown, firm: Enterprise) -> None:
    with read_only(shown.sessions) as session:
        lines = session.scalars(select(PlanLine).where(PlanLine.enterprise_id == firm.id)).all()
    line = next(line for line in lines if line.product_id == "socket")
    assert line.plan_id == shown.findings.plan["plan_id"]
    assert line.grade_level == "D"
    assert line.why
    assert 0 < line.inclusion_probability <= 1
    assert line.status in ("sampled", "no_sample", "refused")


def test_an_alert_tells_its_city_and_arrives(shown: Shown, signal: Signal, firm: Enterprise) -> None:
    with read_only(shown.sessions) as session:
        alerts = session.scalars(select(Alert).where(Alert.enterprise_id == firm.id)).all()
        telling = [alert for alert in alerts if signal.id in alert.evidence]
        assert telling
        states = session.scalars(
            select(Delivery.status).where(Delivery.alert_id.in_([alert.id for alert in alerts]))
        ).all()
    assert {alert.region_code[:4] for alert in telling if alert.region_code} == {(firm.region_code or "")[:4]}
    assert states
    assert set(states) == {"sent"}
    assert shown.findings.received > 0


def test_the_ledger_follows_it(shown: Shown, signal: Signal, firm: Enterprise) -> None:
    with read_only(shown.sessions) as session:
        cases = session.scalars(select(Case).where(Case.signal_id == signal.id)).all()
    assert [(case.kind, case.enterprise_id) for case in cases] == [("failed_sample", firm.id)]


def test_the_pages_lead_from_the_grade_to_its_text_and_source(
    analyst: Browser, signal: Signal, firm: Enterprise
) -> None:
    page = analyst.get(f"/enterprises/{firm.id}")
    assert page.status_code == 200
    assert firm.name in page.text
    assert f"/signals/{signal.id}" in page.text
    shown = analyst.get(f"/signals/{signal.id}")
    assert shown.status_code == 200
    assert "防触电保护" in shown.text
    assert f"/enterprises/{firm.id}" in shown.text
    assert "haiyue.example/notices/" in shown.text or f"/signals/{signal.parent_id}" in shown.text
    notice = analyst.get(f"/signals/{signal.parent_id}")
    assert "haiyue.example/notices/art_" in notice.text
    assert "虚构" in notice.text


def test_the_results_come_back_and_move_grades(shown: Shown) -> None:
    with read_only(shown.sessions) as session:
        lines = session.scalars(select(PlanLine).where(PlanLine.plan_id == shown.findings.plan["plan_id"])).all()
        failed = [line for line in lines if line.outcome == "fail"]
        assert failed
        results = {line.id: session.get_one(Signal, line.result_signal_id) for line in failed}
        grades = {
            (grade.enterprise_id, grade.as_of): grade
            for grade in session.scalars(select(Grade).where(Grade.product_id == "", Grade.as_of >= TODAY))
        }
    assert all(line.status != "planned" for line in lines)
    assert {signal.source_id for signal in results.values()} == {"demo_plan_results"}
    assert all(signal.known_at >= end_of(TODAY) - timedelta(seconds=1) for signal in results.values())
    for line in failed:
        after = grades[line.enterprise_id, RESULTS_ON]
        counted = {i for part in after.contributions for i in part["evidence"]}
        assert results[line.id].id in counted
        before = grades[line.enterprise_id, TODAY]
        assert results[line.id].id not in {i for part in before.contributions for i in part["evidence"]}
    overall = shown.findings.outcome["overall"]
    assert overall["found"] == len(failed)
    assert overall["low"] <= overall["ratio"] <= overall["high"]
