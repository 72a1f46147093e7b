"""What each inspection's record was on its day: failures over expected failures, by every key and pair of keys.

Columns are named `key|lift`, `key|lift@180` (half-life in days), `key|last`, `left*right|lift`, `key<before|lift`
(what the entity's visit before had, and how it ended), `@0.005|lift` (a square of the map, in degrees), `column~sum`
(words of a text) or plainly after a number of the table. Every one is known before the inspection takes place.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scoring.backtest.table import MOST_KINDS, Inspections
from scoring.features import FOREVER, Floats, Ints, Ledger, pair_codes, shrunk_lift

SHRINK = 1.0  # expected failures that draw a lift to nothing
WORD_SHRINK = 2.0
BASE_HALF_LIFE = 60.0  # days; how fast the base rate follows a change of publication practice
RECENT = 180.0
FRESH = 90.0
YEARLY = 365.0
LAST_FEW = 6
FEW_FADE = 0.8  # weight of a visit against the one after it
SQUARES = (0.02, 0.005)  # degrees: a district, a few streets
# A kind that changes this seldom between an entity's visits belongs to the entity.
LEAST_CHANGES = 0.02
MOST_PIECES = 8_000_000  # of texts; beyond it each text gives fewer
MOST_PAIRS = 60
# A pair that is new in most rows only repeats its rarer half.
LARGEST_PAIR_SHARE = 0.8
WORD_SIZES = (2, 3)
MOST_WORDS_A_TEXT = 48


@dataclass(frozen=True)
class History:
    """The features of every inspection, and the pieces simple rivals are made of.

    `base` is the failure rate expected of any inspection on that day from the recent past alone. `lifts` hold the
    log of observed over expected failures of each single key; `uses` names the table's columns behind a feature.
    """

    names: tuple[str, ...]
    values: NDArray[np.float32]
    uses: tuple[frozenset[str], ...]
    base: Floats
    lifts: dict[str, Floats]
    entity: str
    entity_failures: Floats
    entity_recent: Floats
    entity_last_year: Floats
    entity_batches: Floats

    @property
    def offset(self) -> Floats:
        """The log odds of the base rate."""
        return np.asarray(np.log(self.base / (1.0 - self.base)))

    def product_of_rates(self, without: frozenset[str] = frozenset()) -> Floats:
        """The base rate times every single key's lift, as log odds: the strongest simple rival."""
        total = self.offset.copy()
        for name, lift in self.lifts.items():
            if name not in without:
                total += lift
        return total


