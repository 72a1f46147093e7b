"""Deadlines: calendar days roll off holidays, working days skip them, people can correct the calendar."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.deadlines import WorkCalendar, add_months, due_on
from casework.limits import Limit, load_limits, titles

CALENDAR = WorkCalendar()


def make_limit(value: int, unit: str) -> Limit:
    return Limit("X", "监督抽查", "某步", value, unit, "某日", "某条", "S")


@pytest.mark.parametrize(
    ("value", "unit", "start", "due"),
    [
        (60, "calendar_day", date(2026, 3, 2), date(2026, 5, 6)),  # 1 May to 5 May are off
        (15, "calendar_day", date(2026, 3, 2), date(2026, 3, 17)),
        (5, "working_day", date(2026, 9, 24), date(2026, 10, 9)),  # Mid-autumn and National Day lie between
        (3, "working_day", date(2026, 9, 30), date(2026, 10, 10)),  # Saturday 10 October is worked
        (6, "month", date(2026, 8, 31), date(2027, 3, 1)),  # 28 February 2027 is a Sunday
        (2, "year", date(2024, 2, 29), date(2026, 2, 28)),  # a Saturday that is worked after the Spring Festival
    ],
)
def test_due_dates(value: int, unit: str, start: date, due: date) -> None:
    assert due_on(make_limit(value, unit), start, CALENDAR) == due


def test_a_day_the_administrator_entered_wins() -> None:
    moved = WorkCalendar({date(2026, 3, 17): False, date(2026, 3, 18): False})
    assert due_on(make_limit(15, "calendar_day"), date(2026, 3, 2), moved) == date(2026, 3, 19)
    assert moved.is_working(date(2026, 3, 17)) is False


def test_the_calendar_says_what_it_cannot_know() -> None:
    assert CALENDAR.knows_make_up_days(2026)
    assert not CALENDAR.knows_make_up_days(2027)
    assert WorkCalendar({date(2027, 2, 14): True}).knows_make_up_days(2027)


@given(st.dates(date(2025, 1, 1), date(2026, 6, 1)), st.integers(0, 90))
def test_working_days_are_counted_one_by_one(start: date, days: int) -> None:
    end = CALENDAR.add_working_days(start, days)
    between = [start + timedelta(days=n) for n in range(1, (end - start).days + 1)]
    assert sum(CALENDAR.is_working(day) for day in between) == days
    assert days == 0 or CALENDAR.is_working(end)


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2026, 5, 15), 12, date(2027, 5, 15)),
    ],
)
def test_months(day: date, months: int, later: date) -> None:
    assert add_months(day, months) == later


def test_the_shipped_table_has_the_limits_the_steps_use() -> None:
    limits = load_limits()
    assert (limits["SC04"].value, limits["SC04"].unit) == (60, "calendar_day")
    assert (limits["SC05"].value, limits["CP04"].unit) == (75, "working_day")
    assert titles()["SC05"] == "组织复查"
    assert {limit.status for limit in limits.values()} == {"S", "K"}
