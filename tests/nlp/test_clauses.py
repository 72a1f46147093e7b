"""Clauses as rows: where marks stand, what a clause takes from its neighbours, the highest of a text."""

from pathlib import Path

import lightgbm
import numpy as np
import pytest

from nlp.classifiers.clauses import STATUSES, UNKNOWN, Clauses, Spoken, highest
from nlp.classifiers.forest import Forest
from nlp.classifiers.labels import Labels
from nlp.classifiers.linear import LinearBlock
from nlp.classifiers.trees import fit_trees
from nlp.corpus import parse_line
from nlp.features import Vocabulary
from nlp.reading import Reader
from nlp.taxonomy import Taxonomy, load_taxonomy

LINES = (
    "opinion | socket | - | signal | 插排买了一年,昨晚{fire:冒出火苗},幸好{-explosion:没炸}",
    "opinion | - | - | offtopic | 快递太慢",
    "complaint | socket | - | signal | 又冒火苗了,{v.three_nos:没厂名没厂址}",
)


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return load_taxonomy(Path(__file__).parents[2] / "nlp" / "lexicon")


@pytest.fixture(scope="module")
def reader(taxonomy: Taxonomy) -> Reader:
    return Reader(taxonomy)


def test_marks_say_which_clause_and_in_what_voice(taxonomy: Taxonomy, reader: Reader) -> None:
    labels = Labels(tuple(taxonomy.hazards), tuple(taxonomy.violations))
    examples = [parse_line(line, place=f"x:{at}", event=str(at)) for at, line in enumerate(LINES)]
    clauses = Clauses.of([reader.read(example.text) for example in examples])
    assert clauses.texts.tolist() == [0, 0, 0, 1, 2, 2]
    targets = clauses.targets(examples, labels)
    fire, explosion = labels.hazards.index("fire"), labels.hazards.index("explosion")
    assert targets[:, fire].tolist() == [UNKNOWN, 1, UNKNOWN, 0, 0, 0]
    assert targets[:, explosion].tolist() == [UNKNOWN, UNKNOWN, 1, 0, 0, 0]
    three_nos = labels.first_violation + labels.violations.index("three_nos")
    assert targets[4:, three_nos].tolist() == [UNKNOWN, 1]
    voices = targets[:, -len(STATUSES) :]
    assert voices[1].tolist() == [1, 0, 0, 0]
    assert voices[2].tolist() == [0, 1, 0, 0]
    assert (voices[[0, 3, 4, 5]] == UNKNOWN).all()


def test_a_label_without_a_place_teaches_no_clause(taxonomy: Taxonomy, reader: Reader) -> None:
    labels = Labels(tuple(taxonomy.hazards), tuple(taxonomy.violations))
    example = parse_line("opinion | - | - | signal | {fire:插排冒烟,吓死人}", place="x:1", event="x")
    clauses = Clauses.of([reader.read(example.text)])
    assert (clauses.targets([example], labels)[:, labels.hazards.index("fire")] == UNKNOWN).all()


def test_a_clause_hears_its_neighbours_and_no_other_text(reader: Reader) -> None:
    texts = ["线皮裂开,没人受伤,照样用", "插头发黑"]
    readings = [reader.read(text) for text in texts]
    vocabulary = Vocabulary.fit([reading.features for reading in readings], least=1)
    together = Clauses.of(readings)
    rows = together.matrix(vocabulary, readings).toarray()
    alone = [Clauses.of([reading]).matrix(vocabulary, [reading]).toarray() for reading in readings]
    assert np.allclose(rows, np.vstack(alone))
    column = vocabulary.runs.index("裂开")
    assert rows[0, column] > rows[1, column] > 0
    assert rows[2, column] == rows[3, column] == 0
    assert together.span(1) == (5, 9)
    assert together.at(np.array([0, 0, 1]), np.array([6, 4, 0])).tolist() == [1, 0, 3]


