"""Enterprises: the list, and everything known of one (一企一档)."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from store.merges import entries_of
from store.reads.page import Page, PageRequest
from store.reads.scope import Scope, signals_in
from store.tables import (
    Account,
    Alert,
    Case,
    Complaint,
    CreditClass,
    EnforcementCase,
    Enterprise,
    EnterpriseName,
    EnterpriseRole,
    Grade,
    Injury,
    Inspection,
    Licence,
    Link,
    Mention,
    MonitoringReport,
    Override,
    Plan,
    PlanLine,
    Recall,
    SamplingResult,
    SelfCheck,
    Signal,
    Source,
    Statement,
)

# A query whatever its columns: SQLAlchemy 2.1 types a Select by all of them.
AnySelect = Select[*tuple[Any, ...]]

SORTS = ("risk", "name", "region", "changed", "new")
RANK = {"D": 4, "C": 3, "U": 2, "B": 1, "A": 0}  # unknown stands between B and C, where a visit is due
WORSE_FIRST = case({"D": 0, "C": 1, "U": 2, "B": 3, "A": 4}, value=Grade.level, else_=5)
RECORD_TABLES: dict[str, type[Any]] = {
    "sampling": SamplingResult,
    "complaint": Complaint,
    "recall": Recall,
    "injury": Injury,
    "licence": Licence,
    "case": EnforcementCase,
    "inspection": Inspection,
    "self_check": SelfCheck,
    "monitoring": MonitoringReport,
    "credit": CreditClass,
}
MOST_RECORDS = 200


@dataclass(frozen=True, slots=True)
class EnterpriseFilter:
    """What the list is narrowed to; empty values narrow nothing."""

    q: str = ""
    levels: tuple[str, ...] = ()
    region: str = ""
    product: str = ""
    role: str = ""
    status: str = ""
    size: str = ""
    forced: bool = False
    worsened: bool = False
    provisional: bool | None = None
    sort: str = "risk"


@dataclass(frozen=True, slots=True)
class EnterpriseRow:
    """One line of the list, with the grade in force and what stands behind it in short."""

    id: int
    name: str
    uscc: str | None
    region_code: str | None
    status: str
    size: str | None
    provisional: bool
    level: str | None
    score: float | None
    previous_level: str | None
    forced_rule: str | None
    measure: str | None
    as_of: date | None
    reasons: list[str]
    products: list[str] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    samples: int = 0
    failures: int = 0
    complaints: int = 0


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """A record behind a reason, in one line."""

    signal_id: int
    occurred_on: date
    known_at: datetime
    channel: str
    trust: str
    title: str
    source_title: str


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A typed fact of an enterprise with the signal it came from and the role in which the firm is named."""

    kind: str
    signal: EvidenceRow
    role: str
    record: Any


@dataclass(frozen=True, slots=True)
class EnterpriseFile:
    """One enterprise and everything the store knows of it within reach."""

    enterprise: Enterprise
    names: list[EnterpriseName]
    roles: list[EnterpriseRole]
    merged_from: list[Enterprise]
    parent: Enterprise | None
    grades: list[Grade]  # of the day looked at: over all lines first, then line by line
    history: list[Grade]  # over all lines, both roles, oldest first
    compared: dict[tuple[str, str], Grade]  # (product line, role) -> the earlier grade to compare with
    evidence: dict[int, EvidenceRow]
    records: dict[str, list[RecordRow]]
    timeline: list[EvidenceRow]
    statements: list[tuple[Statement, str, str | None]]  # with who entered and who answered it
    withdrawn_lines: list[Override]
    alerts: list[Alert]
    cases: list[Case]
    plan_lines: list[tuple[PlanLine, Plan]]
    signals_total: int


def current_as_of(session: Session) -> date | None:
    """Return the date of the newest grading, or None before the first."""
    return session.scalar(select(func.max(Grade.as_of)))


def current_policy(session: Session, as_of: date) -> str | None:
    """Return the policy under which the newest grading of that date was made."""
    return session.scalar(select(Grade.policy_hash).where(Grade.as_of == as_of).order_by(Grade.id.desc()).limit(1))


