from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from jobs import resolve
from jobs.settings import Settings
from nlp.enterprises import name_key
from store.reads.links import queue
from store.reads.page import PageRequest
from store.reads.scope import PROVINCE
from store.tables import (
    Complaint,
    Enterprise,
    EnterpriseName,
    EnterpriseRole,
    Link,
    Mention,
    SamplingResult,
    Signal,
)
from tests.factories import NOW, TODAY, make_account, make_enterprise, make_signal


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(var=tmp_path)


def firm(session: Session, name: str, **changes: object) -> Enterprise:
    return make_enterprise(session, name=name, name_key=name_key(name), **({"region_code": "330225"} | changes))


def mention(session: Session, text: str, role: str = "producer", **changes: object) -> Mention:
    signal = changes.pop("signal", None) or make_signal(session)
    assert isinstance(signal, Signal)
    row = Mention(signal_id=signal.id, role=role, text=text, **changes)
    session.add(row)
    session.flush()
    return row


def links(session: Session) -> list[tuple[str, str, str, str | None]]:
    """(mention, decision, method, name of the enterprise in force) of every link."""
    rows = session.execute(
        select(Mention.text, Link.guess_decision, Link.method, Enterprise.name)
        .join(Link, Link.mention_id == Mention.id)
        .outerjoin(Enterprise, Enterprise.id == Link.enterprise_id)
        .order_by(Mention.id)
    )
    return [tuple(row) for row in rows]


def test_records_are_tied_or_get_a_provisional_firm_or_wait(
    sessions: sessionmaker[Session], settings: Settings
) -> None:
    with sessions.begin() as session:
        firm(session, "宁波华盛电器有限公司", uscc="91370000MA00000158")
        firm(session, "温州华盛电器有限公司", region_code="330302")
        mention(session, "宁波华盛电器有限责任公司")
        mention(session, "随便写的名字", uscc="91370000MA00000158")
        mention(session, "华盛电器")
        mention(session, "丽水新木玩具有限公司")
        mention(session, "丽水新木玩具有限责任公司")
        mention(session, "张三", role="respondent")
        mention(session, "无")
    resolve.run(sessions, settings, TODAY)
    with sessions() as session:
        assert links(session) == [
            ("宁波华盛电器有限责任公司", "link", "exact_name", "宁波华盛电器有限公司"),
            ("随便写的名字", "link", "uscc", "宁波华盛电器有限公司"),
            ("华盛电器", "review", "fuzzy", None),
            ("丽水新木玩具有限公司", "link", "provisional", "丽水新木玩具有限公司"),
            ("丽水新木玩具有限责任公司", "link", "exact_name", "丽水新木玩具有限公司"),
            ("张三", "none", "none", None),
            ("无", "none", "none", None),
        ]
        made = session.scalars(select(Enterprise).where(Enterprise.name == "丽水新木玩具有限公司")).one()
        assert (made.provisional, made.region_code) == (True, "331100")


def test_running_twice_changes_nothing(sessions: sessionmaker[Session], settings: Settings) -> None:
    with sessions.begin() as session:
        mention(session, "丽水新木玩具有限公司")
        mention(session, "在丽水新木玩具有限公司买的", role="text", start=1, end=11)
        make_signal(session, channel="complaint", text="在丽水新木玩具有限公司买的积木掉漆")
    resolve.run(sessions, settings, TODAY)
    with sessions() as session:
        first = links(session)
    counts = resolve.run(sessions, settings, TODAY)
    with sessions() as session:
        assert links(session) == first
    assert counts["text_mentions"] == 0


def test_what_is_not_yet_known_waits(sessions: sessionmaker[Session], settings: Settings) -> None:
    with sessions.begin() as session:
        later = make_signal(session, known_at=NOW + timedelta(days=3))
        mention(session, "丽水新木玩具有限公司", signal=later)
    resolve.run(sessions, settings, TODAY)
    with sessions() as session:
        assert links(session) == []
    resolve.run(sessions, settings, date(2026, 11, 30))
    with sessions() as session:
        assert len(links(session)) == 1


