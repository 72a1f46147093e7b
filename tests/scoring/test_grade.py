"""The scorecard: levels, reasons, forced rules, caps."""

from datetime import date, timedelta

import pytest

from scoring.facts import Credit, Facts
from scoring.grade import Previous, grade
from scoring.policy import load_policy
from tests.scoring.facts_factories import (
    AS_OF,
    common,
    make_complaint,
    make_facts,
    make_injury,
    make_inspection,
    make_licence,
    make_opinion,
    make_penalty,
    make_sample,
    make_self_check,
)

POLICY = load_policy()


@pytest.mark.parametrize(
    ("facts", "level", "rule"),
    [
        ([make_sample()], "A", None),
        ([make_sample("fail", safety_failed=False)], "B", None),
        ([make_sample("fail", safety_failed=True)], "C", "f_safety_item"),
        ([make_sample("fail", 400), make_sample("pass", 300), make_sample("fail", 100)], "C", "f_two_failures"),
        ([make_sample("fail", recheck=True)], "D", "f_recheck_failed"),
        ([make_sample("refused")], "D", "f_refused"),
        ([make_sample("illegal")], "D", "f_unlicensed"),
        ([make_penalty(violation_id="adulteration", weight=5)], "D", "f_adulteration"),
        ([make_penalty(1200, violation_id="adulteration", weight=5), make_sample()], "A", None),
        ([make_injury(deaths=1, followed_up=True)], "D", "f_death"),
        ([make_injury(deaths=1, followed_up=False)], "A", None),
        ([make_injury(deaths=1, followed_up=True, trust="social")], "A", None),
        ([Credit(**common(30, {"blacklisted": True}))], "D", "f_blacklist"),
        ([Credit(**common(30, {"grade": "D"})), make_sample()], "C", "f_credit_d"),
        ([make_licence(issued_on=AS_OF - timedelta(days=90)), make_sample()], "B", "f_new_licence"),
        ([make_licence(60, state="suspended"), make_sample(days_ago=10)], "D", "f_licence"),
        ([make_licence(60, state="suspended"), make_sample(days_ago=90)], "A", None),
    ],
)
def test_level_and_the_rule_that_decided_it(facts, level, rule):
    result = grade(make_facts().adding(*facts), POLICY, AS_OF)
    assert (result.level, result.forced and result.forced.id) == (level, rule)


def test_nothing_known_is_unknown_and_not_a_good_mark():
    result = grade(make_facts(), POLICY, AS_OF)
    assert result.level == "U"
    assert result.score < POLICY.thresholds["B"]
    assert any("没有抽查检验结论" in gap for gap in result.missing)


@pytest.mark.parametrize("outcome", ["no_sample"])
def test_a_visit_without_a_sample_tells_nothing_about_the_goods(outcome):
    assert grade(make_facts().adding(make_sample(outcome)), POLICY, AS_OF).level == "U"


def test_a_verdict_older_than_the_window_leaves_the_enterprise_unknown():
    assert grade(make_facts().adding(make_sample("pass", 800)), POLICY, AS_OF).level == "U"


def test_a_valid_licence_or_good_credit_says_nothing_about_the_goods():
    facts = make_facts().adding(make_licence(900), Credit(**common(20, {"grade": "A"})))
    assert grade(facts, POLICY, AS_OF).level == "U"


def test_a_new_enterprise_starts_at_b():
    assert grade(make_facts(established_on=AS_OF - timedelta(days=100)), POLICY, AS_OF).level == "B"


def test_contributions_name_records_and_read_as_sentences():
    failed = make_sample("fail", 40, safety_failed=True)
    passed = make_sample()
    result = grade(make_facts().adding(passed, failed), POLICY, AS_OF)
    first = result.contributions[0]
    assert first.evidence == (failed.signal_id, passed.signal_id)
    told = "近 36 个月抽查 2 批次，不合格 1 批次（安全项目 1），折算 1.9 批次"
    assert first.sentence == told + "（满 1.25 批次计满分），其余批次合格，减 12%。"


def test_a_clean_record_caps_the_level_at_b_for_low_risk_goods():
    bad_visits = [make_inspection(serious_findings=3, findings=3, passed=False) for _ in range(3)]
    voices = [make_complaint(verified=True, severity=4) for _ in range(5)]
    injured = [make_injury(severity="severe", followed_up=True) for _ in range(3)]
    licence = make_licence(state="expired")
    facts = [make_sample(), *bad_visits, *voices, *injured, licence]
    assert grade(make_facts(tier=3, size="micro").adding(*facts), POLICY, AS_OF).level == "C"
    low = grade(make_facts(tier=2, size="micro").adding(*facts), POLICY, AS_OF)
    assert (low.level, low.score_level) == ("B", "C")


