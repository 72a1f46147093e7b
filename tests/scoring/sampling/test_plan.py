"""The plan: what must be in is in, money is never overspent, and what cannot be had is said."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.sampling import DraftPlan, PlanRules, load_rules, make_plan
from tests.scoring.sampling.pools import make_candidate, make_pool

RULES = load_rules()


def rules_with(**parts: object) -> PlanRules:
    return RULES.model_copy(update=parts)


NO_RANDOM = rules_with(random=RULES.random.model_copy(update={"share": 0.0, "lowest": 0.0}))


def chosen(plan: DraftPlan) -> list[tuple[int, str]]:
    return [(line.candidate.enterprise_id, line.rule) for line in plan.lines]


@pytest.mark.parametrize(
    ("failed", "tested", "no_sample", "rule"),
    [
        (14, 14, None, "follow_up"),  # failed, never seen since
        (14, 8, None, "risk"),  # failed, seen again within a year: settled
        (30, 13, None, "follow_up"),  # seen again, but over a year ago
        (1, 1, None, None),  # still within its time to put things right, and sampled just now
        (36, 36, None, "risk"),  # three years are over
        (None, None, 3, "follow_up"),  # nothing could be sampled
        (None, 2, 5, None),  # sampled after the vain visit, and too recently for another
        (None, 8, 30, "risk"),  # the vain visit is long ago
        (None, 5, None, None),  # sampled within six months
        (None, 6, None, "risk"),
    ],
)
def test_history_decides_what_must_and_may_be_sampled(
    failed: int | None, tested: int | None, no_sample: int | None, rule: str | None
) -> None:
    candidate = make_candidate(months_since_failed=failed, months_since_tested=tested, months_since_no_sample=no_sample)
    assert chosen(make_plan([candidate], NO_RANDOM, 10_000, seed=1)) == ([(1, rule)] if rule else [])


def test_a_county_with_few_licensed_firms_is_covered_whole() -> None:
    few = [make_candidate(n, licensed=True, region_code="990101", fail_probability=0.001) for n in range(4)]
    many = [make_candidate(n, licensed=True, region_code="990102", fail_probability=0.001) for n in range(10, 15)]
    risky = [make_candidate(n, region_code="990101", fail_probability=0.9) for n in range(20, 40)]
    plan = make_plan([*few, *many, *risky], NO_RANDOM, 8_000, seed=1)
    rules = Counter(rule for _, rule in chosen(plan))
    assert {firm for firm, rule in chosen(plan) if rule == "full_coverage"} == {0, 1, 2, 3}
    assert rules["county_floor"] == 1  # the county with five gets its floor and nothing more
    assert rules["risk"] + rules["key_share"] == 3
    assert plan.shortfalls[-1].rule == "key_share"  # nothing in the pool is a key product


def test_licensed_firms_are_counted_by_county_and_product() -> None:
    cables = [make_candidate(n, licensed=True, product_id="cable") for n in range(3)]
    cements = [make_candidate(n, licensed=True, product_id="cement") for n in range(10, 16)]
    plan = make_plan([*cables, *cements], NO_RANDOM, 3_000, seed=1)
    assert [rule for _, rule in chosen(plan)] == ["full_coverage"] * 3
    assert "获证企业仅 3 家（少于 5 家），全部抽检" in plan.lines[0].why


def test_key_products_get_their_share_even_when_others_promise_more() -> None:
    plain = [make_candidate(n, fail_probability=0.5, tier=1) for n in range(20)]
    key = [make_candidate(n, fail_probability=0.01, tier=4) for n in range(100, 120)]
    plan = make_plan([*plain, *key], NO_RANDOM, 10_000, seed=1)
    assert Counter(rule for _, rule in chosen(plan)) == {"risk": 7, "key_share": 3}
    assert plan.shortfalls == ()


def test_what_cannot_be_had_is_said_with_numbers() -> None:
    few = [make_candidate(n, licensed=True, cost_cny=1500) for n in range(4)]
    plan = make_plan(few, NO_RANDOM, 3_000, seed=1)
    shortfall = plan.shortfalls[0]
    assert (shortfall.rule, shortfall.wanted, shortfall.got, shortfall.missing) == ("full_coverage", 4, 2, 2)
    assert shortfall.why == "全覆盖应抽 4 批，计划内 2 批，缺 2 批；至少还需 3,000 元，而预算为 3,000 元。"


def test_when_rules_clash_the_later_one_gives_way() -> None:
    mandatory = [make_candidate(n, tier=1, months_since_failed=10, months_since_tested=10) for n in range(10)]
    key = [make_candidate(n, tier=4, fail_probability=0.9) for n in range(100, 110)]
    plan = make_plan([*mandatory, *key], NO_RANDOM, 10_000, seed=1)
    assert Counter(rule for _, rule in chosen(plan)) == {"follow_up": 10}
    assert [shortfall.rule for shortfall in plan.shortfalls] == ["key_share"]
    assert "与排在其前的规则争用同一笔预算" in plan.shortfalls[0].why


def test_laboratory_capacity_holds() -> None:
    pool = [make_candidate(n, product_id="lamp", fail_probability=0.9) for n in range(10)]
    pool += [make_candidate(n, product_id="rope", fail_probability=0.1) for n in range(20, 30)]
    plan = make_plan(pool, NO_RANDOM.model_copy(update={"capacity": {"lamp": 3}}), 8_000, seed=1)
    assert Counter(line.candidate.product_id for line in plan.lines) == {"lamp": 3, "rope": 5}


def test_no_firm_fills_the_plan_alone() -> None:
    pool = [make_candidate(1, product_id=f"p{n}", fail_probability=0.9) for n in range(10)]
    pool += [make_candidate(n, fail_probability=0.1) for n in range(2, 12)]
    plan = make_plan(pool, NO_RANDOM, 10_000, seed=1)
    assert Counter(firm for firm, _ in chosen(plan))[1] == RULES.per_enterprise


def test_a_firm_that_failed_with_many_products_is_followed_up_in_all() -> None:
    pool = [make_candidate(1, product_id=f"p{n}", months_since_failed=8, months_since_tested=8) for n in range(5)]
    plan = make_plan(pool, NO_RANDOM, 10_000, seed=1)
    assert [rule for _, rule in chosen(plan)] == ["follow_up"] * 5


@pytest.mark.parametrize(
    ("pool", "budget"),
    [
        ([make_candidate(1), make_candidate(1)], 1000),
        ([make_candidate(1, cost_cny=0)], 1000),
        ([make_candidate(1, cost_cny=float("nan"))], 1000),
        ([make_candidate(1, fail_probability=1.2)], 1000),
        ([make_candidate(1)], 0),
        ([make_candidate(1)], float("inf")),
    ],
)
def test_nonsense_is_refused(pool: list[object], budget: float) -> None:
    with pytest.raises(ValueError, match=r"预算|两次|费用|概率"):
        make_plan(pool, RULES, budget, seed=1)  # type: ignore[arg-type]


def test_an_empty_pool_gives_an_empty_plan() -> None:
    plan = make_plan([], RULES, 10_000, seed=1)
    assert (plan.lines, plan.shortfalls, plan.cost_cny) == ((), (), 0)


@settings(max_examples=25, deadline=None)
@given(
    count=st.integers(1, 400),
    pool_seed=st.integers(0, 10_000),
    budget=st.floats(500, 400_000),
    seed=st.integers(0, 10_000),
    counties=st.integers(1, 40),
)
def test_every_plan_keeps_its_promises(count: int, pool_seed: int, budget: float, seed: int, counties: int) -> None:
    pool = make_pool(count, pool_seed, counties=counties)
    plan = make_plan(pool, RULES, budget, seed)
    assert plan.cost_cny <= budget
    pairs = [(line.candidate.enterprise_id, line.candidate.product_id) for line in plan.lines]
    assert len(set(pairs)) == len(pairs)
    reported = {shortfall.rule for shortfall in plan.shortfalls}
    key = sum(line.candidate.tier in RULES.key_share.tiers for line in plan.lines)
    assert "key_share" in reported or key >= RULES.key_share.minimum * len(plan.lines) - 1e-9
    have = {line.candidate.region_code for line in plan.lines}
    free = [c for c in pool if c.months_since_tested is None or c.months_since_tested >= 6]
    assert "county_floor" in reported or {c.region_code for c in free} <= have
    drawn = [line for line in plan.lines if line.rule == "random"]
    share = len(drawn) / max(len(plan.lines), 1)
    assert not plan.lines or "random" in reported or RULES.random.lowest <= share <= RULES.random.highest
    assert all(0 < line.probability <= 1 for line in plan.lines)
    assert all((line.purpose == "estimate") == (line.rule == "random") for line in plan.lines)
    assert all(line.why for line in plan.lines)
    find = [line for line in plan.lines if line.rule not in ("random", "follow_up", "full_coverage")]
    assert all(line.candidate.months_since_tested is None or line.candidate.months_since_tested >= 6 for line in find)


@settings(max_examples=10, deadline=None)
@given(pool_seed=st.integers(0, 10_000), seed=st.integers(0, 10_000))
def test_the_same_request_gives_the_same_plan_in_any_order(pool_seed: int, seed: int) -> None:
    pool = make_pool(200, pool_seed)
    assert make_plan(pool, RULES, 100_000, seed) == make_plan(pool[::-1], RULES, 100_000, seed)


def test_another_seed_draws_others_and_changes_nothing_else_of_the_random_part() -> None:
    pool = make_pool(600, 5, quiet=True)
    one, other = (make_plan(pool, RULES, 200_000, seed) for seed in (1, 2))
    drawn = [
        {line.candidate.key: line.probability for line in plan.lines if line.rule == "random"} for plan in (one, other)
    ]
    assert drawn[0].keys() != drawn[1].keys()
    assert len(drawn[0]) == len(drawn[1])


def test_a_plan_of_real_size_meets_all_rules_near_its_bound() -> None:
    pool = make_pool(5_000, 3, counties=100, quiet=True)
    plan = make_plan(pool, RULES, 900_000, seed=9)
    assert plan.shortfalls == ()
    assert plan.bound - plan.value <= 0.001 * plan.bound
    assert 0.10 <= plan.counts["random"] / len(plan.lines) <= 0.15


def test_columns_join_until_the_bound_is_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = make_pool(3_000, 11, counties=60)
    whole = make_plan(pool, RULES, 300_000, seed=2)
    monkeypatch.setattr("scoring.sampling.optimise.SMALL_POOL", 10)
    by_columns = make_plan(pool, RULES, 300_000, seed=2)
    assert by_columns.bound == pytest.approx(whole.bound, rel=1e-9)


def test_a_rule_that_is_switched_off_leaves_no_shortfall() -> None:
    rules = NO_RANDOM.model_copy(
        update={
            "key_share": RULES.key_share.model_copy(update={"minimum": 0.0}),
            "county_floor": RULES.county_floor.model_copy(update={"batches": 0}),
        }
    )
    plan = make_plan([replace(c, tier=1) for c in make_pool(50, 1, quiet=True)], rules, 3_000, seed=1)
    assert plan.shortfalls == ()
    assert set(plan.counts) == {"risk"}
