"""Reading what the alert rules look at, as known at the end of a day."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from alerting.observed import BatchResult, Deadline, ModelFailure, Notice, Observed, Permit, Report, Rise, Voice
from alerting.policy import AlertPolicy
from casework.limits import load_limits
from jobs.known_facts import Known, known_by
from nlp.taxonomy import Taxonomy
from scoring.facts import Complaint, Licence, Recall, Sample
from scoring.policy import Policy
from store import tables
from store.china_time import CHINA, end_of

SURE_ENOUGH = 0.5  # a tag below this probability asserts nothing
HOME = ("中国", "CN", "China")
LEVELS = ("A", "B", "C", "D")
NO_MODEL = frozenset({"", "/", "-", "—", "无", "无型号", "散装"})
DEADLINE_LIMITS = ("SC04", "SC05", "SC07", "CP04")


def observe(
    session: Session, taxonomy: Taxonomy, policy: AlertPolicy, as_of: date, policies: Sequence[Policy] = ()
) -> Observed:
    """Return the day's observations: linked facts, tagged signals of the window, clocks that run, grades that rose."""
    known = known_by(session, as_of, taxonomy)
    regions = {row[0]: row[1] for row in session.execute(select(tables.Region.code, tables.Region.name))}
    firms = {
        row.id: row.name
        for row in session.execute(select(tables.Enterprise.id, tables.Enterprise.name))
        if row.id in known.enterprises
    }
    places = {key: standing.region_code or "" for key, standing in known.enterprises.items()}
    return Observed(
        reports=list(_reports(session, taxonomy, policy, as_of)),
        tests=list(_tests(known, places)),
        models=list(_models(session, as_of)),
        voices=list(_voices(known, places)),
        notices=list(_notices(session, known, places)),
        permits=list(_permits(known, places)),
        deadlines=list(_deadlines(session, as_of)),
        rises=list(_rises(session, as_of, places, _forced_rules(policies))),
        enterprises=firms,
        products={product.id: product.name for product in taxonomy.products.values()},
        regions=regions,
    )


def _tests(known: Known, places: dict[int, str]) -> Iterable[BatchResult]:
    taken: set[int] = set()
    for enterprise_id, role in known.subjects():
        for fact in known.facts.get((enterprise_id, role), []):
            if isinstance(fact, Sample) and fact.tested and fact.signal_id not in taken:
                taken.add(fact.signal_id)
                yield BatchResult(
                    signal_id=fact.signal_id,
                    enterprise_id=enterprise_id,
                    product_id=fact.product_id,
                    region_code=places.get(enterprise_id, ""),
                    occurred_on=fact.occurred_on,
                    known_on=fact.known_on,
                    failed=fact.failed,
                    safety_items=tuple(fact.failed_items) if fact.safety_failed else (),
                )


def _models(session: Session, as_of: date) -> Iterable[ModelFailure]:
    result, signal = tables.SamplingResult, tables.Signal
    for row in session.execute(
        select(
            result.signal_id, result.product_id, result.brand, result.spec_model, result.region_code,
            result.occurred_on, result.known_at, signal.region_code.label("told_in"),
        )
        .join(signal, signal.id == result.signal_id)
        .where(
            result.outcome == "fail",
            result.recheck.is_(False),
            result.product_id.is_not(None),
            result.spec_model.is_not(None),
            result.known_at < end_of(as_of),
            result.occurred_on <= as_of,
        )
        .order_by(result.signal_id)
    ):  # fmt: skip
        model, brand = "".join(row.spec_model.split()).upper(), "".join((row.brand or "").split())
        # A model number without its brand is on everybody's goods.
        if model in NO_MODEL or brand in NO_MODEL:
            continue
        yield ModelFailure(
            signal_id=row.signal_id,
            product_id=row.product_id,
            brand=brand,
            spec_model=model,
            region_code=row.region_code or row.told_in or "",
            occurred_on=row.occurred_on,
            known_on=row.known_at.astimezone(CHINA).date(),
        )


def _voices(known: Known, places: dict[int, str]) -> Iterable[Voice]:
    for enterprise_id, role in known.subjects():
        for fact in known.facts.get((enterprise_id, role), []):
            if isinstance(fact, Complaint) and fact.quality:
                yield Voice(
                    signal_id=fact.signal_id,
                    enterprise_id=enterprise_id,
                    product_id=fact.product_id,
                    region_code=places.get(enterprise_id, ""),
                    known_on=fact.known_on,
                    claimant=fact.claimant or "",
                    story=f"c{fact.cluster_id}" if fact.cluster_id is not None else f"s{fact.signal_id}",
                )


