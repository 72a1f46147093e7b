"""The day as offices in China live it: times are kept in UTC, days begin and end here."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

CHINA = ZoneInfo("Asia/Shanghai")


def end_of(day: date) -> datetime:
    """Return the moment a day ends in China: what is known before it was known that day."""
    return datetime.combine(day + timedelta(days=1), time(), CHINA)
