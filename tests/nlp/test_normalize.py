"""Cleaning a text, and finding the way back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.normalize import normalize


@pytest.mark.parametrize(
    ("received", "clean"),
    [
        ("Ａ１２３（甲）５℃", "A123(甲)5°C"),
        ("起\u200b火\u202e了\ufeff", "起火了"),
        ("臺灣裡面的產品質量", "台湾里面的产品质量"),
        ("監(jiān)管產(chǎn)品，他們(men)說", "监管产品,他们说"),
        ("電線（RVV）與(yǔ)锂电池(pack)", "电线(RVV)与锂电池(pack)"),  # a trade word in brackets is no gloss
        ("第一行\r\n\r\n  第二行\u3000尾 ", "第一行\n第二行 尾"),
        ("e\u0301cole", "école"),
        ("起 火 了 啊", "起火了啊"),
        ("共抽查 53 批次", "共抽查 53 批次"),
        ("", ""),
    ],
)
def test_characters(received: str, clean: str) -> None:
    assert normalize(received).text == clean


@pytest.mark.parametrize(
    ("received", "clean"),
    [
        ("通告正文。\n上一篇：某某新闻\n下一篇：无\n", "通告正文。"),
        ("当前位置：首页 > 新闻\n通告正文。\n免责声明：本文转自网络", "通告正文。"),
        ("久久 亚洲 国产精品 欧美 在线观看\n通告正文。", "通告正文。"),
        ("Normal 0 7.8 磅 0 2 false false false EN-US ZH-CN X-NONE 通告正文。", "通告正文。"),
        ("<!--[if gte mso 9]><xml>a</xml><![endif]-->通告正文。", "通告正文。"),
        ("请在上一页查看分享的声明。", "请在上一页查看分享的声明。"),  # a sentence that only uses such words stays
    ],
)
def test_residue_and_spam_lines_go(received: str, clean: str) -> None:
    assert normalize(received).text == clean


@pytest.mark.parametrize(
    ("received", "runs"),
    [
        ("重點要?!八拿闇省奔疵闇手攸c領(lǐng)域", ["?!八拿闇省奔疵闇手攸c"]),
        ("包括?;飞a企业", ["?;飞a"]),
        ("品牌为锟斤拷锟斤拷的车", ["锟斤拷锟斤拷"]),
        ("电\ufffd\ufffd车", ["\ufffd\ufffd"]),
        ("标题：ç”µåŠ¨è½¦起火", ["ç”µåŠ¨è½¦"]),
        ("型号\ud83d坏", ["\ud83d"]),
        ("怎么回事?这个充电器居然是a级产品", []),
        ("为什么?!八成是电池的问题", []),
        ("3M 口罩、Type-C 充电线", []),
    ],
)
def test_damaged_runs_are_marked_and_kept(received: str, runs: list[str]) -> None:
    found = normalize(received)
    assert [received[start:end] for start, end in found.damaged_original] == runs
    assert len(found.damaged) == len(runs)
    for span in found.damaged:
        assert not found.readable(span)


def test_misread_utf8_is_damage() -> None:
    received = "内容：" + "电动自行车充电时起火".encode().decode("gb18030", "replace")
    assert normalize(received).damaged_original


def test_spans_lead_back_to_the_original() -> None:
    received = "\ufeff監(jiān)管部门：５℃ 的　\u200b產(chǎn)品"
    found = normalize(received)
    for word, there in (("监管", "監(jiān)管"), ("5°C", "５℃"), ("产品", "產(chǎn)品")):
        start = found.text.index(word)
        assert received[slice(*found.to_original((start, start + len(word))))] == there


texts = st.text(
    st.one_of(
        st.sampled_from("監管产品 \n\t(jiān)質量５℃㎡\u200b\u202e\u3000éi①?!八拿闇c锟斤拷\ufffd\ud83d"),
        st.characters(),
    ),
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(texts)
def test_any_text_keeps_its_way_back_and_settles(received: str) -> None:
    found = normalize(received)
    last = 0
    for at in range(len(found.text)):
        start, end = found.to_original((at, at + 1))
        assert 0 <= start < end <= len(received)
        assert end >= last
        last = end
    for start, end in found.damaged:
        assert 0 <= start < end <= len(found.text)
    again = normalize(found.text)
    assert normalize(again.text).text == again.text
    found.text.encode("utf-8")
