"""Decayed features at a nation's scale, one more day, and model scoring in chunks; each against a peer in the same run.

    python bench/bench_features.py                       # 1,000,000 firms, 10,000,000 facts
    python bench/bench_features.py --firms 100000 --facts 1000000

Goals: full >= 3x pandas group-by on the same columns; one day >= 100x full; chunks >= 2x one whole-batch
predict_proba; peak memory, grades included, under 2 GiB. Invented facts with a long tail: a few firms have many.
"""

import argparse
import json
import os
import resource
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.ensemble import HistGradientBoostingClassifier

from scoring.challenger import tree_scores
from scoring.columnar import HALF_LIFE_DAYS, WINDOW_DAYS, Extract, advance, full, leaving_day, screening_levels
from scoring.policy import load_policy

TODAY = 1000
DAYS = 5  # single days measured; the best counts, as it does for the peer
CHUNK = 8192


def timed(work, repeat: int = 3) -> tuple[float, object]:
    """Return the best of some runs, in seconds, and the last result."""
    best, result = float("inf"), None
    for _ in range(repeat):
        start = time.perf_counter()
        result = work()
        best = min(best, time.perf_counter() - start)
    return best, result


def peak_mib() -> float:
    """Return the largest resident size so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def say(**figures: object) -> None:
    """Print one line of figures."""
    print(json.dumps(figures, ensure_ascii=False), flush=True)


def make_facts(firms: int, facts: int) -> Extract:
    """Return invented facts, a long tail of firms, days 0 … TODAY."""
    rng = np.random.default_rng(1)
    firm = rng.permutation(firms)[np.minimum((rng.pareto(1.1, facts) * firms * 0.02).astype(np.int64), firms - 1)]
    return Extract.of(
        firm.astype(np.int32),
        rng.integers(0, TODAY + 1, facts).astype(np.int16),
        rng.random(facts),
        rng.integers(0, 5, facts).astype(np.int8),
    )


def with_pandas(frame: pd.DataFrame) -> pd.DataFrame:
    """The peer: one group-by with named aggregations, the decay computed column-wise."""
    frame = frame.assign(
        decayed=frame["weight"] * np.exp2(-(TODAY - frame["day"].astype(float)) / HALF_LIFE_DAYS),
        recent=frame["day"] > TODAY - WINDOW_DAYS,
    )
    return frame.groupby("firm", sort=True).agg(
        total=("weight", "sum"),
        decayed=("decayed", "sum"),
        count=("weight", "size"),
        recent=("recent", "sum"),
        worst=("severity", "max"),
        last_day=("day", "max"),
    )


def bench_features(firms: int, facts: int) -> None:
    """Full computation, grades and one day against pandas."""
    policy = load_policy()
    start = time.perf_counter()
    extract = make_facts(firms, facts)
    say(step="extract", firms=firms, facts=facts, seconds=round(time.perf_counter() - start, 2))
    ours, state = timed(lambda: full(extract, firms, TODAY))
    graded, _ = timed(lambda: screening_levels(state, policy))
    peak = peak_mib()

    stepped = full(extract, firms, TODAY - DAYS)
    steps = [
        (extract.between(day, day), extract.between(leaving_day(day - 1), leaving_day(day - 1)))
        for day in range(TODAY - DAYS + 1, TODAY + 1)
    ]
    spent = []
    for today, leaving in steps:
        start = time.perf_counter()
        touched = advance(stepped, today, leaving)
        screening_levels(stepped, policy, touched)
        spent.append(time.perf_counter() - start)
    one_day = min(spent)
    np.testing.assert_allclose(stepped.decayed(), state.decayed(), rtol=1e-9)
    np.testing.assert_array_equal(stepped.recent, state.recent)

    columns = {name: getattr(extract, name) for name in ("firm", "day", "weight", "severity")}
    frame = pd.DataFrame(columns)
    peer, table = timed(lambda: with_pandas(frame))
    np.testing.assert_allclose(table["decayed"], state.decayed()[table.index], rtol=1e-9)
    say(
        step="features",
        full_s=round(ours, 3),
        grades_s=round(graded, 3),
        pandas_s=round(peer, 3),
        ratio_full=round(peer / (ours + graded), 2),
        one_day_s=round(one_day, 5),
        touched=len(touched),
        ratio_one_day=round((ours + graded) / one_day, 1),
        peak_mib_full_and_grades=round(peak),
    )


def bench_scoring(rows: int, columns: int) -> None:
    """Chunked scoring against one whole-batch predict_proba of the same model, and of scikit-learn's."""
    rng = np.random.default_rng(2)
    train = rng.random((40_000, columns), dtype=np.float32)
    outcome = (train[:, :5].sum(axis=1) + rng.normal(0, 0.8, len(train)) > 3).astype(int)
    batch = rng.random((rows, columns), dtype=np.float32)
    trees = HistGradientBoostingClassifier(max_iter=100, max_leaf_nodes=31, early_stopping=False).fit(train, outcome)
    boosted = LGBMClassifier(n_estimators=100, num_leaves=31, n_jobs=1, verbose=-1).fit(train, outcome)

    def in_chunks() -> np.ndarray:
        parts = [trees.predict_proba(batch[at : at + CHUNK])[:, 1] for at in range(0, rows, CHUNK)]
        return np.concatenate(parts)

    whole, probability = timed(lambda: trees.predict_proba(batch)[:, 1], 2)
    chunked, again = timed(in_chunks, 2)
    np.testing.assert_array_equal(probability, again)
    ours, _ = timed(lambda: tree_scores(boosted, batch), 2)
    say(
        step="scoring",
        rows=rows,
        columns=columns,
        whole_batch_s=round(whole, 2),
        same_model_in_chunks_s=round(chunked, 2),
        ratio_chunks=round(whole / chunked, 2),
        challenger_in_chunks_s=round(ours, 2),
        ratio_challenger=round(whole / ours, 2),
    )


def main() -> None:
    """Run both benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--firms", type=int, default=1_000_000)
    parser.add_argument("--facts", type=int, default=10_000_000)
    parser.add_argument("--rows", type=int, default=400_000, help="rows to score")
    parser.add_argument("--columns", type=int, default=40)
    wanted = parser.parse_args()
    bench_features(wanted.firms, wanted.facts)
    bench_scoring(wanted.rows, wanted.columns)


if __name__ == "__main__":
    main()
