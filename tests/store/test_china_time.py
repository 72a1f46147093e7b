"""The last moment of a day in China, told in UTC."""

from datetime import UTC, date, datetime

from store.china_time import end_of


def test_a_day_ends_eight_hours_before_midnight_utc() -> None:
    assert end_of(date(2026, 2, 28)).astimezone(UTC) == datetime(2026, 2, 28, 16, tzinfo=UTC)
