"""Two entries are made one in the page and parted again: grades and plan candidates follow, also along a chain."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobs.candidates import candidates_on
from jobs.plan import plan_rules
from jobs.settings import Settings
from jobs.worker import work_once
from nlp.taxonomy import load_taxonomy
from store.china_time import CHINA
from store.tables import Enterprise, Grade, JobRequest, Merge
from tests.api.conftest import Browser
from tests.factories import make_enterprise, make_role, make_sample, make_signal

Enter = Callable[[str], Browser]
TODAY = datetime.now(CHINA).date()


class Office:
    """Three entries of one producer, each with records of its own, and somebody who merges them in the page."""

    def __init__(self, app: FastAPI, browser: Browser, settings: Settings) -> None:
        self.sessions, self.browser, self.settings = app.state.sessions, browser, settings
        self.taxonomy = load_taxonomy(settings.lexicon_dir)
        self.product = next(iter(self.taxonomy.products))
        self.ids: dict[str, int] = {}
        with self.sessions.begin() as session:
            for name, outcomes in (("甲", "pass"), ("乙", "fail"), ("丙", "pass fail pass")):
                self.ids[name] = self._entry(session, name, outcomes.split())

    def _entry(self, session: Session, name: str, outcomes: list[str]) -> int:
        firm = make_enterprise(session, name=f"海岳省{name}厂", region_code="990101")
        make_role(session, firm, product_id=self.product)
        for number, outcome in enumerate(outcomes):
            day = TODAY - timedelta(days=40 + 30 * number)
            known = datetime.combine(day, datetime.min.time(), UTC)
            signal = make_signal(session, occurred_on=day, known_at=known, region_code="990101")
            make_sample(session, firm, signal=signal, product_id=self.product, outcome=outcome)
        return firm.id

    def follow(self) -> None:
        """Let the worker do what the page asked for: one grading."""
        assert work_once(self.sessions, self.settings, "test") == "done"
        assert work_once(self.sessions, self.settings, "test") is None

    def ask_for_grades(self) -> None:
        self.browser.submit("/jobs", job="grade")
        self.follow()

    def merge(self, kept: str, merged: str) -> int:
        answer = self.browser.submit("/merges", kept_id=self.ids[kept], merged_id=self.ids[merged], reason="同一家")
        assert answer.status_code == 303, answer.text
        self.follow()
        with self.sessions() as session:
            return int(session.scalars(select(func.max(Merge.id))).one())

    def undo(self, merge_id: int) -> None:
        assert self.browser.submit(f"/merges/{merge_id}/undo").status_code == 303
        self.follow()

    def grades(self) -> dict[str, tuple[str, float]]:
        """Level and score of each entry that has a grade."""
        with self.sessions() as session:
            rows = session.execute(
                select(Enterprise.name, Grade.level, Grade.score)
                .join(Grade, Grade.enterprise_id == Enterprise.id)
                .where(Enterprise.id.in_(self.ids.values()), Grade.product_id == "", Grade.role == "producer")
                .where(Grade.as_of == select(func.max(Grade.as_of)).scalar_subquery())
            )
            return {name[3]: (level, round(score, 2)) for name, level, score in rows}

    def candidates(self) -> set[str]:
        with self.sessions() as session:
            found = candidates_on(session, self.taxonomy, plan_rules(self.settings), TODAY)
        names = {number: name for name, number in self.ids.items()}
        return {names[one.enterprise_id] for one in found if one.enterprise_id in names}


@pytest.fixture
def office(app: FastAPI, browser: Enter, settings: Settings) -> Office:
    return Office(app, browser("admin"), settings)


def test_grades_and_candidates_follow_a_merge_and_its_undoing(office: Office) -> None:
    office.ask_for_grades()
    before = office.grades()
    assert set(before) == office.candidates() == {"甲", "乙", "丙"}
    assert before["甲"][1] < before["乙"][1]

    made = office.merge("甲", "乙")
    assert set(office.grades()) == office.candidates() == {"甲", "丙"}
    assert office.grades()["甲"][1] > before["甲"][1]  # the failed batch counts for the firm that was kept

    page = office.browser.get(f"/enterprises/{office.ids['甲']}").text
    assert "合并自" in page
    assert office.browser.get(f"/enterprises/{office.ids['乙']}").headers["location"].endswith(str(office.ids["甲"]))

    office.undo(made)
    assert office.grades() == before
    assert office.candidates() == {"甲", "乙", "丙"}


@pytest.mark.parametrize("first_undone", ["the first merge", "the last merge"])
def test_a_chain_can_be_undone_in_any_order(office: Office, first_undone: str) -> None:
    office.ask_for_grades()
    before = office.grades()
    first = office.merge("甲", "乙")
    with_one = office.grades()
    last = office.merge("丙", "甲")
    assert set(office.grades()) == office.candidates() == {"丙"}

    if first_undone == "the first merge":
        office.undo(first)
        assert set(office.grades()) == office.candidates() == {"乙", "丙"}
        assert office.grades()["乙"] == before["乙"]
        office.undo(last)
    else:
        office.undo(last)
        assert office.grades() == with_one
        office.undo(first)
    assert office.grades() == before
    assert office.candidates() == {"甲", "乙", "丙"}


def test_merges_made_before_the_worker_looks_ask_for_one_grading(office: Office) -> None:
    for merged in ("乙", "丙"):
        ids = {"kept_id": office.ids["甲"], "merged_id": office.ids[merged]}
        assert office.browser.submit("/merges", **ids, reason="同一家").status_code == 303
    with office.sessions() as session:
        assert session.scalars(select(JobRequest.job)).all() == ["grade"]
