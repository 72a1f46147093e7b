"""How long the back-test of a large table takes: processor seconds and peak memory, ablations and landmines included.

python -m bench.bench_backtest                 # 200,000 rows over seven years, 23 months evaluated
python -m bench.bench_backtest --rows 20000
"""

import argparse
import json
import resource
import time
from datetime import date

import numpy as np
import pandas as pd

from scoring.backtest.engine import back_test
from scoring.backtest.table import Outcome, TableMap, inspections

NAMES = np.array(["Golden Dragon House", "Blue River Cafe", "Corner Market", "Lucky Star Foods", "Harbor Grill"])
MAP = TableMap(
    entity="firm",
    date="day",
    outcome=Outcome(column="result", fail="fail"),
    groups=("firm", "name", "product", "region", "zip", "size"),
    product="product",
    region="region",
    inspector="inspector",
    size="size",
)


def make_table(rows: int, firms: int) -> pd.DataFrame:
    """Return invented inspections: firms of differing quality, 40 products, two columns of noise, a text of codes."""
    rng = np.random.default_rng(0)
    firm = rng.integers(0, firms, rows)
    quality = rng.normal(0, 1, firms)
    product = rng.integers(0, 40, rows)
    chance = 1 / (1 + np.exp(3 - 0.8 * quality[firm] - 0.4 * rng.normal(0, 1, 40)[product]))
    return pd.DataFrame(
        {
            "firm": [f"F{n:06d}" for n in firm],
            "name": [f"{NAMES[n % 5]} {n * 7919 % 10007} Street" for n in firm],
            "product": [f"p{n}" for n in product],
            "region": [f"r{n % 120}" for n in firm],
            "zip": [f"z{n % 900}" for n in firm],
            "inspector": [f"i{n}" for n in rng.integers(0, 80, rows)],
            "lat": 30 + (firm % 500) / 500,
            "lon": 110 + (firm // 500) / 60,
            "size": np.array(["s", "m", "l"])[firm % 3],
            "x1": rng.normal(0, 1, rows),
            "x2": rng.integers(0, 50, rows),
            "note": [
                f"ref {a} code {b}"
                for a, b in zip(rng.integers(0, 50000, rows), rng.integers(0, 99, rows), strict=True)
            ],
            "day": pd.Timestamp("2012-01-01") + pd.to_timedelta(np.sort(rng.integers(0, 2500, rows)), unit="D"),
            "result": np.where(rng.random(rows) < chance, "FAIL", "PASS"),
        }
    )


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    rows = parser.parse_args().rows
    frame = make_table(rows, max(rows * 3 // 20, 10))
    start = time.process_time()
    result = back_test(inspections(frame, MAP), MAP, date(2017, 1, 1))
    print(
        json.dumps(
            {
                "rows": rows,
                "evaluated": len(result.rows),
                "periods": len(result.periods),
                "processor_seconds": round(time.process_time() - start, 1),
                "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                "suspects": [one.column for one in result.suspects],
            }
        )
    )


if __name__ == "__main__":
    main()
