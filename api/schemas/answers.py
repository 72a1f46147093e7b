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


ERRORS: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "请先登录，或令牌无效"},
    403: {"model": Problem, "description": "没有权限"},
    404: {"model": Problem, "description": "没有找到，或不在辖区范围内"},
    422: {"model": Problem, "description": "参数有误"},
    429: {"model": Problem, "description": "尝试次数过多"},
    503: {"model": Problem, "description": "系统繁忙"},
}


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
    level: str = Field(description=f"生效的等级；{LEVEL}")
    machine_level: str | None = Field(description="系统分级，仅在人工调整生效时给出")
    override_id: int | None = Field(description="生效的人工调整编号")
    score: Number = Field(description="得分，等于各项得分之和")
    interval: list[Number] = Field(description="得分区间的下限和上限")
    previous_level: str | None
    forced_rule: str | None = Field(description="强制定级规则")
    tier: int | None = Field(description="产品固有风险等级，1 低至 4 极高")
    measure: str | None = Field(description="建议监管措施（P）")
    missing: list[str] = Field(description="缺少的信息")
    valid_to: date | None = Field(description="有效期至")
    challenger: Number | None = Field(description="学习模型：下一批次不合格的概率，不作定级依据")
    plausible: str | None = Field(description="学习模型：下一批可能的结果及把握；无从承诺或是历次分级时为空")
    contributions: list[Reason]
    policy_hash: str


class StandingAnswer(Answer):
    """How the challenger stands: whether plans may rank by it."""

    promoted: bool = Field(description="最近一次回测胜过全部简单排序，可用于计划排序")
    since: date = Field(description="从哪一天起")
    why: str


class StatementAnswer(Answer):
    """A firm's statement on its grade (陈述申辩)."""

    id: int
    received_on: date
    about_as_of: date | None = Field(description="所针对的分级日期")
    about_level: str | None
    text: str = Field(description="陈述内容，个人信息已遮蔽")
    file_name: str | None
    file_sha256: str | None
    reply: str | None = Field(description="复核意见")
    replied_at: datetime | None
    withdrawn_at: datetime | None


class OverrideAnswer(Answer):
    """A person's grade in place of the scorecard's, and what the next sample said."""

    id: int
    enterprise_id: int
    enterprise_name: str
    role: str
    product_id: str = Field(description="产品线；空为全部产品")
    set_aside: str | None = Field(description="系统分级")
    value: str = Field(description="调整为")
    reason: str
    state: str = Field(description="waiting 待批准，holding 生效中，expired 已到期，refused 未批准，withdrawn 已撤回")
    maker: str
    made_at: datetime
    approver: str | None
    approved_at: datetime | None
    expires_on: date | None
    next_sample: int | None = Field(description="批准之后第一批抽检的记录编号")
    right: bool | None = Field(description="那批结果是否与调整方向一致；没有抽检时为空")


class TrackAnswer(Answer):
    """How often approved overrides were borne out by the next sample."""

    harsher: bool = Field(description="调高风险为真，调低风险为假")
    approved: int
    tested: int
    right: int


class OverridesAnswer(Listing[OverrideAnswer]):
    """The overrides and how often they were right."""

    record: list[TrackAnswer]


class UnknownLine(Answer):
    """A firm of which nothing is known."""

    enterprise_id: int
    enterprise_name: str
    region_code: str | None
    role: str
    products: list[str]
    tier: int | None
    measure: str | None
    unknown_since: date
    last_signal_on: date | None
    last_signal_id: int | None
    last_attempt_on: date | None = Field(description="最近一次去过而未抽到样的日期")
    planned: bool = Field(description="已列入下达的抽查计划")


class AreaAnswer(Answer):
    """A region × product under 黄色警示 or 红色警情."""

    id: int
    region_code: str
    product_id: str
    as_of: date
    colour: str = Field(description="red 红色警情，yellow 黄色警示，none 已解除")
    batches: int
    failures: int
    failing_enterprises: int
    low: Number = Field(description="不合格率的 95% 单侧下限")
    high: Number = Field(description="不合格率的 95% 单侧上限")
    provincial_rate: Number
    reasons: list[str]
    started_on: date
    review_on: date
    removal: str
    policy_hash: str


class AreaDetail(AreaAnswer):
    """A state with every record it counts."""

    counted: list[int] = Field(description="计入的批次（及认定的死亡）的信号编号")


class MoveAnswer(Answer):
    """A firm that a tried policy would grade differently."""

    enterprise_id: int
    enterprise_name: str
    role: str
    level: str
    level_then: str
    score: Number
    score_then: Number
    cause: str


class TrialAnswer(Answer):
    """A policy on trial and whom it would move."""

    id: int
    version: str
    hash: str
    against_version: str
    against_hash: str
    as_of: date
    finished_at: datetime | None
    differences: list[list[str]] = Field(description="位置、现行值、试算值")
    counts: dict[str, int] = Field(description="“现行等级>试算等级”的企业数")
    moves: Listing[MoveAnswer]


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
    challenger_standing: StandingAnswer | None = Field(description="学习模型在分级那天的情况；没有运行过时为空")
    history: list[GradeAnswer] = Field(description="历次分级（全部产品），生产者与销售者分开")
    statements: list[StatementAnswer] = Field(description="企业的陈述申辩")
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
