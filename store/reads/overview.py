"""The overview: each figure with how fresh it is, counted inside the caller's scope."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from store.reads.enterprises import current_as_of, current_policy, grades_in_force
from store.reads.scope import Scope, signals_in
from store.tables import (
    Alert,
    Case,
    Clock,
    Enterprise,
    Grade,
    Link,
    Mention,
    Plan,
    SamplingResult,
    Signal,
    Source,
    SourceCheck,
)

OPEN_ALERTS = ("open", "acknowledged", "handling", "reported")
COUNTED_DAYS = 365
RECENT_DAYS = 30


@dataclass(frozen=True, slots=True)
class MixAdjusted:
    """Failures found beside those expected from the mix of product and channel, and the ratio of the two.

    `low` and `high` bound the ratio at 95 % (Byar's approximation to the Poisson interval); None where nothing was
    expected.
    """

    samples: int
    failures: int
    expected: float

    @property
    def rate(self) -> float | None:
        """The raw failure rate."""
        return self.failures / self.samples if self.samples else None

    @property
    def ratio(self) -> float | None:
        """Found over expected."""
        return self.failures / self.expected if self.expected > 0 else None

    @property
    def low(self) -> float | None:
        """The lower bound of the ratio."""
        if self.expected <= 0:
            return None
        found = self.failures
        return 0.0 if found == 0 else found * (1 - 1 / (9 * found) - 1.96 / (3 * math.sqrt(found))) ** 3 / self.expected

    @property
    def high(self) -> float | None:
        """The upper bound of the ratio."""
        if self.expected <= 0:
            return None
        more = self.failures + 1
        return more * (1 - 1 / (9 * more) + 1.96 / (3 * math.sqrt(more))) ** 3 / self.expected


@dataclass(frozen=True, slots=True)
class RegionLine:
    """One region beside its neighbours."""

    prefix: str
    enterprises: int
    high: int
    higher: int
    unknown: int
    open_alerts: int
    sampling: MixAdjusted


@dataclass(frozen=True, slots=True)
class ChannelLine:
    """What one channel brought of late, and its newest record."""

    channel: str
    recent: int
    total: int
    newest_on: date | None
    newest_known_at: datetime | None


@dataclass(frozen=True, slots=True)
class ProductLine:
    """One product's batches of the counted year."""

    product_id: str
    samples: int
    failures: int


@dataclass(frozen=True, slots=True)
class Overview:
    """All figures of the front page. `as_of` is the newest grading, `until` the newest record."""

    as_of: date | None
    until: date | None
    newest_known_at: datetime | None
    enterprises: int
    levels: dict[str, int]
    worsened: int
    alerts: dict[str, int]
    unanswered: int
    overdue_cases: int
    open_cases: int
    waiting_review: int
    channels: list[ChannelLine]
    months: list[tuple[str, str, int]]
    sampling_months: list[tuple[str, int, int]]
    sampling: MixAdjusted
    regions: list[RegionLine]
    products: list[ProductLine]
    plans: list[Plan]
    urgent: list[Alert]
    checks: dict[str, int]


def overview(session: Session, scope: Scope, today: date) -> Overview:
    """Return the front page's figures for `scope`; `today` is the day deadlines are judged at."""
    as_of = current_as_of(session)
    policy = current_policy(session, as_of) if as_of else None
    until, newest_known_at = session.execute(
        select(func.max(Signal.occurred_on), func.max(Signal.known_at)).where(signals_in(scope))
    ).one()
    anchor = until or today
    width = 2 if scope.prefix is None else len(scope.prefix)
    step = min(6, width + 2) if width else _top_width(session)
    cells = _sampling_cells(session, scope, anchor, step)
    regions = _regions(session, scope, as_of, policy, step, cells)
    levels = _levels(session, scope, as_of, policy)
    enterprises = session.scalar(_count_enterprises(scope)) or 0
    if enterprises > sum(levels.values()):
        levels["none"] = enterprises - sum(levels.values())
    colours = dict(
        session.execute(
            select(Alert.colour, func.count())
            .where(scope.where(Alert.region_code), Alert.state.in_(OPEN_ALERTS))
            .group_by(Alert.colour)
        ).all()
    )
    return Overview(
        as_of=as_of,
        until=until,
        newest_known_at=newest_known_at,
        enterprises=enterprises,
        levels=levels,
        worsened=_worsened(session, scope, as_of, policy),
        alerts=colours,
        unanswered=session.scalar(
            select(func.count()).select_from(Alert).where(scope.where(Alert.region_code), Alert.state == "open")
        )
        or 0,
        overdue_cases=session.scalar(
            select(func.count(func.distinct(Case.id)))
            .join(Clock, Clock.case_id == Case.id)
            .where(scope.where(Case.region_code), Case.state != "closed", Clock.met_on.is_(None), Clock.due_on < today)
        )
        or 0,
        open_cases=session.scalar(
            select(func.count()).select_from(Case).where(scope.where(Case.region_code), Case.state != "closed")
        )
        or 0,
        waiting_review=session.scalar(
            select(func.count())
            .select_from(Link)
            .join(Mention, Mention.id == Link.mention_id)
            .join(Signal, Signal.id == Mention.signal_id)
            .where(Link.guess_decision == "review", Link.decided.is_(None), signals_in(scope))
        )
        or 0,
        channels=_channels(session, scope, anchor),
        months=_months(session, scope, anchor),
        sampling_months=_sampling_months(session, scope, anchor),
        sampling=_whole(cells),
        regions=regions,
        products=_products(session, scope, anchor),
        plans=list(
            session.scalars(
                select(Plan)
                .where(scope.where(Plan.region_code), Plan.status.in_(("issued", "done", "draft")))
                .order_by(Plan.created_at.desc(), Plan.id.desc())
                .limit(4)
            )
        ),
        urgent=list(
            session.scalars(
                select(Alert)
                .where(scope.where(Alert.region_code), Alert.state.in_(OPEN_ALERTS))
                .order_by(
                    case({"red": 0, "orange": 1, "yellow": 2}, value=Alert.colour, else_=3), Alert.raised_at.desc()
                )
                .limit(6)
            )
        ),
        checks=_checks(session),
    )


def _top_width(session: Session) -> int:
    """Return how many digits tell regions apart one level below the whole: cities when there is one province."""
    provinces = session.scalar(select(func.count(func.distinct(func.substr(Enterprise.region_code, 1, 2))))) or 0
    return 2 if provinces > 1 else 4


def _count_enterprises(scope: Scope) -> Select[int]:
    return (
        select(func.count())
        .select_from(Enterprise)
        .where(scope.where(Enterprise.region_code), Enterprise.merged_into_id.is_(None))
    )


def _levels(session: Session, scope: Scope, as_of: date | None, policy: str | None) -> dict[str, int]:
    statement = (
        select(Grade.level, func.count())
        .join(Enterprise, Enterprise.id == Grade.enterprise_id)
        .where(
            Grade.id.in_(grades_in_force(as_of, policy)),
            scope.where(Enterprise.region_code),
            Enterprise.merged_into_id.is_(None),
        )
        .group_by(Grade.level)
    )
    return dict(session.execute(statement).all())


def _worsened(session: Session, scope: Scope, as_of: date | None, policy: str | None) -> int:
    letters = ("A", "B", "C", "D")
    return (
        session.scalar(
            select(func.count())
            .select_from(Grade)
            .join(Enterprise, Enterprise.id == Grade.enterprise_id)
            .where(
                Grade.id.in_(grades_in_force(as_of, policy)),
                scope.where(Enterprise.region_code),
                Enterprise.merged_into_id.is_(None),
                Grade.previous_level.in_(letters),
                Grade.level.in_(letters),
                Grade.level > Grade.previous_level,
            )
        )
        or 0
    )


def _channels(session: Session, scope: Scope, anchor: date) -> list[ChannelLine]:
    recent = func.sum(case((Signal.occurred_on > anchor - timedelta(days=RECENT_DAYS), 1), else_=0))
    statement = (
        select(
            Signal.channel,
            recent,
            func.count(),
            func.max(Signal.occurred_on),
            func.max(Signal.known_at),
        )
        .where(signals_in(scope))
        .group_by(Signal.channel)
        .order_by(func.count().desc())
    )
    return [
        ChannelLine(channel, int(new or 0), total, newest_on, known_at)
        for channel, new, total, newest_on, known_at in session.execute(statement)
    ]


def _first_month(anchor: date, back: int) -> date:
    months = anchor.year * 12 + anchor.month - 1 - back
    return date(months // 12, months % 12 + 1, 1)


def _months(session: Session, scope: Scope, anchor: date) -> list[tuple[str, str, int]]:
    counts: dict[tuple[str, str], int] = {}
    statement = (
        select(Signal.occurred_on, Signal.channel, func.count())
        .where(signals_in(scope), Signal.occurred_on >= _first_month(anchor, 11), Signal.occurred_on <= anchor)
        .group_by(Signal.occurred_on, Signal.channel)
    )
    for day, channel, count in session.execute(statement):
        key = (f"{day:%Y-%m}", channel)
        counts[key] = counts.get(key, 0) + count
    return [(month, channel, count) for (month, channel), count in sorted(counts.items())]


def _sampling_months(session: Session, scope: Scope, anchor: date) -> list[tuple[str, int, int]]:
    counts: dict[str, list[int]] = {}
    statement = (
        select(SamplingResult.occurred_on, SamplingResult.outcome, func.count())
        .join(Signal, Signal.id == SamplingResult.signal_id)
        .where(
            signals_in(scope),
            SamplingResult.outcome.in_(("pass", "fail")),
            SamplingResult.occurred_on >= _first_month(anchor, 11),
            SamplingResult.occurred_on <= anchor,
        )
        .group_by(SamplingResult.occurred_on, SamplingResult.outcome)
    )
    for day, outcome, count in session.execute(statement):
        line = counts.setdefault(f"{day:%Y-%m}", [0, 0])
        line[0] += count
        line[1] += count if outcome == "fail" else 0
    return [(month, samples, failures) for month, (samples, failures) in sorted(counts.items())]


@dataclass(frozen=True, slots=True)
class _Cell:
    region: str
    mix: tuple[str | None, str | None]
    samples: int
    failures: int


def _sampling_cells(session: Session, scope: Scope, anchor: date, step: int) -> list[_Cell]:
    region = func.substr(SamplingResult.region_code, 1, step)
    failed = func.sum(case((SamplingResult.outcome == "fail", 1), else_=0))
    statement = (
        select(region, SamplingResult.product_id, SamplingResult.channel, func.count(), failed)
        .where(
            scope.where(SamplingResult.region_code),
            SamplingResult.outcome.in_(("pass", "fail")),
            SamplingResult.recheck.is_(False),
            SamplingResult.occurred_on > anchor - timedelta(days=COUNTED_DAYS),
            SamplingResult.occurred_on <= anchor,
        )
        .group_by(region, SamplingResult.product_id, SamplingResult.channel)
    )
    return [
        _Cell(code or "", (product, channel), count, int(bad or 0))
        for code, product, channel, count, bad in session.execute(statement)
    ]


def _whole(cells: Sequence[_Cell]) -> MixAdjusted:
    failures = sum(cell.failures for cell in cells)
    return MixAdjusted(sum(cell.samples for cell in cells), failures, float(failures))


def _regions(
    session: Session, scope: Scope, as_of: date | None, policy: str | None, step: int, cells: Sequence[_Cell]
) -> list[RegionLine]:
    base: dict[tuple[str | None, str | None], tuple[int, int]] = {}
    for cell in cells:
        samples, failures = base.get(cell.mix, (0, 0))
        base[cell.mix] = (samples + cell.samples, failures + cell.failures)
    sampled: dict[str, list[float]] = {}
    for cell in cells:
        line = sampled.setdefault(cell.region, [0, 0, 0.0])
        samples, failures = base[cell.mix]
        line[0] += cell.samples
        line[1] += cell.failures
        line[2] += cell.samples * failures / samples
    region = func.substr(Enterprise.region_code, 1, step)
    counts: dict[str, dict[str, int]] = {}
    for code, level, count in session.execute(
        select(region, Grade.level, func.count())
        .select_from(Enterprise)
        .outerjoin(Grade, (Grade.enterprise_id == Enterprise.id) & Grade.id.in_(grades_in_force(as_of, policy)))
        .where(scope.where(Enterprise.region_code), Enterprise.merged_into_id.is_(None))
        .group_by(region, Grade.level)
    ):
        counts.setdefault(code or "", {})[level or "none"] = count
    where = func.substr(Alert.region_code, 1, step)
    alerts: dict[str, int] = dict(
        session.execute(
            select(where, func.count())
            .where(scope.where(Alert.region_code), Alert.state.in_(OPEN_ALERTS))
            .group_by(where)
        ).all()
    )
    lines = []
    for code in sorted(set(counts) | set(sampled)):
        levels = counts.get(code, {})
        batches, failed, expected = sampled.get(code, [0, 0, 0.0])
        lines.append(
            RegionLine(
                prefix=code,
                enterprises=sum(levels.values()),
                high=levels.get("D", 0),
                higher=levels.get("C", 0),
                unknown=levels.get("U", 0),
                open_alerts=alerts.get(code, 0),
                sampling=MixAdjusted(int(batches), int(failed), expected),
            )
        )
    return lines


def _products(session: Session, scope: Scope, anchor: date) -> list[ProductLine]:
    failed = func.sum(case((SamplingResult.outcome == "fail", 1), else_=0))
    statement = (
        select(SamplingResult.product_id, func.count(), failed)
        .where(
            scope.where(SamplingResult.region_code),
            SamplingResult.product_id.is_not(None),
            SamplingResult.outcome.in_(("pass", "fail")),
            SamplingResult.occurred_on > anchor - timedelta(days=COUNTED_DAYS),
            SamplingResult.occurred_on <= anchor,
        )
        .group_by(SamplingResult.product_id)
        .having(func.count() >= 5)
    )
    lines = [ProductLine(product or "", count, int(bad or 0)) for product, count, bad in session.execute(statement)]
    return sorted(lines, key=lambda line: (-line.failures / line.samples, line.product_id))[:12]


def _checks(session: Session) -> dict[str, int]:
    newest = select(func.max(SourceCheck.id).label("id")).group_by(SourceCheck.source_id).subquery()
    statement = (
        select(SourceCheck.verdict, func.count())
        .join(newest, newest.c.id == SourceCheck.id)
        .join(Source, Source.id == SourceCheck.source_id)
        .where(Source.active)
        .group_by(SourceCheck.verdict)
    )
    return dict(session.execute(statement).all())
