"""A made-up history of inspections whose truth is known: some firms are bad, and stay bad."""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from scoring.backtest.table import Outcome, TableMap

START = date(2024, 1, 1)

MAP = TableMap(
    entity="firm",
    date="day",
    outcome=Outcome(column="result", fail="不合格"),
    groups=("product",),
    product="product",
    inspector="inspector",
    region="region",
)


def make_table(rows: int = 3000, seed: int = 1, *, firms: int = 150) -> pd.DataFrame:
    """Return two years of inspections; a fifth of the firms fail often, one product is worse, nothing else matters."""
    rng = np.random.default_rng(seed)
    firm = rng.integers(0, firms, rows)
    product = rng.integers(0, 5, rows)
    chance = 0.04 + 0.30 * (firm % 5 == 0) + 0.10 * (product == 0)
    return pd.DataFrame(
        {
            "firm": [f"企业{n}" for n in firm],
            "product": [f"产品{n}" for n in product],
            "region": [f"县{n % 7}" for n in firm],
            "inspector": [f"组{n}" for n in rng.integers(0, 4, rows)],
            "day": [str(date(2023, 1, 1) + timedelta(days=int(d))) for d in np.sort(rng.integers(0, 730, rows))],
            "result": np.where(rng.random(rows) < chance, "不合格", "合格"),
        }
    )
