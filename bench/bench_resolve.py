"""Whose name is it? Recall, wrong links, "none" and ambiguity on an invented register with many look-alikes.

    python bench/bench_resolve.py                              # 20,000 firms, 4,000 queries
    python bench/bench_resolve.py --firms 200000 --vocabulary b --seed 7
    python bench/bench_resolve.py --outside cn_company_short_names.parquet     # real 字号, other noise
    python bench/bench_resolve.py --aliases cn_company_alias.parquet    # short -> full names of listed companies

The thresholds of name_policy.yml were chosen on vocabulary a; b and c have other 字号 and trades, and --outside is a
second benchmark made apart (see outside_names.py).
"""

import argparse
import json
import math
import resource
import time
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from pathlib import Path

from enterprise_names import NAME_ALONE, Asked, Province
from outside_names import BESIDE_THE_NAME, Outside, brand_words

from nlp.enterprises import Firm, Query, Register, Resolution


def wilson(hits: int, n: int) -> tuple[float, float]:
    """95 % interval of a share."""
    if not n:
        return 0.0, 1.0
    z, p = 1.96, hits / n
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def f1(said: Counter[str], answer: str) -> float:
    """F1 of one kind of answer from counts keyed "truth>answer"."""
    right = said[f"{answer}>{answer}"]
    claimed = sum(count for key, count in said.items() if key.endswith(f">{answer}"))
    true = sum(count for key, count in said.items() if key.startswith(f"{answer}>"))
    return 2 * right / (claimed + true) if claimed + true else 0.0


def judge(asked: Asked, answer: Resolution) -> str:
    """right, wrong (blames another firm), or the answer that was given instead."""
    if answer.decision == "link":
        return "right" if asked.decision == "link" and set(answer.ids) == set(asked.ids) else "wrong"
    return "right" if answer.decision == asked.decision else answer.decision


def score_auc(queries: list[Asked], answers: list[Resolution]) -> float:
    """How often a right link has a higher score than any other answer with a candidate (links taken at a threshold)."""
    good = sorted(a.score for q, a in zip(queries, answers, strict=True) if judge(q, a) == "right" and a.ids)
    bad = [
        a.score
        for q, a in zip(queries, answers, strict=True)
        if a.candidates and not (a.ids and judge(q, a) == "right")
    ]
    won = sum(len(good) - (bisect_left(good, b) + bisect_right(good, b)) / 2 for b in bad)
    return won / (len(good) * len(bad)) if good and bad else 1.0


def run(register: Register, queries: list[Asked], show: int) -> None:
    """Print one line a kind and the totals."""
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    said: Counter[str] = Counter()
    shown: Counter[str] = Counter()
    start = time.process_time()
    answers = [
        register.resolve(Query(q.query, region=q.region or None, context=q.context or None, product=q.product or None))
        for q in queries
    ]
    seconds = time.process_time() - start
    for asked, answer in zip(queries, answers, strict=True):
        verdict = judge(asked, answer)
        kinds[asked.kind][verdict] += 1
        said[f"{asked.decision}>{answer.decision}"] += 1
        if verdict != "right" and shown[asked.kind] < show:
            shown[asked.kind] += 1
            names = [register.firm(c.id).name for c in answer.candidates[:3]]
            truth = [register.firm(i).name for i in asked.ids]
            print(" ", asked.kind, verdict, asked.query, asked.region, truth, names, answer.score, answer.reasons)
    print(f"{'kind':16}{'n':>6}{'right':>8}{'95 %':>16}{'wrong':>7}{'none':>6}{'ambig.':>7}")
    for kind in sorted(kinds, key=lambda k: (k not in NAME_ALONE, k)):
        c, n = kinds[kind], kinds[kind].total()
        low, high = wilson(c["right"], n)
        shares = f"{c['right'] / n:8.3f}   {low:.3f}–{high:.3f}"
        print(f"{kind:16}{n:6}{shares}{c['wrong']:7}{c['none']:6}{c['ambiguous']:7}")
    n = len(queries)
    linkable = [k for k in kinds if not k.startswith("none") and k != "ambiguous"]
    alone = sum((kinds[k] for k in linkable if k in NAME_ALONE or k not in BESIDE_THE_NAME), Counter())
    every = sum((kinds[k] for k in linkable), Counter())
    wrong = sum(c["wrong"] for c in kinds.values())
    links = sum(answer.decision == "link" for answer in answers)
    low, high = wilson(wrong, links)
    open_ids = [
        (set(q.ids), {c.id for c in a.candidates})
        for q, a in zip(queries, answers, strict=True)
        if q.decision == "ambiguous"
    ]
    print(
        json.dumps(
            {
                "queries": n,
                "links": links,
                "wrong_links": wrong,
                "wrong_of_links": round(wrong / links, 4),
                "wrong_of_links_95": [round(low, 4), round(high, 4)],
                "wrong_of_queries": round(wrong / n, 4),
                "recall_name_alone": round(alone["right"] / alone.total(), 4),
                "recall_all": round(every["right"] / every.total(), 4),
                "none_f1": round(f1(said, "none"), 4),
                "ambiguous_f1": round(f1(said, "ambiguous"), 4),
                "ambiguous_all_listed": round(sum(a <= b for a, b in open_ids) / max(1, len(open_ids)), 4),
                "score_auc": round(score_auc(queries, answers), 4),
                "queries_per_processor_second": round(n / seconds),
            }
        )
    )


def aliases(path: Path) -> None:
    """Short names of listed companies -> full names, top candidate."""
    import pandas as pd

    table = pd.read_parquet(path)
    firms = [Firm(str(i), name) for i, name in enumerate(table["full_name"])]
    register = Register(firms)
    hits, decided, wrong = 0, 0, 0
    start = time.process_time()
    for i, (short, full) in enumerate(zip(table["short_name"], table["full_name"], strict=True)):
        answer = register.resolve(Query(short))
        top = answer.candidates[0].id if answer.candidates else None
        right = top is not None and firms[int(top)].name == full
        hits += right
        decided += answer.decision == "link" and right
        wrong += answer.decision == "link" and not right
        if not right and i % 7 == 0:
            print("  missed", short, full, firms[int(top)].name if top else None)
    n = len(firms)
    low, high = wilson(hits, n)
    print(
        json.dumps(
            {
                "short_names": n,
                "top1": round(hits / n, 4),
                "top1_95": [round(low, 4), round(high, 4)],
                "linked_right": round(decided / n, 4),
                "linked_wrong": round(wrong / n, 4),
                "queries_per_processor_second": round(n / (time.process_time() - start)),
            }
        )
    )


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--firms", type=int, default=20_000)
    parser.add_argument("--queries", type=int, default=4_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--vocabulary", choices=["a", "b", "c"], default="a")
    parser.add_argument("--show", type=int, default=0, help="mistakes to print a kind")
    parser.add_argument("--aliases", type=Path)
    parser.add_argument("--outside", type=Path, help="table of brand words for the benchmark made apart")
    chosen = parser.parse_args()
    if chosen.aliases:
        aliases(chosen.aliases)
        return
    province: Province | Outside
    if chosen.outside:
        province = Outside(chosen.firms, chosen.seed, brand_words(chosen.outside))
    else:
        province = Province(chosen.firms, chosen.seed, chosen.vocabulary)
    queries = list(province.queries(chosen.queries, chosen.seed + 1))
    start = time.process_time()
    register = Register(province.firms)
    seconds, peak = time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{len(register)} firms indexed in {seconds:.1f} processor seconds, {peak:.1f} GB peak with the benchmark")
    run(register, queries, chosen.show)


if __name__ == "__main__":
    main()
