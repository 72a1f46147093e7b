"""How far two readers of the same texts agree: `python -m nlp.corpus.agreement` prints it for `second_reading.tsv`."""

import sys
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nlp.corpus import FOLDER, RELEVANT_KINDS

READINGS = FOLDER / "second_reading.tsv"
SETS = ("products", "hazards", "violations")


@dataclass(frozen=True, slots=True)
class Reading:
    """What one reader said of one text; hazards are the asserted ones."""

    kind: str
    outcome: str
    products: frozenset[str]
    hazards: frozenset[str]
    violations: frozenset[str]


def read_pairs(path: Path) -> Iterator[tuple[Reading, Reading]]:
    """Yield the first and the second reading of each text of a tab-separated file; ValueError where one is missing."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    for first, second in zip(lines[::2], lines[1::2], strict=True):
        a, b = first.split("\t"), second.split("\t")
        if (a[0], a[1], b[1]) != (b[0], "1", "2"):
            raise ValueError(f"{path.name}: the two readings of {a[0]} do not stand together")
        yield _reading(a[2:]), _reading(b[2:])


def _reading(fields: Sequence[str]) -> Reading:
    kind, outcome, products, hazards, violations = fields
    return Reading(kind, outcome, *(frozenset(x.split(",")) - {"-"} for x in (products, hazards, violations)))


def kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float:
    """Cohen's kappa: agreement beyond what the two readers' own shares of labels would give by chance; 1 at most.

    Two readers who both had nothing to say agree: 1.
    """
    n = len(first)
    if n == 0:
        return 1.0
    seen = sum(a == b for a, b in zip(first, second, strict=True)) / n
    chance = sum(first.count(label) * second.count(label) for label in {*first, *second}) / n**2
    return 1.0 if chance == 1 else (seen - chance) / (1 - chance)


def agreement(pairs: Sequence[tuple[Reading, Reading]]) -> dict[str, tuple[float, float]]:
    """Plain agreement and kappa by family.

    For products, hazards and violations the plain figure is the share of texts with the same set, and kappa counts
    every label that either reader used as a yes or no of each text.
    """
    single: dict[str, list[tuple[Hashable, Hashable]]] = {
        "relevant": [(a.kind in RELEVANT_KINDS, b.kind in RELEVANT_KINDS) for a, b in pairs],
        "kind": [(a.kind, b.kind) for a, b in pairs],
        "outcome": [(a.outcome, b.outcome) for a, b in pairs],
    }
    result = {}
    for family, values in single.items():
        first, second = [a for a, _ in values], [b for _, b in values]
        result[family] = (sum(a == b for a, b in values) / len(values), kappa(first, second))
    for family in SETS:
        sets = [(getattr(a, family), getattr(b, family)) for a, b in pairs]
        labels = sorted({label for a, b in sets for label in a | b})
        used = kappa(
            [label in a for a, _ in sets for label in labels], [label in b for _, b in sets for label in labels]
        )
        result[family] = (sum(a == b for a, b in sets) / len(sets), used)
    return result


def main() -> int:
    """Print the agreement of the two readings kept beside the corpus."""
    pairs = list(read_pairs(READINGS))
    sys.stdout.write(f"texts {len(pairs)}\n")
    for family, (plain, beyond_chance) in agreement(pairs).items():
        sys.stdout.write(f"{family}: agreement {plain:.3f}, kappa {beyond_chance:.3f}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
