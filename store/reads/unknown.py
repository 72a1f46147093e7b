"""Firms of which nothing is known (未知): a queue of its own, since a visit is what settles it."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.merges import owners_of
from store.reads.enterprises import AnySelect, current_as_of, current_policy
from store.reads.page import Page, PageRequest
from store.reads.scope import Scope
from store.tables import Enterprise, EnterpriseRole, Grade, Link, Mention, Plan, PlanLine, SamplingResult, Signal


@dataclass(frozen=True, slots=True)
class UnknownFilter:
    """What the queue is narrowed to; empty values narrow nothing."""

    region: str = ""
    product: str = ""
    tier: int = 0
    role: str = ""


@dataclass(frozen=True, slots=True)
class UnknownRow:
    """A firm graded 未知 in one role: what it makes, when anything was last heard of it, and what is to be done."""

    grade: Grade
    enterprise: Enterprise
    products: list[str]
    unknown_since: date
    last_signal_on: date | None
    last_signal_id: int | None
    last_attempt: str | None  # no_sample: inspectors went and found nothing to sample
    last_attempt_on: date | None
    planned: bool  # stands in an issued plan that is not carried out yet


def queue(session: Session, scope: Scope, wanted: UnknownFilter, page: PageRequest) -> Page[UnknownRow]:
    """Return the firms in reach graded 未知, the riskiest products first, then the longest unheard of."""
    as_of = current_as_of(session)
    policy = current_policy(session, as_of) if as_of else None
    statement: AnySelect = (
        select(Grade, Enterprise)
        .join(Enterprise, Enterprise.id == Grade.enterprise_id)
        .where(
            Grade.as_of == as_of,
            Grade.policy_hash == policy,
            Grade.product_id == "",
            Grade.level == "U",
            Enterprise.merged_into_id.is_(None),
            scope.where(Enterprise.region_code),
        )
    )
    if wanted.region:
        statement = statement.where(Enterprise.region_code.startswith(wanted.region, autoescape=True))
    if wanted.tier:
        statement = statement.where(Grade.tier == wanted.tier)
    if wanted.role:
        statement = statement.where(Grade.role == wanted.role)
    if wanted.product:
        makes = select(EnterpriseRole.enterprise_id).where(EnterpriseRole.product_id == wanted.product)
        statement = statement.where(Grade.enterprise_id.in_(makes))
    total = session.scalar(select(func.count()).select_from(statement.with_only_columns(Grade.id).subquery())) or 0
    found = session.execute(
        statement.order_by(Grade.tier.desc(), Enterprise.established_on, Enterprise.id)
        .offset(page.offset)
        .limit(page.size)
    ).all()
    ids = sorted({grade.enterprise_id for grade, _ in found})
    owners = owners_of(session, ids)
    products = _products(session, owners)
    since = _since(session, ids)
    heard = _heard(session, owners)
    tried = _tried(session, owners)
    planned = _planned(session, ids)
    rows = []
    for grade, enterprise in found:
        signal = heard.get(enterprise.id)
        attempt = tried.get(enterprise.id)
        rows.append(
            UnknownRow(
                grade=grade,
                enterprise=enterprise,
                products=products.get(enterprise.id, []),
                unknown_since=since.get((enterprise.id, grade.role), grade.as_of),
                last_signal_on=signal[0] if signal else None,
                last_signal_id=signal[1] if signal else None,
                last_attempt=attempt[1] if attempt else None,
                last_attempt_on=attempt[0] if attempt else None,
                planned=enterprise.id in planned,
            )
        )
    return Page(rows, total, page.number, page.size)


def _parts(ids: list[int]) -> list[list[int]]:
    return [ids[start : start + 500] for start in range(0, len(ids), 500)]


def _products(session: Session, owners: dict[int, int]) -> dict[int, list[str]]:
    made: dict[int, set[str]] = {}
    for part in _parts(sorted(owners)):
        for row in session.execute(
            select(EnterpriseRole.enterprise_id, EnterpriseRole.product_id)
            .where(EnterpriseRole.enterprise_id.in_(part), EnterpriseRole.product_id != "")
            .distinct()
        ):
            made.setdefault(owners[row.enterprise_id], set()).add(row.product_id)
    return {firm: sorted(lines) for firm, lines in made.items()}


def _since(session: Session, ids: list[int]) -> dict[tuple[int, str], date]:
    """Return since when each firm has been 未知 without a break, by role."""
    found: dict[tuple[int, str], date] = {}
    for part in _parts(ids):
        for row in session.execute(
            select(Grade.enterprise_id, Grade.role, Grade.level, Grade.as_of)
            .where(Grade.enterprise_id.in_(part), Grade.product_id == "")
            .order_by(Grade.as_of, Grade.id)
        ):
            key = (row.enterprise_id, row.role)
            if row.level != "U":
                found.pop(key, None)
            else:
                found.setdefault(key, row.as_of)
    return found


def _heard(session: Session, owners: dict[int, int]) -> dict[int, tuple[date, int]]:
    """Return the newest record that names each firm, of whatever kind."""
    found: dict[int, tuple[date, int]] = {}
    for part in _parts(sorted(owners)):
        for row in session.execute(
            select(Link.enterprise_id, Signal.occurred_on, Signal.id)
            .join(Mention, Mention.id == Link.mention_id)
            .join(Signal, Signal.id == Mention.signal_id)
            .where(Link.enterprise_id.in_(part))
            .order_by(Signal.occurred_on, Signal.id)
        ):
            firm = owners[row.enterprise_id]
            found[firm] = max(found.get(firm, (date.min, 0)), (row.occurred_on, row.id))
    return found


def _tried(session: Session, owners: dict[int, int]) -> dict[int, tuple[date, str]]:
    """Return the newest visit at which there was nothing to sample, by firm."""
    found: dict[int, tuple[date, str]] = {}
    for part in _parts(sorted(owners)):
        for row in session.execute(
            select(Link.enterprise_id, SamplingResult.occurred_on, SamplingResult.outcome)
            .join(Mention, Mention.id == Link.mention_id)
            .join(SamplingResult, SamplingResult.signal_id == Mention.signal_id)
            .where(Link.enterprise_id.in_(part), SamplingResult.outcome == "no_sample")
            .order_by(SamplingResult.occurred_on)
        ):
            firm = owners[row.enterprise_id]
            found[firm] = max(found.get(firm, (date.min, "")), (row.occurred_on, row.outcome))
    return found


def _planned(session: Session, ids: list[int]) -> set[int]:
    found: set[int] = set()
    for part in _parts(ids):
        found.update(
            session.scalars(
                select(PlanLine.enterprise_id)
                .join(Plan, Plan.id == PlanLine.plan_id)
                .where(PlanLine.enterprise_id.in_(part), PlanLine.status == "planned", Plan.status == "issued")
            )
        )
    return found
