"""Sampling plans: the list, and one plan with its lines."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.orm import Session

from store.reads.page import Page, PageRequest
from store.reads.scope import Scope
from store.tables import Enterprise, Plan, PlanLine


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One plan in short; `lines`, `sampled` and `failed` count the lines in the caller's reach."""

    plan: Plan
    lines: int
    sampled: int
    failed: int
    expected: float


@dataclass(frozen=True, slots=True)
class LineFilter:
    """What the lines are narrowed to; empty values narrow nothing."""

    region: str = ""
    product: str = ""
    rule: str = ""
    purpose: str = ""
    status: str = ""
    q: str = ""


@dataclass(frozen=True, slots=True)
class LineRow:
    """One line with the firm it draws."""

    line: PlanLine
    enterprise: Enterprise
    reachable: bool


@dataclass(frozen=True, slots=True)
class RuleSum:
    """What one rule put into the plan and what came of it."""

    rule: str
    purpose: str
    lines: int
    cost_cny: float
    sampled: int
    failed: int
    expected: float


@dataclass(frozen=True, slots=True)
class PlanFile:
    """One plan, the sums of its lines in reach by rule, and a page of its lines."""

    row: PlanRow
    rules: list[RuleSum]
    lines: Page[LineRow]
    products: list[str]


def listing(session: Session, scope: Scope, page: PageRequest, *, status: str = "") -> Page[PlanRow]:
    """Return the plans in reach, the newest first. A city sees the province's plan once it is issued."""
    statement = select(Plan).where(_visible(scope))
    if status:
        statement = statement.where(Plan.status == status)
    total = session.scalar(select(func.count()).select_from(statement.subquery())) or 0
    plans = session.scalars(
        statement.order_by(Plan.created_at.desc(), Plan.id.desc()).offset(page.offset).limit(page.size)
    ).all()
    return Page(_rows(session, scope, list(plans)), total, page.number, page.size)


def one(session: Session, scope: Scope, plan_id: int, wanted: LineFilter, page: PageRequest) -> PlanFile | None:
    """Return a plan with the lines in reach that match, or None when it is out of reach."""
    plan = session.scalar(select(Plan).where(Plan.id == plan_id, _visible(scope)))
    if plan is None:
        return None
    mine = (PlanLine.plan_id == plan_id, scope.where(PlanLine.region_code))
    statement = select(PlanLine, Enterprise).join(Enterprise, Enterprise.id == PlanLine.enterprise_id).where(*mine)
    for column, value in (
        (PlanLine.product_id, wanted.product),
        (PlanLine.rule, wanted.rule),
        (PlanLine.purpose, wanted.purpose),
        (PlanLine.status, wanted.status),
    ):
        if value:
            statement = statement.where(column == value)
    if wanted.region:
        statement = statement.where(PlanLine.region_code.startswith(wanted.region, autoescape=True))
    if wanted.q:
        statement = statement.where(
            or_(
                Enterprise.name.contains(wanted.q, autoescape=True),
                PlanLine.code.startswith(wanted.q, autoescape=True),
            )
        )
    total = session.scalar(select(func.count()).select_from(statement.with_only_columns(PlanLine.id).subquery())) or 0
    lines = [
        LineRow(line, enterprise, scope.covers(enterprise.region_code))
        for line, enterprise in session.execute(
            statement.order_by(PlanLine.number).offset(page.offset).limit(page.size)
        )
    ]
    sampled, failed = _done()
    rules = [
        RuleSum(rule, purpose, count, float(cost or 0), int(done or 0), int(bad or 0), float(expected or 0))
        for rule, purpose, count, cost, done, bad, expected in session.execute(
            select(
                PlanLine.rule,
                PlanLine.purpose,
                func.count(),
                func.sum(PlanLine.cost_cny),
                sampled,
                failed,
                _expected(),
            )
            .where(*mine)
            .group_by(PlanLine.rule, PlanLine.purpose)
            .order_by(func.count().desc(), PlanLine.rule)
        )
    ]
    products = list(session.scalars(select(PlanLine.product_id).where(*mine).distinct().order_by(PlanLine.product_id)))
    return PlanFile(_rows(session, scope, [plan])[0], rules, Page(lines, total, page.number, page.size), products)


def line(session: Session, scope: Scope, plan_id: int, line_id: int) -> PlanLine | None:
    """Return one line of a plan, or None when either is out of reach."""
    return session.scalar(
        select(PlanLine)
        .join(Plan, Plan.id == PlanLine.plan_id)
        .where(PlanLine.id == line_id, Plan.id == plan_id, _visible(scope), scope.where(PlanLine.region_code))
    )


def _visible(scope: Scope) -> ColumnElement[bool]:
    """A draft is seen by those whose whole reach it plans; an issued plan by all who have lines in it."""
    own = scope.where(Plan.region_code)
    if scope.prefix == "":
        return own
    lines = select(PlanLine.plan_id).where(scope.where(PlanLine.region_code))
    return or_(own, Plan.status.in_(("issued", "done", "superseded")) & Plan.id.in_(lines))


def _done() -> tuple[ColumnElement[int], ColumnElement[int]]:
    sampled = func.sum(case((PlanLine.outcome.in_(("pass", "fail")), 1), else_=0))
    failed = func.sum(case((PlanLine.outcome == "fail", 1), else_=0))
    return sampled, failed


def _expected() -> ColumnElement[float]:
    """Failures expected at base rates among the lines whose result is in."""
    return func.sum(case((PlanLine.outcome.in_(("pass", "fail")), PlanLine.base_rate), else_=0.0))


def _rows(session: Session, scope: Scope, plans: list[Plan]) -> list[PlanRow]:
    sampled, failed = _done()
    counts = {
        plan_id: (count, int(done or 0), int(bad or 0), float(expected or 0))
        for plan_id, count, done, bad, expected in session.execute(
            select(PlanLine.plan_id, func.count(), sampled, failed, _expected())
            .where(PlanLine.plan_id.in_([plan.id for plan in plans]), scope.where(PlanLine.region_code))
            .group_by(PlanLine.plan_id)
        )
    }
    return [PlanRow(plan, *counts.get(plan.id, (0, 0, 0, 0.0))) for plan in plans]
