"""The text model: features, fitting, saving, loading and refusing."""

import json
import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from nlp import corpus
from nlp.artifacts import SHIPPED, ArtifactError, accept_model, accepted_model, load_model, save_model
from nlp.classifiers.text_model import TextModel, fit
from nlp.corpus import Example
from nlp.features import Reading, Vocabulary, character_runs
from nlp.reading import Reader
from nlp.segment_many import native_available
from nlp.tagging import Tagged, Tagger, load_tagger
from nlp.taxonomy import Taxonomy, load_taxonomy

LEXICON = Path(__file__).parents[2] / "nlp" / "lexicon"
FOOD = LEXICON.parent / "lexicon_food"


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return load_taxonomy(LEXICON)


@pytest.fixture(scope="module")
def reader(taxonomy: Taxonomy) -> Reader:
    return Reader(taxonomy)


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return corpus.load()[::5]


@pytest.fixture(scope="module")
def model(taxonomy: Taxonomy, reader: Reader, examples: list[Example]) -> TextModel:
    return fit(examples, [reader.read(example.text) for example in examples], taxonomy)


def test_runs_never_cross_texts_and_read_digits_alike() -> None:
    runs = character_runs(["ab", "a1", "a2"])
    by_text = {text: set(runs.hashes[runs.texts == text].tolist()) for text in range(3)}
    assert len(runs.hashes) == 9  # three a text: two of one character, one of two
    assert by_text[1] == by_text[2]
    assert by_text[0] != by_text[1]


def test_a_batch_gives_the_rows_of_its_texts() -> None:
    readings = [Reading("插座冒烟", ["插座", "冒烟"], ["h:fire"]), Reading("电池冒烟了", ["电池", "冒烟", "了"], [])]
    vocabulary = Vocabulary.fit(readings, least=1)
    both = vocabulary.matrix(readings).toarray()
    alone = np.vstack([vocabulary.matrix([reading]).toarray() for reading in readings])
    assert np.allclose(both, alone)
    assert both.shape == (2, vocabulary.size)
    assert both[0].sum() > 0


def test_fitting_is_repeatable(model: TextModel, taxonomy: Taxonomy, reader: Reader, examples: list[Example]) -> None:
    again = fit(examples, [reader.read(example.text) for example in examples], taxonomy)
    assert np.array_equal(again.block.weights, model.block.weights)
    assert again.vocabulary.runs == model.vocabulary.runs


def test_a_saved_model_judges_alike(
    model: TextModel, taxonomy: Taxonomy, reader: Reader, examples: list[Example], tmp_path: Path
) -> None:
    version = save_model(model, tmp_path, taxonomy, cut={"texts": len(examples)}, metrics={})
    loaded = load_model(tmp_path, taxonomy)
    readings = [reader.read(example.text) for example in examples[:40]]
    before = [round(j.relevance, 1) for j in model.judge(readings, taxonomy)]
    after = [round(j.relevance, 1) for j in loaded.judge(readings, taxonomy)]
    assert loaded.version == version
    assert sum(a != b for a, b in zip(before, after, strict=True)) <= 4  # small weights are not kept


def test_a_model_is_refused_when_something_differs(model: TextModel, taxonomy: Taxonomy, tmp_path: Path) -> None:
    save_model(model, tmp_path, taxonomy, cut={}, metrics={})
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))

    def rewritten(**changes: object) -> None:
        (tmp_path / "manifest.json").write_text(json.dumps({**manifest, **changes}), encoding="utf-8")

    rewritten(lexicon="0" * 16)
    with pytest.raises(ArtifactError, match="词典已改"):
        load_model(tmp_path, taxonomy)
    rewritten(labels=["hazard:boredom"])
    with pytest.raises(ArtifactError, match="标签与分类表不同"):
        load_model(tmp_path, taxonomy)
    rewritten(format=0)
    with pytest.raises(ArtifactError, match="别的版本"):
        load_model(tmp_path, taxonomy)
    rewritten()
    (tmp_path / "weights.npz").write_bytes(b"PK")
    with pytest.raises(ArtifactError, match="不是清单所写"):
        load_model(tmp_path, taxonomy)


def test_the_shipped_model_fits_the_shipped_lexicon(taxonomy: Taxonomy, tmp_path: Path) -> None:
    assert accepted_model(tmp_path, LEXICON) == SHIPPED
    assert load_model(SHIPPED, taxonomy).version.startswith("text-")


def test_accepting_and_restoring(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED, tmp_path / "models" / "text" / "mine")
    accept_model(tmp_path, "mine")
    assert accepted_model(tmp_path, LEXICON) == tmp_path / "models" / "text" / "mine"
    accept_model(tmp_path, None)
    assert accepted_model(tmp_path, LEXICON) == SHIPPED
    with pytest.raises(ArtifactError, match="没有模型"):
        accept_model(tmp_path, "absent")


def test_another_lexicon_gives_another_product_world(tmp_path: Path) -> None:
    assert accepted_model(tmp_path, FOOD) is None
    tagged = load_tagger(FOOD).tag("抽检某牌陈醋和花生油")
    assert {finding.code for finding in tagged.products} == {"vinegar", "vegetable_oil"}
    assert tagged.hazards == ()


