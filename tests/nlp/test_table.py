"""The general recipe on small tables."""

import numpy as np
import pytest

from nlp.classifiers.table import TableRecipe, _folds, _macro_offsets, _micro_offsets, measure

SEEN = ["手机很卡 屏幕碎了", "苹果很甜 水果新鲜", "手机电池不行", "香蕉坏了 水果烂了"] * 10
LABELS = [["手机"], ["水果"], ["手机"], ["水果"]] * 10


def test_single_labels() -> None:
    recipe = TableRecipe().fit(SEEN, LABELS)
    assert recipe.predict(["手机屏幕花了", "水果不甜"]) == [["手机"], ["水果"]]


def test_several_labels_or_none() -> None:
    texts = ["fire and smoke", "smoke", "fire", "a quiet day", "sunny weather"] * 12
    labels = [["fire", "smoke"], ["smoke"], ["fire"], [], []] * 12
    found = TableRecipe(multi=True).fit(texts, labels).predict(["fire with smoke", "a sunny quiet day"])
    assert found == [["fire", "smoke"], []]


def test_measuring() -> None:
    result = measure([["a"], ["b"], ["b"]], [["a"], ["b"], ["a"]])
    assert result["accuracy"] == 0.6667
    assert result["per_label"] == {"a": 0.6667, "b": 0.6667}
    assert result["macro_f1"] == 0.6667


def test_the_same_wording_is_never_on_both_sides_of_a_fold() -> None:
    texts = ["甲", "乙", "丙", "丁", "甲", "乙"] * 20 + [f"另一条{at}" for at in range(40)]
    answers = np.array([[text < "乙", text >= "乙"] for text in texts])
    judged = []
    for seen, unseen in _folds(texts, answers):
        assert not {texts[at] for at in seen} & {texts[at] for at in unseen}
        judged.extend(unseen)
    assert sorted(judged) == list(range(len(texts)))


def test_a_rare_class_stands_in_every_fold_that_it_can() -> None:
    texts = [f"text {at}" for at in range(200)]
    answers = np.array([[at < 5, at >= 5] for at in range(200)])
    assert [int(answers[unseen, 0].sum()) for _, unseen in _folds(texts, answers)] == [1] * 5


def test_an_offset_lets_a_rare_class_be_answered() -> None:
    truth = np.array([[True, False]] * 90 + [[False, True]] * 10)
    margins = np.where(truth, 0.0, -0.2) + np.array([0.3, 0.0])
    assert (margins.argmax(axis=1) == 0).all()
    assert ((margins + _macro_offsets(truth, margins)).argmax(axis=1) == truth.argmax(axis=1)).all()


def test_several_labels_get_the_offset_that_answers_most_of_them() -> None:
    truth = np.array([[True, False], [False, True], [False, False]] * 30)
    margins = np.where(truth, -0.25, -0.9)
    assert ((margins + _micro_offsets(truth, margins) > 0) == truth).all()


def test_a_table_too_small_for_pairs_is_read_by_its_words() -> None:
    assert TableRecipe().fit(["ab", "cd"], [["x"], ["y"]]).predict(["cd"]) == [["y"]]


def test_no_words_are_refused() -> None:
    with pytest.raises(ValueError, match="no text has a word"):
        TableRecipe().fit(["", " "], [["x"], ["y"]])


def test_choosing_is_the_same_every_time() -> None:
    texts = [f"{text} {at}" for at, text in enumerate(SEEN * 3)]
    first, second = (TableRecipe().fit(texts, LABELS * 3) for _ in range(2))
    assert first.views_ == second.views_
    assert np.array_equal(first.margins(texts), second.margins(texts))