def grades_in_force(as_of: date | None, policy_hash: str | None) -> AnySelect:
    """Return the query of each enterprise's one grade in force: the higher score where it has two roles."""
    ranked = (
        select(
            Grade.id.label("grade_id"),
            func.row_number()
            .over(partition_by=Grade.enterprise_id, order_by=(WORSE_FIRST, Grade.score.desc(), Grade.id))
            .label("place"),
        )
        .where(Grade.as_of == as_of, Grade.policy_hash == policy_hash, Grade.product_id == "")
        .subquery()
    )
    return select(ranked.c.grade_id).where(ranked.c.place == 1)


def listing(session: Session, scope: Scope, wanted: EnterpriseFilter, page: PageRequest) -> Page[EnterpriseRow]:
    """Return the enterprises in reach that match, the riskiest first unless asked otherwise. Five queries."""
    as_of = current_as_of(session)
    policy = current_policy(session, as_of) if as_of else None
    base: AnySelect = (
        select(Enterprise, Grade)
        .outerjoin(Grade, (Grade.enterprise_id == Enterprise.id) & Grade.id.in_(grades_in_force(as_of, policy)))
        .where(scope.where(Enterprise.region_code), Enterprise.merged_into_id.is_(None))
    )
    base = _narrowed(base, wanted)
    total = session.scalar(select(func.count()).select_from(base.with_only_columns(Enterprise.id).subquery())) or 0
    found = session.execute(base.order_by(*_order(wanted.sort)).offset(page.offset).limit(page.size)).all()
    rows = [_row(enterprise, grade) for enterprise, grade in found]
    return Page(_with_counts(session, rows), total, page.number, page.size)


def one(
    session: Session, scope: Scope, enterprise_id: int, *, as_of: date | None = None, since: date | None = None
) -> EnterpriseFile | None:
    """Return everything known of one enterprise, or None when it is out of reach.

    Its grades are those of the last grading by `as_of`, else the newest. They are compared with those of the last
    grading by `since`; without it, with the latest earlier ones that differ.
    """
    enterprise = session.scalar(
        select(Enterprise).where(Enterprise.id == enterprise_id, scope.where(Enterprise.region_code))
    )
    if enterprise is None:
        return None
    current = _grades_on(session, enterprise_id, as_of)
    history = _history(session, enterprise_id)
    compared = _compared(session, enterprise_id, current, since)
    wanted = {
        int(i)
        for grade in (*current, *compared.values())
        for part in grade.contributions
        for i in part.get("evidence", [])
    }
    entries = entries_of(session, enterprise_id)
    records = _records(session, scope, entries)
    timeline, signals_total = _timeline(session, scope, entries)
    return EnterpriseFile(
        enterprise=enterprise,
        names=list(session.scalars(select(EnterpriseName).where(EnterpriseName.enterprise_id == enterprise_id))),
        roles=list(session.scalars(select(EnterpriseRole).where(EnterpriseRole.enterprise_id == enterprise_id))),
        merged_from=list(session.scalars(select(Enterprise).where(Enterprise.merged_into_id == enterprise_id))),
        parent=session.get(Enterprise, enterprise.parent_id) if enterprise.parent_id else None,
        grades=current,
        history=history,
        compared=compared,
        evidence=evidence_rows(session, scope, wanted),
        records=records,
        timeline=timeline,
        statements=statements_of(session, entries),
        withdrawn_lines=list(
            session.scalars(
                select(Override)
                .where(Override.enterprise_id.in_(entries), Override.target_kind == "plan_line")
                .order_by(Override.made_at.desc())
            )
        ),
        alerts=list(
            session.scalars(
                select(Alert)
                .where(Alert.enterprise_id == enterprise_id, scope.where(Alert.region_code))
                .order_by(Alert.raised_at.desc())
                .limit(50)
            )
        ),
        cases=list(
            session.scalars(
                select(Case)
                .where(Case.enterprise_id == enterprise_id, scope.where(Case.region_code))
                .order_by(Case.opened_on.desc())
                .limit(50)
            )
        ),
        plan_lines=[
            (line, plan)
            for line, plan in session.execute(
                select(PlanLine, Plan)
                .join(Plan, Plan.id == PlanLine.plan_id)
                .where(PlanLine.enterprise_id == enterprise_id, Plan.status.in_(("issued", "done")))
                .order_by(Plan.as_of.desc(), PlanLine.number)
                .limit(50)
            )
        ],
        signals_total=signals_total,
    )


