"""Answers of the JSON API."""

from datetime import date, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

T = TypeVar("T")

Number = Annotated[float, Field(allow_inf_nan=False)]
LEVEL = "风险等级：A 低、B 一般、C 较高、D 高、U 未知"


class Answer(BaseModel):
    """Base of all answers: read from rows and dataclasses by attribute."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class ErrorDetail(Answer):
    """One field that was wrong."""

    field: str
    message: str


class ErrorBody(Answer):
    """What went wrong."""

    status: int
    message: str
    details: list[ErrorDetail] = []
    id: str = Field("", description="编号，供管理员查找")


class Problem(Answer):
    """The one shape of every error."""

    error: ErrorBody


class Listing(Answer, Generic[T]):
    """One page of a list."""

    rows: list[T] = Field(description="本页各行")
    total: int = Field(description="符合筛选条件的总行数")
    page: int = Field(description="第几页，从 1 起")
    size: int = Field(description="每页行数")


class Reason(Answer):
    """One contribution to a grade."""

    indicator: str = Field(description="指标代码")
    zh: str = Field("", description="指标名称")
    points: Number = Field(description="得分")
    weight: Number | None = Field(None, description="满分")
    sentence: str = Field("", description="说明")
    cap: str | None = Field(None, description="封顶说明")
    evidence: list[int] = Field(default_factory=list, description="依据的信号编号")


class GradeAnswer(Answer):
    """A grade with its reasons."""

    product_id: str = Field(description="产品线；空为全部产品")
    role: str
    as_of: date = Field(description="分级日期")
    level: str = Field(description=LEVEL)
    score: Number
    previous_level: str | None
    forced_rule: str | None = Field(description="强制定级规则")
    measure: str | None = Field(description="建议监管措施（P）")
    contributions: list[Reason]
    policy_hash: str


class EnterpriseLine(Answer):
    """An enterprise in a list."""

    id: int
    name: str
    uscc: str | None = Field(description="统一社会信用代码")
    region_code: str | None
    status: str
    size: str | None
    provisional: bool = Field(description="暂立企业")
    level: str | None = Field(description=LEVEL)
    score: Number | None
    previous_level: str | None
    forced_rule: str | None
    as_of: date | None
    reasons: list[str] = Field(description="主要原因")
    products: list[str]
    roles: list[str]
    samples: int
    failures: int
    complaints: int


class EnterpriseAnswer(Answer):
    """One enterprise with its grades and reasons."""

    id: int
    name: str
    uscc: str | None
    region_code: str | None
    address: str | None
    status: str
    size: str | None
    established_on: date | None
    provisional: bool
    other_names: list[str]
    roles: list[str]
    grades: list[GradeAnswer]
    history: list[GradeAnswer]
    signals: int = Field(description="关联的信号数")


class RecordLine(Answer):
    """A record of an enterprise."""

    kind: str
    signal_id: int
    occurred_on: date
    known_at: datetime
    role: str
    title: str
    source: str


class TagAnswer(Answer):
    """A tag with its evidence; spans count characters of `text`."""

    kind: str
    code: str
    status: str
    probability: Number
    evidence: list[list[int]] = Field(default_factory=list, description="[起, 止) 字符位置")


class SignalLine(Answer):
    """A signal in a list."""

    id: int
    occurred_on: date
    known_at: datetime
    channel: str
    trust: str
    title: str
    excerpt: str
    region_code: str | None
    source_id: str
    source_title: str
    copies: int = Field(description="同源转载数")


class FirmAnswer(Answer):
    """A name in a signal, and whose it is."""

    text: str
    role: str
    enterprise_id: int | None
    method: str | None
    score: Number | None


class SignalAnswer(Answer):
    """One signal; personal data are hidden in all texts."""

    id: int
    title: str
    text: str
    channel: str
    trust: str
    url: str | None
    region_code: str | None
    occurred_on: date
    known_at: datetime
    source_id: str
    file_id: int | None
    file_place: str | None
    tags: list[TagAnswer]
    firms: list[FirmAnswer]


class PlanLineAnswer(Answer):
    """One batch of a plan."""

    number: int
    code: str
    enterprise_id: int
    product_id: str
    region_code: str | None
    channel: str
    purpose: str
    rule: str
    why: str
    grade_level: str
    inclusion_probability: Number
    expected_fail: Number
    base_rate: Number
    cost_cny: Number
    status: str
    outcome: str | None


class PlanAnswer(Answer):
    """A plan in short."""

    id: int
    title: str
    region_code: str | None
    as_of: date
    budget_cny: Number
    status: str
    policy_hash: str
    lines: int
    sampled: int
    failed: int
    expected: Number = Field(description="按基准率应有的不合格批次")


class PlanDetail(PlanAnswer):
    """A plan with a page of its lines."""

    page: Listing[PlanLineAnswer]


class AlertAnswer(Answer):
    """An alert."""

    id: int
    rule: str
    colour: Literal["red", "orange", "yellow", "blue"] | str
    title: str
    body: str
    region_code: str | None
    enterprise_id: int | None
    product_id: str | None
    evidence: list[Any]
    reasons: list[Any]
    state: str
    raised_at: datetime
    acknowledge_by: datetime
    report_by: datetime


class AnswerSent(BaseModel):
    """An answer to an alert."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["acknowledge", "handle", "report", "verify", "close", "return"] = Field(description="答复类型")
    remark: str = Field("", max_length=2000, description="说明；反馈、退回、销号必填")


