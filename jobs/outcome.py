"""Closing the loop: results that came back under a plan's line codes fill the lines and the plan's outcome."""

from dataclasses import asdict
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from jobs.runs import recorded_run
from jobs.settings import Settings
from nlp.taxonomy import Taxonomy, load_taxonomy
from scoring.sampling import Planned, PlanRules, Result, plan_outcome
from store.china_time import end_of
from store.tables import Plan, PlanLine, SamplingResult

STATUS = {"pass": "sampled", "fail": "sampled", "no_sample": "no_sample", "refused": "refused", "illegal": "sampled"}


def run(sessions: sessionmaker[Session], settings: Settings, as_of: date) -> dict[str, Any]:
    """Fill the lines and the outcome of every issued plan from the results known by the end of `as_of`.

    A plan is done when no line is waiting. Derived from the stored results each time, so running it again with
    the same results changes nothing.
    """
    taxonomy = load_taxonomy(settings.lexicon_dir)
    with recorded_run(sessions, "outcome", as_of=as_of) as (_, counts):
        with sessions.begin() as session:
            plans = session.scalars(select(Plan).where(Plan.status.in_(("issued", "done"))).order_by(Plan.id)).all()
            results = sum(_fill(session, plan, taxonomy, as_of) for plan in plans)
        counts.update(plans=len(plans), results=results)
    return counts


def _fill(session: Session, plan: Plan, taxonomy: Taxonomy, as_of: date) -> int:
    lines = session.scalars(select(PlanLine).where(PlanLine.plan_id == plan.id).order_by(PlanLine.number)).all()
    by_line = _results(session, plan.id, as_of)
    for line in lines:
        result = by_line.get(line.id)
        if result is None or line.status == "withdrawn":
            continue
        line.status = STATUS[result.outcome]
        line.result_signal_id = result.signal_id
        line.outcome = result.outcome if result.outcome in ("pass", "fail") else None
    rules = PlanRules.model_validate(plan.rules)
    kept = [line for line in lines if line.status != "withdrawn"]
    outcome = plan_outcome([_result(line, by_line.get(line.id), taxonomy, rules) for line in kept])
    plan.outcome = {**asdict(outcome), "as_of": as_of.isoformat(), "withdrawn": len(lines) - len(kept)}
    if kept and not outcome.waiting:
        plan.status = "done"
    return sum(line.id in by_line for line in kept)


def _results(session: Session, plan_id: int, as_of: date) -> dict[int, SamplingResult]:
    """Return the first verdict of each line; a re-check of the same batch comes after it and does not replace it."""
    found: dict[int, SamplingResult] = {}
    for result in session.scalars(
        select(SamplingResult)
        .join(PlanLine, PlanLine.id == SamplingResult.plan_line_id)
        .where(PlanLine.plan_id == plan_id, SamplingResult.known_at < end_of(as_of), SamplingResult.recheck.is_(False))
        .order_by(SamplingResult.known_at, SamplingResult.signal_id)
    ):
        assert result.plan_line_id is not None  # the join leaves no other
        found.setdefault(result.plan_line_id, result)
    return found


def _result(line: PlanLine, result: SamplingResult | None, taxonomy: Taxonomy, rules: PlanRules) -> Result:
    product = taxonomy.products.get(line.product_id)
    planned = Planned(
        purpose=line.purpose,
        probability=line.inclusion_probability,
        base_rate=line.base_rate,
        expected_fail=line.expected_fail,
        severity_weight=rules.find.tier_weights.get(product.tier, 1.0) if product else 1.0,
        cost_cny=line.cost_cny,
    )
    return Result(planned, result.outcome if result else None)


def sentence(outcome: dict[str, Any]) -> str:
    """Return the outcome as one Chinese sentence; says so when nothing came back yet."""
    if not outcome or not outcome["overall"]["tested"]:
        return "尚无结果"
    overall, pool, per_failure = outcome["overall"], outcome["pool_rate"], outcome["cny_per_failure"]
    parts = [f"已检 {overall['tested']}/{overall['lines']} 批，发现不合格 {overall['found']} 批"]
    if overall["ratio"] is not None:
        parts.append(
            f"按同产品同环节基准预期 {overall['expected']:.1f} 批，为预期的 {overall['ratio']:.2f} 倍"
            f"（95% 区间 {overall['low']:.2f}–{overall['high']:.2f}）"
        )
    if pool["rate"] is not None:
        parts.append(
            f"随机部分估计总体不合格率 {pool['rate']:.1%}（{pool['low']:.1%}–{pool['high']:.1%}，{pool['tested']} 批）"
        )
    if per_failure is not None:
        parts.append(f"每发现一批不合格 {per_failure:,.0f} 元")
    return "；".join(parts)
