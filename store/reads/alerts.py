"""Alerts: the list, and one alert with its evidence, deliveries and answers."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from store.reads.enterprises import EvidenceRow, evidence_rows
from store.reads.page import Page, PageRequest
from store.reads.scope import Scope
from store.tables import Account, Acknowledgement, Alert, Case, Contact, Delivery, Enterprise

ACTIVE = ("open", "acknowledged", "handling", "reported")
SORTS = ("urgent", "newest", "due")


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """What the list is narrowed to; state 'active' means not yet closed."""

    q: str = ""
    colour: str = ""
    state: str = ""
    rule: str = ""
    region: str = ""
    enterprise: int | None = None
    overdue_at: datetime | None = None
    sort: str = "urgent"


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One alert with the firm it is about, where that firm is in reach."""

    alert: Alert
    enterprise_id: int | None
    enterprise_name: str | None


@dataclass(frozen=True, slots=True)
class AlertFile:
    """One alert: what it rests on, who was told and what they answered."""

    row: AlertRow
    evidence: dict[int, EvidenceRow]
    deliveries: list[tuple[Delivery, Contact]]
    answers: list[tuple[Acknowledgement, str]]
    cases: list[Case]


def listing(session: Session, scope: Scope, wanted: AlertFilter, page: PageRequest) -> Page[AlertRow]:
    """Return the alerts in reach that match, the most urgent first. Two queries."""
    statement = (
        select(Alert, Enterprise)
        .outerjoin(Enterprise, Enterprise.id == Alert.enterprise_id)
        .where(scope.where(Alert.region_code))
    )
    if wanted.state == "active":
        statement = statement.where(Alert.state.in_(ACTIVE))
    elif wanted.state:
        statement = statement.where(Alert.state == wanted.state)
    for column, value in ((Alert.colour, wanted.colour), (Alert.rule, wanted.rule)):
        if value:
            statement = statement.where(column == value)
    if wanted.region:
        statement = statement.where(Alert.region_code.startswith(wanted.region, autoescape=True))
    if wanted.enterprise:
        statement = statement.where(Alert.enterprise_id == wanted.enterprise)
    if wanted.q:
        statement = statement.where(
            or_(Alert.title.contains(wanted.q, autoescape=True), Enterprise.name.contains(wanted.q, autoescape=True))
        )
    if wanted.overdue_at is not None:
        late_answer = (Alert.state == "open") & (Alert.acknowledge_by < wanted.overdue_at)
        late_report = Alert.state.in_(("acknowledged", "handling")) & (Alert.report_by < wanted.overdue_at)
        statement = statement.where(or_(late_answer, late_report))
    total = session.scalar(select(func.count()).select_from(statement.with_only_columns(Alert.id).subquery())) or 0
    urgency = case({"red": 0, "orange": 1, "yellow": 2, "blue": 3}, value=Alert.colour, else_=4)
    closed = case((Alert.state.in_(ACTIVE), 0), else_=1)
    order = {
        "newest": (Alert.raised_at.desc(), Alert.id.desc()),
        "due": (closed, Alert.acknowledge_by, Alert.id),
    }.get(wanted.sort, (closed, urgency, Alert.raised_at.desc(), Alert.id.desc()))
    rows = [
        _row(scope, alert, enterprise)
        for alert, enterprise in session.execute(statement.order_by(*order).offset(page.offset).limit(page.size))
    ]
    return Page(rows, total, page.number, page.size)


def one(session: Session, scope: Scope, alert_id: int) -> AlertFile | None:
    """Return an alert, or None when it is out of reach."""
    alert = session.scalar(select(Alert).where(Alert.id == alert_id, scope.where(Alert.region_code)))
    if alert is None:
        return None
    enterprise = session.get(Enterprise, alert.enterprise_id) if alert.enterprise_id else None
    return AlertFile(
        row=_row(scope, alert, enterprise),
        evidence=evidence_rows(session, scope, {int(i) for i in alert.evidence if isinstance(i, int)}),
        deliveries=[
            (delivery, contact)
            for delivery, contact in session.execute(
                select(Delivery, Contact)
                .join(Contact, Contact.id == Delivery.contact_id)
                .where(Delivery.alert_id == alert_id)
                .order_by(Delivery.tier, Delivery.id)
            )
        ],
        answers=[
            (answer, name)
            for answer, name in session.execute(
                select(Acknowledgement, Account.display_name)
                .join(Account, Account.id == Acknowledgement.account_id)
                .where(Acknowledgement.alert_id == alert_id)
                .order_by(Acknowledgement.made_at, Acknowledgement.id)
            )
        ],
        cases=list(session.scalars(select(Case).where(Case.alert_id == alert_id, scope.where(Case.region_code)))),
    )


def rules_in_use(session: Session, scope: Scope) -> list[str]:
    """Return the rules that raised the alerts in reach, for the pick-list."""
    return list(
        session.scalars(select(Alert.rule).where(scope.where(Alert.region_code)).distinct().order_by(Alert.rule))
    )


def _row(scope: Scope, alert: Alert, enterprise: Enterprise | None) -> AlertRow:
    if enterprise is None or not scope.covers(enterprise.region_code):
        return AlertRow(alert, None, enterprise.name if enterprise else None)
    return AlertRow(alert, enterprise.id, enterprise.name)