def _grades_on(session: Session, enterprise_id: int, as_of: date | None) -> list[Grade]:
    """Return the grades of the last grading by a day; of two policies on that day the newer run counts."""
    theirs = select(Grade).where(Grade.enterprise_id == enterprise_id)
    if as_of is not None:
        theirs = theirs.where(Grade.as_of <= as_of)
    newest = session.scalars(theirs.order_by(Grade.as_of.desc(), Grade.id.desc()).limit(1)).first()
    if newest is None:
        return []
    found = session.scalars(
        select(Grade).where(
            Grade.enterprise_id == enterprise_id, Grade.as_of == newest.as_of, Grade.policy_hash == newest.policy_hash
        )
    )
    return sorted(found, key=lambda grade: (grade.product_id != "", -RANK.get(grade.level, 0), -grade.score, grade.id))


def _history(session: Session, enterprise_id: int) -> list[Grade]:
    """Return the newest grades over all lines, one a day and role, oldest first."""
    seen: dict[tuple[date, str], Grade] = {}
    for grade in session.scalars(
        select(Grade)
        .where(Grade.enterprise_id == enterprise_id, Grade.product_id == "")
        .order_by(Grade.as_of.desc(), Grade.id.desc())
        .limit(MOST_RECORDS)
    ):
        seen.setdefault((grade.as_of, grade.role), grade)
    return sorted(seen.values(), key=lambda grade: (grade.as_of, grade.role))


def _compared(
    session: Session, enterprise_id: int, current: list[Grade], since: date | None
) -> dict[tuple[str, str], Grade]:
    """Return by line the earlier grade to compare with: the last by a day, else the latest one that differs."""
    if not current:
        return {}
    now = {(grade.product_id, grade.role): grade for grade in current}
    until = min(since, current[0].as_of - timedelta(days=1)) if since else current[0].as_of - timedelta(days=1)
    found: dict[tuple[str, str], Grade] = {}
    settled: set[tuple[str, str]] = set()
    for grade in session.scalars(
        select(Grade)
        .where(Grade.enterprise_id == enterprise_id, Grade.as_of <= until)
        .order_by(Grade.as_of.desc(), Grade.id.desc())
        .limit(MOST_RECORDS)
    ):
        key = (grade.product_id, grade.role)
        if key not in now or key in settled:
            continue
        found.setdefault(key, grade)
        differs = grade.level != now[key].level or abs(grade.score - now[key].score) >= 0.05
        if since is not None or differs:
            found[key] = grade
            settled.add(key)
    return found


def statements_of(session: Session, entries: list[int]) -> list[tuple[Statement, str, str | None]]:
    """Return a firm's statements, newest first, with who entered each and who answered it."""
    maker, answerer = aliased(Account), aliased(Account)
    return [
        (row[0], row[1], row[2])
        for row in session.execute(
            select(Statement, maker.display_name, answerer.display_name)
            .join(maker, maker.id == Statement.account_id)
            .outerjoin(answerer, answerer.id == Statement.replied_by)
            .where(Statement.enterprise_id.in_(entries))
            .order_by(Statement.received_on.desc(), Statement.id.desc())
        )
    ]


def statement(session: Session, scope: Scope, statement_id: int) -> Statement | None:
    """Return one statement, or None when its firm is out of reach."""
    return session.scalar(
        select(Statement)
        .join(Enterprise, Enterprise.id == Statement.enterprise_id)
        .where(Statement.id == statement_id, scope.where(Enterprise.region_code))
    )


def evidence_rows(session: Session, scope: Scope, signal_ids: set[int]) -> dict[int, EvidenceRow]:
    """Return the signals of these ids that are in reach, by id."""
    found: dict[int, EvidenceRow] = {}
    ids = sorted(signal_ids)
    for start in range(0, len(ids), 500):
        statement = _evidence().where(Signal.id.in_(ids[start : start + 500]), signals_in(scope))
        found |= {row.id: _evidence_row(row) for row in session.execute(statement)}
    return found


