"""Reposts in the store: one story, one cluster, also when it arrives bit by bit."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from ingest.pipelines import store_signals
from ingest.signal import RawMention, RawSignal
from jobs import reposts
from jobs.settings import Settings
from store.tables import Cluster, ClusterMember, Label, Signal
from tests.factories import make_account, make_source

STORY = (
    "某市市场监督管理局近日接到多名消费者反映，称在某某商城购买的电动自行车充电器在使用过程中外壳严重发热，"
    "有的插头处出现焦糊痕迹。执法人员赶赴现场抽取样品两批次送检，结果显示其输出过压保护项目不符合标准要求。"
)
OTHER = "本周末全市气温回升，公园里的郁金香陆续开放，市民可错峰前往观赏，园方提醒大家爱护花草，文明游园，注意安全。"
DAY = date(2026, 3, 5)


def told(session: Session, number: int, text: str, outlet: str, *, trust: str = "media", **changes: object) -> None:
    day = DAY + timedelta(days=int(str(changes.pop("after", 0))))
    values: dict[str, object] = {
        "source_id": "press",
        "channel": "opinion",
        "trust": trust,
        "title": text[:12],
        "text": text,
        "occurred_on": day,
        "known_at": datetime(day.year, day.month, day.day, 2, tzinfo=UTC) + timedelta(minutes=number),
        "external_id": f"item-{number}",
        "payload": {"outlet": outlet},
    }
    store_signals(session, [RawSignal(**(values | changes))])  # type: ignore[arg-type]


def clusters(session: Session) -> list[tuple[str, list[str], int]]:
    """Each cluster's origin, members and independent sources, by external ids."""
    found = []
    for cluster in session.scalars(select(Cluster).order_by(Cluster.id)):
        members = session.scalars(
            select(Signal.external_id)
            .join(ClusterMember, ClusterMember.signal_id == Signal.id)
            .where(ClusterMember.cluster_id == cluster.id)
            .order_by(Signal.id)
        ).all()
        origin = session.get_one(Signal, cluster.origin_id).external_id
        assert cluster.size == len(members)
        found.append((origin, list(members), cluster.independent_sources))
    return found


def run(sessions: sessionmaker[Session], var: Path) -> dict[str, object]:
    return reposts.run(sessions, Settings(var=var), DAY)


def test_copies_collapse_and_arrive_bit_by_bit(sessions: sessionmaker[Session], tmp_path: Path) -> None:
    with sessions.begin() as session:
        make_source(session, id="press")
        told(session, 1, STORY, "晚报")
        told(session, 2, OTHER, "日报")
        told(session, 3, f"【转发】{STORY}", "某论坛", trust="social")
    assert run(sessions, tmp_path)["clusters"] == 1
    with sessions.begin() as session:
        assert clusters(session) == [("item-1", ["item-1", "item-3"], 1)]
        told(session, 4, STORY[:80], "某网", after=1)
        told(session, 5, STORY, "市局", trust="official", after=2)
    run(sessions, tmp_path)
    with sessions() as session:
        assert clusters(session) == [("item-5", ["item-1", "item-3", "item-4", "item-5"], 2)]


def test_running_again_or_from_nothing_gives_the_same(sessions: sessionmaker[Session], tmp_path: Path) -> None:
    with sessions.begin() as session:
        make_source(session, id="press")
        for number in range(6):
            told(session, number, STORY[number:], f"网站{number}")
    run(sessions, tmp_path)
    with sessions() as session:
        first = clusters(session)
    assert run(sessions, tmp_path)["signals"] == 0
    (tmp_path / "reposts.npz").unlink()
    run(sessions, tmp_path)
    with sessions() as session:
        assert clusters(session) == first == [("item-0", [f"item-{number}" for number in range(6)], 1)]


def test_an_event_told_in_other_words_joins_within_days_only(sessions: sessionmaker[Session], tmp_path: Path) -> None:
    brief = "徐州市泉山区一居民楼电梯内，一男子携自行组装的锂电池乘梯时电瓶爆燃，轿厢内三人被烧伤送医。"
    post = "徐州泉山那个视频太吓人了，抱着电瓶进电梯直接爆燃，三个人烧伤，锂电池还是自己组装的"
    with sessions.begin() as session:
        make_source(session, id="press")
        told(session, 1, brief, "晚报")
        told(session, 2, post, "业主群", trust="social", after=1)
        told(session, 3, post.replace("那个", "这个"), "别的群", trust="social", after=60)
    run(sessions, tmp_path)
    with sessions() as session:
        assert [(origin, independent) for origin, _members, independent in clusters(session)] == [("item-1", 2)]


def test_complaints_join_when_copied_and_never_when_merely_alike(
    sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    with sessions.begin() as session:
        make_source(session, id="press")
        told(
            session,
            1,
            "我在徐州泉山区买的充电器，充电时外壳烫手，插头处发黑，商家拒绝退货，请求处理。",
            "甲",
            channel="complaint",
        )
        told(
            session,
            2,
            "徐州泉山某店卖的充电器有质量问题，用了两天外壳就烫得不行，插头都烧黑了。",
            "乙",
            channel="complaint",
        )
        told(
            session,
            3,
            "我在徐州泉山区买的充电器，充电时外壳烫手，插头处发黑，商家拒绝退货，请求严肃处理！",
            "丙",
            channel="complaint",
        )
    run(sessions, tmp_path)
    with sessions() as session:
        assert [members for _origin, members, _count in clusters(session)] == [["item-1", "item-3"]]


def test_one_form_filled_in_against_two_firms_is_two_cases(sessions: sessionmaker[Session], tmp_path: Path) -> None:
    words = "本人于网上购买该商家的充电器，使用中外壳发烫冒烟，要求商家退款并请贵局依法查处，望尽快处理。"
    with sessions.begin() as session:
        make_source(session, id="press")
        for number, firm in enumerate(("甲电器有限公司", "甲电器有限公司", "乙电器有限公司")):
            respondent = (RawMention("respondent", firm),)
            told(session, number, words, f"人{number}", channel="complaint", mentions=respondent)
    run(sessions, tmp_path)
    with sessions() as session:
        assert [members for _origin, members, _count in clusters(session)] == [["item-0", "item-1"]]


def test_a_person_s_no_is_kept(sessions: sessionmaker[Session], tmp_path: Path) -> None:
    with sessions.begin() as session:
        make_source(session, id="press")
        account = make_account(session, "reader")
        told(session, 1, STORY, "晚报")
        told(session, 2, STORY, "日报")
        signal = session.scalars(select(Signal).where(Signal.external_id == "item-2")).one()
        session.add(
            Label(
                signal_id=signal.id,
                kind="cluster",
                code="",
                decision="no",
                account_id=account.id,
                decided_at=datetime(2026, 3, 6, tzinfo=UTC),
            )
        )
    run(sessions, tmp_path)
    with sessions() as session:
        assert clusters(session) == []


def test_an_office_s_notices_share_their_form_and_are_not_copies(
    sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    with sessions.begin() as session:
        make_source(session, id="press")
        make_source(session, id="mirror")
        told(session, 1, STORY.replace("两批次", "三批次"), "市局", channel="notice", trust="official")
        told(session, 2, STORY, "市局", channel="notice", trust="official", after=1)
        told(session, 3, STORY, "转载站", channel="notice", source_id="mirror", after=2)
    run(sessions, tmp_path)
    with sessions() as session:
        found = clusters(session)
    assert len(found) == 1
    assert "item-3" in found[0][1]
