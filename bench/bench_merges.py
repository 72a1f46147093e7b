"""The same producer written differently in published sampling results: which spellings are taken for one firm.

    python bench/bench_merges.py cn_sampling.parquet --list merges.csv

Every distinct producer name is resolved against those before it (most frequent first) as the resolve job would:
a linked one is a merge. The list is for reading by hand; a verdict column is left empty.
"""

import argparse
import csv
import json
import time
from collections import Counter
from pathlib import Path

import pandas as pd

from nlp.enterprises import Firm, Query, Register, name_key
from nlp.regions import shipped_index


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("table", type=Path)
    parser.add_argument("--list", type=Path, help="write the merges to this CSV")
    chosen = parser.parse_args()
    table = pd.read_parquet(chosen.table)
    places = shipped_index()
    start = time.perf_counter()
    seen: Counter[tuple[str, str]] = Counter(
        (str(name), str(place) if isinstance(place, str) else "")
        for name, place in zip(table["producer"], table["producer_region"], strict=True)
        if isinstance(name, str) and len(name_key(name)) >= 4
    )
    register = Register([])
    answers: Counter[str] = Counter()
    merges: list[tuple[str, str, str, str, float, str]] = []
    for (name, place), _ in seen.most_common():
        code = places.code_of(place)
        answer = register.resolve(Query(name, region=code))
        if answer.decision == "link":
            firm = register.firm(answer.ids[0])
            kind = "same spelling" if name_key(firm.name) == name_key(name) else "merge"
            answers[kind] += 1
            if kind == "merge":
                merges.append((name, place, firm.name, firm.region_code or "", answer.score, "；".join(answer.reasons)))
            continue
        answers["review" if answer.review else "new"] += 1
        if not answer.review:
            register.add(Firm(str(len(register)), name, region_code=code))
    if chosen.list:
        with chosen.list.open("w", encoding="utf-8-sig", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow(["name", "place", "taken for", "its place", "score", "reasons", "verdict"])
            writer.writerows((*row, "") for row in merges)
    seconds = round(time.perf_counter() - start, 1)
    print(json.dumps({"spellings": len(seen), "firms": len(register), **answers, "seconds": seconds}))


if __name__ == "__main__":
    main()
