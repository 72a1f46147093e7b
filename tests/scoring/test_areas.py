"""黄色警示 and 红色警情: numbers, bounds, and how a flag ends."""

from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from scoring.areas import AreaBatch, area_states
from scoring.policy import load_policy
from tests.scoring.facts_factories import AS_OF

POLICY = load_policy()
_ids = count(1)


def batches(region, failing_firms, passed, product="cable", **changes):
    made = [(n, True) for n in range(failing_firms)] + [(1000 + n, False) for n in range(passed)]
    return [
        AreaBatch(next(_ids), firm, region, product, AS_OF - timedelta(days=30), failed, **changes)
        for firm, failed in made
    ]


PROVINCE = batches("370200", 5, 200)


@pytest.mark.parametrize(
    ("failing_firms", "passed", "colour"),
    [
        (1, 30, None),  # one failing shop reddens nothing
        (2, 3, None),  # too few batches to say anything
        (2, 30, "yellow"),
        (5, 40, "red"),
        (0, 50, None),
    ],
)
def test_colour_needs_enterprises_and_batches(failing_firms, passed, colour):
    found = area_states([*PROVINCE, *batches("370101", failing_firms, passed)], POLICY, AS_OF)
    ours = [state for state in found if state.region_code == "370101"]
    assert [state.colour for state in ours] == ([colour] if colour else [])


def test_one_firm_failing_often_stays_yellow_at_most():
    one = [replace(batch, enterprise_id=7) for batch in batches("370101", 6, 6)]
    state = next(s for s in area_states([*PROVINCE, *one], POLICY, AS_OF) if s.region_code == "370101")
    assert (state.failing_enterprises, state.colour) == (1, "yellow")
    assert "不合格率下限" in state.reasons[0]


def test_a_death_is_enough_for_red():
    state = area_states(batches("370101", 0, 1, fatal=True), POLICY, AS_OF)[0]
    assert (state.colour, state.batches, len(state.evidence)) == ("red", 0, 1)


def test_going_through_earlier_days_keeps_the_start():
    known = [*PROVINCE, *batches("370101", 3, 30)]
    found = area_states(known, POLICY, AS_OF + timedelta(days=60), area_states(known, POLICY, AS_OF))
    assert {state.start for state in found} == {AS_OF}


def test_a_flag_stays_until_its_review_and_then_goes():
    flagged = area_states([*PROVINCE, *batches("370101", 3, 30)], POLICY, AS_OF)
    soon, late = AS_OF + timedelta(days=30), AS_OF + timedelta(days=120)
    kept = area_states([], POLICY, soon, flagged)
    assert [(state.region_code, state.start, state.review_on) for state in kept if state.region_code == "370101"] == [
        ("370101", AS_OF, flagged[0].review_on)
    ]
    assert area_states([], POLICY, late, flagged) == []


def test_evidence_is_the_failed_batches_within_the_window():
    old = [replace(batch, occurred_on=AS_OF - timedelta(days=500)) for batch in batches("370101", 9, 9)]
    fresh = batches("370101", 2, 20)
    state = next(s for s in area_states([*PROVINCE, *old, *fresh], POLICY, AS_OF) if s.region_code == "370101")
    assert state.evidence == tuple(batch.signal_id for batch in fresh if batch.failed)
    assert state.low < state.rate < state.high
