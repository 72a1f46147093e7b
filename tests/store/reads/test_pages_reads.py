"""The reads behind the pages, on both databases."""

from sqlalchemy.orm import Session, sessionmaker

from store.reads import alerts, cases, enterprises, imports, labels, links, overview, plans, runs, search, signals
from store.reads.page import PageRequest
from store.reads.scope import NOTHING, PROVINCE, Scope
from tests.api.conftest import fill
from tests.factories import TODAY

PAGE = PageRequest()


def test_each_read_shows_a_city_its_own_and_another_city_nothing(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        ids = fill(session)
    with sessions() as session:

        def totals(scope: Scope) -> list[int]:
            return [
                enterprises.listing(session, scope, enterprises.EnterpriseFilter(q="明烛"), PAGE).total,
                signals.listing(session, scope, signals.SignalFilter(hazard="fire"), PAGE).total,
                alerts.listing(session, scope, alerts.AlertFilter(state="active"), PAGE).total,
                cases.listing(session, scope, cases.CaseFilter(), PAGE).total,
                plans.listing(session, scope, PAGE).total,
                imports.listing(session, scope, PAGE).total,
                links.queue(session, scope, PAGE).total,
                overview.overview(session, scope, TODAY).enterprises,
                len(search.find(session, scope, "明烛", limit=5).enterprises),
            ]

        assert totals(PROVINCE) == totals(Scope("9901")) == [1] * 9
        assert totals(Scope("9902")) == totals(NOTHING) == [0] * 9
        assert runs.listing(session, PROVINCE, PAGE).total == 1
        file = enterprises.one(session, Scope("9901"), ids.enterprise)
        assert file is not None
        assert sorted(file.evidence) == [ids.signal]
        assert [row.record.outcome for row in file.records["sampling"]] == ["fail"]
        assert enterprises.one(session, Scope("9902"), ids.enterprise) is None
        story = signals.one(session, Scope("9901"), ids.signal)
        assert story is not None
        assert story.record_kind == "sampling"
        assert labels.task(session, Scope("9901"), ids.signal, 1) is not None
        assert labels.next_signal(session, PROVINCE, 1) is None
        plan = plans.one(session, Scope("9901"), ids.plan, plans.LineFilter(), PAGE)
        assert plan is not None
        assert [(rule.rule, rule.lines) for rule in plan.rules] == [("risk", 1)]
