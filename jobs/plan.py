"""Making a plan: the pool as known on a date, the rules, the draw; kept with everything needed to replay it."""

import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from jobs import standing
from jobs.candidates import candidates_on
from jobs.opening import secret_key
from jobs.runs import recorded_run
from jobs.settings import Settings
from nlp.taxonomy import load_taxonomy
from scoring.sampling import Candidate, DraftPlan, PlanRules, load_rules, make_plan
from scoring.sampling.reasons import CHANNEL_ZH
from scoring.sampling.rules import RULE_ZH
from store.dialect import insert_ignore, serialise
from store.export import Cell, Sheet, to_xlsx
from store.session import read_only
from store.tables import Enterprise, Plan, PlanLine, PolicyVersion, Region

LINE_HEADERS = (
    "序号", "计划行编号", "地区", "地区代码", "企业名称", "统一社会信用代码", "产品", "环节", "目的", "规则",
    "抽检理由", "等级", "预计不合格概率", "同类基准率", "入样概率", "费用（元）", "状态",
)  # fmt: skip
PURPOSE_ZH = {"find": "发现问题", "estimate": "质量评价"}
STATUS_ZH = {
    "planned": "待抽", "sampled": "已抽", "no_sample": "未抽到样", "refused": "拒检", "withdrawn": "已撤销",
}  # fmt: skip


def plan_rules(settings: Settings) -> PlanRules:
    """Return the rules in force: the policy folder's file, else the shipped one."""
    path = settings.policy_dir / "sampling" / "plan_rules.yml"
    return load_rules(path) if path.exists() else load_rules()


def run(
    sessions: sessionmaker[Session],
    settings: Settings,
    as_of: date,
    *,
    budget_cny: float,
    title: str | None = None,
    region_code: str | None = None,
    seed: int | None = None,
    account_id: int | None = None,
) -> dict[str, Any]:
    """Make a draft plan and return its counts with "plan_id".

    The same request on the same data is the same plan: it is found again, not made twice. Without a seed one is
    derived from the service's secret, so that nobody outside can work out who will be drawn.
    """
    rules = plan_rules(settings)
    seed = seed if seed is not None else _secret_seed(settings, as_of, region_code, budget_cny)
    with recorded_run(sessions, "plan", as_of=as_of, policy_hash=rules.hash, seed=seed) as (run_id, counts):
        with read_only(sessions) as session:
            pool = candidates_on(session, load_taxonomy(settings.lexicon_dir), rules, as_of, _prefix(region_code))
            learned = standing.may_rank(session, rules, as_of)
            place = session.scalar(select(Region.name).where(Region.code == region_code)) if region_code else None
        pool_hash = _pool_hash(pool)
        key = _digest([as_of.isoformat(), region_code, budget_cny, seed, rules.hash, pool_hash])
        with read_only(sessions) as session:
            known = session.scalar(select(Plan.id).where(Plan.key == key))
        if known is not None:
            counts.update(plan_id=known, lines=_count_lines(sessions, known), made=0)
            return counts
        draft = make_plan(pool, rules, budget_cny, seed)
        plan = Plan(
            key=key,
            title=title or f"{place or '全省'}{as_of.year}年{as_of.month}月产品质量监督抽检计划",
            region_code=region_code,
            as_of=as_of,
            budget_cny=budget_cny,
            seed=seed,
            rules=rules.model_dump(mode="json"),
            pool={
                "size": draft.pool,
                "left_out": dict(draft.left_out),
                "hash": pool_hash,
                "challenger": learned,  # whether the learned probability ranked, as its standing allowed that day
                "levels": dict(sorted(Counter(c.grade_level for c in pool).items())),
                "counts": dict(draft.counts),
                "cost_cny": draft.cost_cny,
                "value": draft.value,
                "bound": draft.bound,
                "shortfalls": [{**asdict(shortfall), "missing": shortfall.missing} for shortfall in draft.shortfalls],
            },
            status="draft",
            policy_hash=rules.hash,
            created_at=datetime.now(UTC),
            created_by=account_id,
            issued_at=None,
            run_id=run_id,
            outcome={},
        )
        plan_id = _keep(sessions, plan, draft, rules)
        counts.update(
            plan_id=plan_id,
            lines=len(draft.lines),
            made=1,
            pool=draft.pool,
            cost_cny=round(draft.cost_cny, 2),
            shortfalls=len(draft.shortfalls),
            **{f"rule_{rule}": count for rule, count in draft.counts.items()},
        )
    return counts


def _keep(sessions: sessionmaker[Session], plan: Plan, draft: DraftPlan, rules: PlanRules) -> int:
    """Store the plan with its lines in one transaction; of two equal requests at once the first one counts."""
    with sessions.begin() as session:
        serialise(session, "plan")
        known = session.scalar(select(Plan.id).where(Plan.key == plan.key))
        if known is not None:
            return known
        row = {"hash": rules.hash, "name": rules.name, "body": rules.body, "first_used_at": plan.created_at}
        insert_ignore(session, PolicyVersion.__table__, [row], key=["hash"])  # type: ignore[arg-type]
        session.add(plan)
        session.flush()
        session.add_all(_rows(plan, draft))
        return plan.id


