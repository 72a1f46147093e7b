"""The general recipe on public labelled tables, beside TF-IDF with a logistic regression, in one run.

Run:  .venv/bin/python bench/public_tasks.py --data ../shared/data [--tasks NAME …] [--part dev|test]

Each table is cut in two before anything is fitted: by date where the task says so (trained on the earlier part), else
by a hash of the text's group (near-duplicates where the table names them, else the text itself), one fifth held back.
`--part dev` cuts the training part once more in the same way and never opens the held-back fifth: choices are made
there, and the test part is looked at when they are made. Printed is one JSON line a task: macro and micro F1 with the
middle 95 % of the task's own figure over groups drawn again, seconds of CPU, and the share of training rows whose exact
wording also stands under other labels. A table that is not there is said to be absent.
"""

import argparse
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MultiLabelBinarizer

from nlp.classifiers.table import TableRecipe, measure

RESAMPLES = 300
SERVICE_ONLY = {"餐凉", "包装破损", "骑手偷吃"}
LEAST_EVENTS = 15  # an event type of fewer sentences than this is no class: twelve remain
Labels = list[list[str]]


@dataclass(frozen=True, slots=True)
class Task:
    """One labelled table: where it is, what is read, how it is cut, and the macro or micro F1 to reach."""

    name: str
    folder: str
    text: str
    labels: Callable[[pd.DataFrame], Labels]
    figure: str
    goal: float
    group: str | None = None
    dates: tuple[str, str, str] | None = None  # the column, where the dev part begins, where the test part begins
    multi: bool = False


def _column(name: str) -> Callable[[pd.DataFrame], Labels]:
    return lambda table: [[str(value)] for value in table[name]]


def _events(table: pd.DataFrame) -> Labels:
    return [[part for part in str(value).split("|") if part] for value in table["event_types"].fillna("")]


def _event_or_not(table: pd.DataFrame) -> Labels:
    return [["event" if set(given) - SERVICE_ONLY else "none"] for given in _events(table)]


def _frequent_events(table: pd.DataFrame) -> Labels:
    given = _events(table)
    counts = pd.Series([label for labels in given for label in labels]).value_counts()
    return [[label for label in labels if counts[label] >= LEAST_EVENTS] for labels in given]


