"""Overrides of grades: who asked, who approved, until when, and what the next sample said."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from store.china_time import CHINA, end_of
from store.merges import owners_of
from store.reads.enterprises import RANK
from store.reads.page import Page, PageRequest
from store.reads.scope import Scope
from store.tables import Account, Enterprise, Link, Mention, Override, SamplingResult

STATES = ("waiting", "holding", "expired", "refused", "withdrawn")


@dataclass(frozen=True, slots=True)
class NextSample:
    """The first batch that was tested after an override was approved."""

    signal_id: int
    occurred_on: date
    failed: bool


@dataclass(frozen=True, slots=True)
class OverrideRow:
    """An override with its firm, its people, its state on a day, and what came of it."""

    override: Override
    enterprise_id: int
    enterprise_name: str
    region_code: str | None
    maker: str
    approver: str | None
    state: str
    later: NextSample | None

    @property
    def harsher(self) -> bool:
        """The person thought worse of the firm than the scorecard did."""
        return RANK.get(self.override.value, 0) > RANK.get(self.override.set_aside or "", 0)

    @property
    def right(self) -> bool | None:
        """Whether the next sample bore the person out: failed for a harsher grade, passed for a milder one."""
        return None if self.later is None else self.later.failed == self.harsher


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """How often approved overrides were borne out by the next sample, of one direction."""

    harsher: bool
    approved: int
    tested: int
    right: int


def state_on(override: Override, day: date) -> str:
    """Return whether an override waits, holds, or how it ended, as of the end of a day."""
    end = end_of(day)
    if override.refused_at is not None and override.refused_at < end:
        return "refused"
    if override.withdrawn_at is not None and override.withdrawn_at < end:
        return "withdrawn"
    if override.expires_on is not None and override.expires_on < day:
        return "expired"
    return "holding" if override.approved_at is not None and override.approved_at < end else "waiting"


def listing(
    session: Session, scope: Scope, day: date, page: PageRequest, *, state: str = "", enterprise_id: int | None = None
) -> Page[OverrideRow]:
    """Return the overrides of grades in reach as they stand on a day, those that wait first, then the newest."""
    maker, approver = aliased(Account), aliased(Account)
    owner = func.coalesce(Enterprise.merged_into_id, Enterprise.id)
    conditions = [Override.target_kind == "grade", scope.where(Enterprise.region_code)]
    if state:
        conditions.append(_in_state(state, day))
    if enterprise_id is not None:
        conditions.append(owner == enterprise_id)
    base = (
        select(Override, owner, Enterprise.name, Enterprise.region_code, maker.display_name, approver.display_name)
        .join(Enterprise, Enterprise.id == Override.enterprise_id)
        .join(maker, maker.id == Override.account_id)
        .outerjoin(approver, approver.id == Override.approver_id)
        .where(*conditions)
    )
    total = session.scalar(select(func.count()).select_from(base.with_only_columns(Override.id).subquery())) or 0
    found = session.execute(
        base.order_by(case((_in_state("waiting", day), 0), else_=1), Override.made_at.desc(), Override.id.desc())
        .offset(page.offset)
        .limit(page.size)
    ).all()
    later = next_samples(session, [(row[0], row[1]) for row in found], day)
    rows = [
        OverrideRow(row[0], row[1], row[2], row[3], row[4], row[5], state_on(row[0], day), later.get(row[0].id))
        for row in found
    ]
    return Page(rows, total, page.number, page.size)


def track_record(session: Session, scope: Scope, day: date) -> list[TrackRecord]:
    """Return how often approved overrides in reach were right as known by the end of a day: harsher, then milder."""
    found = session.execute(
        select(Override, func.coalesce(Enterprise.merged_into_id, Enterprise.id), Enterprise.name)
        .join(Enterprise, Enterprise.id == Override.enterprise_id)
        .where(Override.target_kind == "grade", Override.approved_at < end_of(day), scope.where(Enterprise.region_code))
    ).all()
    later = next_samples(session, [(row[0], row[1]) for row in found], day)
    rows = [OverrideRow(row[0], row[1], row[2], None, "", None, "", later.get(row[0].id)) for row in found]
    return [
        TrackRecord(
            harsher=harsher,
            approved=sum(row.harsher == harsher for row in rows),
            tested=sum(row.harsher == harsher and row.later is not None for row in rows),
            right=sum(row.harsher == harsher and row.right is True for row in rows),
        )
        for harsher in (True, False)
    ]


def next_samples(session: Session, overrides: Sequence[tuple[Override, int]], day: date) -> dict[int, NextSample]:
    """Return by override the first batch sampled after its approval and known by the end of a day.

    A producer answers for batches it made, a seller for batches taken in its shop; an override of one product line
    waits for a batch of that line.
    """
    approved = [(one, firm) for one, firm in overrides if one.approved_at is not None]
    if not approved:
        return {}
    owners = owners_of(session, {firm for _, firm in approved})
    entries = sorted(owners)
    tested: dict[int, list[tuple[date, int, str, str, bool]]] = {}
    for start in range(0, len(entries), 500):
        for row in session.execute(
            select(
                Link.enterprise_id,
                SamplingResult.occurred_on,
                SamplingResult.signal_id,
                SamplingResult.product_id,
                SamplingResult.channel,
                SamplingResult.outcome,
                Mention.role,
            )
            .join(Mention, Mention.signal_id == SamplingResult.signal_id)
            .join(Link, Link.mention_id == Mention.id)
            .where(
                Link.enterprise_id.in_(entries[start : start + 500]),
                or_(Link.decided == "link", and_(Link.decided.is_(None), Link.guess_decision == "link")),
                Mention.denied.is_(False),
                SamplingResult.outcome.in_(("pass", "fail")),
                SamplingResult.known_at < end_of(day),
            )
        ):
            side = "seller" if row.role == "sampled" and row.channel != "production" else "producer"
            tested.setdefault(owners[row.enterprise_id], []).append(
                (row.occurred_on, row.signal_id, row.product_id or "", side, row.outcome == "fail")
            )
    found: dict[int, NextSample] = {}
    for override, firm in approved:
        assert override.approved_at is not None
        since = override.approved_at.astimezone(CHINA).date()
        for occurred_on, signal_id, product_id, side, failed in sorted(tested.get(firm, [])):
            if occurred_on > since and side == override.role and override.product_id in ("", product_id):
                found[override.id] = NextSample(signal_id, occurred_on, failed)
                break
    return found


def _in_state(state: str, day: date) -> ColumnElement[bool]:
    """Return the condition that an override is in a state on a day; what `state_on` says, for a query."""
    end = end_of(day)
    refused = and_(Override.refused_at.is_not(None), Override.refused_at < end)
    withdrawn = and_(Override.withdrawn_at.is_not(None), Override.withdrawn_at < end)
    expired = and_(Override.expires_on.is_not(None), Override.expires_on < day)
    approved = and_(Override.approved_at.is_not(None), Override.approved_at < end)
    return {
        "refused": refused,
        "withdrawn": and_(~refused, withdrawn),
        "expired": and_(~refused, ~withdrawn, expired),
        "holding": and_(~refused, ~withdrawn, ~expired, approved),
        "waiting": and_(~refused, ~withdrawn, ~expired, ~approved),
    }[state]
