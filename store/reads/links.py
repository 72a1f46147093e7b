"""The review queue: names that the machine would not guess."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, aliased

from store.reads.page import Page, PageRequest
from store.reads.scope import Scope, signals_in
from store.tables import Account, Enterprise, Link, Mention, Merge, Signal

_LOOKED_THROUGH = 1000  # waiting names searched for others with the same candidate


@dataclass(frozen=True, slots=True)
class Candidate:
    """A firm the name may stand for, and why."""

    enterprise: Enterprise
    score: float
    reasons: list[str]


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """A name waiting for a person, where it stands, and the candidates, best first."""

    mention: Mention
    link: Link
    signal: Signal
    candidates: list[Candidate]
    alike: int


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """A decision already taken."""

    mention: Mention
    link: Link
    enterprise: Enterprise | None
    by: str | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class MergeRow:
    """A merge with both names and who made it."""

    merge: Merge
    kept: Enterprise
    merged: Enterprise
    by: str


@dataclass(frozen=True, slots=True)
class PairRow:
    """Two entries that may be one enterprise: the same normalised name, in the same city."""

    one: Enterprise
    other: Enterprise


def queue(session: Session, scope: Scope, page: PageRequest, *, mention_id: int | None = None) -> Page[ReviewRow]:
    """Return the names that wait, most risk × uncertainty first; those put aside as unsure come last."""
    waiting = _waiting(scope)
    statement = (
        select(Mention, Link, Signal)
        .join(Link, Link.mention_id == Mention.id)
        .join(Signal, Signal.id == Mention.signal_id)
        .where(waiting)
    )
    if mention_id is not None:
        statement = statement.where(Mention.id == mention_id)
    total = session.scalar(select(func.count()).select_from(statement.with_only_columns(Mention.id).subquery())) or 0
    found = session.execute(
        statement.order_by(Link.decided.is_not(None), Link.priority.desc(), Link.score.desc(), Mention.text, Mention.id)
        .offset(page.offset)
        .limit(page.size)
    ).all()
    wanted = {int(one["enterprise_id"]) for _, link, _ in found for one in link.candidates if one.get("enterprise_id")}
    firms = {
        firm.id: firm
        for firm in session.scalars(
            select(Enterprise).where(Enterprise.id.in_(sorted(wanted)), scope.where(Enterprise.region_code))
        )
    }
    alike: dict[tuple[str, str], int] = {}
    texts = {mention.text for mention, _, _ in found}
    for text, role, count in session.execute(
        select(Mention.text, Mention.role, func.count())
        .join(Link, Link.mention_id == Mention.id)
        .where(Mention.text.in_(sorted(texts)), Link.guess_decision == "review", Link.decided.is_(None))
        .group_by(Mention.text, Mention.role)
    ):
        alike[text, role] = count
    rows = [
        ReviewRow(mention, link, signal, _candidates(link, firms), alike.get((mention.text, mention.role), 1))
        for mention, link, signal in found
    ]
    return Page(rows, total, page.number, page.size)


def same_candidate(session: Session, scope: Scope, row: ReviewRow, limit: int = 20) -> list[tuple[Mention, Link]]:
    """Return other names that wait, written differently, whose best candidate is this row's best candidate."""
    if not row.candidates:
        return []
    best = row.candidates[0].enterprise.id
    waiting = session.execute(
        select(Mention, Link)
        .join(Link, Link.mention_id == Mention.id)
        .join(Signal, Signal.id == Mention.signal_id)
        .where(_waiting(scope), Mention.text != row.mention.text)
        .order_by(Link.priority.desc(), Mention.id)
        .limit(_LOOKED_THROUGH)
    )
    return [(mention, link) for mention, link in waiting if _best(link) == best][:limit]


def still_waiting(session: Session, scope: Scope, mention_ids: list[int]) -> list[int]:
    """Return those of the mentions that wait for a person and are in reach."""
    return list(
        session.scalars(
            select(Mention.id)
            .join(Link, Link.mention_id == Mention.id)
            .join(Signal, Signal.id == Mention.signal_id)
            .where(Mention.id.in_(mention_ids), _waiting(scope))
            .order_by(Mention.id)
        )
    )


def decided(session: Session, scope: Scope, limit: int = 12) -> list[DecisionRow]:
    """Return the newest decisions in reach."""
    statement = (
        select(Mention, Link, Enterprise, Account.display_name)
        .join(Link, Link.mention_id == Mention.id)
        .join(Signal, Signal.id == Mention.signal_id)
        .outerjoin(Enterprise, Enterprise.id == Link.decided_enterprise_id)
        .outerjoin(Account, Account.id == Link.decided_by)
        .where(Link.decided.is_not(None), signals_in(scope))
        .order_by(Link.decided_at.desc(), Mention.id.desc())
        .limit(limit)
    )
    return [
        DecisionRow(mention, link, enterprise, name, link.decided_at)
        for mention, link, enterprise, name in session.execute(statement)
    ]


def merges(session: Session, scope: Scope, page: PageRequest, *, kept: int | None = None) -> Page[MergeRow]:
    """Return the merges in reach, the newest first."""
    gone = aliased(Enterprise)
    statement = (
        select(Merge, Enterprise, gone, Account.display_name)
        .join(Enterprise, Enterprise.id == Merge.kept_id)
        .join(gone, gone.id == Merge.merged_id)
        .join(Account, Account.id == Merge.account_id)
        .where(scope.where(Enterprise.region_code))
    )
    if kept is not None:
        statement = statement.where(Merge.kept_id == kept)
    total = session.scalar(select(func.count()).select_from(statement.with_only_columns(Merge.id).subquery())) or 0
    rows = [
        MergeRow(row, kept_firm, merged, name)
        for row, kept_firm, merged, name in session.execute(
            statement.order_by(Merge.merged_at.desc(), Merge.id.desc()).offset(page.offset).limit(page.size)
        )
    ]
    return Page(rows, total, page.number, page.size)


def likely_pairs(session: Session, scope: Scope, limit: int = 30) -> list[PairRow]:
    """Return entries in reach that carry the same normalised name in one city and are not merged."""
    other = aliased(Enterprise)
    statement = (
        select(Enterprise, other)
        .join(other, (other.name_key == Enterprise.name_key) & (other.id > Enterprise.id))
        .where(
            scope.where(Enterprise.region_code),
            scope.where(other.region_code),
            Enterprise.merged_into_id.is_(None),
            other.merged_into_id.is_(None),
            Enterprise.name_key != "",
            func.substr(Enterprise.region_code, 1, 4) == func.substr(other.region_code, 1, 4),
        )
        .order_by(Enterprise.id, other.id)
        .limit(limit)
    )
    return [PairRow(one, two) for one, two in session.execute(statement)]


def _waiting(scope: Scope) -> ColumnElement[bool]:
    return (Link.guess_decision == "review") & (Link.decided.is_(None) | (Link.decided == "unsure")) & signals_in(scope)


def _best(link: Link) -> int | None:
    found = max(link.candidates, key=lambda one: float(one.get("score", 0)), default=None)
    return int(found["enterprise_id"]) if found and found.get("enterprise_id") else None


def _candidates(link: Link, firms: dict[int, Enterprise]) -> list[Candidate]:
    found = [
        Candidate(
            firms[int(one["enterprise_id"])], float(one.get("score", 0)), [str(r) for r in one.get("reasons", [])]
        )
        for one in link.candidates
        if one.get("enterprise_id") and int(one["enterprise_id"]) in firms
    ]
    return sorted(found, key=lambda one: -one.score)[:9]
