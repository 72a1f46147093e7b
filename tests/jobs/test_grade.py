"""Grading the store: who answers for which record, and what was known when."""

from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from jobs import grade as job
from jobs.settings import Settings
from store.tables import (
    Cluster,
    ClusterMember,
    Complaint,
    Enterprise,
    EnterpriseRole,
    Grade,
    Link,
    Mention,
    PolicyVersion,
    Run,
    SamplingResult,
    Signal,
    Source,
    Tag,
)

AS_OF = date(2026, 6, 30)
EARLY = datetime(2024, 1, 1, tzinfo=UTC)


class Office:
    """A small store: enterprises, and records that name them."""

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self.sessions = sessions
        self.numbers = count(1)
        with sessions.begin() as session:
            for source_id, trust in (("notice", "official"), ("posts", "social"), ("hotline", "verified")):
                session.add(Source(id=source_id, title=source_id, channel="sampling", trust=trust, platform="import"))

    def enterprise(self, name: str, role: str = "producer", product_id: str = "") -> int:
        with self.sessions.begin() as session:
            firm = Enterprise(name=name, name_key=name, known_at=EARLY)
            session.add(firm)
            session.flush()
            session.add(EnterpriseRole(enterprise_id=firm.id, role=role, product_id=product_id, known_at=EARLY))
            return firm.id

    def signal(
        self,
        names: list[tuple[int, str, dict[str, Any]]],
        *,
        day: date,
        known_at: datetime | None = None,
        channel: str = "sampling",
        source_id: str = "notice",
        trust: str = "official",
        record: Any = None,
    ) -> int:
        """Store a signal that names enterprises; `names` are (enterprise, role, changes to mention and link)."""
        known_at = known_at or datetime(day.year, day.month, day.day, tzinfo=UTC)
        with self.sessions.begin() as session:
            signal = Signal(
                source_id=source_id,
                external_id=str(next(self.numbers)),
                content_hash="x",
                channel=channel,
                trust=trust,
                title="",
                text="",
                occurred_on=day,
                known_at=known_at,
            )
            session.add(signal)
            session.flush()
            if record is not None:
                record.signal_id, record.occurred_on, record.known_at = signal.id, day, known_at
                session.add(record)
            for enterprise_id, role, changes in names:
                mention = Mention(
                    signal_id=signal.id, role=role, text=str(enterprise_id), denied=changes.get("denied", False)
                )
                session.add(mention)
                session.flush()
                session.add(
                    Link(
                        mention_id=mention.id,
                        enterprise_id=enterprise_id,
                        guess_decision=changes.get("guess_decision", "link"),
                        guess_enterprise_id=enterprise_id,
                        decided=changes.get("decided"),
                        method="exact_name",
                        score=1.0,
                        version="1",
                    )
                )
            return signal.id


@pytest.fixture
def office(sessions: sessionmaker[Session]) -> Office:
    return Office(sessions)


def levels(office: Office, as_of: date = AS_OF) -> dict[tuple[int, str, str], str]:
    job.run(office.sessions, Settings(), as_of)
    with office.sessions() as session:
        rows = session.scalars(select(Grade).where(Grade.as_of == as_of)).all()
        return {(row.enterprise_id, row.role, row.product_id): row.level for row in rows}


def failed(**changes: Any) -> SamplingResult:
    return SamplingResult(**{"outcome": "fail", "safety_failed": True, "product_id": "cable", **changes})


def test_producer_and_seller_answer_for_themselves(office):
    maker = office.enterprise("甲电缆厂", product_id="cable")
    shop = office.enterprise("乙商店", "seller")
    office.signal(
        [(maker, "producer", {}), (shop, "sampled", {})], day=date(2026, 6, 1), record=failed(channel="circulation")
    )
    found = levels(office)
    assert found[maker, "producer", ""] == "C"
    assert found[maker, "producer", "cable"] == "C"
    assert found[shop, "seller", ""] == "C"
    assert (shop, "producer", "") not in found


