"""One firm's outlook from its own records alone says what reading everybody's would."""

from datetime import UTC, date, datetime

from sqlalchemy.orm import Session, sessionmaker

from jobs.known_facts import facts_of, known_by
from jobs.outlook import outlooks_of
from jobs.settings import Settings
from nlp.taxonomy import load_taxonomy
from scoring.policy import load_policy
from scoring.whatif import outlooks
from store import merges
from store.tables import Cluster, ClusterMember, Complaint, SamplingResult
from tests.factories import make_account
from tests.jobs.test_grade import Office

DAY = date(2026, 6, 30)


def test_it_equals_the_whole_stores(sessions: sessionmaker[Session]) -> None:
    office = Office(sessions)
    kept, gone, other = (office.enterprise(name, product_id="ebike_charger") for name in ("甲厂", "甲厂旧名", "乙厂"))
    for firm, outcome in ((kept, "pass"), (gone, "fail"), (other, "fail"), (other, "fail")):
        record = SamplingResult(outcome=outcome, product_id="ebike_charger", channel="production")
        office.signal([(firm, "producer", {})], day=date(2026, 3, 1), record=record)
    told = [
        office.signal(
            [(firm, "respondent", {})],
            day=date(2026, 5, 1),
            channel="complaint",
            source_id="hotline",
            trust="verified",
            record=Complaint(number=str(firm), kind="complaint", verified=True),
        )
        for firm in (kept, other)
    ]
    with sessions.begin() as session:
        session.add(Cluster(id=1, origin_id=told[0], size=2, independent_sources=1, version="test"))
        session.flush()
        session.add_all(ClusterMember(cluster_id=1, signal_id=one, similarity=1.0) for one in told)
        person = make_account(session, "analyst")
        merges.merge(session, kept, gone, reason="同一家", account_id=person.id, at=datetime(2026, 6, 1, tzinfo=UTC))
    settings, policy = Settings(), load_policy()
    taxonomy = load_taxonomy(settings.lexicon_dir)
    with sessions() as session:
        known = known_by(session, DAY, taxonomy)
        whole = {
            (facts.product_id, facts.role): outlooks(facts, policy, DAY)
            for subject in known.subjects()
            if subject[0] == kept
            for facts in facts_of(known, subject, taxonomy)
        }
        assert outlooks_of(session, settings.lexicon_dir, policy, kept, DAY) == whole
    assert set(whole) == {("", "producer"), ("ebike_charger", "producer")}
    assert whole["", "producer"][0].score > whole["", "producer"][2].score
