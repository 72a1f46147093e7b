"""The segmenter cuts exactly as jieba does."""

import jieba
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp import corpus
from nlp.segment import NativeSegmenter, Segmenter, jieba_tokenizer, native_available

WORDS = ("燃气热水器", "剩余电流动作断路器", "打折电缆")


@pytest.fixture(scope="module")
def plain() -> Segmenter:
    return Segmenter()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "电",
        "插上就蹿火苗,屋里黑了一片还有焦糊味",
        "2022-11-23实测0.11mg/kg(限值≤0.05)",
        "孩子把纽扣电池吞了\r\n\r\n医院说要开刀 😱",
        "ABC有限公司的3C证书CCC2021暂停期间",
        "𠮷野家の味噌汁　全角空格",
    ],
)
def test_cuts_like_jieba(plain: Segmenter, text: str) -> None:
    assert plain.cut(text) == jieba.lcut(text)


def test_cuts_every_text_of_the_corpus_like_jieba(plain: Segmenter) -> None:
    different = [e.id for e in corpus.load() if plain.cut(e.text) != jieba.lcut(e.text)]
    assert different == []


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="电动车自燃了没有一个人受伤在中国市场监管局的3Cab -。\n", max_size=60))
def test_cuts_anything_like_jieba(plain: Segmenter, text: str) -> None:
    assert plain.cut(text) == jieba.lcut(text)
    assert "".join(plain.cut(text)) == text


def test_words_of_our_own_join_without_touching_the_library() -> None:
    before = jieba.lcut("查获打折电缆三卷")
    own = Segmenter(WORDS)
    assert own.cut("查获打折电缆三卷") == jieba_tokenizer(WORDS).lcut("查获打折电缆三卷")
    assert "打折电缆" in own.cut("查获打折电缆三卷")
    assert jieba.lcut("查获打折电缆三卷") == before


@pytest.mark.skipif(not native_available(), reason="没有安装 rjieba")
def test_the_native_port_cuts_chinese_alike() -> None:
    texts = ["插座冒火星,家里跳闸", "查获打折电缆三卷", "燃气热水器排烟管脱落"]
    ours, native = Segmenter(WORDS), NativeSegmenter(WORDS)
    assert [native.cut(text) for text in texts] == [ours.cut(text) for text in texts]