def test_one_by_one_is_the_same_as_many(model: TextModel, taxonomy: Taxonomy, examples: list[Example]) -> None:
    tagger = Tagger(taxonomy, model)
    many = tagger.tag_many((example.text, None, None) for example in examples[:20])
    for example, tagged in zip(examples, many, strict=False):
        alone = tagger.tag(example.text)
        assert alone.as_json().keys() == tagged.as_json().keys()
        assert [f.code for f in alone.hazards] == [f.code for f in tagged.hazards]
        assert alone.relevance == pytest.approx(tagged.relevance, abs=1e-4)


def test_a_batch_is_read_like_its_texts(reader: Reader) -> None:
    texts = [example.text for example in corpus.load()[::23]]
    assert reader.read_many(texts) == [reader.read(text) for text in texts]


@pytest.mark.skipif(not native_available(), reason="没有安装 rjieba")
def test_the_native_segmenter_leads_to_the_same_tags() -> None:
    texts = [example.text for example in corpus.load()[::3]]
    plain, native = (
        [_said(tags) for tags in load_tagger(LEXICON, SHIPPED, native).tag_many((text, None, None) for text in texts)]
        for native in (False, True)
    )
    agreeing = sum(left == right for left, right in zip(plain, native, strict=True))
    assert agreeing >= 0.995 * len(texts)


def _said(tags: Tagged) -> tuple[object, ...]:
    found = (tags.products, tags.hazards, tags.violations)
    return tags.relevance >= 0.5, *(frozenset(f.code for f in family if f.probability >= 0.4) for family in found)


def test_more_texts_than_one_batch_keep_their_order(model: TextModel, taxonomy: Taxonomy) -> None:
    tagger = Tagger(taxonomy, model)
    texts = [f"{'插座冒火星' if at % 3 else '快递三天没到'},{at}" for at in range(2100)]
    tagged = tagger.tag_many((text, None, None) for text in texts)
    for at in (0, 1, 1023, 1024, 1025, 2099):
        alone = tagger.tag(texts[at])
        assert [f.code for f in tagged[at].hazards] == [f.code for f in alone.hazards]
        assert tagged[at].relevance == pytest.approx(alone.relevance, abs=1e-5)


def test_a_repeated_wording_keeps_its_own_day(model: TextModel, taxonomy: Taxonomy) -> None:
    tagger = Tagger(taxonomy, model)
    text = "3月5日夜里充电宝鼓包起火,烧了床单"
    days = [date(2025, 6, 1), date(2026, 6, 1), date(2025, 6, 1)]
    together = tagger.tag_many((text, None, day) for day in days)
    assert together == [tagger.tag(text, None, day) for day in days]
    read = [[fact.value for fact in tags.facts if fact.kind == "date"] for tags in together]
    assert read == [["2025-03-05"], ["2026-03-05"], ["2025-03-05"]]


def test_evidence_lies_in_the_text(model: TextModel, taxonomy: Taxonomy, examples: list[Example]) -> None:
    tagger = Tagger(taxonomy, model)
    for example, tagged in zip(examples, tagger.tag_many((e.text, None, None) for e in examples), strict=True):
        for finding in (*tagged.hazards, *tagged.violations, *tagged.products):
            assert 0 <= finding.probability <= 1
            assert all(0 <= start < end <= len(example.text) for start, end in finding.spans)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("插上就蹿火苗", "fire"),
        ("皮肤起了一层泡", "burn_thermal"),
        ("灶台边一股子臭鸡蛋味,拿肥皂水一刷管子接头直冒泡", "gas_leak"),
        ("孩子的手指头夹进推车缝里,拔都拔不出来", "entrapment_crush"),
    ],
)
def test_the_shipped_model_knows_words_outside_the_lexicon(taxonomy: Taxonomy, text: str, code: str) -> None:
    tagged = load_tagger(LEXICON, SHIPPED).tag(text)
    assert code in {f.code for f in tagged.hazards if f.probability >= 0.4 and f.status == "asserted"}


@pytest.mark.parametrize("text", ["", "   ", "\n", "😱", "a" * 5000, "\ud800孤立代理"])
def test_any_text_can_be_tagged(text: str) -> None:
    load_tagger(LEXICON, SHIPPED).tag(text)


def test_places_are_read_where_they_mean_one_thing() -> None:
    assert load_tagger(LEXICON, SHIPPED).tag("山东省济南市一小区电动车起火,烧毁三辆").regions == ("370100",)


def test_a_sampled_batch_is_tagged_by_its_cells() -> None:
    tagger = load_tagger(LEXICON, SHIPPED)
    text = "电线电缆 导体电阻 不合格"
    failed = tagger.tag_sample(text, tagger.tag(text), failed_items=["导体电阻"], safety_failed=True, product="cable")
    assert [(f.code, f.spans) for f in failed.hazards] == [("electric_shock", ((5, 9),))]
    assert [f.code for f in failed.violations] == ["safety_standard_violation"]
    assert "cable" in {f.code for f in failed.products}
    passed = tagger.tag_sample(text, tagger.tag(text), failed_items=[], safety_failed=False, product="cable")
    assert passed.hazards == passed.violations == ()
    assert passed.relevance < 0.5
