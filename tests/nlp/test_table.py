"""The general recipe on small tables."""

from nlp.classifiers.table import TableRecipe, measure

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