@pytest.mark.parametrize(
    "changes", [{"denied": True}, {"guess_decision": "review"}, {"decided": "none"}, {"decided": "unsure"}]
)
def test_a_record_that_is_not_surely_theirs_does_not_count(office, changes):
    maker = office.enterprise("甲电缆厂")
    office.signal([(maker, "producer", changes)], day=date(2026, 6, 1), record=failed())
    assert levels(office)[maker, "producer", ""] == "U"


def test_a_persons_decision_counts_though_the_machine_was_unsure(office):
    maker = office.enterprise("甲电缆厂")
    office.signal(
        [(maker, "producer", {"guess_decision": "review", "decided": "link"})], day=date(2026, 6, 1), record=failed()
    )
    assert levels(office)[maker, "producer", ""] == "C"


def test_nothing_known_after_the_day_changes_its_grade(office):
    maker = office.enterprise("甲电缆厂")
    office.signal([(maker, "producer", {})], day=date(2026, 3, 1), record=SamplingResult(outcome="pass"))
    before = levels(office, date(2026, 4, 30))
    office.signal(
        [(maker, "producer", {})],
        day=date(2026, 4, 2),
        known_at=datetime(2026, 5, 20, tzinfo=UTC),
        record=failed(),
    )
    assert levels(office, date(2026, 4, 30)) == before
    assert levels(office, date(2026, 5, 31))[maker, "producer", ""] == "C"


def test_a_firm_that_sells_what_it_makes_answers_once(office):
    maker = office.enterprise("甲电缆厂")
    office.signal(
        [(maker, "producer", {}), (maker, "sampled", {})], day=date(2026, 6, 1), record=failed(channel="circulation")
    )
    assert [key for key in levels(office) if not key[2]] == [(maker, "producer", "")]


def test_running_twice_keeps_the_rows_and_their_ids(office):
    maker = office.enterprise("甲电缆厂")
    office.signal([(maker, "producer", {})], day=date(2026, 6, 1), record=failed())
    job.run(office.sessions, Settings(), AS_OF)
    with office.sessions() as session:
        first = session.scalars(select(Grade.id).order_by(Grade.id)).all()
    job.run(office.sessions, Settings(), AS_OF)
    with office.sessions() as session:
        assert session.scalars(select(Grade.id).order_by(Grade.id)).all() == first
        assert len(session.scalars(select(PolicyVersion)).all()) == 1
        assert [run.status for run in session.scalars(select(Run))] == ["ok", "ok"]


def test_a_flood_of_copied_complaints_moves_no_grade(office):
    maker = office.enterprise("甲充电器厂")
    office.signal([(maker, "producer", {})], day=date(2026, 5, 1), record=SamplingResult(outcome="pass"))

    def complain(number: int) -> int:
        return office.signal(
            [(maker, "respondent", {})],
            day=date(2026, 6, 1),
            channel="complaint",
            source_id="hotline",
            trust="verified",
            record=Complaint(number=str(number), kind="complaint", issue="质量", claimant_hash=f"c{number}"),
        )

    signals = [complain(number) for number in range(30)]
    with office.sessions.begin() as session:
        cluster = Cluster(origin_id=signals[0], size=30, independent_sources=1, version="1")
        session.add(cluster)
        session.flush()
        session.add_all(ClusterMember(signal_id=one, cluster_id=cluster.id, similarity=1.0) for one in signals)
    assert levels(office)[maker, "producer", ""] == "A"
    with office.sessions() as session:
        row = session.scalars(select(Grade).where(Grade.enterprise_id == maker)).one()
        complaints = next(part for part in row.contributions if part["indicator"] == "q5_complaint")
    assert len(complaints["evidence"]) == 1
    assert "30 件，去重后 1 件" in complaints["sentence"]