def history(table: Inspections, *, progress: Callable[[str], None] = lambda _: None) -> History:
    """Compute every feature of every inspection from the records known before its day."""
    outcome = table.failed.astype(float)
    usable = table.days >= 0
    one = np.ones(len(table))
    columns: list[tuple[str, frozenset[str], Floats]] = []
    whole = np.where(usable, 0, -1).astype(np.int64)
    everything = Ledger.build(whole, table.known)
    seen = everything.window(whole, table.days)
    ever = (everything.decayed(outcome, seen, table.days, FOREVER) + 0.5) / (
        everything.decayed(one, seen, table.days, FOREVER) + 10.0
    )
    base = (everything.decayed(outcome, seen, table.days, BASE_HALF_LIFE) + 20.0 * ever) / (
        everything.decayed(one, seen, table.days, BASE_HALF_LIFE) + 20.0
    )
    base = np.clip(base, 1e-4, 1 - 1e-4)
    books = _Books(table, outcome, base)
    kinds = {name: _with_missing(codes, usable, own=name == table.entity) for name, codes in table.kinds.items()}
    lifts: dict[str, Floats] = {}
    for name, codes in kinds.items():
        many = bool(codes.max(initial=0) > MOST_KINDS)
        for suffix, values in books.of_key(codes, detailed=many or name == table.entity):
            columns.append((f"{name}|{suffix}", frozenset({name}), values))
            if suffix == "lift":
                lifts[name] = values
    progress("单项历史")
    for left, right in _pairs(kinds):
        codes = pair_codes(kinds[left], kinds[right])
        if codes.max(initial=0) < LARGEST_PAIR_SHARE * len(table):
            columns.append((f"{left}*{right}|lift", frozenset({left, right}), books.lift(codes, FOREVER)))
    entity = kinds[table.entity]
    own = Ledger.build(entity, table.known)
    own_seen = own.window(entity, table.days)
    columns += [(f"{table.entity}|{suffix}", frozenset({table.entity}), v) for suffix, v in books.of_visits(entity)]
    for name, codes in kinds.items():
        if name != table.entity and codes.max(initial=0) <= MOST_KINDS:
            uses = frozenset({table.entity, name})
            columns += [(found, uses, v) for found, v in books.of_changes(table.entity, name, entity, codes)]
    progress("组合历史")
    if table.place:
        for side, codes in _squares(*(table.numbers[name] for name in table.place)):
            for suffix, half_life in (("lift", FOREVER), (f"lift@{RECENT:g}", RECENT)):
                columns.append((f"@{side:g}|{suffix}", frozenset(table.place), books.lift(codes, half_life)))
    for name, texts in table.words.items():
        for suffix, values in books.of_words(texts, usable):
            columns.append((f"{name}~{suffix}", frozenset({name}), values))
    progress("文字历史")
    columns += [(name, frozenset({name}), values) for name, values in table.numbers.items()]
    for name, results in table.earlier.items():
        uses = frozenset({table.entity, name})
        columns += [(f"{table.entity}|{name}|{suffix}", uses, v) for suffix, v in books.of_results(entity, results)]
    for name, codes in table.earlier_kinds.items():
        before = own.latest(codes.astype(float), own_seen)
        key = np.where(usable, np.nan_to_num(before, nan=-1.0).astype(np.int64) + 1, -1)
        columns.append((f"{table.entity}|{name}|lift", frozenset({table.entity, name}), books.lift(key, FOREVER)))
    return History(
        names=tuple(name for name, _, _ in columns),
        values=np.column_stack([values for _, _, values in columns]).astype(np.float32),
        uses=tuple(uses for _, uses, _ in columns),
        base=base,
        lifts=lifts,
        entity=table.entity,
        entity_failures=own.decayed(outcome, own_seen, table.days, FOREVER),
        entity_recent=own.decayed(outcome, own_seen, table.days, FRESH),
        entity_last_year=_last_year(table, entity, outcome),
        entity_batches=own.decayed(one, own_seen, table.days, FOREVER),
    )


