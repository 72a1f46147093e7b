"""Documents tagged per second against bare `jieba.lcut`, one core, interleaved repeats, ratios in one run.

Run:  taskset -c 0 .venv/bin/python bench/bench_tagging.py [--texts FILE] [--n 3000] [--reps 3]

--texts: UTF-8, one text a line, or a Parquet file with `--column`. Without it the corpus's texts are joined in pairs.
The whole tagging path is: fold, cut into words, rules, features, all labels in one sparse product, candidates,
evidence. Also printed: how many texts are cut identically to jieba, and on how many documents the native segmenter
leads to the same tags.
"""

import argparse
import gc
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jieba

from nlp import corpus
from nlp.artifacts import SHIPPED
from nlp.segment import Segmenter, native_available
from nlp.tagging import Tagger, load_tagger

LEXICON = Path(__file__).parent.parent / "nlp" / "lexicon"


def _texts(given: argparse.Namespace) -> list[str]:
    if given.texts is None:
        own = [example.text for example in corpus.load()]
        return [left + "。" + right for left, right in zip(own, reversed(own), strict=True)][: given.n]
    if given.texts.suffix == ".parquet":
        import pandas as pd

        return [str(text)[:400] for text in pd.read_parquet(given.texts)[given.column].dropna()][: given.n]
    return given.texts.read_text(encoding="utf-8").split("\n")[: given.n]


def _tags(tagger: Tagger, texts: list[str]) -> list[Any]:
    return tagger.tag_many((text, None, None) for text in texts)


def main() -> None:
    """Print one JSON line a measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--column", default="review")
    parser.add_argument("--n", type=int, default=3000)
    parser.add_argument("--reps", type=int, default=3)
    given = parser.parse_args()
    texts = _texts(given)
    jieba.setLogLevel(60)
    jieba.initialize()
    plain = Segmenter()
    tagger = load_tagger(LEXICON, SHIPPED)
    runs: dict[str, Callable[[], Any]] = {
        "jieba.lcut": lambda: [jieba.lcut(text) for text in texts],
        "our segmenter": lambda: [plain.cut(text) for text in texts],
        "whole tagging path": lambda: _tags(tagger, texts),
    }
    if native_available():
        native = load_tagger(LEXICON, SHIPPED, native=True)
        runs["whole tagging path, native segmenter"] = lambda: _tags(native, texts)
    times: dict[str, list[float]] = {name: [] for name in runs}
    results: dict[str, Any] = {}
    for _ in range(given.reps):
        for name, run in runs.items():
            gc.collect()
            started = time.perf_counter()
            results[name] = run()
            times[name].append(time.perf_counter() - started)
    base = statistics.median(times["jieba.lcut"])
    for name, taken in times.items():
        middle = statistics.median(taken)
        print(json.dumps({"name": name, "docs_s": round(len(texts) / middle), "x_jieba": round(base / middle, 2)}))
    same = sum(left == right for left, right in zip(results["jieba.lcut"], results["our segmenter"], strict=True))
    print(json.dumps({"identical_cuts": same, "texts": len(texts)}))
    if native_available():
        pairs = zip(results["whole tagging path"], results["whole tagging path, native segmenter"], strict=True)
        agreeing = sum(_said(left) == _said(right) for left, right in pairs)
        print(json.dumps({"native_tags_agree": round(agreeing / max(len(texts), 1), 4)}))


def _said(tags: Any) -> tuple[Any, ...]:
    return (
        tags.relevance >= 0.5,
        frozenset(f.code for f in tags.hazards if f.probability >= 0.4),
        frozenset(f.code for f in tags.violations if f.probability >= 0.4),
        frozenset(f.code for f in tags.products if f.probability >= 0.4),
    )


if __name__ == "__main__":
    main()
