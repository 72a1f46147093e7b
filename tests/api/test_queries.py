"""How many queries a list page makes: the same however many rows it shows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from fastapi import FastAPI
from sqlalchemy import event

from tests import factories
from tests.api.conftest import Browser

Enter = Callable[[str], Browser]


@contextmanager
def counted(app: FastAPI) -> Iterator[list[str]]:
    """Collect the statements the application sends while inside."""
    engine = app.state.sessions.kw["bind"]
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def grow(app: FastAPI) -> None:
    """Add thirty of everything."""
    with app.state.sessions.begin() as session:
        plan = factories.make_plan(session, status="issued")
        for number in range(30):
            firm = factories.make_enterprise(session, region_code=f"99{number % 16 + 1:02d}01")
            factories.make_role(session, firm)
            sample = factories.make_sample(session, firm)
            factories.make_grade(session, firm, evidence=[sample.signal_id])
            factories.make_plan_line(session, plan, firm)
            factories.make_alert(session, enterprise_id=firm.id)
            factories.make_case(session, session.get_one(factories.Signal, sample.signal_id), enterprise_id=firm.id)
            factories.make_import(session)
            factories.make_run(session)


# Two of them find out who is asking.
LIMITS = {
    "/": 26,
    "/enterprises": 12,
    "/signals": 9,
    "/plans": 8,
    "/plans/1": 11,
    "/alerts": 8,
    "/cases": 8,
    "/sources": 7,
    "/imports": 5,
    "/runs": 8,
    "/review": 12,
    "/api/v1/enterprises": 9,
    "/api/v1/signals": 7,
}


def test_lists_ask_the_store_a_fixed_number_of_times(app: FastAPI, browser: Enter) -> None:
    admin = browser("admin")
    counts: dict[str, tuple[int, int]] = {}
    for stage in (0, 1):
        for path in LIMITS:
            with counted(app) as seen:
                assert admin.get(path).status_code == 200, path
            counts[path] = (counts[path][0], len(seen)) if stage else (len(seen), 0)
        if not stage:
            grow(app)
    grown = {path: both for path, both in counts.items() if both[1] > both[0] + 1}
    assert grown == {}, "more rows, more queries"
    assert {path: both[1] for path, both in counts.items() if both[1] > LIMITS[path]} == {}


@pytest.mark.parametrize("size", [1, 200])
def test_a_page_is_as_long_as_asked(app: FastAPI, browser: Enter, size: int) -> None:
    grow(app)
    body = browser("admin").get(f"/api/v1/enterprises?size={size}").json()
    assert body["total"] == 31
    assert len(body["rows"]) == min(size, 31)
