"""The alert rules: what each one asks for, and what never raises anything."""

from datetime import date, timedelta
from typing import Any

import pytest

from alerting.observed import BatchResult, Deadline, ModelFailure, Notice, Observed, Permit, Report, Rise, Voice
from alerting.policy import load_alert_policy
from alerting.rules import AlertDraft, detect

TODAY = date(2026, 10, 31)
POLICY = load_alert_policy()


def day(ago: int) -> date:
    return TODAY - timedelta(days=ago)


def report(number: int, **changes: Any) -> Report:
    values: dict[str, Any] = {
        "signal_id": number, "story": f"s{number}", "source_id": f"outlet{number}", "trust": "media",
        "known_on": day(2), "occurred_on": day(3), "severity": 4, "product_id": "charger", "family": "electric",
        "region_code": "990101",
    }  # fmt: skip
    return Report(**(values | changes))


def batch(number: int, ago: int, *, failed: bool = True, items: tuple[str, ...] = (), **changes: Any) -> BatchResult:
    values: dict[str, Any] = {
        "signal_id": number, "enterprise_id": 7, "product_id": "charger", "region_code": "990101",
        "occurred_on": day(ago), "known_on": day(max(ago - 1, 0)), "failed": failed, "safety_items": items,
    }  # fmt: skip
    return BatchResult(**(values | changes))


def voice(number: int, ago: int, **changes: Any) -> Voice:
    values: dict[str, Any] = {
        "signal_id": number, "enterprise_id": 7, "product_id": "", "region_code": "990101", "known_on": day(ago),
        "claimant": f"claimant{number}", "story": f"s{number}",
    }  # fmt: skip
    return Voice(**(values | changes))


def found(**observed: Any) -> list[AlertDraft]:
    names = {"enterprises": {7: "甲公司"}, "products": {"charger": "充电器"}, "regions": {"990101": "乙县"}}
    return detect(Observed(**(names | observed)), POLICY, TODAY)


def keys(drafts: list[AlertDraft]) -> list[str]:
    return [draft.cause_key for draft in drafts]


@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        ([report(1, trust="official", deaths=1)], ["A03:s1", "A01:s1"]),
        ([report(1, trust="official", deaths=1, severity=2)], ["A01:s1"]),
        ([report(1, trust="media", injured=3, severity=1)], []),  # one outlet alone is not enough
        ([report(1, injured=3, severity=1, story="x"), report(2, injured=3, severity=1, story="x")], ["A01:x"]),
        ([report(1, trust="official", injured=2, severity=1)], []),
        ([report(1, trust="official", deaths=1, known_on=day(40))], []),  # not news any more
    ],
)
def test_casualties(reports: list[Report], expected: list[str]) -> None:
    assert sorted(keys(found(reports=reports))) == sorted(expected)


def test_a_grave_hazard_in_two_cities_told_by_three_is_red() -> None:
    reports = [report(1), report(2, known_on=day(5), region_code="990201"), report(3)]
    drafts = found(reports=reports)
    assert keys(drafts) == ["A02:electric:s2"]
    assert (drafts[0].colour, drafts[0].region_code, drafts[0].evidence) == ("red", "99", (1, 2, 3))


@pytest.mark.parametrize(
    "changes",
    [
        {"region_code": "990102"},  # the same city
        {"source_id": "outlet1"},  # the same outlet
        {"story": "s1"},  # a repost
        {"trust": "social"},
        {"severity": 3},
        {"known_on": day(20)},
    ],
)
def test_spread_needs_three_independent_voices_in_two_cities_within_days(changes: dict[str, Any]) -> None:
    reports = [report(1), report(2), report(3, **({"region_code": "990201"} | changes))]
    assert keys(found(reports=reports)) == []


