"""Sources and how healthy they are."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from store.reads.page import Page, PageRequest
from store.reads.scope import Scope
from store.tables import FrontierPage, Run, Signal, Source, SourceCheck


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One source as the list shows it. `verdict` is None until its first check."""

    id: str
    title: str
    channel: str
    trust: str
    platform: str
    region_code: str | None
    schedule: str | None
    active: bool
    synthetic: bool
    verdict: str | None
    checked_at: datetime | None
    newest_on: date | None
    findings: list[Any]
    signals: int


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One verdict on one run."""

    checked_at: datetime
    verdict: str
    newest_on: date | None
    findings: list[Any]
    run_id: int | None
    counts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SourceDetail:
    """One source with its expectations, its latest checks and where its frontier stands."""

    row: SourceRow
    url: str | None
    expect: dict[str, Any]
    checks: list[CheckRow]
    frontier: dict[str, int]  # pages by state


def list_sources(
    session: Session, scope: Scope, page: PageRequest, *, verdict: str | None = None, channel: str | None = None
) -> Page[SourceRow]:
    """Return the sources in reach, the troubled ones first. A source without region serves the whole province."""
    latest = _latest_checks()
    check = latest.c
    query = (
        select(Source, check.verdict, check.checked_at, check.newest_on, check.findings)
        .outerjoin(latest, check.source_id == Source.id)
        .where(_in_reach(scope))
    )
    if verdict:
        query = query.where(check.verdict == verdict)
    if channel:
        query = query.where(Source.channel == channel)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    order = func.coalesce(check.verdict, "none")
    rank = {"failed": 0, "suspect": 1, "silent": 2, "none": 3, "ok": 4}
    rows = session.execute(query.order_by(_case(order, rank), Source.id).offset(page.offset).limit(page.size)).all()
    counts = _signal_counts(session, [row.Source.id for row in rows])
    return Page([_row(row.Source, row, counts.get(row.Source.id, 0)) for row in rows], total, page.number, page.size)


def source_detail(session: Session, scope: Scope, source_id: str, *, checks: int = 30) -> SourceDetail | None:
    """Return one source, or None when there is none in reach."""
    source = session.scalars(select(Source).where(Source.id == source_id, _in_reach(scope))).first()
    if source is None:
        return None
    found = session.execute(
        select(SourceCheck, Run.counts)
        .outerjoin(Run, Run.id == SourceCheck.run_id)
        .where(SourceCheck.source_id == source_id)
        .order_by(SourceCheck.id.desc())
        .limit(checks)
    ).all()
    rows = [
        CheckRow(
            check.checked_at, check.verdict, check.newest_on, list(check.findings), check.run_id, dict(counts or {})
        )
        for check, counts in found
    ]
    frontier = session.execute(
        select(FrontierPage.state, func.count()).where(FrontierPage.source_id == source_id).group_by(FrontierPage.state)
    ).all()
    signals = _signal_counts(session, [source_id]).get(source_id, 0)
    return SourceDetail(
        row=_row(source, rows[0] if rows else None, signals),
        url=source.url,
        expect=dict(source.expect),
        checks=rows,
        frontier=dict(frontier),
    )


def _in_reach(scope: Scope) -> Any:
    if scope.prefix is None:
        return scope.where(Source.region_code)
    return or_(scope.where(Source.region_code), Source.region_code.is_(None), func.length(Source.region_code) == 2)


def _latest_checks() -> Any:
    newest = (
        select(SourceCheck.source_id, func.max(SourceCheck.id).label("id")).group_by(SourceCheck.source_id).subquery()
    )
    return select(SourceCheck).join(newest, newest.c.id == SourceCheck.id).subquery()


def _signal_counts(session: Session, ids: list[str]) -> dict[str, int]:
    found = session.execute(
        select(Signal.source_id, func.count()).where(Signal.source_id.in_(ids)).group_by(Signal.source_id)
    ).all()
    return dict(found)


def _case(column: Any, ranks: dict[str, int]) -> Any:
    return case(ranks, value=column, else_=9)


def _row(source: Source, check: Any, signals: int) -> SourceRow:
    return SourceRow(
        id=source.id,
        title=source.title,
        channel=source.channel,
        trust=source.trust,
        platform=source.platform,
        region_code=source.region_code,
        schedule=source.schedule,
        active=source.active,
        synthetic=source.synthetic,
        verdict=check.verdict if check else None,
        checked_at=check.checked_at if check else None,
        newest_on=check.newest_on if check else None,
        findings=list(check.findings or []) if check else [],
        signals=signals,
    )
