"""The ledger: every failed sample and every serious hazard opens a case once, and records move it on."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased, sessionmaker

from casework.rules import Done, load_case_policy
from casework.steps import set_clocks, take, work_calendar
from jobs.runs import recorded_run
from jobs.settings import Settings
from nlp.taxonomy import Taxonomy, load_taxonomy
from store.china_time import CHINA, end_of
from store.dialect import insert_ignore
from store.tables import Alert, Case, CaseStep, Enterprise, Inspection, Link, Mention, SamplingResult, Signal

PRODUCER_FIRST = ("producer", "sampled", "respondent", "holder", "consigner", "text")


def run(sessions: sessionmaker[Session], settings: Settings, as_of: date) -> dict[str, Any]:
    """Open the cases that are due as known at the end of `as_of`, and take the steps that records prove.

    A re-check that passed closes its case; nothing else does but a person. Safe to run twice.
    """
    taxonomy = load_taxonomy(settings.lexicon_dir)
    with recorded_run(sessions, "ledger", as_of=as_of) as (_, counts):
        with sessions.begin() as session:
            opened = _open_failed(session, as_of, taxonomy) + _open_hazards(session, as_of)
        counts.update(opened=opened, rechecks=0, closed=0)
        with sessions.begin() as session:
            for case, recheck, passed in _rechecks(session, as_of):
                _move_on(session, case, recheck, passed)
                counts["rechecks"] += 1
                counts["closed"] += passed
    return counts


def _open_failed(session: Session, as_of: date, taxonomy: Taxonomy) -> int:
    rows = session.execute(
        select(SamplingResult, Signal.region_code, Signal.title)
        .join(Signal, Signal.id == SamplingResult.signal_id)
        .where(
            SamplingResult.outcome == "fail",
            SamplingResult.recheck.is_(False),
            SamplingResult.known_at < end_of(as_of),
            SamplingResult.signal_id.not_in(select(Case.signal_id).where(Case.kind == "failed_sample")),
        )
        .order_by(SamplingResult.signal_id)
    ).all()
    makers = makers_of(session, [row.SamplingResult.signal_id for row in rows])
    cases = []
    for row in rows:
        result = row.SamplingResult
        enterprise_id, name, region = makers.get(result.signal_id, (None, "", None))
        product = taxonomy.products[result.product_id].name if result.product_id in taxonomy.products else ""
        cases.append(
            {
                "kind": "failed_sample",
                "signal_id": result.signal_id,
                "enterprise_id": enterprise_id,
                "alert_id": None,
                "product_id": result.product_id,
                "region_code": region or result.region_code or row.region_code,
                "title": f"{name or '未定企业'} {product or result.product_raw or ''} 抽检不合格".replace("  ", " "),
                "opened_on": result.known_at.astimezone(CHINA).date(),
                "state": "opened",
                "closed_on": None,
            }
        )
    return _open(session, cases, datetime.now(UTC))


def _open_hazards(session: Session, as_of: date) -> int:
    alerts = session.scalars(
        select(Alert)
        .where(
            Alert.rule.in_(load_case_policy().hazard_rules),
            Alert.state != "suppressed",
            Alert.id.not_in(select(Case.alert_id).where(Case.alert_id.is_not(None))),
        )
        .order_by(Alert.id)
    ).all()
    cases = [
        {
            "kind": "hazard",
            "signal_id": alert.evidence[0],
            "enterprise_id": alert.enterprise_id,
            "alert_id": alert.id,
            "product_id": alert.product_id,
            "region_code": alert.region_code,
            "title": alert.title,
            "opened_on": as_of,
            "state": "opened",
            "closed_on": None,
        }
        for alert in alerts
        if alert.evidence
    ]
    return _open(session, cases, datetime.now(UTC))


def _open(session: Session, cases: list[dict[str, Any]], now: datetime) -> int:
    """Insert the cases that are new, with their first step and the clocks it starts."""
    last = session.scalar(select(func.max(Case.id))) or 0
    opened = insert_ignore(session, Case.__table__, cases, key=["kind", "signal_id"])  # type: ignore[arg-type]
    fresh = session.scalars(select(Case).where(Case.id > last).order_by(Case.id)).all() if opened else []
    calendar = work_calendar(session)
    for case in fresh:
        session.add(
            CaseStep(
                case_id=case.id, step="opened", done_on=case.opened_on, account_id=None, remark="系统立项", proof={},
                recorded_at=now,
            )
        )  # fmt: skip
    session.flush()
    for case in fresh:
        set_clocks(session, case, [Done("opened", case.opened_on)], calendar)
    return opened


def _rechecks(session: Session, as_of: date) -> Iterable[tuple[Case, int, bool]]:
    """Yield open cases of failed samples with the first re-check known of the same firm and product after them."""
    cases = session.scalars(
        select(Case)
        .where(Case.kind == "failed_sample", Case.state != "closed", Case.enterprise_id.is_not(None))
        .order_by(Case.id)
    ).all()
    if not cases:
        return
    firms = {case.enterprise_id for case in cases}
    found: dict[int, list[tuple[datetime, int, str | None, bool]]] = {}
    maker = (
        select(Mention.signal_id, Link.enterprise_id)
        .join(Link, Link.mention_id == Mention.id)
        .where(Link.enterprise_id.in_(firms), Mention.denied.is_(False))
        .distinct()
        .subquery()
    )
    for row in session.execute(
        select(
            maker.c.enterprise_id, SamplingResult.signal_id, SamplingResult.product_id,
            SamplingResult.outcome, SamplingResult.known_at,
        )
        .join(maker, maker.c.signal_id == SamplingResult.signal_id)
        .where(
            SamplingResult.recheck.is_(True),
            SamplingResult.outcome.in_(("pass", "fail")),
            SamplingResult.known_at < end_of(as_of),
        )
    ):  # fmt: skip
        found.setdefault(row.enterprise_id, []).append(
            (row.known_at, row.signal_id, row.product_id, row.outcome == "pass")
        )
    for row in session.execute(
        select(
            maker.c.enterprise_id, Inspection.signal_id, Inspection.product_id, Inspection.passed, Inspection.known_at
        )
        .join(maker, maker.c.signal_id == Inspection.signal_id)
        .where(Inspection.kind == "recheck", Inspection.passed.is_not(None), Inspection.known_at < end_of(as_of))
    ):
        found.setdefault(row.enterprise_id, []).append((row.known_at, row.signal_id, row.product_id, bool(row.passed)))
    seen = {
        (step.case_id, step.proof.get("signal_id"))
        for step in session.scalars(select(CaseStep).where(CaseStep.step == "rechecking"))
    }
    for case in cases:
        for known_at, signal_id, product_id, passed in sorted(found.get(case.enterprise_id or 0, [])):
            same_product = not product_id or not case.product_id or product_id == case.product_id
            later = known_at.astimezone(CHINA).date() > case.opened_on
            if same_product and later and (case.id, signal_id) not in seen:
                yield case, signal_id, passed
                if passed:
                    break


def _move_on(session: Session, case: Case, signal_id: int, passed: bool) -> None:
    known_at = session.get_one(Signal, signal_id).known_at
    day = known_at.astimezone(CHINA).date()
    now = datetime.now(UTC)
    take(
        session, case.id, step="rechecking", done_on=day, account_id=None, at=now,
        remark="复查合格" if passed else "复查不合格", proof={"signal_id": signal_id, "passed": passed},
    )  # fmt: skip
    if passed:
        take(session, case.id, step="closed", done_on=day, account_id=None, at=now, remark="复查合格，系统销号",
             proof={"signal_id": signal_id})  # fmt: skip


def makers_of(session: Session, signal_ids: list[int]) -> dict[int, tuple[int, str, str | None]]:
    """Return for each signal the linked firm that answers for it (the producer first): id, name, region."""
    found: dict[int, tuple[int, tuple[int, str, str | None]]] = {}
    wanted = set(signal_ids)
    if not wanted:
        return {}
    linked = aliased(Enterprise)
    for row in session.execute(
        select(Mention.signal_id, Mention.role, Enterprise.id, Enterprise.name, Enterprise.region_code)
        .join(Link, Link.mention_id == Mention.id)
        .join(linked, linked.id == Link.enterprise_id)
        .join(Enterprise, Enterprise.id == func.coalesce(linked.merged_into_id, linked.id))
        .where(Mention.denied.is_(False), Mention.signal_id.between(min(wanted), max(wanted)))
        .order_by(Mention.id)
    ):
        if row.signal_id not in wanted:
            continue
        rank = PRODUCER_FIRST.index(row.role) if row.role in PRODUCER_FIRST else len(PRODUCER_FIRST)
        if row.signal_id not in found or rank < found[row.signal_id][0]:
            found[row.signal_id] = (rank, (row.id, row.name, row.region_code))
    return {signal_id: firm for signal_id, (_, firm) in found.items()}