def test_a_post_counts_when_its_tags_assert_a_hazard(office):
    maker = office.enterprise("甲充电器厂")
    office.signal([(maker, "producer", {})], day=date(2026, 5, 1), record=SamplingResult(outcome="pass"))
    quiet = office.signal(
        [(maker, "text", {})], day=date(2026, 6, 2), channel="opinion", source_id="posts", trust="social"
    )
    loud = office.signal(
        [(maker, "text", {})], day=date(2026, 6, 1), channel="opinion", source_id="posts", trust="social"
    )
    with office.sessions.begin() as session:
        session.add(Tag(signal_id=loud, kind="hazard", code="fire", probability=0.9, version="1"))
        session.add(Tag(signal_id=quiet, kind="hazard", code="fire", status="negated", probability=0.9, version="1"))
    levels(office)
    with office.sessions() as session:
        row = session.scalars(select(Grade).where(Grade.enterprise_id == maker)).one()
    evidence = next(part["evidence"] for part in row.contributions if part["indicator"] == "q5_complaint")
    assert evidence == [loud]


def test_the_previous_grade_is_remembered(office):
    maker = office.enterprise("甲电缆厂")
    office.signal([(maker, "producer", {})], day=date(2026, 3, 1), record=failed())
    levels(office, AS_OF - timedelta(days=60))
    levels(office)
    with office.sessions() as session:
        row = session.scalars(select(Grade).where(Grade.as_of == AS_OF, Grade.product_id == "")).one()
    assert row.previous_level == "C"


def test_records_read_later_give_the_same_earlier_grade(office):
    from jobs.known_facts import known_by, read_records
    from nlp.taxonomy import load_taxonomy

    maker = office.enterprise("甲电缆厂")
    taxonomy = load_taxonomy(Settings().lexicon_dir)
    office.signal([(maker, "producer", {})], day=date(2026, 3, 1), record=SamplingResult(outcome="pass"))
    with office.sessions() as session:
        then = known_by(session, date(2026, 4, 30), taxonomy)
    office.signal([(maker, "producer", {})], day=date(2026, 6, 1), record=failed())
    with office.sessions() as session:
        records = read_records(session, AS_OF, taxonomy)
    assert records.by(date(2026, 4, 30)) == then
    assert records.by(AS_OF) != then


def test_the_forced_rule_is_stored_with_its_sentence_and_records(office):
    maker = office.enterprise("甲电缆厂")
    signal = office.signal([(maker, "producer", {})], day=date(2026, 6, 1), record=failed())
    levels(office)
    with office.sessions() as session:
        row = session.scalars(select(Grade).where(Grade.enterprise_id == maker, Grade.product_id == "")).one()
    forced = [part for part in row.contributions if part["indicator"].startswith("forced:")]
    assert [(part["sentence"], part["points"], part["evidence"]) for part in forced] == [
        ("12 个月内有安全项目不合格", 0.0, [signal])
    ]
    assert sum(part["points"] for part in row.contributions) == pytest.approx(row.score, abs=1e-3)


def test_a_later_repost_does_not_corroborate_an_earlier_day(office):
    from jobs.known_facts import known_by
    from nlp.taxonomy import load_taxonomy

    maker = office.enterprise("甲充电器厂")
    with office.sessions.begin() as session:
        session.add(Source(id="paper", title="报", channel="opinion", trust="media", platform="import"))
    names = [(maker, "text", {})]
    first = office.signal(names, day=date(2026, 5, 1), channel="opinion", source_id="posts", trust="social")
    later = office.signal(names, day=date(2026, 6, 1), channel="opinion", source_id="paper", trust="media")
    with office.sessions.begin() as session:
        cluster = Cluster(origin_id=first, size=2, independent_sources=2, version="1")
        session.add(cluster)
        session.flush()
        for signal_id in (first, later):
            session.add(ClusterMember(signal_id=signal_id, cluster_id=cluster.id, similarity=1.0))
            session.add(Tag(signal_id=signal_id, kind="hazard", code="fire", probability=0.9, version="1"))
    taxonomy = load_taxonomy(Settings().lexicon_dir)

    def sources(day: date) -> list[int]:
        with office.sessions() as session:
            facts = known_by(session, day, taxonomy).facts[maker, "producer"]
        return [fact.independent_sources for fact in facts]

    assert sources(date(2026, 5, 15)) == [1]
    assert sources(date(2026, 6, 15)) == [2, 2]
