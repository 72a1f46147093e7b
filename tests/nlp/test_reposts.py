"""Near-duplicates: what is found, what is not, and that adding little by little finds the same."""

from datetime import date
from pathlib import Path

import pytest

from nlp.reposts import Groups, RepostIndex, Telling, elsewhere, independent_sources, origin_of, repost_key, similarity

STORY = (
    "某市市场监督管理局近日接到多名消费者反映，称在某某商城购买的电动自行车充电器在使用过程中外壳严重发热，"
    "有的插头处出现焦糊痕迹。执法人员赶赴现场抽取样品两批次送检，结果显示其输出过压保护项目不符合标准要求，已责令下架。"
)
OTHER = "本周末全市气温回升，公园里的郁金香陆续开放，市民可错峰前往观赏，园方提醒大家爱护花草，文明游园，注意安全。"


@pytest.mark.parametrize(
    ("edit", "told_again"),
    [
        ("trimmed", STORY[: len(STORY) * 7 // 10]),
        ("retitled", "【突发】充电器发热冒烟，多人投诉！\n" + STORY),
        (
            "traditional",
            STORY.replace("电动自行车充电器", "電動自行車充電器")
            .replace("严重发热", "嚴重發熱")
            .replace("执法人员", "執法人員"),
        ),
        ("reporter", "本报讯（记者 王小明）" + STORY + "（编辑：李四）"),
        ("handle", "转发微博 //@某某网友：" + STORY + " https://example.com/1"),
        ("spaced", STORY.replace("，", " ， ").replace("。", "。\n\n")),
        ("word changed", STORY.replace("近日", "昨天").replace("赶赴现场", "到场")),
    ],
)
def test_an_edited_copy_is_found(edit: str, told_again: str) -> None:
    index = RepostIndex()
    index.add([repost_key(OTHER), repost_key(STORY)])
    assert [match.earlier for match in index.find([repost_key(told_again)])[0]] == [1], edit


def test_other_stories_are_left_alone() -> None:
    index = RepostIndex()
    index.add([repost_key(STORY)])
    assert index.find([repost_key(OTHER), repost_key(""), repost_key("充电器发热")]) == [[], [], []]


def test_little_by_little_finds_what_all_at_once_finds(tmp_path: Path) -> None:
    texts = [repost_key(f"{number}号通报：{STORY[number % 40 :]}") for number in range(120)] + [repost_key(OTHER)]
    at_once = RepostIndex().add(texts)
    index = RepostIndex()
    piecewise = []
    for start in range(0, len(texts), 7):
        piecewise += index.add(texts[start : start + 7])
    assert [bool(found) for found in piecewise] == [bool(found) for found in at_once]
    assert piecewise[-1] == []
    index.save(tmp_path / "index.npz", list(range(1000, 1000 + len(texts))))
    loaded = RepostIndex.load(tmp_path / "index.npz")
    assert loaded is not None
    assert loaded[1][0] == 1000
    assert loaded[0].find([texts[5]])[0][0] == index.find([texts[5]])[0][0]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"not an index"])
def test_a_broken_cache_is_no_cache(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "index.npz"
    path.write_bytes(content)
    assert RepostIndex.load(path) is None
    assert RepostIndex.load(tmp_path / "missing.npz") is None


def test_groups_join() -> None:
    groups = Groups()
    groups.join(5, 3)
    groups.join(9, 5)
    groups.join(7, 8)
    assert list(groups.members([3, 5, 7, 8, 9, 11])) == [[3, 5, 9], [7, 8]]


def _telling(number: int, trust: str, day: int, outlet: str, text: str) -> Telling:
    return Telling(number, trust, date(2026, 3, day), outlet, repost_key(text))


def test_the_origin_is_the_most_credible_then_the_earliest() -> None:
    tellings = [
        _telling(1, "social", 1, "微博", STORY),
        _telling(2, "media", 3, "晚报", STORY),
        _telling(3, "media", 2, "日报", STORY),
    ]
    assert origin_of(tellings).number == 3


def test_forty_copies_are_one_voice_and_an_own_telling_is_another() -> None:
    copies = [_telling(number, "media", 2, f"网站{number}", STORY[number % 5 :]) for number in range(40)]
    assert independent_sources(copies) == 1
    own_words = _telling(50, "social", 3, "论坛", "我家那个车的充电头也这样，摸着烫手，插座都熏黑了，找商家不理人")
    again = _telling(
        51, "social", 4, "论坛", "补充一下，商家今天回电话说可以换，但没提退款，我还是想让他们给个检测报告看看"
    )
    authority = _telling(52, "official", 5, "某市局", STORY)
    assert independent_sources([*copies, own_words]) == 2
    assert independent_sources([*copies, own_words, again, authority]) == 3


def test_similarity_is_exact() -> None:
    assert similarity("甲乙丙丁", "甲乙丙丁") == (1.0, 1.0)
    assert similarity("甲乙丙丁戊", "甲乙丙丁") == (2 / 3, 1.0)


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("甲源县讯近日一用户的电瓶车起火", "乙河区讯近日一用户的电瓶车起火", True),
        ("徐州市泉山区一电梯内电瓶爆燃", "徐州泉山那个视频里电瓶爆燃", False),  # the other names no place in full
        ("徐州市泉山区一电梯内电瓶爆燃", "徐州市发生一起电瓶爆燃", False),
        ("我市一小区内起火", "辖区超市内起火", False),  # words, not names
    ],
)
def test_two_places_are_two_events(one: str, other: str, apart: bool) -> None:
    assert elsewhere(one, other) is apart