def products_in_use(session: Session, scope: Scope) -> list[str]:
    """Return the product codes that firms in reach make or sell, for the pick-list."""
    return list(
        session.scalars(
            select(EnterpriseRole.product_id)
            .join(Enterprise, Enterprise.id == EnterpriseRole.enterprise_id)
            .where(scope.where(Enterprise.region_code), EnterpriseRole.product_id != "")
            .distinct()
            .order_by(EnterpriseRole.product_id)
        )
    )


def named_like(session: Session, scope: Scope, text: str, limit: int) -> list[Enterprise]:
    """Return enterprises in reach whose name, other name or code contains the text, shortest names first."""
    statement = (
        select(Enterprise)
        .where(scope.where(Enterprise.region_code), Enterprise.merged_into_id.is_(None), _matches(text))
        .order_by(func.length(Enterprise.name), Enterprise.id)
        .limit(limit)
    )
    return list(session.scalars(statement))


def _matches(text: str) -> Any:
    other = select(EnterpriseName.enterprise_id).where(EnterpriseName.name.contains(text, autoescape=True))
    return or_(
        Enterprise.name.contains(text, autoescape=True),
        Enterprise.uscc.startswith(text.upper(), autoescape=True),
        Enterprise.id.in_(other),
    )


def _narrowed(statement: AnySelect, wanted: EnterpriseFilter) -> AnySelect:
    if wanted.q:
        statement = statement.where(_matches(wanted.q))
    if wanted.levels:
        graded = [level for level in wanted.levels if level != "none"]
        condition = Grade.level.in_(graded)
        statement = statement.where(or_(condition, Grade.id.is_(None)) if "none" in wanted.levels else condition)
    if wanted.region:
        statement = statement.where(Enterprise.region_code.startswith(wanted.region, autoescape=True))
    if wanted.product or wanted.role:
        roles = select(EnterpriseRole.enterprise_id)
        if wanted.product:
            roles = roles.where(EnterpriseRole.product_id == wanted.product)
        if wanted.role:
            roles = roles.where(EnterpriseRole.role == wanted.role)
        statement = statement.where(Enterprise.id.in_(roles))
    if wanted.status:
        statement = statement.where(Enterprise.status == wanted.status)
    if wanted.size:
        statement = statement.where(Enterprise.size == wanted.size)
    if wanted.forced:
        statement = statement.where(Grade.forced_rule.is_not(None))
    if wanted.worsened:
        statement = statement.where(
            Grade.previous_level.in_(("A", "B", "C", "D")),
            Grade.level.in_(("A", "B", "C", "D")),
            Grade.level > Grade.previous_level,
        )
    if wanted.provisional is not None:
        statement = statement.where(Enterprise.provisional.is_(wanted.provisional))
    return statement


def _order(sort: str) -> tuple[Any, ...]:
    return {
        "name": (Enterprise.name, Enterprise.id),
        "region": (Enterprise.region_code, WORSE_FIRST, Enterprise.id),
        "changed": (case((Grade.previous_level != Grade.level, 0), else_=1), WORSE_FIRST, Enterprise.id),
        "new": (Enterprise.known_at.desc(), Enterprise.id.desc()),
    }.get(sort, (WORSE_FIRST, Grade.score.desc(), Enterprise.id))


def _row(enterprise: Enterprise, grade: Grade | None) -> EnterpriseRow:
    parts = sorted(grade.contributions, key=lambda part: -float(part.get("points", 0))) if grade else []
    return EnterpriseRow(
        id=enterprise.id,
        name=enterprise.name,
        uscc=enterprise.uscc,
        region_code=enterprise.region_code,
        status=enterprise.status,
        size=enterprise.size,
        provisional=enterprise.provisional,
        level=grade.level if grade else None,
        score=grade.score if grade else None,
        previous_level=grade.previous_level if grade else None,
        forced_rule=grade.forced_rule if grade else None,
        measure=grade.measure if grade else None,
        as_of=grade.as_of if grade else None,
        reasons=[str(part.get("sentence") or part.get("zh", "")) for part in parts if float(part.get("points", 0)) > 0][
            :3
        ],
    )


