"""The sampling of the plan, simulated from the hidden truth, and what it says about the plan.

This is the only place that looks at the truth, and it stands outside the pipeline: it writes the results file a
laboratory would send, and afterwards tells how many failures a random plan and an all-knowing one would have found.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from scipy import stats

from demo.files import sampling_workbook
from demo.firms import Firm, trades, true_rate
from demo.history import draw_sample
from demo.province import Province
from demo.records import Sample

SAMPLED_FROM = date(2026, 11, 2)
RESULTS_ON = date(2026, 11, 20)


@dataclass(frozen=True, slots=True)
class Line:
    """What the simulation needs of a plan line: whom to visit, for which product, under which code."""

    code: str
    uscc: str | None
    name: str
    product_id: str
    cost_cny: float


def sample_plan(province: Province, lines: Sequence[Line]) -> list[Sample]:
    """Return what sampling each line brings. The same lines bring the same results.

    A line whose firm nobody in the province is (a name misread somewhere) or who does not carry the product brings
    未抽到样, as it would in an office.
    """
    by_code = {firm.uscc: firm for firm in province.firms}
    by_name = _known_names(province)
    samples = []
    for line in lines:
        rng = random.Random(f"{province.seed}:{line.code}")
        day = SAMPLED_FROM + timedelta(days=rng.randint(0, 11))
        firm = by_code.get(line.uscc or "") or by_name.get(line.name)
        if firm is None or line.product_id not in firm.products or firm.status != "存续":
            samples.append(_not_found(line, day, province.firms[0] if firm is None else firm, rng))
            continue
        number = f"JH{line.code}"
        drawn = draw_sample(
            number, day, firm, line.product_id, province.firms, rng, plan_code=line.code, published=RESULTS_ON
        )
        samples.append(drawn)
    return samples


def _known_names(province: Province) -> dict[str, Firm]:
    """Whom a written name leads to: an inspector who asks on the spot finds the firm behind a misspelt name too."""
    written: dict[str, set[int]] = {}
    for sample in province.history.samples:
        written.setdefault(sample.producer_written, set()).add(sample.producer)
        written.setdefault(sample.seller_written, set()).add(
            sample.producer if sample.seller is None else sample.seller
        )
    for complaint in province.history.complaints:
        if complaint.respondent is not None:
            written.setdefault(complaint.respondent_written, set()).add(complaint.respondent)
    found = {name: province.firms[min(numbers)] for name, numbers in written.items() if len(numbers) == 1}
    return found | {firm.name: firm for firm in province.firms}


def _not_found(line: Line, day: date, stand_in: Firm, rng: random.Random) -> Sample:
    trade = trades().get(line.product_id)
    written = trade.written_as[0] if trade else "其他产品"
    return Sample(
        number=f"JH{line.code}", on=day, published=RESULTS_ON, level="省抽", product_id=line.product_id,
        written_product=written, producer=stand_in.number, seller=None, producer_written=line.name,
        seller_written=line.name, channel="生产", spec="", batch="", outcome="未抽到样", items=(), laboratory="",
        county=stand_in.county, producer_code=line.uscc or "", task="监督抽查", handling="", cost=0,
        plan_code=line.code,
    )  # fmt: skip


def write_results(path: Path, province: Province, samples: list[Sample]) -> None:
    """Write the laboratory's workbook; written beside its place and moved there, so a killed run leaves no half."""
    firms = {firm.number: firm for firm in province.firms}
    draft = path.with_name(f".{path.name}")
    title = "海岳省计划抽检结果"
    sampling_workbook(draft, title, {"结果": samples}, firms, 3, random.Random(0), plan=True, spoil=False)
    draft.replace(path)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The plan against its rivals at the same number of batches; rates are shares of failing batches."""

    tested: int
    found: int
    plan_rate: float
    plan_interval: tuple[float, float]
    random_rate: float
    random_interval: tuple[float, float]
    ratio: float
    ratio_interval: tuple[float, float]
    oracle_rate: float

    @property
    def random_found(self) -> float:
        """How many failures a random plan of this size finds on average."""
        return self.random_rate * self.tested


def compare(province: Province, samples: Iterable[Sample], *, draws: int = 4000) -> Comparison:
    """Compare the plan's results with random plans over the whole province and with one that knows the truth.

    Random plans draw from the same pool of firm × product pairs in business. Their interval is the spread of 95 % of
    random plans of this size; the plan's own is Clopper–Pearson; the ratio's is that of the plan's rate over the
    pool's true mean, which is known here.
    """
    results = [sample for sample in samples if sample.tested]
    tested, found = len(results), sum(sample.outcome == "不合格" for sample in results)
    rates = np.array(
        [true_rate(firm, p, province.firms) for firm in province.firms if firm.status == "存续" for p in firm.products]
    )
    if not tested:
        raise ValueError("计划没有得到检验结果，无从比较")
    rng = np.random.default_rng(province.seed)
    drawn = np.array(
        [rng.binomial(1, rng.choice(rates, size=tested, replace=tested > len(rates))).sum() for _ in range(draws)]
    )
    posterior = rng.beta(found + 0.5, tested - found + 0.5, size=draws)
    ratios = posterior / rates.mean()
    exact = stats.binomtest(found, tested).proportion_ci(0.95)
    return Comparison(
        tested=tested,
        found=found,
        plan_rate=found / tested,
        plan_interval=(float(exact.low), float(exact.high)),
        random_rate=float(rates.mean()),
        random_interval=_middle(drawn / tested),
        ratio=found / tested / float(rates.mean()),
        ratio_interval=_middle(ratios),
        oracle_rate=float(np.sort(rates)[-tested:].mean()),
    )


def _middle(values: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> tuple[float, float]:
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
