"""Documents tagged per second against bare `jieba.lcut`, one core, interleaved repeats, ratios in one run.

Run:  taskset -c 0 .venv/bin/python bench/bench_tagging.py [--shared DIR] [--texts FILE] [--n 3000] [--reps 3]

Text sets: the corpus, its texts joined in pairs, and from the shared data, where it lies, shop reviews as they come,
reviews of 30 to 400 characters with an industrial text behind every fourth, long reviews, headlines and the industrial
texts alone. --texts adds a UTF-8 file of one text a line.
The whole tagging path is: fold, cut into words, rules, features, all labels in one sparse product, candidates,
evidence. Times are the processor's. `first`: the ratio of the first pass, when no unknown run of characters was seen
before; `x_jieba`: the median pass. Also printed: how many texts are cut identically to jieba, and on how many
documents the native segmenter leads to the same tags.
"""

import argparse
import gc
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jieba
import pandas as pd

from nlp import corpus
from nlp.artifacts import SHIPPED
from nlp.segment_many import BatchSegmenter, native_available
from nlp.tagging import Tagged, load_tagger

ROOT = Path(__file__).parent.parent
LEXICON = ROOT / "nlp" / "lexicon"
BATCH = 1000


def _sets(given: argparse.Namespace) -> dict[str, list[str]]:
    own = [example.text for example in corpus.load()]
    sets = {
        "corpus": own,
        "corpus in pairs": [left + "。" + right for left, right in zip(own, reversed(own), strict=True)],
    }
    if given.texts is not None:
        sets[given.texts.name] = given.texts.read_text(encoding="utf-8").split("\n")
    if (given.shared / "cn_shop_reviews").is_dir():
        reviews = _column(given.shared / "cn_shop_reviews" / "cn_shop_reviews.parquet", "review")
        industrial = [
            json.loads(line)["text"]
            for line in (given.shared / "industrial_texts" / "texts.jsonl").read_text(encoding="utf-8").splitlines()
        ]
        middling = [text for text in reviews if 30 <= len(text) <= 400]
        sets["shop reviews"] = reviews
        sets["reviews and prose"] = [
            f"{text}。{industrial[at % len(industrial)]}" if at % 4 == 0 else text for at, text in enumerate(middling)
        ]
        sets["long reviews"] = [text[:400] for text in reviews if len(text) >= 100]
        sets["headlines"] = _column(given.shared / "cn_headlines" / "cn_headlines.parquet", "sentence")
        sets["industrial texts"] = industrial
    return {name: texts[:: max(1, len(texts) // given.n)][: given.n] for name, texts in sets.items()}


def _column(path: Path, name: str) -> list[str]:
    return [str(text) for text in pd.read_parquet(path)[name].dropna()]


def _in_batches(run: Callable[[Sequence[str]], list[Any]], texts: Sequence[str]) -> list[Any]:
    return [answer for at in range(0, len(texts), BATCH) for answer in run(texts[at : at + BATCH])]


def _runs() -> dict[str, Callable[[Sequence[str]], list[Any]]]:
    plain = BatchSegmenter()
    tagger = load_tagger(LEXICON, SHIPPED)
    runs: dict[str, Callable[[Sequence[str]], list[Any]]] = {
        "jieba.lcut": lambda texts: [jieba.lcut(text) for text in texts],
        "our segmenter": plain.cut_many,
        "whole tagging path": lambda texts: tagger.tag_many((text, None, None) for text in texts),
    }
    if native_available():
        native = load_tagger(LEXICON, SHIPPED, native=True)
        runs["whole path, native segmenter"] = lambda texts: native.tag_many((text, None, None) for text in texts)
    return runs


def main() -> None:
    """Print one JSON line a measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--n", type=int, default=3000)
    parser.add_argument("--reps", type=int, default=3)
    given = parser.parse_args()
    jieba.setLogLevel(60)
    jieba.initialize()
    runs = _runs()
    for name, texts in _sets(given).items():
        _measure(name, texts, runs, given.reps)


def _measure(name: str, texts: Sequence[str], runs: dict[str, Callable[[Sequence[str]], list[Any]]], reps: int) -> None:
    times: dict[str, list[float]] = {engine: [] for engine in runs}
    answers: dict[str, list[Any]] = {}
    for _ in range(reps):
        for engine, run in runs.items():
            gc.collect()
            started = time.process_time()
            answers[engine] = _in_batches(run, texts)
            times[engine].append(time.process_time() - started)
    base = times["jieba.lcut"]
    mean = round(sum(map(len, texts)) / max(len(texts), 1))
    for engine, taken in times.items():
        middle = statistics.median(taken)
        line = {
            "texts": name,
            "characters": mean,
            "engine": engine,
            "docs_s": round(len(texts) / middle),
            "first": round(base[0] / taken[0], 2),
            "x_jieba": round(statistics.median(base) / middle, 2),
        }
        print(json.dumps(line, ensure_ascii=False), flush=True)
    same = sum(left == right for left, right in zip(answers["jieba.lcut"], answers["our segmenter"], strict=True))
    print(json.dumps({"texts": name, "identical_cuts": same, "of": len(texts)}))
    if "whole path, native segmenter" in answers:
        pairs = zip(answers["whole tagging path"], answers["whole path, native segmenter"], strict=True)
        agreeing = sum(_said(left) == _said(right) for left, right in pairs)
        print(json.dumps({"texts": name, "native_tags_agree": round(agreeing / max(len(texts), 1), 4)}))


def _said(tags: Tagged) -> tuple[Any, ...]:
    found = (tags.hazards, tags.violations, tags.products)
    return tags.relevance >= 0.5, *(frozenset(f.code for f in family if f.probability >= 0.4) for family in found)


if __name__ == "__main__":
    main()