def test_a_flood_of_posts_is_shown_for_judgement_and_not_sent() -> None:
    posts = [report(n, trust="social", source_id="forum", known_on=day(4), story="rumour") for n in range(1000)]
    drafts = found(reports=posts)
    assert [(draft.rule, draft.colour, draft.deliver) for draft in drafts] == [("A09", "blue", False)]
    assert found(reports=[report(1, trust="social", known_on=day(1))]) == []  # three days are not over
    assert found(reports=[*posts, report(2000, trust="media", story="rumour")]) == []  # corroborated


def test_county_rate_needs_enough_batches_and_a_clear_excess() -> None:
    elsewhere = [batch(n, 60, failed=n < 5, enterprise_id=n, region_code="990909") for n in range(100)]
    here = [batch(200 + n, 20, failed=n < 3, enterprise_id=200 + n) for n in range(10)]
    drafts = found(tests=[*elsewhere, *here])
    assert keys(drafts) == ["A04:charger:990101:2026Q4"]
    assert drafts[0].reasons == ("近 12 个月 10 批中 3 批不合格（30%），全省为 7%",)
    assert found(tests=[*elsewhere, *here[:9]]) == []
    assert (
        found(tests=[*elsewhere, *(batch(200 + n, 20, failed=n < 1, enterprise_id=200 + n) for n in range(10))]) == []
    )


@pytest.mark.parametrize(
    ("tests", "expected"),
    [
        ([batch(1, 200), batch(2, 10)], ["A06:7:charger:2"]),
        ([batch(1, 200), batch(2, 100, failed=False), batch(3, 10)], []),
        (
            [batch(1, 200, items=("绝缘电阻",)), batch(2, 100, failed=False), batch(3, 10, items=("绝缘电阻",))],
            ["A06:7:charger:3"],
        ),
        ([batch(1, 200, items=("温升",)), batch(2, 100, failed=False), batch(3, 10, items=("绝缘电阻",))], []),
        ([batch(1, 200), batch(2, 10, product_id="cable")], []),
        ([batch(1, 200), batch(2, 100)], []),  # told when it was news
        ([batch(1, 2000), batch(2, 10)], []),
    ],
)
def test_repeated_failure(tests: list[BatchResult], expected: list[str]) -> None:
    assert keys(found(tests=tests)) == expected


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, True),
        ({"region_code": "990101"}, False),  # one county twice is its own matter
        ({"spec_model": "B-2"}, False),
        ({"brand": "乙牌"}, False),
        ({"occurred_on": day(500)}, False),
        ({"region_code": ""}, False),
    ],
)
def test_one_model_failing_in_two_counties_is_a_pattern(changes: dict[str, Any], told: bool) -> None:
    values: dict[str, Any] = {
        "signal_id": 1, "product_id": "charger", "brand": "甲牌", "spec_model": "A-1", "region_code": "990101",
        "occurred_on": day(40), "known_on": day(30),
    }  # fmt: skip
    second = values | {"signal_id": 2, "region_code": "990203", "known_on": day(3)} | changes
    drafts = found(models=[ModelFailure(**values), ModelFailure(**second)])
    assert keys(drafts) == (["A11:charger:甲牌:A-1:2"] if told else [])
    if told:
        assert drafts[0].reasons == ("近 12 个月 2 批不合格，涉及 2 个县区：乙县、990203",)
        assert (drafts[0].region_code, drafts[0].evidence) == ("99", (1, 2))


def test_a_wave_of_complaints_stands_out_from_the_firm_s_own_weeks() -> None:
    before = [voice(n, 7 + 7 * n) for n in range(12)]
    wave = [voice(100 + n, n % 7) for n in range(8)]
    drafts = found(voices=[*before, *wave])
    assert keys(drafts) == ["A07:e7:2026-10"]
    assert drafts[0].reasons[0] == "近 7 天质量投诉 8 件（同一投诉人、同一文本各计一件），此前 12 周平均每周 1.0 件"
    assert found(voices=[*before, *wave[:4]]) == []
    busy = [voice(1000 + n, 7 + n % 84) for n in range(12 * 8)]
    assert found(voices=[*busy, *wave]) == []


