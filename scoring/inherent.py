"""A product's inherent risk: severity of harm × its probability, by the RAPEX / Safety Gate matrix (GB/T 22760).

The cells are those of `risk_matrix.yaml`, verified against a published implementation (S44).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import prod
from pathlib import Path
from typing import Any

import yaml

MATRIX_PATH = Path(__file__).resolve().parent / "risk_matrix.yaml"
ORDER = "LMHS"
LEVEL_ZH = {"L": "低", "M": "中", "H": "高", "S": "严重"}
ITEMS_BANDS = ((100_000, "<=100000"), (500_000, "100001-500000"), (1_000_000, "500001-1000000"))
MOST_ITEMS = ">1000000"


class RiskError(ValueError):
    """A severity, probability or scenario outside the matrix."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """How the harm comes about: each step's probability given the steps before it, over the product's life."""

    steps: tuple[float, ...]
    severity: int  # 1 first aid … 4 fatal or lasting disability above about 10 %
    zh: str = ""

    @property
    def probability(self) -> float:
        """The steps multiplied."""
        return prod(self.steps)


@dataclass(frozen=True, slots=True)
class Risk:
    """A level with its sensitivity: what one band more or less of probability, or of severity, would make of it."""

    level: str  # L | M | H | S
    band: str  # p1 … p8
    severity: int
    low: str
    high: str
    scenario: Scenario | None = None

    @property
    def robust(self) -> bool:
        """One step of doubt changes nothing."""
        return self.low == self.high == self.level

    @property
    def zh(self) -> str:
        """The level in words."""
        return LEVEL_ZH[self.level]


def band(probability: float) -> str:
    """Return the band of a probability. An edge belongs to the lower band: exactly 1/10 is p3, as n = 10 in 1-in-n."""
    if not 0 <= probability <= 1:
        raise RiskError(f"概率应在 0 与 1 之间：{probability}")
    for entry in _matrix()["probability_bands"]:
        if probability > float(entry["min"]):
            return str(entry["id"])
    return str(_matrix()["probability_bands"][-1]["id"])


def bands() -> list[dict[str, Any]]:
    """Return the probability bands, most likely first: id, label, lower edge and Chinese word of each."""
    return list(_matrix()["probability_bands"])


def cell(band_id: str, severity: int) -> str:
    """Return the matrix cell."""
    if severity not in (1, 2, 3, 4):
        raise RiskError(f"严重程度应为 1 至 4：{severity}")
    return str(_matrix()["matrix"][band_id][severity - 1])


def assess(scenarios: Sequence[Scenario], *, items_in_use: int | None = None) -> Risk:
    """Return the highest risk over the scenarios, with one band up and down as its sensitivity.

    `items_in_use`, when known, raises the level by the published adjustment for widespread goods.
    """
    if not scenarios:
        raise RiskError("至少要有一个伤害情景")
    return max(
        (_one(scenario, items_in_use) for scenario in scenarios),
        key=lambda risk: (ORDER.index(risk.level), risk.severity, ORDER.index(risk.high)),
    )


def _one(scenario: Scenario, items_in_use: int | None) -> Risk:
    bands = [str(entry["id"]) for entry in _matrix()["probability_bands"]]
    at = bands.index(band(scenario.probability))
    nearby = {
        _adjusted(cell(bands[min(max(at + shift, 0), len(bands) - 1)], scenario.severity), items_in_use)
        for shift in (-1, 0, 1)
    }
    ordered = sorted(nearby, key=ORDER.index)
    return Risk(
        level=_adjusted(cell(bands[at], scenario.severity), items_in_use),
        band=bands[at],
        severity=scenario.severity,
        low=ordered[0],
        high=ordered[-1],
        scenario=scenario,
    )


def _adjusted(level: str, items_in_use: int | None) -> str:
    if items_in_use is None:
        return level
    key = next((name for most, name in ITEMS_BANDS if items_in_use <= most), MOST_ITEMS)
    return str(_matrix()["prism_items_in_use_adjustment"][key][level])


@cache
def _matrix() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(MATRIX_PATH.read_text(encoding="utf-8"))
    return loaded
