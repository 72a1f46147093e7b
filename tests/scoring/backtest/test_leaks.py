"""Plant a leak and hear the back-test scream; put an honest strong column beside it and hear nothing."""

import numpy as np
import pandas as pd
import pytest

from scoring.backtest.history import history
from scoring.backtest.leaks import suspects
from scoring.backtest.rolling import day_number
from scoring.backtest.table import inspections
from tests.scoring.backtest.factories import MAP, START, make_table


def named(frame: pd.DataFrame) -> dict[str, bool]:
    """Return the accused columns, and whether each is thrown out."""
    table = inspections(frame, MAP)
    found = {one.column: one.certain for one in suspects(history(table), table, day_number(START))}
    return found | dict.fromkeys(table.late, True)


def failing(frame: pd.DataFrame) -> np.ndarray:
    return (frame["result"] == "不合格").to_numpy()


def noisy_copy(frame, rng):
    failed = failing(frame)
    return np.where(rng.random(len(frame)) < 0.05, ~failed, failed).astype(int) * 10 + rng.integers(0, 3, len(frame))


def filled_for_failures(frame, rng):
    return np.where(failing(frame) & (rng.random(len(frame)) < 0.4), "责令整改", None)


def filled_for_passes(frame, rng):
    return np.where(failing(frame), None, "证号" + pd.Series(rng.integers(0, 60, len(frame))).astype(str))


def number_in_order_of_result(frame, rng):
    return 1000 * (~failing(frame)) + rng.integers(0, 900, len(frame))


def number_in_order_of_result_within_days(frame, rng):
    return pd.to_datetime(frame["day"]).astype("int64") // 10**12 + failing(frame) + rng.random(len(frame)) / 2


def date_of_result(frame, rng):
    late = np.where(failing(frame), 20, 15) + rng.integers(0, 30, len(frame))
    return (pd.to_datetime(frame["day"]) + pd.to_timedelta(late, unit="D")).astype(str)


def count_with_this_visit(frame, rng):
    return frame.assign(failed=failing(frame)).groupby("firm")["failed"].cumsum()


def firm_rate_in_hindsight(frame, rng):
    return frame.assign(failed=failing(frame)).groupby("firm")["failed"].transform("mean")


def smoothed_firm_rate_in_hindsight(frame, rng):
    found = frame.assign(failed=failing(frame)).groupby("firm")["failed"].agg(["sum", "size"])
    return frame["firm"].map((found["sum"] + 1.2) / (found["size"] + 10)) + rng.normal(0, 0.003, len(frame))


LEAKS = [
    noisy_copy,
    filled_for_failures,
    filled_for_passes,
    number_in_order_of_result,
    number_in_order_of_result_within_days,
    date_of_result,
    count_with_this_visit,
    firm_rate_in_hindsight,
    smoothed_firm_rate_in_hindsight,
]


@pytest.mark.parametrize("leak", LEAKS)
def test_a_planted_leak_is_named_and_thrown_out(leak):
    frame = make_table()
    frame["planted"] = leak(frame, np.random.default_rng(3))
    assert named(frame) == {"planted": True}


def count_so_far(frame, rng):
    failed = frame.assign(failed=failing(frame)).groupby("firm")["failed"]
    return failed.cumsum() - failing(frame)


def rate_so_far(frame, rng):
    return (count_so_far(frame, rng) + 1.2) / (frame.groupby("firm").cumcount() + 10)


def true_quality_with_noise(frame, rng):
    return (frame["firm"].str[2:].astype(int) % 5 == 0) * 1.0 + rng.normal(0, 0.5, len(frame))


def expiry_date(frame, rng):
    return (pd.to_datetime(frame["day"]) + pd.to_timedelta(rng.integers(1, 1500, len(frame)), unit="D")).astype(str)


def half_filled(frame, rng):
    return np.where(rng.random(len(frame)) < 0.5, "有", None)


@pytest.mark.parametrize("honest", [count_so_far, rate_so_far, true_quality_with_noise, expiry_date, half_filled])
def test_an_honest_column_however_strong_is_left_alone(honest):
    frame = make_table()
    frame["honest"] = honest(frame, np.random.default_rng(3))
    assert named(frame) == {}


def test_a_firm_inspected_once_gives_a_rate_in_hindsight_away():
    """Over firms of one visit a rate in hindsight is the result itself, however few values it takes."""
    frame = make_table(3000, firms=2500)
    rate = firm_rate_in_hindsight(frame, None)
    frame["planted"] = np.where(rate > 0.4, "高", "低")
    assert named(frame)["planted"]