def _notices(session: Session, known: Known, places: dict[int, str]) -> Iterable[Notice]:
    countries = {row[0]: row[1] for row in session.execute(select(tables.Recall.signal_id, tables.Recall.country))}
    for enterprise_id, role in known.subjects():
        for fact in known.facts.get((enterprise_id, role), []):
            country = countries.get(fact.signal_id) if isinstance(fact, Recall) else None
            if country and country not in HOME:
                yield Notice(
                    signal_id=fact.signal_id,
                    enterprise_id=enterprise_id,
                    product_id=fact.product_id,
                    region_code=places.get(enterprise_id, ""),
                    country=country,
                    known_on=fact.known_on,
                )


def _permits(known: Known, places: dict[int, str]) -> Iterable[Permit]:
    for enterprise_id, role in known.subjects():
        facts = known.facts.get((enterprise_id, role), [])
        newest: dict[str, Licence] = {}
        for fact in facts:
            if isinstance(fact, Licence) and fact.number:
                before = newest.get(fact.number)
                if before is None or (fact.known_on, fact.signal_id) > (before.known_on, before.signal_id):
                    newest[fact.number] = fact
        for number, licence in sorted(newest.items()):
            seen = [
                fact.occurred_on
                for fact in facts
                if isinstance(fact, Sample) and fact.product_id in (licence.product_id, "")
            ]
            yield Permit(
                signal_id=licence.signal_id,
                enterprise_id=enterprise_id,
                product_id=licence.product_id,
                region_code=places.get(enterprise_id, ""),
                number=number,
                state=licence.state,
                expires_on=licence.expires_on,
                active_on=max(seen, default=None),
            )


def _deadlines(session: Session, as_of: date) -> Iterable[Deadline]:
    limits = load_limits()
    case, clock = tables.Case, tables.Clock
    for row in session.execute(
        select(case, clock.limit_id, clock.due_on)
        .join(clock, clock.case_id == case.id)
        .where(clock.met_on.is_(None), clock.limit_id.in_(DEADLINE_LIMITS), case.state != "closed")
        .where(clock.started_on <= as_of)
        .order_by(case.id, clock.limit_id)
    ):
        found = row.Case
        yield Deadline(
            case_id=found.id,
            signal_id=found.signal_id,
            enterprise_id=found.enterprise_id,
            product_id=found.product_id or "",
            region_code=found.region_code or "",
            limit_id=row.limit_id,
            step_zh=limits[row.limit_id].step_zh,
            due_on=row.due_on,
        )


def _rises(session: Session, as_of: date, places: dict[int, str], forced: Mapping[str, str]) -> Iterable[Rise]:
    grade, override = tables.Grade, tables.Override
    for row, set_aside in session.execute(
        select(grade, override)
        .outerjoin(override, override.id == grade.override_id)
        .where(grade.as_of == as_of, grade.product_id == "", grade.level.in_(("C", "D")))
        .order_by(grade.enterprise_id, grade.run_id)
    ):
        before = row.previous_level
        if before not in LEVELS or LEVELS.index(row.level) <= LEVELS.index(before):
            continue
        person = [f"人工调整（系统分级 {row.machine_level}）：{set_aside.reason}"] if set_aside else []
        parts = sorted(row.contributions, key=lambda part: -float(part.get("points", 0)))[:3]
        yield Rise(
            enterprise_id=row.enterprise_id,
            role=row.role,
            region_code=places.get(row.enterprise_id, ""),
            level=row.level,
            previous_level=before,
            as_of=row.as_of,
            score=row.score,
            forced=forced.get(row.forced_rule or ""),
            reasons=(*person, *(str(part.get("sentence", "")) for part in parts if part.get("points", 0) > 0)),
            evidence=tuple(int(signal) for part in parts for signal in part.get("evidence", ())),
        )


def _forced_rules(policies: Sequence[Policy]) -> dict[str, str]:
    return {rule.id: rule.zh for policy in policies for rule in policy.forced}


@dataclass
class _Said:
    products: list[tuple[float, str]] = field(default_factory=list)
    hazards: list[str] = field(default_factory=list)
    relevant: float = 1.0
    deaths: int = 0
    injured: int = 0