@dataclass(frozen=True)
class _Books:
    """The outcome and its expectation, ready to be summed over any key."""

    table: Inspections
    outcome: Floats
    expected: Floats

    def lift(self, codes: Ints, half_life: float, ledger: Ledger | None = None, strength: float = SHRINK) -> Floats:
        ledger = ledger or Ledger.build(codes, self.table.known)
        seen = ledger.window(codes, self.table.days)
        return shrunk_lift(
            ledger.decayed(self.outcome, seen, self.table.days, half_life),
            ledger.decayed(self.expected, seen, self.table.days, half_life),
            strength,
        )

    def of_key(self, codes: Ints, *, detailed: bool) -> Iterator[tuple[str, Floats]]:
        """Yield a key's lifts and, for keys of many kinds, what happened to it last.

        How often a key of few kinds was seen only grows with time, so a model could read the date from it: left out.
        """
        days = self.table.days
        ledger = Ledger.build(codes, self.table.known)
        seen = ledger.window(codes, days)
        yield "lift", self.lift(codes, FOREVER, ledger)
        yield f"lift@{RECENT:g}", self.lift(codes, RECENT, ledger)
        if not detailed:
            return
        yield f"lift@{FRESH:g}", self.lift(codes, FRESH, ledger)
        yield "seen", np.log1p((seen[1] - seen[0]).astype(float))
        yield "last", ledger.latest(self.outcome, seen)
        yield "last2", ledger.latest(self.outcome, seen, 1)
        yield "since", ledger.days_since(seen, days)
        failures = np.where(self.outcome > 0, codes, -1).astype(np.int64)
        failed = Ledger.build(failures, self.table.known)
        yield "since_failed", failed.days_since(failed.window(codes, days), days)

    def of_visits(self, entity: Ints) -> Iterator[tuple[str, Floats]]:
        """Yield what the entity's last few visits say together: how they ended, how long they went well, their gap."""
        days = self.table.days
        ledger = Ledger.build(entity, self.table.known)
        seen = ledger.window(entity, days)
        yield f"lift@{YEARLY:g}", self.lift(entity, YEARLY, ledger)
        surprise = self.outcome - self.expected
        total, weight = np.zeros(len(entity)), np.ones(len(entity))
        well, streak = np.ones(len(entity), dtype=bool), np.zeros(len(entity))
        for back in range(LAST_FEW):
            found = ledger.latest(surprise, seen, back)
            known = ~np.isnan(found)
            total += np.where(known, FEW_FADE**back * found, 0.0)
            weight += np.where(known, FEW_FADE**back, 0.0)
            well &= ledger.latest(self.outcome, seen, back) == 0
            streak += well
        yield "lift#few", total / weight
        yield "streak", streak
        yield "gap", ledger.latest(days.astype(float), seen) - ledger.latest(days.astype(float), seen, 1)

    def of_changes(self, entity_name: str, name: str, entity: Ints, codes: Ints) -> Iterator[tuple[str, Floats]]:
        """Yield the record of the entity's visits of the same kind, and of what the visit before was.

        Nothing for a kind that hardly ever changes between an entity's visits.
        """
        days = self.table.days
        ledger = Ledger.build(entity, self.table.known)
        seen = ledger.window(entity, days)
        before = ledger.latest(codes.astype(float), seen)
        again = ~np.isnan(before)
        if not again.any() or np.mean(before[again] != codes[again]) < LEAST_CHANGES:
            return
        came = pair_codes(np.nan_to_num(before, nan=-1.0).astype(np.int64) + 1, codes)
        ended = np.nan_to_num(ledger.latest(self.outcome, seen), nan=2.0).astype(np.int64)
        yield f"{name}<before|lift", self.lift(came, FOREVER)
        yield f"{name}<ended|lift", self.lift(pair_codes(came, ended), FOREVER)
        same = pair_codes(entity, codes)
        own = Ledger.build(same, self.table.known)
        seen = own.window(same, days)
        yield f"{entity_name}*{name}|lift@{YEARLY:g}", self.lift(same, YEARLY, own)
        yield f"{entity_name}*{name}|last", own.latest(self.outcome, seen)
        yield f"{entity_name}*{name}|since", own.days_since(seen, days)

    def of_results(self, entity: Ints, results: Floats) -> Iterator[tuple[str, Floats]]:
        """Yield an earlier result in numbers: the last one, the one before, and means that lean on everybody's."""
        days, known = self.table.days, self.table.known
        filled = ~np.isnan(results)
        ledger = Ledger.build(np.where(filled, entity, -1), known)
        seen = ledger.window(entity, days)
        yield "last", ledger.latest(results, seen)
        yield "last2", ledger.latest(results, seen, 1)
        values, one = np.nan_to_num(results), filled.astype(float)
        whole = np.where(filled & (days >= 0), 0, -1).astype(np.int64)
        everybody = Ledger.build(whole, known)
        until = everybody.window(np.zeros_like(whole), days)
        usual = everybody.decayed(values - values.min(initial=0.0), until, days, FOREVER) / np.maximum(
            everybody.decayed(one, until, days, FOREVER), 1.0
        ) + values.min(initial=0.0)
        for suffix, half_life in (("lift", FOREVER), (f"lift@{YEARLY:g}", YEARLY)):
            low = values.min(initial=0.0)
            total = ledger.decayed(values - low, seen, days, half_life)
            count = ledger.decayed(one, seen, days, half_life)
            yield suffix, (total + 2.0 * (usual - low)) / (count + 2.0) + low - usual

    def of_words(self, texts: Sequence[str], usable: NDArray[np.bool_]) -> Iterator[tuple[str, Floats]]:
        """Yield sum, largest and smallest lift over the pieces (two or three characters) of a text."""
        size = len(texts)
        rows, codes = _pieces(texts, usable)
        counts = np.bincount(rows, minlength=size)
        if len(rows):
            days = self.table.days[rows]
            ledger = Ledger.build(codes, self.table.known[rows])
            seen = ledger.window(codes, days)
            lifts = shrunk_lift(
                ledger.decayed(self.outcome[rows], seen, days, FOREVER),
                ledger.decayed(self.expected[rows], seen, days, FOREVER),
                WORD_SHRINK,
            )
        else:
            lifts = np.zeros(0)
        largest = np.full(size, -9.0)
        np.maximum.at(largest, rows, lifts)
        smallest = np.full(size, 9.0)
        np.minimum.at(smallest, rows, lifts)
        yield "sum", np.bincount(rows, lifts, minlength=size) / np.sqrt(np.maximum(counts, 1))
        yield "max", np.where(counts > 0, largest, 0.0)
        yield "min", np.where(counts > 0, smallest, 0.0)


