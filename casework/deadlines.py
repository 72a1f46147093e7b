"""Statutory deadlines in calendar days, working days and months, over a calendar that people can correct."""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache

import holidays

from casework.limits import Limit


class DeadlineError(ValueError):
    """The limit has no length that a date can be counted with."""


@dataclass(frozen=True)
class WorkCalendar:
    """Which days are worked in China: the shipped calendar, corrected by the days an administrator entered."""

    overrides: Mapping[date, bool] = field(default_factory=dict)

    def is_working(self, day: date) -> bool:
        """True on a working day, make-up days included."""
        if day in self.overrides:
            return self.overrides[day]
        return bool(_china().is_working_day(day))

    def add_working_days(self, start: date, days: int) -> date:
        """Return the day on which the `days`-th working day after `start` falls."""
        day = start
        while days > 0:
            day += timedelta(days=1)
            days -= self.is_working(day)
        return day

    def next_working(self, day: date) -> date:
        """Return the day itself when it is worked, else the next one that is."""
        while not self.is_working(day):
            day += timedelta(days=1)
        return day

    def knows_make_up_days(self, year: int) -> bool:
        """True once the State Council's make-up days of the year are in the calendar (it publishes in November)."""
        return year <= LAST_PUBLISHED_YEAR or any(day.year == year for day in self.overrides)


# The shipped calendar has statutory dates beyond this year, but not which weekends are worked.
LAST_PUBLISHED_YEAR = 2026


def due_on(limit: Limit, started_on: date, calendar: WorkCalendar) -> date:
    """Return the last day of a limit; one that ends on a day off rolls forward to the next working day (K).

    The day it is counted from does not count itself. Raises DeadlineError for a unit no date follows from.
    """
    match limit.unit:
        case "calendar_day":
            return calendar.next_working(started_on + timedelta(days=limit.value))
        case "working_day":
            return calendar.add_working_days(started_on, limit.value)
        case "month":
            return calendar.next_working(add_months(started_on, limit.value))
        case "year":
            return calendar.next_working(add_months(started_on, 12 * limit.value))
    raise DeadlineError(f"时限 {limit.id} 的单位“{limit.unit}”不能推算日期")


def add_months(day: date, months: int) -> date:
    """Return the same day so many months later, or the month's last day where it is shorter."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@cache
def _china() -> holidays.HolidayBase:
    return holidays.country_holidays("CN")