def test_a_persons_decision_is_never_overwritten(sessions: sessionmaker[Session], settings: Settings) -> None:
    with sessions.begin() as session:
        firm(session, "宁波华盛电器有限公司")
        other = firm(session, "温州大发食品有限公司", region_code="330302")
        row = mention(session, "宁波华盛电器有限公司")
        session.add(
            Link(
                mention_id=row.id,
                enterprise_id=other.id,
                guess_decision="review",
                method="fuzzy",
                score=0.5,
                version="old",
                decided="link",
                decided_enterprise_id=other.id,
                decided_by=make_account(session, "clerk").id,
                decided_at=NOW,
            )
        )
    resolve.run(sessions, settings, TODAY, rebuild=True)
    with sessions() as session:
        assert [name for *_, name in links(session)] == ["温州大发食品有限公司"]


def test_a_provisional_firm_goes_into_the_registered_one(sessions: sessionmaker[Session], settings: Settings) -> None:
    with sessions.begin() as session:
        mention(session, "丽水新木玩具有限公司")
    resolve.run(sessions, settings, TODAY)
    with sessions.begin() as session:
        registered = firm(session, "丽水新木玩具有限责任公司", region_code="331102")
        kept = registered.id
    counts = resolve.run(sessions, settings, TODAY)
    with sessions() as session:
        assert [name for *_, name in links(session)] == ["丽水新木玩具有限责任公司"]
        gone = session.scalars(select(Enterprise).where(Enterprise.provisional)).one()
        assert gone.merged_into_id == kept
    assert counts["absorbed"] == 1


def test_names_in_free_text_become_mentions(sessions: sessionmaker[Session], settings: Settings) -> None:
    text = "网友称飞凤牌充电器起火，生产企业为宁波华盛电器有限公司，与慈溪市飞腾电子有限公司无关。"
    with sessions.begin() as session:
        known = firm(session, "宁波华盛电器有限公司")
        session.add(EnterpriseName(enterprise_id=known.id, name="飞凤", name_key="飞凤", kind="brand", known_at=NOW))
        make_signal(session, channel="opinion", text=text)
    resolve.run(sessions, settings, TODAY)
    with sessions() as session:
        found = links(session)
        assert ("宁波华盛电器有限公司", "link", "exact_name", "宁波华盛电器有限公司") in found
        assert ("慈溪市飞腾电子有限公司", "none", "none", None) in found
        spans = session.execute(select(Mention.text, Mention.start, Mention.end)).all()
        assert session.scalars(select(Enterprise).where(Enterprise.provisional)).all() == []
    assert all(text[start:end] == word for word, start, end in spans)


def test_a_firm_only_tables_know_is_found_in_earlier_texts_at_once(
    sessions: sessionmaker[Session], settings: Settings
) -> None:
    with sessions.begin() as session:
        earlier = {"known_at": NOW - timedelta(days=2), "channel": "complaint"}
        make_signal(session, text="在瑞盛机电专营店买的防爆灯，凌晨蹿出火苗。", **earlier)
        mention(session, "瑞盛机电专营店", role="sampled")
    resolve.run(sessions, settings, TODAY)
    with sessions() as session:
        first = links(session)
    assert {(text, name) for text, _, _, name in first} == {("瑞盛机电专营店", "瑞盛机电专营店")}
    assert len(first) == 2
    resolve.run(sessions, settings, TODAY)
    with sessions() as session:
        assert links(session) == first


