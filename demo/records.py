"""What is recorded in the province, before it is written to files."""

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class Sample:
    """One sampled batch. `producer` and `seller` are firm numbers, hidden behind the written names."""

    number: str
    on: date
    published: date
    level: str  # 省抽 | 市抽 | 县抽
    product_id: str
    written_product: str
    producer: int
    seller: int | None
    producer_written: str
    seller_written: str
    channel: str
    spec: str
    batch: str
    outcome: str  # 合格 | 不合格 | 未抽到样 | 拒检
    items: tuple[tuple[str, str, str], ...]
    laboratory: str
    county: str
    producer_code: str
    task: str
    handling: str
    cost: int
    plan_code: str = ""

    @property
    def tested(self) -> bool:
        """True when there was a batch and the laboratory judged it."""
        return self.outcome in ("合格", "不合格")


@dataclass(frozen=True, slots=True)
class Complaint:
    """One row of the 12315 export, with the invented claimant the importer has to hide."""

    number: str
    on: date
    kind: str
    respondent: int | None
    respondent_written: str
    product: str
    issue: str
    text: str
    claimant: str
    phone: str
    identity: str
    amount: str
    county: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Post:
    """One item of public opinion."""

    number: str
    on: date
    time: str
    title: str
    text: str
    outlet: str
    medium: str
    url: str
    county: str
    feed: str = ""


@dataclass
class History:
    """Everything recorded; the small registers are rows under the headers they are delivered with."""

    samples: list[Sample] = field(default_factory=list)
    complaints: list[Complaint] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    registers: dict[str, list[dict[str, str]]] = field(default_factory=dict)
