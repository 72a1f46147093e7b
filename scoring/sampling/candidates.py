"""What may be sampled: one enterprise with one product line, and what bears on choosing it."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One enterprise × product. Ages are full months before the plan's date; None means never.

    `base_rate` is the failure rate of the product in its channel, `fail_probability` that of this firm.
    """

    enterprise_id: int
    product_id: str
    channel: str  # production | circulation | online
    region_code: str  # county adcode, '' where none is known
    grade_level: str
    fail_probability: float
    base_rate: float
    cost_cny: float
    tier: int  # 4 critical .. 1 low
    licensed: bool = False
    months_since_failed: int | None = None
    months_since_tested: int | None = None  # a verdict on the goods
    months_since_no_sample: int | None = None  # 未抽到样 or 拒检
    grade_id: int | None = None
    override_id: int | None = None  # the person's decision `grade_level` rests on
    scorecard_level: str = ""  # what it set aside; '' where nothing was
    enterprise_name: str = ""
    product_zh: str = ""
    region_zh: str = ""
    reasons: tuple[str, ...] = ()  # the grade's strongest sentences

    @property
    def key(self) -> tuple[str, int, str]:
        """The stable order of candidates: county, enterprise, product."""
        return (self.region_code, self.enterprise_id, self.product_id)


def full_months(earlier: date, later: date) -> int:
    """Return how many whole months lie between two dates; negative when `later` is before `earlier`."""
    months = (later.year - earlier.year) * 12 + later.month - earlier.month
    return months - 1 if later.day < earlier.day else months
