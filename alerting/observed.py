"""What the alert rules look at: reports, tests, complaints as counts, permits, deadlines, grades that rose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One signal that asserts a hazard: how grave, about whom, from where, told by whom."""

    signal_id: int
    story: str  # the cluster, or the signal itself where it has none: reposts are one voice
    source_id: str
    trust: str
    known_on: date
    occurred_on: date
    severity: int = 0
    deaths: int = 0
    injured: int = 0
    hazards: tuple[str, ...] = ()
    product_id: str = ""
    family: str = ""
    enterprise_id: int | None = None
    region_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """One tested batch."""

    signal_id: int
    enterprise_id: int | None
    product_id: str
    region_code: str
    occurred_on: date
    known_on: date
    failed: bool
    safety_items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFailure:
    """A failed batch of a named model, and where it was sampled."""

    signal_id: int
    product_id: str
    brand: str
    spec_model: str
    region_code: str
    occurred_on: date
    known_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """One quality complaint, as a count: who told it (a hash) and which story it repeats."""

    signal_id: int
    enterprise_id: int | None
    product_id: str
    region_code: str
    known_on: date
    claimant: str = ""
    story: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A recall or warning from abroad that names an enterprise."""

    signal_id: int
    enterprise_id: int
    product_id: str
    region_code: str
    country: str
    known_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """The newest state of a licence or certificate, and the newest activity seen of its holder."""

    signal_id: int
    enterprise_id: int
    product_id: str
    region_code: str
    number: str
    state: str
    expires_on: date | None
    active_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """A clock that runs on a case and is not met."""

    case_id: int
    signal_id: int
    enterprise_id: int | None
    product_id: str
    region_code: str
    limit_id: str
    step_zh: str
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Rise:
    """A grade of an enterprise that is worse than the one before."""

    enterprise_id: int
    role: str
    region_code: str
    level: str
    previous_level: str | None
    as_of: date
    score: float
    forced: str | None  # the sentence of the rule that set the level whatever the score
    reasons: tuple[str, ...]
    evidence: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything the rules look at, as known at the end of the day they run for."""

    reports: Sequence[Report] = ()
    tests: Sequence[BatchResult] = ()
    models: Sequence[ModelFailure] = ()
    voices: Sequence[Voice] = ()
    notices: Sequence[Notice] = ()
    permits: Sequence[Permit] = ()
    deadlines: Sequence[Deadline] = ()
    rises: Sequence[Rise] = ()
    enterprises: Mapping[int, str] = field(default_factory=dict)
    products: Mapping[str, str] = field(default_factory=dict)
    regions: Mapping[str, str] = field(default_factory=dict)