def test_a_hundred_copied_complaints_count_as_one():
    alone = make_facts().adding(make_sample(), make_complaint(cluster_id=7, claimant="a"))
    flood = alone.adding(*[make_complaint(cluster_id=7, claimant=f"c{n}") for n in range(100)])
    assert grade(flood, POLICY, AS_OF).score == grade(alone, POLICY, AS_OF).score


def test_a_hundred_complaints_of_one_claimant_count_as_one():
    alone = make_facts().adding(make_sample(), make_complaint(claimant="a"))
    flood = alone.adding(*[make_complaint(claimant="a") for _ in range(100)])
    assert grade(flood, POLICY, AS_OF).score == grade(alone, POLICY, AS_OF).score


def test_one_outlets_forty_reposts_count_as_one():
    alone = make_facts().adding(make_sample(), make_opinion(source_id="outlet"))
    flood = alone.adding(*[make_opinion(source_id="outlet", cluster_id=3) for _ in range(40)])
    assert grade(flood, POLICY, AS_OF).score == pytest.approx(grade(alone, POLICY, AS_OF).score)


def test_no_single_low_trust_class_lifts_an_honest_firm_to_d():
    loud = [make_opinion(source_id=f"s{n}") for n in range(500)]
    quiet = grade(make_facts().adding(make_sample()), POLICY, AS_OF)
    shouted = grade(make_facts().adding(make_sample(), *loud), POLICY, AS_OF)
    assert (quiet.level, shouted.level) == ("A", "A")


def test_corroboration_holds_even_under_a_policy_that_trusts_posts_too_much():
    rules = dict(POLICY.indicators)
    caps = {
        **rules["q5_complaint"].model_extra,
        "class_cap": dict.fromkeys(("verified_complaint", "complaint", "media", "social", "self"), 1.0),
    }
    rules["q5_complaint"] = type(rules["q5_complaint"])(zh="投诉", weight=90, **caps)
    naive = POLICY.model_copy(update={"indicators": rules})
    loud = [make_opinion(source_id=f"s{n}") for n in range(500)]
    result = grade(make_facts().adding(make_sample(), *loud), naive, AS_OF)
    assert result.level == "B"
    assert result.contributions[-1].indicator == "corroboration"
    assert result.score == pytest.approx(sum(part.points for part in result.contributions))


@pytest.mark.parametrize(
    ("previous", "held_days", "facts", "level"),
    [
        ("D", 200, [make_sample("pass", 5)], "C"),  # one step a review
        ("D", 30, [make_sample("pass", 5)], "D"),  # too soon
        ("C", 200, [make_sample("fail", 5)], "C"),  # the last batch failed
        ("B", 200, [make_sample("pass", 5)], "A"),
        ("A", 5, [make_sample("refused", 1)], "D"),  # worse at once
        ("U", 5, [make_sample("pass", 5)], "A"),
    ],
)
def test_levels_get_better_slowly_and_worse_at_once(previous, held_days, facts, level):
    before = Previous(previous, AS_OF - timedelta(days=1), AS_OF - timedelta(days=held_days))
    assert grade(make_facts().adding(*facts), POLICY, AS_OF, before).level == level


def test_the_interval_holds_the_score_and_narrows_with_batches():
    few = grade(make_facts().adding(make_sample("fail", 20), make_sample()), POLICY, AS_OF)
    many = grade(
        make_facts().adding(*[make_sample("fail", 20) for _ in range(10)], *[make_sample() for _ in range(10)]),
        POLICY,
        AS_OF,
    )
    assert few.interval[0] <= few.score <= few.interval[1]
    assert many.interval[1] - many.score < few.interval[1] - few.score


def test_self_reports_are_marked_and_never_more_than_their_weight():
    checks = [make_self_check(problems=9, officer_named=False) for _ in range(9)]
    result = grade(make_facts().adding(make_sample(), *checks), POLICY, AS_OF)
    part = next(one for one in result.contributions if one.indicator == "q9_responsibility")
    assert part.points == POLICY.indicators["q9_responsibility"].weight
    assert part.low_trust == {"self": part.points}


@pytest.mark.parametrize(("tier", "measure"), [(4, "严管"), (3, "加强"), (2, "常规+"), (1, "常规"), (None, "常规+")])
def test_measure_follows_tier_and_level(tier, measure):
    facts = make_facts(tier=tier).adding(make_sample("fail", safety_failed=True))
    assert grade(facts, POLICY, AS_OF).measure == measure


def test_a_product_line_carries_its_own_records_and_those_of_the_whole_firm():
    cable = make_sample("fail", product_id="cable")
    toy = make_sample("pass", product_id="toy")
    fined = make_penalty()
    line = make_facts().adding(cable, toy, fined).for_product("toy", 2)
    assert isinstance(line, Facts)
    assert (line.samples, line.penalties, line.tier) == ((toy,), (fined,), 2)


def test_validity_and_review():
    result = grade(make_facts().adding(make_sample()), POLICY, date(2026, 1, 1))
    assert (result.valid_to, result.review_on) == (date(2027, 1, 1), date(2026, 4, 2))
