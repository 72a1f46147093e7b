"""The page a domain expert reads says what the policy says."""

import re
from pathlib import Path

import pytest

from scoring.policy import load_policy

POLICY = load_policy()
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "scoring.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", list(POLICY.indicators))
def test_every_indicator_is_there_with_its_name_and_weight(name):
    rule = POLICY.indicators[name]
    assert f"| {name} | {rule.zh} | {rule.weight:g} |" in PAGE


@pytest.mark.parametrize("rule", POLICY.forced, ids=lambda rule: rule.id)
def test_every_forced_rule_is_there_with_its_effect(rule):
    effect = rule.to or (f"不低于 {rule.at_least}" if rule.at_least else f"不高于 {rule.at_most}")
    assert f"| {rule.id} | {effect} |" in PAGE


def test_the_matrix_of_measures_is_the_policys():
    for tier, row in POLICY.matrix_action.items():
        cells = " | ".join(row[level] for level in ("A", "B", "C", "D", "U"))
        assert re.search(rf"\| {tier} \S+ \| {re.escape(cells)} \|", PAGE)


def test_thresholds_and_marks():
    for level, points in POLICY.thresholds.items():
        assert f"满 {points:g} 分为 {level}" in PAGE
    assert "建议值" in PAGE
