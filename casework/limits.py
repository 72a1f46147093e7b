"""The table of statutory time limits, with the mark whether each was read in a source (S) or is to be checked (K)."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DEFAULT_PATH = Path(__file__).resolve().parent / "statutory_time_limits.csv"


@dataclass(frozen=True, slots=True)
class Limit:
    """One row of the table of limits; `status` S was read in a source, K is to be checked before use."""

    id: str
    regime: str
    step_zh: str
    value: int
    unit: str  # calendar_day | working_day | month | year | …
    counted_from: str
    legal_basis: str
    status: str


@cache
def load_limits(path: Path = DEFAULT_PATH) -> dict[str, Limit]:
    """Read the table of limits; rows without a number of days, months or years are left out."""
    limits = {}
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["value"].isdigit() and row["unit"] in ("calendar_day", "working_day", "month", "year"):
                limits[row["id"]] = Limit(
                    row["id"], row["regime"], row["step_zh"], int(row["value"]), row["unit"],
                    row["counted_from"], row["legal_basis"], row["status"],
                )  # fmt: skip
    return limits


def titles() -> dict[str, str]:
    """Return the Chinese name of every limit by its id."""
    return {limit.id: limit.step_zh for limit in load_limits().values()}
