"""Expected failure: rates lean on wider groups while they rest on few batches."""

import numpy as np
import pytest

from scoring.sampling import BaseRates, Batch, Expectation, RelativeRisk, load_rules

FIND = load_rules().find


def batches(
    product: str, channel: str, failed: int, total: int, level: str | None = None, score: float | None = None
) -> list[Batch]:
    return [Batch(product, channel, n < failed, level, score) for n in range(total)]


def test_without_history_every_rate_is_the_default() -> None:
    assert BaseRates([], FIND).rate("lamp", "online") == pytest.approx(FIND.default_base_rate)


def test_a_rate_stands_between_what_was_seen_and_the_wider_group() -> None:
    rates = BaseRates([*batches("lamp", "online", 3, 4), *batches("rope", "online", 10, 200)], FIND)
    assert 0.75 > rates.rate("lamp", "online") > rates.rate("rope", "online") > 0.05
    assert rates.rate("lamp", "online") > rates.rate("lamp", "production") > rates.rate("rope", "production")


def test_many_batches_speak_for_themselves() -> None:
    rates = BaseRates(batches("lamp", "online", 3_000, 10_000), FIND)
    assert rates.rate("lamp", "online") == pytest.approx(0.3, abs=0.002)


def test_groups_that_differ_by_chance_alone_are_pulled_together() -> None:
    generator = np.random.default_rng(4)
    alike = [b for n in range(40) for b in batches(f"p{n}", "online", int(generator.binomial(50, 0.1)), 50)]
    apart = [b for n in range(40) for b in batches(f"p{n}", "online", 10 * (n % 2), 50)]
    pulled, kept = ([BaseRates(h, FIND).rate(f"p{n}", "online") for n in range(40)] for h in (alike, apart))
    assert np.ptp(pulled) < 0.03
    assert np.ptp(kept) > 0.12


def test_risk_rises_with_the_score_and_never_falls() -> None:
    generator = np.random.default_rng(5)
    history = []
    for score in generator.uniform(0, 80, 4_000):
        level = "A" if score < 15 else "B" if score < 35 else "C" if score < 60 else "D"
        history.append(Batch("lamp", "online", bool(generator.random() < 0.02 + 0.003 * score), level, float(score)))
    rates = BaseRates(history, FIND)
    risk = RelativeRisk(history, rates, FIND)
    base = rates.rate("lamp", "online")
    scores = np.linspace(0, 100, 60)
    seen = [risk.of("A", float(score)) for score in scores]
    assert np.all(np.diff(seen) >= 0)
    for score in (5, 40, 70):
        assert base * risk.of("A", score) == pytest.approx(0.02 + 0.003 * score, abs=0.03)


def test_equal_scores_are_one_group_whatever_came_of_them() -> None:
    history = batches("lamp", "online", 40, 400, "A", 0.0)
    risk = RelativeRisk(history, BaseRates(history, FIND), FIND)
    assert risk.of("A", 0.0) == pytest.approx(1.0, abs=0.1)


def test_without_graded_history_the_proposed_ratios_stand() -> None:
    rates = BaseRates([], FIND)
    risk = RelativeRisk([], rates, FIND)
    for level, score in FIND.level_score.items():
        assert risk.of(level, score) == pytest.approx(FIND.level_relative_risk[level])
    assert risk.of("U", 0.0) == pytest.approx(FIND.level_relative_risk["U"])
    assert risk.of("C", None) == FIND.level_relative_risk["C"]


def test_unknown_firms_are_judged_by_unknown_firms() -> None:
    history = [*batches("lamp", "online", 150, 500, "U", 0.0), *batches("lamp", "online", 20, 1000, "A", 0.0)]
    risk = RelativeRisk(history, BaseRates(history, FIND), FIND)
    assert risk.of("U", 0.0) > 2 * risk.of("A", 0.0)


def test_a_firm_s_own_history_moves_its_expectation_and_leans_on_the_rest() -> None:
    history = [Batch("lamp", "online", n < 20, "A", 5.0, firm=f"f{n}") for n in range(200)]
    history += [Batch("lamp", "online", True, "A", 5.0, firm="bad")] * 3
    history += [Batch("lamp", "online", False, "A", 5.0, firm="good")] * 30
    expected = Expectation(history, FIND)

    def probability(firm: str) -> float:
        return expected.fail_probability("lamp", "online", "A", 5.0, firm)

    assert probability("bad") > 2 * probability("nobody") > 4 * probability("good") * 0.9
    assert expected.own_ratio("nobody") == 1.0
    assert probability("bad") <= 0.95
    certain = Expectation([Batch("lamp", "online", True, "D", 90.0, firm="x")] * 200, FIND)
    assert certain.fail_probability("lamp", "online", "D", 90.0, "x") == 0.95


def test_rates_are_taken_at_equal_size() -> None:
    """Large firms fail a fifth as often; one product was only ever sampled at large firms."""
    history = [Batch("lamp", "online", n < 100, "A", 5.0, firm=f"s{n}", size="small") for n in range(1_000)]
    history += [Batch("lamp", "online", n < 20, "A", 5.0, firm=f"l{n}", size="large") for n in range(1_000)]
    history += [Batch("cable", "online", n < 20, "A", 5.0, firm=f"c{n}", size="large") for n in range(1_000)]
    expected = Expectation(history, FIND)
    assert expected.by_size["small"] > 3 * expected.by_size["large"]
    small = expected.fail_probability("cable", "online", "A", 5.0, "new", "small")
    large = expected.fail_probability("cable", "online", "A", 5.0, "new", "large")
    assert small > 3 * large
    assert expected.rates.rate("cable", "online") == pytest.approx(0.02, abs=0.01)