def _pieces(texts: Sequence[str], usable: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Return row and code of every piece of every text, each piece once a text."""
    most = max(4, min(MOST_WORDS_A_TEXT, MOST_PIECES // max(len(texts), 1)))
    by_text: dict[str, Ints] = {}
    vocabulary: dict[str, int] = {}
    rows: list[int] = []
    found: list[Ints] = []
    for row, text in enumerate(texts):
        if not usable[row] or not text:
            continue
        if (known := by_text.get(text)) is None:
            lowered = text.lower()
            pieces = dict.fromkeys(
                lowered[start : start + width] for width in WORD_SIZES for start in range(len(lowered) - width + 1)
            )
            codes = [vocabulary.setdefault(piece, len(vocabulary)) for piece in islice(pieces, most)]
            known = by_text[text] = np.asarray(codes, dtype=np.int64)
        rows.append(row)
        found.append(known)
    if not found:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    return np.repeat(np.asarray(rows, dtype=np.int64), [len(one) for one in found]), np.concatenate(found)


def _squares(latitude: Floats, longitude: Floats) -> Iterator[tuple[float, Ints]]:
    """Yield each row's square of the map for every size of square; -1 where the place is unknown."""
    known = ~(np.isnan(latitude) | np.isnan(longitude))
    for side in SQUARES:
        down, across = (np.floor(np.nan_to_num(part) / side).astype(np.int64) for part in (latitude, longitude))
        codes = np.unique(down * 1_000_003 + across, return_inverse=True)[1].astype(np.int64)
        yield side, np.where(known, codes, -1)


def _with_missing(codes: Ints, usable: NDArray[np.bool_], *, own: bool) -> Ints:
    """Give rows without a value a kind of their own; an unnamed entity stays nobody."""
    if not own and (codes[usable] < 0).any():
        codes = np.where(codes < 0, codes.max(initial=0) + 1, codes)
    return np.where(usable, codes, -1).astype(np.int64)


def _pairs(kinds: dict[str, Ints]) -> list[tuple[str, str]]:
    """Return the pairs worth asking, those of fewest kinds first."""
    found = list(combinations(kinds, 2))
    found.sort(key=lambda pair: (int(kinds[pair[0]].max(initial=0)) + 1) * (int(kinds[pair[1]].max(initial=0)) + 1))
    return found[:MOST_PAIRS]


def _last_year(table: Inspections, entity: Ints, outcome: Floats) -> Floats:
    """Return each entity's failures in the calendar year before the inspection: last year's list."""
    years = pd.to_datetime(np.maximum(table.days, 0), unit="D").year.to_numpy()
    this_year = (years - 1970).astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)
    last_year = (years - 1971).astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)
    ledger = Ledger.build(entity, table.known)
    until = ledger.decayed(outcome, ledger.window(entity, this_year), this_year, FOREVER)
    before = ledger.decayed(outcome, ledger.window(entity, last_year), last_year, FOREVER)
    return np.maximum(until - before, 0.0)
