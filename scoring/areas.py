"""黄色警示 and 红色警情: a region × product flagged for a time, with its evidence and the bound it rests on.

The criteria are proposals (P); the words come from a plan that does not define them. A number of batches and a
confidence bound are always asked for, so that one failing shop cannot redden a county.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from scoring.grade import wilson
from scoring.indicators.reading import months_before
from scoring.policy import AreaBound, Policy


@dataclass(frozen=True, slots=True)
class AreaBatch:
    """One tested batch, placed: the county it is counted in and the enterprise that answers for it.

    `fatal` marks a death found to be caused by the product instead of a batch: it colours, and is in no rate.
    """

    signal_id: int
    enterprise_id: int
    region_code: str
    product_id: str
    occurred_on: date
    failed: bool
    fatal: bool = False


@dataclass(frozen=True, slots=True)
class AreaState:
    """The state of a region × product; `low` and `high` bound its failure rate (95 %, one-sided each)."""

    region_code: str
    product_id: str
    colour: str  # red | yellow | none
    batches: int
    failures: int
    failing_enterprises: int
    low: float
    high: float
    provincial_rate: float
    reasons: tuple[str, ...]
    evidence: tuple[int, ...]  # the failed batches, and the deaths
    counted: tuple[int, ...]  # every batch, and the deaths
    start: date
    review_on: date
    removal: str

    @property
    def rate(self) -> float:
        """Failures per batch."""
        return self.failures / self.batches if self.batches else 0.0


def area_states(
    batches: Iterable[AreaBatch], policy: Policy, as_of: date, previous: Iterable[AreaState] = ()
) -> list[AreaState]:
    """Return every flagged region × product, worst first.

    A flag that was there before and no longer meets its criteria stays until its review date, then goes.
    """
    rules = policy.areas
    start = months_before(as_of, rules.window_months)
    recent = [batch for batch in batches if start < batch.occurred_on <= as_of]
    totals: dict[str, tuple[int, int]] = {}
    grouped: dict[tuple[str, str], list[AreaBatch]] = defaultdict(list)
    for batch in recent:
        grouped[batch.region_code, batch.product_id].append(batch)
        if batch.fatal:
            continue
        count, failed = totals.get(batch.product_id, (0, 0))
        totals[batch.product_id] = (count + 1, failed + batch.failed)
    before = {(state.region_code, state.product_id): state for state in previous}
    found = []
    for key in sorted({*grouped, *before}):
        count, failures = totals.get(key[1], (0, 0))
        provincial = failures / count if count else 0.0
        state = _state(key, grouped.get(key, []), provincial, policy, as_of, before.get(key))
        if state.colour != "none":
            found.append(state)
    return sorted(found, key=lambda one: (one.colour != "red", -one.low, one.region_code, one.product_id))


def lifted(previous: Iterable[AreaState], now: Iterable[AreaState], policy: Policy, as_of: date) -> list[AreaState]:
    """Return the flags of before that are gone, each as a state of colour "none" that says since when."""
    still = {(state.region_code, state.product_id) for state in now}
    return [
        replace(
            state,
            colour="none",
            reasons=(f"{as_of} 复核，{policy.areas.window_months} 个月内的批次不再符合条件，解除",),
            review_on=as_of,
        )
        for state in previous
        if state.colour != "none" and (state.region_code, state.product_id) not in still
    ]


def _state(
    key: tuple[str, str],
    batches: list[AreaBatch],
    provincial: float,
    policy: Policy,
    as_of: date,
    previous: AreaState | None,
) -> AreaState:
    rules = policy.areas
    deaths = [batch for batch in batches if batch.fatal]
    batches = [batch for batch in batches if not batch.fatal]
    failed = [batch for batch in batches if batch.failed]
    enterprises = len({batch.enterprise_id for batch in failed})
    low, high = wilson(len(failed), len(batches), rules.z)

    def meets(bound: AreaBound) -> list[str]:
        reasons = []
        if bound.fatal and deaths:
            reasons.append("有认定与产品有关的死亡")
        if len(batches) >= rules.min_batches:
            if enterprises >= bound.enterprises and low > 0:
                reasons.append(f"{rules.window_months} 个月内 {enterprises} 家企业同类产品不合格")
            if enterprises >= bound.rate_enterprises and provincial > 0 and low > bound.rate_ratio * provincial:
                times = "" if bound.rate_ratio == 1 else f" {bound.rate_ratio:g} 倍"
                reasons.append(f"不合格率下限 {low:.1%} 高于全省 {provincial:.1%} 的{times or '水平'}")
        return reasons

    red, yellow = meets(rules.red), meets(rules.yellow)
    colour, reasons = ("red", red) if red else ("yellow", yellow) if yellow else ("none", [])
    start, review = as_of, months_before(as_of, -rules.review_months)
    if previous is not None and previous.colour != "none":
        if colour == "none" and as_of < previous.review_on:
            colour, reasons = previous.colour, [f"未到复核日 {previous.review_on}，暂不解除"]
            start, review = previous.start, previous.review_on
        elif colour == previous.colour:
            start = previous.start
    return AreaState(
        region_code=key[0],
        product_id=key[1],
        colour=colour,
        batches=len(batches),
        failures=len(failed),
        failing_enterprises=enterprises,
        low=low,
        high=high,
        provincial_rate=provincial,
        reasons=tuple(reasons),
        evidence=tuple(batch.signal_id for batch in (*deaths, *failed)),
        counted=tuple(batch.signal_id for batch in (*deaths, *batches)),
        start=start,
        review_on=review,
        removal=f"复核日前不再符合条件即解除（每 {rules.review_months} 个月复核，建议值）",
    )
