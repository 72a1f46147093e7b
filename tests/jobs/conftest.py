"""A small office with a history."""

from datetime import date
from types import SimpleNamespace

import pytest
from sqlalchemy.orm import Session, sessionmaker

from jobs import grade
from jobs.settings import Settings
from store.tables import SamplingResult
from tests.jobs.test_grade import Office


@pytest.fixture
def office_with_history(sessions: sessionmaker[Session]) -> tuple[SimpleNamespace, date]:
    """One producer with a batch before its grading and one after."""
    office = Office(sessions)
    maker = office.enterprise("甲电缆厂")
    office.signal([(maker, "producer", {})], day=date(2026, 3, 1), record=SamplingResult(outcome="pass"))
    grade.run(sessions, Settings(), date(2026, 3, 31))
    office.signal([(maker, "producer", {})], day=date(2026, 4, 20), record=SamplingResult(outcome="fail"))
    return SimpleNamespace(sessions=sessions, settings=Settings()), date(2026, 6, 30)