def _rows(plan: Plan, draft: DraftPlan) -> list[PlanLine]:
    return [
        PlanLine(
            plan_id=plan.id,
            number=number,
            code=f"ZA{plan.as_of:%y%m%d}-{plan.id:03d}-{number:04d}",
            enterprise_id=line.candidate.enterprise_id,
            product_id=line.candidate.product_id,
            region_code=line.candidate.region_code or None,
            channel=line.candidate.channel,
            purpose=line.purpose,
            rule=line.rule,
            why=line.why,
            grade_level=line.candidate.grade_level,
            grade_id=line.candidate.grade_id,
            stratum=line.candidate.region_code,
            inclusion_probability=line.probability,
            expected_fail=line.candidate.fail_probability,
            base_rate=line.candidate.base_rate,
            cost_cny=line.candidate.cost_cny,
        )
        for number, line in enumerate(draft.lines, start=1)
    ]


def _count_lines(sessions: sessionmaker[Session], plan_id: int) -> int:
    with read_only(sessions) as session:
        return len(session.scalars(select(PlanLine.id).where(PlanLine.plan_id == plan_id)).all())


def _prefix(region_code: str | None) -> str:
    """Return the part of an adcode its counties share: 370000 -> 37, 370100 -> 3701."""
    code = region_code or ""
    while len(code) > 2 and code.endswith("00"):
        code = code[:-2]
    return code


def _pool_hash(pool: Sequence[Candidate]) -> str:
    facts = [
        (c.enterprise_id, c.product_id, c.channel, c.region_code, c.grade_level, c.override_id,
         c.fail_probability, c.base_rate, c.cost_cny, c.licensed,
         c.months_since_failed, c.months_since_tested, c.months_since_no_sample)
        for c in sorted(pool, key=lambda candidate: candidate.key)
    ]  # fmt: skip
    return _digest(facts)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()[:32]


def _secret_seed(settings: Settings, as_of: date, region_code: str | None, budget_cny: float) -> int:
    request = f"plan|{as_of.isoformat()}|{region_code or ''}|{budget_cny}"
    return int.from_bytes(hmac.digest(secret_key(settings), request.encode(), "sha256")[:4], "big") >> 1


def export_plan(sessions: sessionmaker[Session], settings: Settings, plan_id: int) -> bytes:
    """Return a plan as a workbook: its lines, its rules with what they could not get, and how it was drawn."""
    taxonomy = load_taxonomy(settings.lexicon_dir)
    with read_only(sessions) as session:
        plan = session.get_one(Plan, plan_id)
        rows = session.execute(
            select(PlanLine, Enterprise.name, Enterprise.uscc, Region.name)
            .join(Enterprise, Enterprise.id == PlanLine.enterprise_id)
            .outerjoin(Region, Region.code == PlanLine.region_code)
            .where(PlanLine.plan_id == plan_id)
            .order_by(PlanLine.number)
        ).all()
    lines = [
        (
            line.number, line.code, region or "", line.region_code or "", name, uscc or "",
            taxonomy.products[line.product_id].name if line.product_id in taxonomy.products else line.product_id,
            CHANNEL_ZH.get(line.channel, line.channel), PURPOSE_ZH.get(line.purpose, line.purpose),
            RULE_ZH.get(line.rule, line.rule), line.why, line.grade_level, round(line.expected_fail, 4),
            round(line.base_rate, 4), round(line.inclusion_probability, 6), line.cost_cny,
            STATUS_ZH.get(line.status, line.status),
        )
        for line, name, uscc, region in rows
    ]  # fmt: skip
    draft = "草案" if plan.status == "draft" else "已下达"
    notes = [f"{plan.title}（{draft}）", "规则中标 P 的数值为建议值，使用前应复核"]
    if settings.synthetic:
        notes.insert(0, "演示数据，纯属虚构")
    facts: list[tuple[Cell, ...]] = [
        ("截至日期", plan.as_of.isoformat()),
        ("预算（元）", plan.budget_cny),
        ("计划费用（元）", sum(line.cost_cny for line, *_ in rows)),
        ("批次", len(rows)),
        ("可抽对象", plan.pool["size"]),
        ("规则版本", plan.policy_hash),
        ("抽取池摘要", plan.pool["hash"]),
        ("随机种子", plan.seed if plan.status != "draft" else "下达后公布"),
        *((f"{RULE_ZH.get(rule, rule)}（批）", count) for rule, count in plan.pool["counts"].items()),
        *(("未能满足", shortfall["why"]) for shortfall in plan.pool["shortfalls"]),
    ]
    return to_xlsx(
        [Sheet("抽检计划", LINE_HEADERS, lines, notes), Sheet("规则与抽取", ("项目", "内容"), facts)],
        created_at=plan.created_at,
    )
