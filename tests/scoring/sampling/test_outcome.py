"""A plan's outcome: finds against expectation, and the pool's rate without bias."""

import numpy as np
import pytest

from scoring.sampling import Planned, Result, plan_outcome
from scoring.sampling.draw import inclusion_probabilities, systematic_draw
from scoring.sampling.outcome import hajek_rate


def line(purpose: str = "find", probability: float = 1.0, base: float = 0.1) -> Planned:
    return Planned(purpose, probability, base, 0.3, 2.5, 1000.0)


def test_found_is_held_against_what_the_mix_made_likely() -> None:
    results = [Result(line(base=0.2), "fail")] * 6 + [Result(line(base=0.1), "pass")] * 14
    results += [Result(line(), "no_sample"), Result(line(), None)]
    outcome = plan_outcome(results)
    assert (outcome.overall.lines, outcome.overall.tested, outcome.overall.found) == (22, 20, 6)
    assert outcome.overall.expected == pytest.approx(2.6)
    assert outcome.overall.ratio == pytest.approx(6 / 2.6)
    # Exact Poisson interval of 6: 2.202 to 13.06 (Garwood).
    assert (outcome.overall.low, outcome.overall.high) == pytest.approx((2.202 / 2.6, 13.06 / 2.6), abs=0.005)
    assert (outcome.without_sample, outcome.waiting) == (1, 1)
    assert outcome.cny_per_failure == pytest.approx(20_000 / 6)
    assert outcome.severity_weighted == pytest.approx(15)


def test_nothing_back_yet_claims_nothing() -> None:
    outcome = plan_outcome([Result(line(), None), Result(line("estimate", 0.1), None)])
    assert outcome.overall.ratio is None
    assert outcome.pool_rate.rate is None
    assert outcome.cny_per_failure is None


def test_each_random_line_speaks_for_as_many_as_its_probability_says() -> None:
    results = [Result(line("estimate", 0.1), "fail"), Result(line("estimate", 0.5), "pass")]
    rate = hajek_rate(results)
    assert rate.rate == pytest.approx(10 / 12)
    assert rate.low is not None
    assert rate.high is not None
    assert 0 < rate.low < 10 / 12 < rate.high <= 1


@pytest.mark.parametrize("outcomes", [["pass"] * 30, ["fail"] * 30])
def test_the_interval_is_honest_at_the_ends(outcomes: list[str]) -> None:
    rate = hajek_rate([Result(line("estimate", 0.2), outcome) for outcome in outcomes])
    low, high = (0.0, 0.1157) if outcomes[0] == "pass" else (0.8843, 1.0)  # Clopper–Pearson for 0 and 30 of 30
    assert (rate.low, rate.high) == pytest.approx((low, high), abs=0.0005)


def test_the_random_part_estimates_the_pool_without_bias_however_it_is_weighted() -> None:
    generator = np.random.default_rng(3)
    weights = generator.choice([1.0, 1.5, 4.0], 2_000)
    # Those drawn likelier fail more often, so an unweighted share would be far off.
    fails = generator.random(2_000) < 0.05 * weights
    probabilities = inclusion_probabilities(list(weights), 150)
    estimates, covered = [], 0
    for _ in range(400):
        drawn = systematic_draw(probabilities, generator)
        rate = hajek_rate(
            [Result(line("estimate", float(probabilities[i])), "fail" if fails[i] else "pass") for i in drawn]
        )
        assert rate.rate is not None
        assert rate.low is not None
        assert rate.high is not None
        estimates.append(rate.rate)
        covered += rate.low <= fails.mean() <= rate.high
    assert np.mean(estimates) == pytest.approx(fails.mean(), abs=0.005)
    assert covered >= 0.93 * 400
