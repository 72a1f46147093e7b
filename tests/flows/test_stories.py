"""The stories planted in the province come out where an analyst would see them."""

import pytest
from sqlalchemy import func, select

from demo.history import TODAY
from demo.run import WATCHED_ON
from demo.stories import MOULD
from store.china_time import end_of
from store.session import read_only
from store.tables import Alert, Cluster, ClusterMember, Enterprise, Grade, PlanLine, SamplingResult, Signal, SourceCheck
from tests.api.conftest import Browser
from tests.flows.conftest import Shown

pytestmark = pytest.mark.xdist_group("demo")


def grade_of(shown: Shown, firm: Enterprise) -> Grade:
    """The firm's grade as its maker on the demonstration's today."""
    with read_only(shown.sessions) as session:
        return session.scalars(
            select(Grade).where(
                Grade.enterprise_id == firm.id, Grade.product_id == "", Grade.role == "producer", Grade.as_of == TODAY
            )
        ).one()


def test_complaints_raise_an_alert_weeks_before_the_first_failed_sample(shown: Shown) -> None:
    firm = shown.enterprise(shown.province.players.charger_maker)
    with read_only(shown.sessions) as session:
        alert = session.scalars(select(Alert).where(Alert.rule == "A07", Alert.enterprise_id == firm.id)).first()
        failed = session.scalars(
            select(Signal.occurred_on)
            .join(SamplingResult, SamplingResult.signal_id == Signal.id)
            .where(Signal.external_id == "HY2026S00001", SamplingResult.outcome == "fail")
        ).one()
        heard = session.scalars(select(Signal).where(Signal.id.in_(alert.evidence if alert else []))).all()
    assert alert is not None
    assert alert.raised_at.date() == WATCHED_ON
    assert (failed - WATCHED_ON).days >= 21
    assert len(heard) >= 5
    assert all(signal.channel == "complaint" and signal.known_at <= end_of(WATCHED_ON) for signal in heard)


def test_sixty_copied_complaints_move_no_grade(shown: Shown) -> None:
    firm = shown.enterprise(shown.province.players.honest_firm)
    grade = grade_of(shown, firm)
    complaints = {part["indicator"]: part for part in grade.contributions}.get("q5_complaint")
    with read_only(shown.sessions) as session:
        copied = session.scalar(select(func.count()).select_from(Signal).where(Signal.external_id.like("TS202610%B%")))
        alerts = session.scalars(select(Alert.rule).where(Alert.enterprise_id == firm.id)).all()
    assert copied == 60
    assert grade.level in ("A", "B")
    assert complaints is None or complaints["points"] < complaints["weight"]
    assert "A07" not in alerts


def test_one_article_and_forty_copies_are_one_voice(shown: Shown) -> None:
    with read_only(shown.sessions) as session:
        members = session.execute(
            select(ClusterMember.cluster_id, func.count())
            .join(Signal, Signal.id == ClusterMember.signal_id)
            .where(Signal.source_id == "demo_opinion", Signal.external_id.like("S2%"))
            .group_by(ClusterMember.cluster_id)
        ).all()
        biggest = max(members, key=lambda row: row[1])
        cluster = session.get_one(Cluster, biggest[0])
        origin = session.get_one(Signal, cluster.origin_id)
    assert biggest[1] >= 38
    assert cluster.size >= 38
    assert origin.external_id == "S200000"


def test_the_silent_feed_is_named_and_no_other(shown: Shown, analyst: Browser) -> None:
    with read_only(shown.sessions) as session:
        verdicts = {
            check.source_id: check.verdict for check in session.scalars(select(SourceCheck).order_by(SourceCheck.id))
        }
    assert [source for source, verdict in verdicts.items() if verdict == "silent"] == ["demo_feed_evening"]
    page = analyst.get("/sources")
    assert page.status_code == 200
    assert "澜泽晚报（虚构）" in page.text


def test_the_county_with_three_licensed_cable_makers_is_covered_in_full(shown: Shown) -> None:
    firms = [shown.enterprise(number) for number in shown.province.players.cable_makers]
    with read_only(shown.sessions) as session:
        lines = session.execute(
            select(PlanLine.enterprise_id, PlanLine.rule, PlanLine.inclusion_probability).where(
                PlanLine.plan_id == shown.findings.plan["plan_id"],
                PlanLine.product_id == "cable",
                PlanLine.enterprise_id.in_([firm.id for firm in firms]),
            )
        ).all()
    assert len(firms) == 3
    assert {row.enterprise_id for row in lines} == {firm.id for firm in firms}
    assert {row.rule for row in lines} == {"full_coverage"}
    assert {row.inclusion_probability for row in lines} == {1.0}


def test_rectified_on_paper_does_not_help(shown: Shown) -> None:
    firm = shown.enterprise(shown.province.players.repeat_failer)
    grade = grade_of(shown, firm)
    with read_only(shown.sessions) as session:
        alerts = session.scalars(select(Alert.rule).where(Alert.enterprise_id == firm.id)).all()
    assert grade.level == "D"
    assert grade.forced_rule
    assert "A06" in alerts or any(rule.startswith("G") for rule in alerts)


def test_the_mould_is_found_by_searching_for_it(shown: Shown, analyst: Browser) -> None:
    makers = [shown.enterprise(number) for number in shown.province.players.mould_makers]
    assert len({(maker.region_code or "")[:4] for maker in makers}) == 2
    page = analyst.get("/signals", params={"q": MOULD.split()[-1]})
    assert page.status_code == 200
    for maker in makers:
        assert maker.name in page.text
        assert grade_of(shown, maker).level in ("C", "D")
