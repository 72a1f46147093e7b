"""The policy file: readable, complete, refused with a clear line when it is wrong."""

from datetime import date

import pytest

from scoring.forced import CONDITIONS
from scoring.indicators import INDICATORS
from scoring.policy import PolicyError, load_policies, load_policy, parse_policy, policy_in_force

POLICY = load_policy()


def test_weights_add_up_to_a_hundred():
    assert sum(rule.weight for rule in POLICY.indicators.values()) == 100


def test_every_indicator_and_rule_of_the_policy_is_known():
    assert set(POLICY.indicators) == set(INDICATORS)
    assert {rule.id for rule in POLICY.forced} == set(CONDITIONS)


def test_the_hash_follows_the_numbers_and_not_the_comments():
    assert parse_policy("# 注释\n" + POLICY.body).hash == POLICY.hash
    assert parse_policy(POLICY.body.replace("weight: 25", "weight: 24")).hash != POLICY.hash


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("thresholds: {B: 15, C: 35, D: 60}", "thresholds: {B: 35, C: 15, D: 60}", "递增"),
        ("id: f_refused, to: D", "id: f_refused, to: D, at_least: C", "之一"),
        ("id: f_refused", "id: f_unheard", "f_death"),
        ("A: 常规+, B: 加强, C: 严管", "A: 常规+, B: 加强, C: 严办", "严办"),
        ("weight: 25", "weight: much", "weight"),
        ("name: grade", "name: [", "YAML"),
        ("name: grade", "name: &n grade\nbasis: *n", "引用"),
        ("D: 60", "D: .nan", "有限"),
        ("weight: 25", "weight: 250", "不应大于 100"),
        ("weight: 25", "weight: 25\n    weight: 1", "“weight”写了两次"),
        ("weight: 25", f"weight: {'9' * 5000}", "YAML"),
        ("name: grade", "name: 2026-99-99", "YAML"),
        ("name: grade", f"name: {'[' * 50_000}", "层次过深"),
        ("name: grade", "name: !!python/name:os.system", "第 "),
        ("validity_months: 12", "validity: 12", "缺少这一项"),
    ],
)
def test_a_wrong_policy_is_refused_with_one_line(old, new, complaint):
    with pytest.raises(PolicyError, match=complaint):
        parse_policy(POLICY.body.replace(old, new, 1))


def test_the_policy_in_force_is_the_newest_effective_one(tmp_path):
    for name, start in (("policy.yml", "2020-01-01"), ("policy-2027.yml", "2027-01-01")):
        (tmp_path / name).write_text(POLICY.body.replace("2020-01-01", start), encoding="utf-8")
    policies = load_policies(tmp_path)
    days = (date(2019, 1, 1), date(2026, 6, 1), date(2027, 1, 1))
    assert [policy_in_force(policies, day).effective_from.year for day in days] == [2020, 2020, 2027]


def test_proposals_are_marked():
    assert POLICY.status == "P"
