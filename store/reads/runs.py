"""What ran: runs and the jobs that people asked for."""

from sqlalchemy import false, func, select, true
from sqlalchemy.orm import Session

from store.reads.page import Page, PageRequest
from store.reads.scope import Scope
from store.tables import JobRequest, Run


def listing(session: Session, scope: Scope, page: PageRequest, *, job: str = "", status: str = "") -> Page[Run]:
    """Return the runs that match, the newest first. Their counts are of the whole province, which alone sees them."""
    statement = select(Run).where(true() if scope.prefix == "" else false())
    if job:
        statement = statement.where(Run.job == job)
    if status:
        statement = statement.where(Run.status == status)
    total = session.scalar(select(func.count()).select_from(statement.subquery())) or 0
    rows = session.scalars(
        statement.order_by(Run.started_at.desc(), Run.id.desc()).offset(page.offset).limit(page.size)
    )
    return Page(list(rows), total, page.number, page.size)


def jobs_in_use(session: Session) -> list[str]:
    """Return the jobs that ever ran, for the pick-list."""
    return list(session.scalars(select(Run.job).distinct().order_by(Run.job)))


def newest_by_job(session: Session) -> list[Run]:
    """Return each job's newest run that is not about one source."""
    newest = select(func.max(Run.id)).where(Run.source_id.is_(None)).group_by(Run.job)
    return list(session.scalars(select(Run).where(Run.id.in_(newest)).order_by(Run.started_at.desc())))


def newest_good(session: Session, job: str) -> Run | None:
    """Return a job's newest run that went well."""
    return session.scalar(
        select(Run).where(Run.job == job, Run.status == "ok").order_by(Run.started_at.desc(), Run.id.desc()).limit(1)
    )


def requests(session: Session, account_id: int | None, limit: int = 20) -> list[JobRequest]:
    """Return the newest jobs asked for, of one account or of all."""
    statement = select(JobRequest).order_by(JobRequest.requested_at.desc(), JobRequest.id.desc()).limit(limit)
    if account_id is not None:
        statement = statement.where(JobRequest.account_id == account_id)
    return list(session.scalars(statement))


def request(session: Session, request_id: int, account_id: int | None) -> JobRequest | None:
    """Return one job that was asked for; with an account, only if it was that account's."""
    found = session.get(JobRequest, request_id)
    if found is None or (account_id is not None and found.account_id != account_id):
        return None
    return found