def test_a_name_nobody_had_is_tied_once_it_is_registered(sessions: sessionmaker[Session], settings: Settings) -> None:
    with sessions.begin() as session:
        signal = make_signal(session, channel="opinion", text="丽水新木玩具有限公司的木马断了。")
        mention(session, "丽水新木玩具有限公司", role="text", start=0, end=10, signal=signal)
        mention(session, "温州旧木玩具有限公司", role="text", start=0, end=10)
    resolve.run(sessions, settings, TODAY)
    with sessions.begin() as session:
        assert [decision for _, decision, _, _ in links(session)] == ["none", "none"]
        firm(session, "丽水新木玩具有限公司", region_code="331102")
    resolve.run(sessions, settings, TODAY)
    with sessions() as session:
        assert links(session) == [
            ("丽水新木玩具有限公司", "link", "exact_name", "丽水新木玩具有限公司"),
            ("温州旧木玩具有限公司", "none", "none", None),
        ]


def test_a_run_for_an_earlier_day_drops_nothing_it_cannot_tie_again(
    sessions: sessionmaker[Session], settings: Settings
) -> None:
    with sessions.begin() as session:
        mention(session, "温州旧木玩具有限公司", role="text", start=0, end=10)
    resolve.run(sessions, settings, TODAY)
    with sessions.begin() as session:
        firm(session, "温州旧木玩具有限公司", region_code="330302")
    resolve.run(sessions, settings, TODAY - timedelta(days=30))
    with sessions() as session:
        assert [decision for _, decision, _, _ in links(session)] == ["none"]


def test_who_made_and_who_sold(sessions: sessionmaker[Session], settings: Settings) -> None:
    def roles(session: Session, name: str) -> list[tuple[str, str]]:
        rows = session.execute(
            select(EnterpriseRole.role, EnterpriseRole.product_id)
            .join(Enterprise, Enterprise.id == EnterpriseRole.enterprise_id)
            .where(Enterprise.name == name)
            .order_by(EnterpriseRole.role)
        )
        return [(role, product) for role, product in rows]

    with sessions.begin() as session:
        for number, channel in enumerate(("production", "circulation", None)):
            signal = make_signal(session)
            seller = "宁波华盛电器有限公司" if channel == "production" else f"象山县便民{'一二三'[number]}五金店"
            mention(session, "宁波华盛电器有限公司", signal=signal)
            mention(session, seller, role="sampled", signal=signal)
            session.add(sampling(signal, channel))
        complaint = make_signal(session, channel="complaint")
        mention(session, "宁波华盛电器有限公司", role="respondent", signal=complaint)
        session.add(
            Complaint(
                signal_id=complaint.id,
                occurred_on=TODAY,
                known_at=complaint.known_at,
                number="1",
                kind="complaint",
            )
        )
    resolve.run(sessions, settings, TODAY)
    with sessions() as session:
        assert roles(session, "宁波华盛电器有限公司") == [("producer", "charger")]
        assert roles(session, "象山县便民二五金店") == [("seller", "charger")]
        assert roles(session, "象山县便民三五金店") == [("seller", "charger")]


def sampling(signal: Signal, channel: str | None) -> SamplingResult:
    return SamplingResult(
        signal_id=signal.id,
        occurred_on=TODAY,
        known_at=signal.known_at,
        product_id="charger",
        channel=channel,
        outcome="pass",
    )


def test_what_is_at_stake_orders_the_queue(sessions: sessionmaker[Session], settings: Settings) -> None:
    with sessions.begin() as session:
        firm(session, "宁波华盛电器有限公司")
        firm(session, "温州华盛电器有限公司", region_code="330302")
        failed, passed = make_signal(session), make_signal(session)
        mention(session, "华盛电器", signal=passed)
        mention(session, "华盛电器", signal=failed)
        session.add_all([sampling(passed, None), sampling(failed, None)])
        session.flush()
        session.get_one(SamplingResult, failed.id).outcome = "fail"
        waiting = failed.id
    resolve.run(sessions, settings, TODAY)
    with sessions() as session:
        first = queue(session, PROVINCE, PageRequest()).rows
        assert [row.signal.id == waiting for row in first] == [True, False]