def _with_counts(session: Session, rows: Sequence[EnterpriseRow]) -> list[EnterpriseRow]:
    ids = [row.id for row in rows]
    products: dict[int, set[str]] = {}
    roles: dict[int, set[str]] = {}
    samples: dict[int, tuple[int, int]] = {}
    complaints: dict[int, int] = {}
    for start in range(0, len(ids), 500):
        part = ids[start : start + 500]
        for owner, role, product in session.execute(
            select(EnterpriseRole.enterprise_id, EnterpriseRole.role, EnterpriseRole.product_id).where(
                EnterpriseRole.enterprise_id.in_(part)
            )
        ):
            roles.setdefault(owner, set()).add(role)
            if product:
                products.setdefault(owner, set()).add(product)
        linked = (
            select(Link.enterprise_id, Mention.signal_id)
            .join(Mention, Mention.id == Link.mention_id)
            .where(Link.enterprise_id.in_(part))
            .distinct()
            .subquery()
        )
        failed = func.sum(case((SamplingResult.outcome == "fail", 1), else_=0))
        for owner, count, bad in session.execute(
            select(linked.c.enterprise_id, func.count(), failed)
            .join(SamplingResult, SamplingResult.signal_id == linked.c.signal_id)
            .group_by(linked.c.enterprise_id)
        ):
            samples[owner] = (count, int(bad or 0))
        for owner, count in session.execute(
            select(linked.c.enterprise_id, func.count())
            .join(Complaint, Complaint.signal_id == linked.c.signal_id)
            .group_by(linked.c.enterprise_id)
        ):
            complaints[owner] = count
    return [
        replace(
            row,
            products=sorted(products.get(row.id, ())),
            roles=sorted(roles.get(row.id, ())),
            samples=samples.get(row.id, (0, 0))[0],
            failures=samples.get(row.id, (0, 0))[1],
            complaints=complaints.get(row.id, 0),
        )
        for row in rows
    ]


def _evidence() -> AnySelect:
    return select(
        Signal.id,
        Signal.occurred_on,
        Signal.known_at,
        Signal.channel,
        Signal.trust,
        Signal.title,
        Source.title.label("source_title"),
    ).join(Source, Source.id == Signal.source_id)


def _evidence_row(row: Any) -> EvidenceRow:
    return EvidenceRow(row.id, row.occurred_on, row.known_at, row.channel, row.trust, row.title, row.source_title)


def _records(session: Session, scope: Scope, entries: list[int]) -> dict[str, list[RecordRow]]:
    found: dict[str, list[RecordRow]] = {}
    for kind, table in RECORD_TABLES.items():
        typed = aliased(table)
        statement = (
            _evidence()
            .add_columns(func.min(Mention.role).label("role"), typed)
            .join(Mention, Mention.signal_id == Signal.id)
            .join(Link, Link.mention_id == Mention.id)
            .join(typed, typed.signal_id == Signal.id)
            .where(Link.enterprise_id.in_(entries), signals_in(scope))
            .group_by(Signal.id, Source.title, typed.signal_id)
            .order_by(Signal.occurred_on.desc(), Signal.id.desc())
            .limit(MOST_RECORDS)
        )
        rows = [RecordRow(kind, _evidence_row(row), row.role, row[-1]) for row in session.execute(statement)]
        if rows:
            found[kind] = rows
    return found


def _timeline(session: Session, scope: Scope, entries: list[int]) -> tuple[list[EvidenceRow], int]:
    linked = select(Mention.signal_id).join(Link, Link.mention_id == Mention.id).where(Link.enterprise_id.in_(entries))
    condition = (Signal.id.in_(linked), signals_in(scope))
    total = session.scalar(select(func.count()).select_from(Signal).where(*condition)) or 0
    statement = _evidence().where(*condition).order_by(Signal.occurred_on.desc(), Signal.id.desc()).limit(60)
    return [_evidence_row(row) for row in session.execute(statement)], total