TASKS = (
    Task(
        "sampling",
        "cn_sampling",
        "product",
        _column("category_l2"),
        "macro_f1",
        0.93,
        dates=("published", "2015-07-01", "2015-09-01"),
    ),
    Task("incidents", "cn_food_incident_news", "text", _column("label"), "macro_f1", 0.78, group="cluster"),
    Task("event", "cn_food_review_events", "sentence", _event_or_not, "macro_f1", 0.92),
    Task("event_types", "cn_food_review_events", "sentence", _frequent_events, "micro_f1", 0.89, multi=True),
    Task("shop", "cn_shop_reviews", "review", _column("cat"), "macro_f1", 0.92),
    Task("rumor", "cn_weibo_rumor", "text", _column("rumor"), "macro_f1", 0.92),
    Task("hazard_en", "en_food_hazard", "text", _column("hazard_category"), "macro_f1", 0.72),
)


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of a task."""

    texts: list[str]
    labels: Labels
    groups: list[str]


def split(task: Task, table: pd.DataFrame, part: str) -> tuple[Part, Part]:
    """The rows to fit on and the rows to score, `part` being dev or test."""
    texts = table[task.text].fillna("").astype(str)
    groups = table[task.group].astype(str) if task.group else texts
    if task.dates:
        column, *starts = task.dates
        dev, test = map(pd.Timestamp, starts)
        days = pd.to_datetime(table[column])
        held, kept = (days >= test, days < test) if part == "test" else ((days >= dev) & (days < test), days < dev)
    else:
        fold = groups.map(lambda group: int(hashlib.sha256(group.encode()).hexdigest(), 16) % 5)
        held, kept = (fold == 0, fold != 0) if part == "test" else (fold == 1, fold > 1)
    given = task.labels(table)

    def rows(chosen: Any) -> Part:
        at = np.flatnonzero(chosen)
        return Part([texts.iloc[i] for i in at], [given[i] for i in at], [groups.iloc[i] for i in at])

    return rows(kept), rows(held)


def baseline(seen: Part, unseen: Part, multi: bool) -> Labels:
    """Character runs of one to three, TF-IDF, logistic regression."""
    runs = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True, min_df=2, max_features=100_000)
    machine = LogisticRegression(C=10, max_iter=300)
    if not multi:
        model = make_pipeline(runs, machine)
        model.fit(seen.texts, [given[0] for given in seen.labels])
        return [[label] for label in model.predict(unseen.texts)]
    names = MultiLabelBinarizer()
    model = make_pipeline(runs, OneVsRestClassifier(machine))
    model.fit(seen.texts, names.fit_transform(seen.labels))
    return [list(labels) for labels in names.inverse_transform(model.predict(unseen.texts))]


def interval(truth: Labels, found: Labels, groups: Sequence[str], figure: str) -> list[float]:
    """The middle 95 % of a figure over groups drawn again."""
    members: dict[str, list[int]] = {}
    for at, group in enumerate(groups):
        members.setdefault(group, []).append(at)
    rows = [np.array(at) for at in members.values()]
    classes = sorted({label for given in [*truth, *found] for label in given})
    true = np.array([[label in given for label in classes] for given in truth], dtype=bool)
    claimed = np.array([[label in given for label in classes] for given in found], dtype=bool)
    rng = np.random.default_rng(0)
    values = []
    for _ in range(RESAMPLES):
        drawn = np.concatenate([rows[at] for at in rng.integers(0, len(rows), len(rows))])
        hits = (true[drawn] & claimed[drawn]).sum(axis=0)
        both = true[drawn].sum(axis=0) + claimed[drawn].sum(axis=0)
        there = true[drawn].any(axis=0)
        micro, macro = 2 * hits.sum() / max(both.sum(), 1), (2 * hits[there] / both[there]).mean()
        values.append(micro if figure == "micro_f1" else macro)
    return [round(float(value), 3) for value in np.percentile(values, [2.5, 97.5])]


def ambiguous(part: Part) -> float:
    """Share of rows whose exact wording stands elsewhere in the part under other labels."""
    labels: dict[str, set[tuple[str, ...]]] = {}
    for text, given in zip(part.texts, part.labels, strict=True):
        labels.setdefault(text, set()).add(tuple(sorted(given)))
    return float(np.mean([len(labels[text]) > 1 for text in part.texts]))


def run(task: Task, data: Path, part: str) -> dict[str, Any]:
    """Fit both on the training rows and score both on the held-back ones."""
    path = data / task.folder / f"{task.folder}.parquet"
    if not path.is_file():
        return {"task": task.name, "absent": f"{task.folder}.parquet is not in the data folder"}
    seen, unseen = split(task, pd.read_parquet(path), part)
    result: dict[str, Any] = {"task": task.name, "part": part, "figure": task.figure, "goal": task.goal}
    result |= {"n_train": len(seen.texts), "n_test": len(unseen.texts), "ambiguous": round(ambiguous(seen), 4)}
    recipe = TableRecipe(task.multi)
    runs: dict[str, Callable[[], Labels]] = {
        "baseline": partial(baseline, seen, unseen, task.multi),
        "recipe": lambda: recipe.fit(seen.texts, seen.labels).predict(unseen.texts),
    }
    for name, fit_and_predict in runs.items():
        started = time.process_time()
        found = fit_and_predict()
        scores = measure(unseen.labels, found)
        result[name] = {
            "macro_f1": scores["macro_f1"],
            "micro_f1": scores["micro_f1"],
            "interval": interval(unseen.labels, found, unseen.groups, task.figure),
            "cpu_seconds": round(time.process_time() - started, 1),
        }
        if name == "recipe":
            result["per_label"] = scores["per_label"]
    return result


def main() -> None:
    """Print one JSON line a task."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--tasks", nargs="*", default=[task.name for task in TASKS])
    parser.add_argument("--part", choices=("dev", "test"), default="dev")
    given = parser.parse_args()
    for task in TASKS:
        if task.name in given.tasks:
            print(json.dumps(run(task, given.data, given.part), ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
