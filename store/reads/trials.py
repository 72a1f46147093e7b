"""Policies on trial, and the firms each would move. A trial is for those who see the province or their part of it."""

from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from store.reads.enterprises import RANK, AnySelect
from store.reads.page import Page, PageRequest
from store.reads.scope import Scope
from store.tables import Account, Enterprise, JobRequest, PolicyTrial, PolicyTrialMove

WORSE_FIRST = case(RANK, value=PolicyTrialMove.level_then) - case(RANK, value=PolicyTrialMove.level)


@dataclass(frozen=True, slots=True)
class TrialRow:
    """A trial with who asked for it, how far it is, and how many firms in reach it would move."""

    trial: PolicyTrial
    asked_by: str
    request: JobRequest | None
    moved: int


@dataclass(frozen=True, slots=True)
class MoveRow:
    """A firm that would move."""

    move: PolicyTrialMove
    enterprise_name: str
    region_code: str | None


@dataclass(frozen=True, slots=True)
class TrialFile:
    """A trial with the firms in reach it moves: how many from which level to which, and one page of them."""

    row: TrialRow
    counts: dict[tuple[str, str], int]
    moves: Page[MoveRow]


def recent(session: Session, scope: Scope, limit: int = 20) -> list[TrialRow]:
    """Return the newest trials."""
    found = session.execute(
        select(PolicyTrial, Account.display_name, JobRequest)
        .join(Account, Account.id == PolicyTrial.account_id)
        .outerjoin(JobRequest, JobRequest.id == PolicyTrial.request_id)
        .order_by(PolicyTrial.id.desc())
        .limit(limit)
    ).all()
    moved = _moved(session, scope, [row[0].id for row in found])
    return [TrialRow(row[0], row[1], row[2], moved.get(row[0].id, 0)) for row in found]


def one(
    session: Session, scope: Scope, trial_id: int, page: PageRequest, *, level: str = "", level_then: str = ""
) -> TrialFile | None:
    """Return a trial and the firms in reach it moves, those that get worse first; None when there is no such trial."""
    found = session.execute(
        select(PolicyTrial, Account.display_name, JobRequest)
        .join(Account, Account.id == PolicyTrial.account_id)
        .outerjoin(JobRequest, JobRequest.id == PolicyTrial.request_id)
        .where(PolicyTrial.id == trial_id)
    ).first()
    if found is None:
        return None
    counts = {
        (row.level, row.level_then): row.firms
        for row in session.execute(
            _in_reach(scope, trial_id)
            .with_only_columns(PolicyTrialMove.level, PolicyTrialMove.level_then, func.count().label("firms"))
            .group_by(PolicyTrialMove.level, PolicyTrialMove.level_then)
        )
    }
    statement = _in_reach(scope, trial_id)
    if level:
        statement = statement.where(PolicyTrialMove.level == level)
    if level_then:
        statement = statement.where(PolicyTrialMove.level_then == level_then)
    total = session.scalar(select(func.count()).select_from(statement.with_only_columns(PolicyTrialMove.id).subquery()))
    rows = session.execute(
        statement.order_by(WORSE_FIRST.desc(), PolicyTrialMove.score_then.desc(), PolicyTrialMove.id)
        .offset(page.offset)
        .limit(page.size)
    )
    moves = [MoveRow(move, name, region) for move, name, region in rows]
    row = TrialRow(found[0], found[1], found[2], sum(counts.values()))
    return TrialFile(row, counts, Page(moves, total or 0, page.number, page.size))


def _in_reach(scope: Scope, trial_id: int) -> AnySelect:
    statement: AnySelect = (
        select(PolicyTrialMove, Enterprise.name, Enterprise.region_code)
        .join(Enterprise, Enterprise.id == PolicyTrialMove.enterprise_id)
        .where(PolicyTrialMove.trial_id == trial_id, scope.where(Enterprise.region_code))
    )
    return statement


def _moved(session: Session, scope: Scope, trial_ids: list[int]) -> dict[int, int]:
    return {
        row.trial_id: row.firms
        for row in session.execute(
            select(PolicyTrialMove.trial_id, func.count().label("firms"))
            .join(Enterprise, Enterprise.id == PolicyTrialMove.enterprise_id)
            .where(PolicyTrialMove.trial_id.in_(trial_ids), scope.where(Enterprise.region_code))
            .group_by(PolicyTrialMove.trial_id)
        )
    }
