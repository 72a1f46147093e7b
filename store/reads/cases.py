"""The ledger: the list of cases, and one case with its steps and clocks."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from store.reads.enterprises import EvidenceRow, evidence_rows
from store.reads.page import Page, PageRequest
from store.reads.scope import Scope
from store.tables import Account, Alert, Case, CaseStep, Clock, Enterprise


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """What the list is narrowed to; state 'active' means not closed; `overdue_on` keeps those late on that day."""

    q: str = ""
    kind: str = ""
    state: str = ""
    region: str = ""
    overdue_on: date | None = None


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One case, its firm where in reach, and the deadline that runs out next."""

    case: Case
    enterprise_id: int | None
    enterprise_name: str | None
    due_on: date | None
    limit_id: str | None


@dataclass(frozen=True, slots=True)
class CaseFile:
    """One case: what opened it, what was done, which deadlines run."""

    row: CaseRow
    signal: EvidenceRow | None
    alert: Alert | None
    steps: list[tuple[CaseStep, str | None]]
    clocks: list[Clock]


def listing(session: Session, scope: Scope, wanted: CaseFilter, page: PageRequest) -> Page[CaseRow]:
    """Return the cases in reach that match, the ones whose deadline runs out first on top. Three queries."""
    due = (
        select(Clock.case_id, func.min(Clock.due_on).label("due_on"))
        .where(Clock.met_on.is_(None))
        .group_by(Clock.case_id)
        .subquery()
    )
    statement = (
        select(Case, Enterprise, due.c.due_on)
        .outerjoin(Enterprise, Enterprise.id == Case.enterprise_id)
        .outerjoin(due, due.c.case_id == Case.id)
        .where(scope.where(Case.region_code))
    )
    if wanted.state == "active":
        statement = statement.where(Case.state != "closed")
    elif wanted.state:
        statement = statement.where(Case.state == wanted.state)
    if wanted.kind:
        statement = statement.where(Case.kind == wanted.kind)
    if wanted.region:
        statement = statement.where(Case.region_code.startswith(wanted.region, autoescape=True))
    if wanted.q:
        statement = statement.where(
            or_(Case.title.contains(wanted.q, autoescape=True), Enterprise.name.contains(wanted.q, autoescape=True))
        )
    if wanted.overdue_on is not None:
        statement = statement.where(Case.state != "closed", due.c.due_on < wanted.overdue_on)
    total = session.scalar(select(func.count()).select_from(statement.with_only_columns(Case.id).subquery())) or 0
    rows = [
        _row(scope, found, enterprise, due_on, None)
        for found, enterprise, due_on in session.execute(
            statement.order_by(
                (Case.state == "closed"), due.c.due_on.is_(None), due.c.due_on, Case.opened_on.desc(), Case.id
            )
            .offset(page.offset)
            .limit(page.size)
        )
    ]
    return Page(rows, total, page.number, page.size)


def one(session: Session, scope: Scope, case_id: int) -> CaseFile | None:
    """Return a case, or None when it is out of reach."""
    found = session.scalar(select(Case).where(Case.id == case_id, scope.where(Case.region_code)))
    if found is None:
        return None
    clocks = list(session.scalars(select(Clock).where(Clock.case_id == case_id).order_by(Clock.due_on, Clock.id)))
    running = next((clock for clock in clocks if clock.met_on is None), None)
    enterprise = session.get(Enterprise, found.enterprise_id) if found.enterprise_id else None
    return CaseFile(
        row=_row(scope, found, enterprise, running.due_on if running else None, running.limit_id if running else None),
        signal=evidence_rows(session, scope, {found.signal_id}).get(found.signal_id),
        alert=session.scalar(select(Alert).where(Alert.id == found.alert_id, scope.where(Alert.region_code)))
        if found.alert_id
        else None,
        steps=[
            (step, name)
            for step, name in session.execute(
                select(CaseStep, Account.display_name)
                .outerjoin(Account, Account.id == CaseStep.account_id)
                .where(CaseStep.case_id == case_id)
                .order_by(CaseStep.done_on, CaseStep.id)
            )
        ],
        clocks=clocks,
    )


def _row(
    scope: Scope, found: Case, enterprise: Enterprise | None, due_on: date | None, limit_id: str | None
) -> CaseRow:
    reachable = enterprise is not None and scope.covers(enterprise.region_code)
    return CaseRow(
        found,
        enterprise.id if enterprise is not None and reachable else None,
        enterprise.name if enterprise is not None else None,
        due_on,
        limit_id,
    )