def test_clauses_scored_before_they_are_heard_together_score_the_same(taxonomy: Taxonomy, reader: Reader) -> None:
    texts = ["插头冒火,没人受伤。照样用,照样用!再买", "", "。", "充电器鼓包", "未见起火,也没冒烟"]
    readings = [reader.read(text) for text in texts]
    features = [reading.features for reading in readings]
    vocabulary = Vocabulary.fit(features, least=1)
    weights = np.random.default_rng(0).normal(size=(vocabulary.size, 6)).astype(np.float32)
    block = LinearBlock(weights, np.arange(6, dtype=np.float32))
    placed = vocabulary.placed_runs(features)
    for chosen in ([0, 1, 2, 3, 4], [0, 4], [3]):
        some = [readings[at] for at in chosen]
        clauses = Clauses.of(some)
        scores = clauses.scores(block, vocabulary, some, placed.among(np.array(chosen)))
        assert np.allclose(scores, block.scores(clauses.matrix(vocabulary, some)), atol=1e-5)


def test_the_highest_clause_is_the_first_that_has_the_score() -> None:
    scores = np.array([[1, 5], [3, 5], [3, 0], [-2, -1]], dtype=np.float32)
    tops, rows = highest(scores, np.array([0, 3, 4]))
    assert tops.tolist() == [[3, 5], [-2, -1]]
    assert rows.tolist() == [[1, 0], [3, 3]]


def test_spoken_keeps_labels_and_voices_apart(reader: Reader) -> None:
    clauses = Clauses.of([reader.read("线皮裂开,没人受伤")])
    scores = np.arange(12, dtype=np.float32).reshape(2, 6)
    spoken = Spoken.of(clauses, scores)
    assert spoken.tops.tolist() == [[6, 7]]
    assert spoken.voices.tolist() == [[2, 3, 4, 5], [8, 9, 10, 11]]


def test_trees_are_repeatable_and_judge_a_group_unseen() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(800, 3)).astype(np.float32)
    answers = (features[:, 0] > 0).astype(np.int8)
    labels = np.zeros(800, dtype=np.int64)
    groups = np.array([str(at // 4) for at in range(800)])
    trees, held = fit_trees(features, answers, labels, groups)
    again, _ = fit_trees(features, answers, labels, groups)
    assert trees.told == again.told
    assert np.mean((held > 0.5) == answers) > 0.9
    # In a group whose answers are turned round, trees that saw it would follow; those that did not are wrong.
    turned = answers.copy()
    turned[:4] = 1 - turned[:4]
    _, unseen = fit_trees(features, turned, labels, groups)
    assert ((unseen[:4] > 0.5) != turned[:4]).all()
    with pytest.raises(ValueError, match="both answers"):
        fit_trees(features, np.zeros(800, dtype=np.int8), labels, groups)


def test_the_forest_gives_the_probabilities_of_the_library() -> None:
    rng = np.random.default_rng(1)
    features = np.hstack((rng.normal(size=(1200, 2)), rng.integers(0, 3, size=(1200, 2)))).astype(np.float32)
    answers = ((features[:, 0] > 0) ^ (features[:, 2] > 1)).astype(np.int8)
    trees, _ = fit_trees(
        features, answers, np.zeros(1200, dtype=np.int64), np.array([str(at // 4) for at in range(1200)])
    )
    theirs = np.asarray(lightgbm.Booster(model_str=trees.told).predict(features))
    assert np.allclose(trees.probabilities(features), theirs, atol=1e-6)
    assert trees.probabilities(features[:0]).shape == (0,)


def test_a_forest_of_trees_that_never_split_says_one_thing() -> None:
    features = np.zeros((40, 2), dtype=np.float32)
    answers = np.arange(40, dtype=np.int8) % 2
    trees, _ = fit_trees(features, answers, np.zeros(40, dtype=np.int64), np.array([str(at) for at in range(40)]))
    assert np.allclose(trees.probabilities(features), 0.5, atol=1e-6)


def test_a_forest_of_larger_trees_is_refused() -> None:
    features = np.random.default_rng(2).normal(size=(400, 1)).astype(np.float32)
    data = lightgbm.Dataset(features, features[:, 0] ** 2, params={"verbosity": -1})
    larger = lightgbm.train({"num_leaves": 31, "min_data_in_leaf": 2, "verbosity": -1}, data, num_boost_round=2)
    with pytest.raises(ValueError, match="16 leaves"):
        Forest(larger.model_to_string())
