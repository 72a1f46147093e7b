"""What holds for any facts: bad news never helps, points add up, the future does not count."""

from dataclasses import replace
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.facts import Facts
from scoring.grade import grade
from scoring.policy import LEVELS, load_policy
from tests.scoring.facts_factories import (
    AS_OF,
    make_complaint,
    make_facts,
    make_injury,
    make_inspection,
    make_licence,
    make_opinion,
    make_penalty,
    make_recall,
    make_sample,
)

POLICY = load_policy()
ages = st.integers(0, 1500)
items = st.sampled_from([(), ("甲",), ("乙",), ("甲", "乙")])
clusters = st.one_of(st.none(), st.integers(1, 3))
claimants = st.one_of(st.none(), st.sampled_from("abc"))
trusts = st.sampled_from(["official", "media", "social"])

bad_facts = st.one_of(
    st.builds(
        lambda age, found, safe, again: make_sample("fail", age, failed_items=found, safety_failed=safe, recheck=again),
        ages,
        items,
        st.booleans(),
        st.booleans(),
    ),
    st.builds(lambda age: make_sample("refused", age), ages),
    st.builds(
        lambda age, cluster, who, sure, grave: make_complaint(
            age, cluster_id=cluster, claimant=who, verified=sure, severity=grave
        ),
        ages,
        clusters,
        claimants,
        st.booleans(),
        st.integers(1, 4),
    ),
    st.builds(
        lambda age, cluster, trust, outlet: make_opinion(age, cluster_id=cluster, trust=trust, source_id=outlet),
        ages,
        clusters,
        trusts,
        st.sampled_from("xyz"),
    ),
    st.builds(lambda age, weight: make_penalty(age, weight=weight), ages, st.integers(1, 5)),
    st.builds(lambda age, n: make_inspection(age, findings=n, serious_findings=n // 2, passed=False), ages, ages),
    st.builds(lambda age, ordered: make_recall(age, ordered=ordered), ages, st.booleans()),
    st.builds(
        lambda age, deaths, sure: make_injury(age, deaths=deaths, followed_up=sure, severity="severe"),
        ages,
        st.integers(0, 1),
        st.booleans(),
    ),
    st.builds(lambda age, number: make_licence(age, number=str(number), state="revoked"), ages, st.integers(1, 99)),
)
good_facts = st.builds(lambda age: make_sample("pass", age), ages)
worlds = st.builds(
    lambda facts, tier, size: make_facts(tier=tier, size=size).adding(*facts),
    st.lists(st.one_of(bad_facts, good_facts), max_size=12),
    st.integers(1, 4),
    st.sampled_from([None, "micro", "large"]),
)


@given(worlds, bad_facts)
@settings(max_examples=200, deadline=None)
def test_a_bad_fact_never_lowers_the_score_nor_improves_the_level(world: Facts, bad):
    before, after = grade(world, POLICY, AS_OF), grade(world.adding(bad), POLICY, AS_OF)
    assert after.score >= before.score - 1e-9
    if before.level != "U":
        assert LEVELS.index(after.level) >= LEVELS.index(before.level)


@given(worlds)
@settings(max_examples=100, deadline=None)
def test_points_add_up_to_the_score_and_the_interval_holds_it(world: Facts):
    result = grade(world, POLICY, AS_OF)
    assert abs(sum(part.points for part in result.contributions) - result.score) < 1e-9
    assert 0 <= result.interval[0] <= result.score + 1e-9 <= result.interval[1] + 2e-9 <= 100 + 2e-9
    assert all(0 <= part.value <= 1 for part in result.contributions)


@given(worlds, bad_facts, st.integers(1, 400))
@settings(max_examples=100, deadline=None)
def test_what_happens_after_the_day_does_not_count(world: Facts, bad, days):
    later = date.fromordinal(AS_OF.toordinal() + days)
    future = replace(bad, occurred_on=later, known_on=later)
    assert grade(world.adding(future), POLICY, AS_OF).score == grade(world, POLICY, AS_OF).score


@given(worlds, st.integers(2, 60))
@settings(max_examples=100, deadline=None)
def test_copies_of_one_complaint_count_as_one(world: Facts, copies):
    first = make_complaint(10, cluster_id=99, claimant="first")
    flood = [make_complaint(10, cluster_id=99, claimant=f"copy{n}") for n in range(copies)]
    one, many = world.adding(first), world.adding(first, *flood)
    assert grade(many, POLICY, AS_OF).score == grade(one, POLICY, AS_OF).score
