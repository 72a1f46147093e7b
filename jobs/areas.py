"""Which region × product combinations are under 黄色警示 or 红色警情 on a day, from the batches known by then."""

from datetime import date
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session, sessionmaker

from jobs.runs import recorded_run
from jobs.settings import Settings
from scoring import areas
from scoring.indicators.reading import months_before
from scoring.policy import Policy, load_policies, policy_in_force
from store.china_time import end_of
from store.reads.areas import placed_batches
from store.reads.scope import PROVINCE
from store.session import read_only
from store.tables import AreaState


def run(
    sessions: sessionmaker[Session], settings: Settings, as_of: date, *, policy: Policy | None = None
) -> dict[str, Any]:
    """Judge every region × product as known by the end of `as_of`, going on from the last judgement before.

    Safe to run twice: the rows of the day are replaced, keeping their ids.
    """
    policy = policy or policy_in_force(load_policies(settings.policy_dir), as_of)
    with recorded_run(sessions, "areas", as_of=as_of, policy_hash=policy.hash) as (run_id, counts):
        with read_only(sessions) as session:
            since = months_before(as_of, policy.areas.window_months)
            placed = placed_batches(session, PROVINCE, since, end_of(as_of))
            before = _judged_before(session, as_of)
        batches = [
            areas.AreaBatch(
                signal_id=batch.signal_id,
                enterprise_id=batch.enterprise_id,
                region_code=batch.region_code,
                product_id=batch.product_id,
                occurred_on=batch.occurred_on,
                failed=batch.failed,
                fatal=batch.fatal,
            )
            for batch in placed
        ]
        flagged = areas.area_states(batches, policy, as_of, before)
        gone = areas.lifted(before, flagged, policy, as_of)
        rows = [_row(state, as_of, policy.hash, run_id) for state in (*flagged, *gone)]
        with sessions.begin() as session:
            replace_states(session, rows, as_of)
        counts.update(
            red=sum(state.colour == "red" for state in flagged),
            yellow=sum(state.colour == "yellow" for state in flagged),
            lifted=len(gone),
        )
    return counts


def replace_states(session: Session, rows: list[dict[str, Any]], as_of: date) -> None:
    """Make `rows` the states of a day; one that stood there before keeps its id, so that its address holds."""
    known = {
        (row.region_code, row.product_id): row.id
        for row in session.execute(
            select(AreaState.id, AreaState.region_code, AreaState.product_id).where(AreaState.as_of == as_of)
        )
    }
    session.execute(delete(AreaState).where(AreaState.as_of == as_of))
    again = [{**row, "id": known[key]} for row in rows if (key := (row["region_code"], row["product_id"])) in known]
    fresh = [row for row in rows if (row["region_code"], row["product_id"]) not in known]
    for part in (again, fresh):
        if part:
            session.execute(insert(AreaState), part)


def _judged_before(session: Session, as_of: date) -> list[areas.AreaState]:
    """Return the flags of the last judgement before a day."""
    last = session.scalar(select(func.max(AreaState.as_of)).where(AreaState.as_of < as_of))
    return [
        areas.AreaState(
            region_code=row.region_code,
            product_id=row.product_id,
            colour=row.colour,
            batches=row.batches,
            failures=row.failures,
            failing_enterprises=row.failing_enterprises,
            low=row.low,
            high=row.high,
            provincial_rate=row.provincial_rate,
            reasons=tuple(row.reasons),
            evidence=(),
            counted=tuple(row.counted),
            start=row.started_on,
            review_on=row.review_on,
            removal=row.removal,
        )
        for row in session.scalars(select(AreaState).where(AreaState.as_of == last, AreaState.colour != "none"))
    ]


def _row(state: areas.AreaState, as_of: date, policy_hash: str, run_id: int) -> dict[str, Any]:
    return {
        "region_code": state.region_code,
        "product_id": state.product_id,
        "as_of": as_of,
        "colour": state.colour,
        "batches": state.batches,
        "failures": state.failures,
        "failing_enterprises": state.failing_enterprises,
        "low": round(state.low, 6),
        "high": round(state.high, 6),
        "provincial_rate": round(state.provincial_rate, 6),
        "reasons": list(state.reasons),
        "counted": list(state.counted),
        "started_on": state.start,
        "review_on": state.review_on,
        "removal": state.removal,
        "policy_hash": policy_hash,
        "run_id": run_id,
    }
