"""Expected failure: rates lean on wider groups while they rest on few batches."""

import pytest

from scoring.sampling import BaseRates, Batch, RelativeRisk, load_rules

FIND = load_rules().find


def batches(product: str, channel: str, failed: int, total: int, level: str | None = None) -> list[Batch]:
    return [Batch(product, channel, n < failed, level) for n in range(total)]


def test_without_history_every_rate_is_the_default() -> None:
    assert BaseRates([], FIND).rate("lamp", "online") == pytest.approx(FIND.default_base_rate)


def test_a_rate_stands_between_what_was_seen_and_the_wider_group() -> None:
    rates = BaseRates([*batches("lamp", "online", 3, 4), *batches("rope", "online", 10, 200)], FIND)
    assert 0.75 > rates.rate("lamp", "online") > rates.rate("rope", "online") > 0.05
    assert rates.rate("lamp", "online") > rates.rate("lamp", "production") > rates.rate("rope", "production")


def test_many_batches_speak_for_themselves() -> None:
    rates = BaseRates(batches("lamp", "online", 3_000, 10_000), FIND)
    assert rates.rate("lamp", "online") == pytest.approx(0.3, abs=0.002)


def test_a_level_s_risk_is_learnt_from_graded_batches_and_starts_at_the_prior() -> None:
    history = [*batches("lamp", "online", 50, 1000, "A"), *batches("lamp", "online", 400, 1000, "D")]
    rates = BaseRates(history, FIND)
    risk = RelativeRisk(history, rates, FIND)
    base = rates.rate("lamp", "online")
    assert risk.fail_probability(base, "A") == pytest.approx(0.05, abs=0.02)
    assert risk.fail_probability(base, "D") == pytest.approx(0.4, abs=0.04)
    assert risk.of("C") == pytest.approx(FIND.level_relative_risk["C"])
    assert risk.of("?") == 1.0
    assert RelativeRisk([], rates, FIND).fail_probability(0.9, "D") == 0.95