def test_a_thousand_copies_are_one_voice_and_one_claimant_is_one() -> None:
    copies = [voice(n, n % 7, story="copied") for n in range(1000)]
    assert found(voices=copies) == []
    one_person = [voice(n, n % 7, claimant="same") for n in range(100)]
    assert found(voices=one_person) == []


@pytest.mark.parametrize(
    ("state", "expires_in", "active_ago", "stage"),
    [
        ("valid", 180, None, "ending"),
        ("valid", 181, None, None),
        ("valid", -10, 5, "lapsed"),
        ("valid", -10, 20, None),  # seen before it ended, not since
        ("valid", -10, None, None),
        ("revoked", 400, 5, None),  # the end date lies ahead, so activity after it cannot be shown
        ("revoked", None, 5, "lapsed"),
    ],
)
def test_permits(state: str, expires_in: int | None, active_ago: int | None, stage: str | None) -> None:
    permit = Permit(
        signal_id=5, enterprise_id=7, product_id="cable", region_code="990101", number="XK06-001", state=state,
        expires_on=None if expires_in is None else day(-expires_in),
        active_on=None if active_ago is None else day(active_ago),
    )  # fmt: skip
    assert [draft.cause_key.rpartition(":")[2] for draft in found(permits=[permit])] == ([stage] if stage else [])


@pytest.mark.parametrize(
    ("limit_id", "due_in", "colour"),
    [("SC04", 8, None), ("SC04", 7, "blue"), ("SC04", 0, "blue"), ("SC04", -1, "yellow"), ("SC05", -1, "orange")],
)
def test_deadlines(limit_id: str, due_in: int, colour: str | None) -> None:
    clock = Deadline(
        case_id=3, signal_id=5, enterprise_id=7, product_id="", region_code="990101", limit_id=limit_id,
        step_zh="责令改正期限", due_on=day(-due_in),
    )  # fmt: skip
    assert [draft.colour for draft in found(deadlines=[clock])] == ([colour] if colour else [])


def test_a_notice_from_abroad_and_a_grade_that_rose() -> None:
    notice = Notice(
        signal_id=5, enterprise_id=7, product_id="charger", region_code="990101", country="美国", known_on=day(3)
    )
    rise = Rise(
        enterprise_id=7, role="producer", region_code="990101", level="D", previous_level="B", as_of=TODAY, score=71.2,
        forced=None,
        reasons=("近三年监督抽查不合格 3 批。",), evidence=(1, 2),
    )  # fmt: skip
    drafts = found(notices=[notice], rises=[rise])
    assert keys(drafts) == ["A05:7:5", "G01:7:producer:2026-10-31"]
    assert drafts[1].reasons == ("风险等级由 B 变为 D（得分 71）", "近三年监督抽查不合格 3 批。")


def test_a_forced_grade_names_its_rule_instead_of_a_score_that_explains_nothing() -> None:
    rise = Rise(
        enterprise_id=7, role="producer", region_code="990101", level="D", previous_level="C", as_of=TODAY, score=9.0,
        forced="复查不合格或已被省局公告", reasons=(), evidence=(1,),
    )  # fmt: skip
    assert found(rises=[rise])[0].reasons == ("风险等级由 C 变为 D（强制定级：复查不合格或已被省局公告）",)


def test_the_gravest_come_first_and_the_same_facts_give_the_same_alerts() -> None:
    observed = {
        "reports": [report(1, trust="official", deaths=1)],
        "tests": [batch(11, 200), batch(12, 10)],
        "voices": [voice(100 + n, n % 7) for n in range(8)],
    }
    drafts = found(**observed)
    assert [draft.colour for draft in drafts] == ["red", "orange", "yellow", "yellow"]
    assert found(**{name: list(reversed(rows)) for name, rows in observed.items()}) == drafts


def test_a_rule_nobody_wrote_is_refused() -> None:
    rules = {**POLICY.rules, "A99": POLICY.rules["A01"]}
    with pytest.raises(ValueError, match="A99"):
        detect(Observed(), POLICY.model_copy(update={"rules": rules}), TODAY)