def _reports(session: Session, taxonomy: Taxonomy, policy: AlertPolicy, as_of: date) -> Iterable[Report]:
    """Yield what the window's texts assert; a person's "no" takes a tag away, a sampling result is no report."""
    since = end_of(as_of - timedelta(days=policy.window_days))
    signal, cluster = tables.Signal, tables.ClusterMember
    rows = session.execute(
        select(
            signal.id, signal.source_id, signal.trust, signal.region_code, signal.occurred_on, signal.known_at,
            cluster.cluster_id,
        )
        .outerjoin(cluster, cluster.signal_id == signal.id)
        .where(
            signal.known_at >= since,
            signal.known_at < end_of(as_of),
            signal.occurred_on <= as_of,
            signal.channel.not_in(("sampling", "licence", "credit", "self_check")),
        )
        .order_by(signal.id)
    ).all()  # fmt: skip
    said = _said(session, [row.id for row in rows])
    firms = _firms(session, [row.id for row in rows])
    injuries = {
        row.signal_id: row for row in session.scalars(select(tables.Injury).where(tables.Injury.followed_up.is_(True)))
    }
    for row in rows:
        tags = said.get(row.id, _Said(relevant=0.0))
        card = injuries.get(row.id)
        if tags.relevant < SURE_ENOUGH and card is None:
            continue
        enterprise_id, place = firms.get(row.id, (None, None))
        product_id = max(tags.products, default=(0.0, ""))[1]
        product = taxonomy.products.get(product_id)
        severity = max(
            (taxonomy.hazards[code].severity for code in tags.hazards if code in taxonomy.hazards), default=0
        )
        yield Report(
            signal_id=row.id,
            story=f"c{row.cluster_id}" if row.cluster_id is not None else f"s{row.id}",
            source_id=row.source_id,
            trust=row.trust,
            known_on=row.known_at.astimezone(CHINA).date(),
            occurred_on=row.occurred_on,
            severity=severity,
            deaths=max(tags.deaths, card.deaths if card else 0),
            injured=max(tags.injured, card.injured if card else 0),
            hazards=tuple(sorted(tags.hazards)),
            product_id=product_id,
            family=product.category if product else "",
            enterprise_id=enterprise_id,
            region_code=place or row.region_code or "",
        )


def _said(session: Session, signal_ids: list[int]) -> dict[int, _Said]:
    wanted = set(signal_ids)
    no = {
        (row.signal_id, row.kind, row.code)
        for row in session.execute(
            select(tables.Label.signal_id, tables.Label.kind, tables.Label.code).where(
                tables.Label.decision == "no", tables.Label.withdrawn_at.is_(None)
            )
        )
    }
    found: dict[int, _Said] = defaultdict(_Said)
    tag = tables.Tag
    low, high = min(wanted, default=0), max(wanted, default=-1)
    for row in session.execute(
        select(tag.signal_id, tag.kind, tag.code, tag.probability, tag.detail)
        .where(tag.signal_id.between(low, high), tag.status == "asserted")
        .where(tag.kind.in_(("relevance", "product", "hazard", "outcome")))
    ):
        if row.signal_id not in wanted or (row.signal_id, row.kind, row.code) in no:
            if row.kind == "relevance" and row.signal_id in wanted:
                found[row.signal_id].relevant = 0.0
            continue
        said = found[row.signal_id]
        match row.kind:
            case "relevance":
                said.relevant = row.probability
            case "product":
                said.products.append((row.probability, row.code))
            case "hazard" if row.probability >= SURE_ENOUGH:
                said.hazards.append(row.code)
            case "outcome":
                said.deaths = max(said.deaths, int(row.detail.get("deaths") or 0))
                said.injured = max(said.injured, int(row.detail.get("injured") or 0))
    return found


def _firms(session: Session, signal_ids: list[int]) -> dict[int, tuple[int, str | None]]:
    wanted = set(signal_ids)
    mention, link, linked, firm = tables.Mention, tables.Link, aliased(tables.Enterprise), tables.Enterprise
    found: dict[int, tuple[int, str | None]] = {}
    for row in session.execute(
        select(mention.signal_id, firm.id, firm.region_code)
        .join(link, link.mention_id == mention.id)
        .join(linked, linked.id == link.enterprise_id)
        .join(firm, firm.id == func.coalesce(linked.merged_into_id, linked.id))
        .where(mention.denied.is_(False), mention.signal_id.between(min(wanted, default=0), max(wanted, default=-1)))
        .order_by(mention.id)
    ):
        if row.signal_id in wanted:
            found.setdefault(row.signal_id, (row.id, row.region_code))
    return found
