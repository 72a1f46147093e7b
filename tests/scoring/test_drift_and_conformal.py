"""Sets that keep their promise per class, and a watch that notices a changed world."""

import numpy as np
import pytest

from scoring.conformal import Plausible, TooFewError
from scoring.drift import base_rate, stability_index, watch


def batches(count, seed):
    rng = np.random.default_rng(seed)
    failed = rng.random(count) < 0.08
    probability = np.clip(rng.normal(np.where(failed, 0.3, 0.08), 0.1), 0, 1)
    return probability, failed


def test_errors_stay_below_the_promise_in_each_class():
    judge = Plausible.calibrate(*batches(8000, 1))
    probability, failed = batches(20000, 2)
    sets = judge.sets(probability, confidence=0.9)
    kept_fail = np.mean([one.may_fail for one, bad in zip(sets, failed, strict=True) if bad])
    kept_pass = np.mean([one.may_pass for one, bad in zip(sets, failed, strict=True) if not bad])
    assert kept_fail == pytest.approx(0.9, abs=0.02)
    assert kept_pass == pytest.approx(0.9, abs=0.02)


def test_a_clear_case_gets_one_answer_and_a_doubtful_one_both():
    judge = Plausible.calibrate(*batches(8000, 1))
    clear, bad, doubtful = judge.sets(np.array([0.0, 0.6, 0.18]))
    assert (clear.zh, bad.zh, doubtful.zh) == ("应当合格", "应当不合格", "合格、不合格都可能")


def test_two_limits_say_what_the_sets_say():
    rng = np.random.default_rng(6)
    failed = rng.random(500) < 0.3
    chances = np.clip(0.2 + 0.3 * failed + rng.normal(0, 0.15, 500), 0, 1)
    judge = Plausible.calibrate(chances, failed)
    limits = judge.limits(chances)
    asked = np.linspace(0, 1, 301)
    assert [limits.of(float(one)) for one in asked] == judge.sets(asked)


def test_too_few_failures_promise_nothing():
    with pytest.raises(TooFewError):
        Plausible.calibrate(np.full(100, 0.1), np.arange(100) < 5)


def test_the_same_world_is_stable_and_a_shifted_one_is_not():
    rng = np.random.default_rng(0)
    then, same, shifted = rng.normal(size=4000), rng.normal(size=4000), rng.normal(1.0, 1.0, 4000)
    assert stability_index(then, same) < 0.02
    found = watch({"a": then, "b": then}, {"a": shifted, "b": same})
    assert [(one.name, one.verdict) for one in found] == [("a", "changed"), ("b", "stable")]


def test_values_that_go_missing_are_drift():
    then = np.arange(1000, dtype=float)
    now = then.copy()
    now[::2] = np.nan
    assert stability_index(then, now) > 0.25


def test_a_constant_that_starts_to_vary_is_drift():
    assert stability_index(np.zeros(500), np.concatenate([np.zeros(250), np.ones(250)])) > 0.25


def test_a_base_rate_that_fell_from_eleven_to_two_percent_has_moved():
    then, now = np.arange(1000) < 110, np.arange(1000) < 20
    assert base_rate(then, now).moved
    assert not base_rate(then, np.arange(1000) < 105).moved