class CaseAnswer(Answer):
    """A case of the ledger."""

    id: int
    kind: str
    signal_id: int
    enterprise_id: int | None
    product_id: str | None
    region_code: str | None
    title: str
    opened_on: date
    state: str
    closed_on: date | None


class ClockAnswer(Answer):
    """A statutory deadline."""

    limit_id: str
    started_on: date
    due_on: date
    met_on: date | None


class CaseDetail(CaseAnswer):
    """A case with its clocks."""

    clocks: list[ClockAnswer]


class SourceAnswer(Answer):
    """A source and its health."""

    id: str
    title: str
    channel: str
    trust: str
    platform: str
    region_code: str | None
    active: bool
    synthetic: bool
    verdict: str | None
    checked_at: datetime | None
    newest_on: date | None
    signals: int


class ImportAnswer(Answer):
    """An imported file; read = valid + quarantined + ignored."""

    id: int
    name: str
    kind: str
    source_id: str
    received_at: datetime
    status: str
    reason: str | None
    read: int
    valid: int
    quarantined: int
    ignored: int
    added: int
    sha256: str


class IssueAnswer(Answer):
    """A row that did not go in, or was mended."""

    sheet: str
    row: int
    column: str
    reason: str
    message: str
    rejected: bool


class ImportDetail(ImportAnswer):
    """A file with a page of the rows concerned."""

    issues: Listing[IssueAnswer]


class RunAnswer(Answer):
    """One run of a job."""

    id: int
    job: str
    source_id: str | None
    as_of: date | None
    started_at: datetime
    finished_at: datetime | None
    status: str
    code_version: str
    policy_hash: str | None
    counts: dict[str, Any]


class RegionAnswer(Answer):
    """One region of the overview; `ratio` is found over expected for the region's own mix."""

    prefix: str
    enterprises: int
    high: int
    higher: int
    unknown: int
    open_alerts: int
    samples: int
    failures: int
    expected: Number
    ratio: Number | None
    low: Number | None
    high_bound: Number | None


class OverviewAnswer(Answer):
    """The overview's figures with how fresh they are."""

    as_of: date | None = Field(description="最近一次分级的日期")
    until: date | None = Field(description="最新信号的发生日期")
    newest_known_at: datetime | None
    enterprises: int
    levels: dict[str, int]
    worsened: int
    alerts: dict[str, int]
    unanswered: int
    overdue_cases: int
    open_cases: int
    waiting_review: int
    regions: list[RegionAnswer]
    synthetic: bool = Field(description="是否虚构数据")
