"""A small office for the jobs' tests: firms with products, grades and history in a store, settings beside it."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from jobs.settings import Settings
from store.tables import Enterprise, Plan, PlanLine, SamplingResult
from tests.factories import make_enterprise, make_grade, make_region, make_role, make_sample, make_signal

TODAY = date(2026, 10, 31)
NOON = datetime(2026, 10, 31, 4, tzinfo=UTC)


def make_settings(folder: Path, **changes: Any) -> Settings:
    """Settings that read nothing from outside the test."""
    values: dict[str, Any] = {"var": folder, "secret": "test", "synthetic": True}
    return Settings(**(values | changes))


def add_result(session: Session, firm: Enterprise, days_ago: int, outcome: str, **changes: Any) -> SamplingResult:
    """A sampling result of a firm, known the day after."""
    day = TODAY - timedelta(days=days_ago)
    known_at = datetime(day.year, day.month, day.day, 4, tzinfo=UTC) + timedelta(days=1)
    signal = make_signal(session, region_code=firm.region_code, occurred_on=day, known_at=known_at)
    return make_sample(session, firm, signal=signal, outcome=outcome, **changes)


def fill(sessions: sessionmaker[Session], firms: int = 30) -> list[int]:
    """Add firms over three counties: a third graded C, some licensed, some with a failure behind them."""
    ids = []
    with sessions.begin() as session:
        for code in ("990000", "990100", "990101", "990102", "990103"):
            make_region(session, code)
        for number in range(firms):
            firm = make_enterprise(session, region_code=f"99010{1 + number % 3}", known_at=NOON - timedelta(days=1000))
            ids.append(firm.id)
            product = ("ebike_charger", "cable", "paint_wall")[number % 3]
            make_role(session, firm, product_id=product)
            level, score = (("A", 5.0), ("B", 20.0), ("C", 45.0))[number % 3]
            make_grade(session, firm, level=level, score=score, as_of=TODAY)
            if number % 10 == 0:
                add_result(session, firm, 300, "fail", product_id=product)
            elif number % 4 == 0:
                add_result(session, firm, 400, "pass", product_id=product)
    return ids


def rows_of(plan: Plan, lines: list[PlanLine]) -> list[tuple[Any, ...]]:
    """What makes two plans the same, without ids and times."""
    return [(plan.key, line.number, line.enterprise_id, line.product_id, line.rule, line.why) for line in lines]
