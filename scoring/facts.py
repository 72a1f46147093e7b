"""What is known about one enterprise on the grading date: the only input of an indicator.

Every record carries the day it became known; what came later is left out before anything is counted.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal

Role = Literal["producer", "seller"]
Trust = Literal["official", "verified", "media", "self", "social"]
HIGH_TRUST: frozenset[str] = frozenset({"official", "verified"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One record as it bears on one enterprise. `product_id` is '' where the record names no product line."""

    signal_id: int
    occurred_on: date
    known_on: date
    product_id: str = ""
    role: Role = "producer"
    trust: Trust = "official"
    source_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample(Fact):
    """A sampled batch. `outcome`: pass, fail, no_sample (未抽到样), refused (拒检) or illegal (涉嫌无证)."""

    outcome: str
    failed_items: tuple[str, ...] = ()
    safety_failed: bool = False
    recheck: bool = False
    rectification: str | None = None  # done | overdue | failed
    channel: str | None = None
    level: str | None = None

    @property
    def failed(self) -> bool:
        """The batch did not meet its standard."""
        return self.outcome == "fail"

    @property
    def tested(self) -> bool:
        """A verdict on the goods exists; 未抽到样 and 拒检 are none."""
        return self.outcome in ("pass", "fail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint(Fact):
    """A 投诉 or 举报. `cluster_id` names the story it repeats, `claimant` the keyed hash of who told it."""

    quality: bool = True  # about the goods, not after-sales service
    verified: bool = False
    severity: int = 1  # 1–4 of the hazard it asserts
    cluster_id: int | None = None
    claimant: str | None = None
    kind: str = "complaint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion(Fact):
    """A news item or post that asserts a hazard or violation of this enterprise's product."""

    severity: int = 1
    probability: float = 1.0
    cluster_id: int | None = None
    independent_sources: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Penalty(Fact):
    """An administrative penalty; `weight` 1–5 as the table of violation types proposes."""

    violation_id: str | None = None
    violation_zh: str = ""
    weight: int = 3
    fine_cny: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection(Fact):
    """A visit (现场检查, 飞行检查, 复查) and what it found."""

    findings: int = 0
    serious_findings: int = 0
    passed: bool | None = None
    kind: str = "onsite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall(Fact):
    """A recall; `ordered` when an authority had to order it (责令召回)."""

    ordered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Injury(Fact):
    """An injury tied to the product; `followed_up` when the product was found to be its cause."""

    severity: str = "minor"  # minor | moderate | severe
    injured: int = 1
    deaths: int = 0
    followed_up: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence(Fact):
    """One observation of a 生产许可证 or certificate."""

    number: str
    kind: str = "production_licence"
    state: str = "valid"
    issued_on: date | None = None
    expires_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfCheck(Fact):
    """A check the enterprise reports about itself."""

    trust: Trust = "self"
    kind: str = "self_inspection"
    problems: int = 0
    rectified: int = 0
    officer_named: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit(Fact):
    """An imported 企业信用风险分类 or 严重违法失信 listing."""

    grade: str | None = None
    blacklisted: bool = False
    valid_to: date | None = None


AnyFact = Sample | Complaint | Opinion | Penalty | Inspection | Recall | Injury | Licence | SelfCheck | Credit


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything known about one enterprise in one role, for one product line ('' = over all of them).

    `tier` is the product's inherent risk, 1 low to 4 critical; None where the line is not in the taxonomy.
    """

    enterprise_id: int
    role: Role = "producer"
    product_id: str = ""
    tier: int | None = None
    size: str | None = None
    established_on: date | None = None
    sells_online: bool = False
    licence_required: bool = False
    samples: tuple[Sample, ...] = ()
    complaints: tuple[Complaint, ...] = ()
    opinions: tuple[Opinion, ...] = ()
    penalties: tuple[Penalty, ...] = ()
    inspections: tuple[Inspection, ...] = ()
    recalls: tuple[Recall, ...] = ()
    injuries: tuple[Injury, ...] = ()
    licences: tuple[Licence, ...] = ()
    self_checks: tuple[SelfCheck, ...] = ()
    credits: tuple[Credit, ...] = ()
    products: tuple[str, ...] = field(default=())

    def adding(self, *facts: AnyFact) -> "Facts":
        """Return the same enterprise with more facts."""
        return replace(self, **_sorted_by_kind(facts, self))

    def for_product(self, product_id: str, tier: int | None, *, licence_required: bool = False) -> "Facts":
        """Return one product line's view: its own records, and those that name no product."""
        kept = (fact for fact in self.all() if fact.product_id in ("", product_id))
        empty = replace(
            self,
            product_id=product_id,
            tier=tier,
            products=(product_id,),
            licence_required=licence_required,
            **_NOTHING,
        )
        return empty.adding(*kept)

    def known_by(self, day: date) -> "Facts":
        """Return the same enterprise without what happened or became known after `day`."""
        late = [name for name in _KINDS.values() if any(_after(fact, day) for fact in getattr(self, name))]
        if not late:
            return self
        kept: dict[str, Any] = {
            name: tuple(fact for fact in getattr(self, name) if not _after(fact, day)) for name in late
        }
        return replace(self, **kept)

    def all(self) -> Iterable[AnyFact]:
        """Return every fact, kind by kind."""
        for name in _KINDS.values():
            yield from getattr(self, name)


_KINDS: dict[type[Fact], str] = {
    Sample: "samples",
    Complaint: "complaints",
    Opinion: "opinions",
    Penalty: "penalties",
    Inspection: "inspections",
    Recall: "recalls",
    Injury: "injuries",
    Licence: "licences",
    SelfCheck: "self_checks",
    Credit: "credits",
}

_NOTHING: dict[str, Any] = dict.fromkeys(_KINDS.values(), ())


def _after(fact: Fact, day: date) -> bool:
    return fact.known_on > day or fact.occurred_on > day


def _sorted_by_kind(facts: Iterable[AnyFact], onto: Facts) -> dict[str, Any]:
    """Group by kind, oldest first: indicators that look at an order may rely on it."""
    grouped: dict[str, list[AnyFact]] = {}
    for fact in facts:
        name = _KINDS[type(fact)]
        grouped.setdefault(name, list(getattr(onto, name))).append(fact)
    return {
        name: tuple(sorted(members, key=lambda fact: (fact.occurred_on, fact.signal_id)))
        for name, members in grouped.items()
    }
