"""The segmenters cut exactly as jieba does."""

from collections.abc import Callable
from pathlib import Path

import jieba
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp import corpus
from nlp.segment import Segmenter, jieba_tokenizer
from nlp.segment_many import BatchSegmenter, NativeSegmenter, native_available

WORDS = ("燃气热水器", "剩余电流动作断路器", "打折电缆")
SHARED = Path(__file__).parents[3] / "shared" / "data"
Cut = Callable[[list[str]], list[list[str]]]


def _one_by_one(words: tuple[str, ...] = ()) -> Cut:
    segmenter = Segmenter(words)
    return lambda texts: [segmenter.cut(text) for text in texts]


@pytest.fixture(scope="module", params=["one by one", "batch"])
def cut(request: pytest.FixtureRequest) -> Cut:
    return _one_by_one() if request.param == "one by one" else BatchSegmenter().cut_many


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
        "一\0二\r",
        "\ud800孤立代理",
        "啊" * 700,
    ],
)
def test_cuts_like_jieba(cut: Cut, text: str) -> None:
    assert cut([text]) == [jieba.lcut(text)]


def test_cuts_every_text_of_the_corpus_like_jieba(cut: Cut) -> None:
    examples = corpus.load()
    cuts = cut([example.text for example in examples])
    different = [e.id for e, words in zip(examples, cuts, strict=True) if words != jieba.lcut(e.text)]
    assert different == []


@pytest.mark.parametrize(
    ("name", "column"), [("cn_shop_reviews", "review"), ("cn_headlines", "sentence"), ("cn_food_incident_news", "text")]
)
def test_cuts_texts_written_by_others_like_jieba(cut: Cut, name: str, column: str) -> None:
    path = SHARED / name / f"{name}.parquet"
    if not path.exists():
        pytest.skip(f"没有 {name}")
    texts = [str(text)[:3000] for text in pd.read_parquet(path)[column].dropna()[::37]]
    different = [text for text, words in zip(texts, cut(texts), strict=True) if words != jieba.lcut(text)]
    assert different == []


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(alphabet="电动车自燃了没有一个人受伤在中国市场监管局的3Cab -。\r\n", max_size=60), max_size=4))
def test_cuts_anything_like_jieba(cut: Cut, texts: list[str]) -> None:
    assert cut(texts) == [jieba.lcut(text) for text in texts]


@pytest.mark.parametrize("cut_with", [_one_by_one, lambda words: BatchSegmenter(words).cut_many])
def test_words_of_our_own_join_without_touching_the_library(cut_with: Callable[[tuple[str, ...]], Cut]) -> None:
    before = jieba.lcut("查获打折电缆三卷")
    [own] = cut_with(WORDS)(["查获打折电缆三卷"])
    assert own == jieba_tokenizer(WORDS).lcut("查获打折电缆三卷")
    assert "打折电缆" in own
    assert jieba.lcut("查获打折电缆三卷") == before


@pytest.mark.skipif(not native_available(), reason="没有安装 rjieba")
def test_the_native_port_cuts_chinese_alike() -> None:
    texts = ["插座冒火星,家里跳闸", "查获打折电缆三卷", "燃气热水器排烟管脱落"]
    assert NativeSegmenter(WORDS).cut_many(texts) == BatchSegmenter(WORDS).cut_many(texts)
