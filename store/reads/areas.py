"""Region × product states over time, and the batches that colour them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from store.reads.page import Page, PageRequest
from store.reads.scope import Scope
from store.tables import AreaState, Enterprise, Injury, Link, Mention, Region, SamplingResult, Signal, Source

RED_FIRST = case({"red": 0, "yellow": 1}, value=AreaState.colour, else_=2)


@dataclass(frozen=True, slots=True)
class PlacedBatch:
    """A tested batch where it was made, for the state of its region × product."""

    signal_id: int
    enterprise_id: int
    region_code: str
    product_id: str
    occurred_on: date
    failed: bool
    fatal: bool


@dataclass(frozen=True, slots=True)
class AreaFilter:
    """What the list is narrowed to; empty values narrow nothing."""

    colour: str = ""
    region: str = ""
    product: str = ""


@dataclass(frozen=True, slots=True)
class AreaRow:
    """A state with the name of its place."""

    state: AreaState
    region_zh: str


@dataclass(frozen=True, slots=True)
class AreaBatchRow:
    """A batch (or a death) behind a state, with the firm that answers for it and the record it stands in."""

    signal_id: int
    title: str
    source_title: str
    occurred_on: date
    enterprise_id: int | None
    enterprise_name: str | None
    outcome: str | None
    failed_items: list[Any]


@dataclass(frozen=True, slots=True)
class AreaFile:
    """A state, how it came about, and what stands behind it."""

    row: AreaRow
    history: list[AreaState]
    batches: list[AreaBatchRow]


def placed_batches(session: Session, scope: Scope, since: date, known_before: datetime) -> list[PlacedBatch]:
    """Return the tested batches of producers in reach since a day, with those of deaths found product-caused.

    A batch is placed at its producer's county, where the cause of a failure lies; one of a merged entry at the
    enterprise that was kept.
    """
    named = aliased(Enterprise)
    kept = func.coalesce(named.merged_into_id, named.id)
    in_force = and_(
        Link.enterprise_id.is_not(None),
        or_(Link.decided == "link", and_(Link.decided.is_(None), Link.guess_decision == "link")),
        Mention.denied.is_(False),
        scope.where(Enterprise.region_code),
        Enterprise.region_code.is_not(None),
    )

    def placed(record: type[Any]) -> Any:
        return (
            select(record, Enterprise.id, Enterprise.region_code)
            .join(Mention, Mention.signal_id == record.signal_id)
            .join(Link, Link.mention_id == Mention.id)
            .join(named, named.id == Link.enterprise_id)
            .join(Enterprise, Enterprise.id == kept)
            .where(in_force, record.occurred_on > since, record.known_at < known_before, record.product_id.is_not(None))
            .order_by(record.signal_id)
        )

    samples = session.execute(
        placed(SamplingResult).where(Mention.role == "producer", SamplingResult.outcome.in_(("pass", "fail")))
    )
    deaths = session.execute(placed(Injury).where(Injury.deaths > 0, Injury.followed_up.is_(True)))
    found = [
        PlacedBatch(
            row[0].signal_id, row[1], row[2], row[0].product_id, row[0].occurred_on, row[0].outcome == "fail", False
        )
        for row in samples
    ]
    found += [
        PlacedBatch(row[0].signal_id, row[1], row[2], row[0].product_id, row[0].occurred_on, True, True)
        for row in deaths
    ]
    return found


def newest_day(session: Session) -> date | None:
    """Return the day of the last judgement; None before the first."""
    return session.scalar(select(func.max(AreaState.as_of)))


def listing(session: Session, scope: Scope, wanted: AreaFilter, page: PageRequest) -> Page[AreaRow]:
    """Return the states of the last judgement in reach, red first; those lifted that day come last."""
    statement = (
        select(AreaState, Region.name)
        .outerjoin(Region, Region.code == AreaState.region_code)
        .where(AreaState.as_of == newest_day(session), scope.where(AreaState.region_code))
    )
    if wanted.colour:
        statement = statement.where(AreaState.colour == wanted.colour)
    if wanted.region:
        statement = statement.where(AreaState.region_code.startswith(wanted.region, autoescape=True))
    if wanted.product:
        statement = statement.where(AreaState.product_id == wanted.product)
    total = session.scalar(select(func.count()).select_from(statement.with_only_columns(AreaState.id).subquery())) or 0
    found = session.execute(
        statement.order_by(RED_FIRST, AreaState.low.desc(), AreaState.id).offset(page.offset).limit(page.size)
    )
    rows = [AreaRow(state, name or state.region_code) for state, name in found]
    return Page(rows, total, page.number, page.size)


def products_flagged(session: Session, scope: Scope) -> list[str]:
    """Return the products of the last judgement's states in reach, for the pick-list."""
    return list(
        session.scalars(
            select(AreaState.product_id)
            .where(AreaState.as_of == newest_day(session), scope.where(AreaState.region_code))
            .distinct()
            .order_by(AreaState.product_id)
        )
    )


def one(session: Session, scope: Scope, state_id: int) -> AreaFile | None:
    """Return a state with its past and every batch it counts, failures first; None when it is out of reach."""
    found = session.execute(
        select(AreaState, Region.name)
        .outerjoin(Region, Region.code == AreaState.region_code)
        .where(AreaState.id == state_id, scope.where(AreaState.region_code))
    ).first()
    if found is None:
        return None
    state = found[0]
    history = session.scalars(
        select(AreaState)
        .where(AreaState.region_code == state.region_code, AreaState.product_id == state.product_id)
        .order_by(AreaState.as_of, AreaState.id)
    )
    batches = _batches(session, [int(one) for one in state.counted], state.region_code)
    return AreaFile(AreaRow(state, found[1] or state.region_code), list(history), batches)


def _batches(session: Session, signal_ids: Sequence[int], region_code: str) -> list[AreaBatchRow]:
    """Read the counted records, each with its firm in the region."""
    named = aliased(Enterprise)
    kept = func.coalesce(named.merged_into_id, named.id)
    found: dict[int, AreaBatchRow] = {}
    for start in range(0, len(signal_ids), 500):
        for row in session.execute(
            select(
                Signal.id,
                Signal.title,
                Signal.occurred_on,
                Source.title.label("source_title"),
                Enterprise.id.label("enterprise_id"),
                Enterprise.name,
                SamplingResult.outcome,
                SamplingResult.failed_items,
            )
            .join(Source, Source.id == Signal.source_id)
            .outerjoin(SamplingResult, SamplingResult.signal_id == Signal.id)
            .outerjoin(Mention, and_(Mention.signal_id == Signal.id, Mention.denied.is_(False)))
            .outerjoin(Link, Link.mention_id == Mention.id)
            .outerjoin(named, named.id == Link.enterprise_id)
            .outerjoin(Enterprise, and_(Enterprise.id == kept, Enterprise.region_code == region_code))
            .where(Signal.id.in_(signal_ids[start : start + 500]))
            .order_by(Enterprise.id.is_(None), Mention.role)
        ):
            found.setdefault(
                row.id,
                AreaBatchRow(
                    row.id, row.title, row.source_title, row.occurred_on, row.enterprise_id, row.name,
                    row.outcome, row.failed_items or [],
                ),
            )  # fmt: skip
    return sorted(found.values(), key=lambda one: (one.outcome == "pass", -one.occurred_on.toordinal(), one.signal_id))
