"""What would change a grade, what did, and whom another policy would move."""

import pytest

from scoring.grade import Previous, grade
from scoring.policy import PolicyError, load_policy, parse_policy
from scoring.whatif import changes, compare, differences, outlooks, rehearse
from tests.scoring.facts_factories import AS_OF, make_complaint, make_facts, make_sample

POLICY = load_policy()


def test_outlooks_say_what_the_next_batch_would_do():
    facts = make_facts().adding(make_sample())
    found = {one.event: one.level for one in outlooks(facts, POLICY, AS_OF)}
    assert found == {
        "再有一批次一般项目不合格": "B",
        "再有一批次安全项目不合格": "C",
        "再有一批次合格": "A",
        "一年内没有新的不利记录且抽查合格": "A",
    }


def test_changes_name_the_records_that_came():
    old = make_facts().adding(make_sample())
    complaint = make_complaint(verified=True)
    before, now = grade(old, POLICY, AS_OF), grade(old.adding(complaint), POLICY, AS_OF)
    stored = [[part.as_json() for part in result.contributions] for result in (before, now)]
    found = changes(*stored)
    assert [(one.indicator, one.came, one.went) for one in found] == [("q5_complaint", (complaint.signal_id,), ())]
    assert found[0].points_now > found[0].points_before == 0


def test_nothing_changed_is_an_empty_list():
    parts = [part.as_json() for part in grade(make_facts(), POLICY, AS_OF).contributions]
    assert changes(parts, parts) == []


def test_a_stricter_policy_names_whom_it_moves():
    strict = parse_policy(POLICY.body.replace("thresholds: {B: 15, C: 35, D: 60}", "thresholds: {B: 5, C: 15, D: 60}"))
    fair = make_facts(enterprise_id=1).adding(make_sample())
    failed = make_facts(enterprise_id=2).adding(make_sample("fail"))
    found = compare([fair, failed], POLICY, strict, AS_OF)
    assert [(move.line[0], move.level, move.level_then, move.worse) for move in found.moves] == [(2, "B", "C", True)]
    assert found.matrix == {("A", "A"): 1, ("B", "C"): 1}
    assert found.policy != found.policy_then


def test_a_clean_year_is_told_from_the_day_it_ends():
    facts = make_facts().adding(make_sample("fail", safety_failed=True), make_sample("fail", 10))
    later = next(one for one in outlooks(facts, POLICY, AS_OF) if one.event.startswith("一年内"))
    assert later.score < grade(facts, POLICY, AS_OF).score


def test_a_move_says_why():
    facts = make_facts().adding(make_sample("fail"))
    bodies = {
        "分界改变": ("thresholds: {B: 15, C: 35, D: 60}", "thresholds: {B: 5, C: 15, D: 60}"),
        "近三年监督抽查不合格 +18.9 分": ("weight: 25", "weight: 50"),
        "强制规则起作用：24 个月内两批次": ("months: 24, failures: 2", "months: 24, failures: 1"),
    }
    for cause, (old, new) in bodies.items():
        moved = compare([facts], POLICY, parse_policy(POLICY.body.replace(old, new)), AS_OF).moves
        assert [cause in move.cause for move in moved] == [True], (cause, moved)


def test_both_policies_keep_their_pace_of_upgrades():
    facts = make_facts(enterprise_id=3).adding(make_sample())
    before = {(3, "", "producer"): Previous("C", AS_OF, AS_OF)}
    slow = compare(
        [facts],
        POLICY,
        parse_policy(POLICY.body.replace("max_steps: 1, review", "max_steps: 3, review")),
        AS_OF,
        before,
    )
    assert slow.matrix == {("C", "C"): 1}


def test_differences_name_the_place_and_both_values():
    other = parse_policy(
        POLICY.body.replace("weight: 25", "weight: 30").replace("id: f_death, to: D", "id: f_death, to: C")
    )
    assert differences(POLICY, other) == [
        ("indicators.q1_sampling_fail.weight", "25.0", "30.0"),
        ("forced.f_death.to", "D", "C"),
    ]
    assert differences(POLICY, POLICY) == []


SAMPLING = "".join(POLICY.body.partition("  q1_sampling_fail:")[1:]).partition("  q2_repeat_fail:")[0]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("    saturation: 1.25", "    saturated: 1.25", "缺少参数 saturation"),
        ("    saturation: 1.25", "    saturation: 0", "数值不可用"),
        ("    saturation: 1.25", "    saturation: .inf", "有限"),
        ("  q1_sampling_fail:", "  q10_credit_class:", "写了两次"),
        (SAMPLING, "", "缺少"),
    ],
)
def test_a_policy_that_cannot_be_applied_is_found_out_before_it_is_tried(old, new, complaint):
    rehearse(POLICY, AS_OF)
    body = POLICY.body.replace(old, new, 1)
    with pytest.raises(PolicyError, match=complaint):
        rehearse(parse_policy(body), AS_OF)
