"""The pool of a plan: every enterprise × product known on the date, with its grade, history and expected failure."""

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobs import standing
from jobs.known_facts import ONLINE_ROLES, Known, known_by
from nlp.taxonomy import Taxonomy
from scoring.facts import AnyFact, Licence, Role, Sample
from scoring.sampling import Batch, Candidate, Expectation, PlanRules, full_months
from store import tables
from store.reads.grades import SCORECARD_LEVEL

Line = tuple[int, str, str]  # enterprise, product ('' = all), role


@dataclass(frozen=True, slots=True)
class Graded:
    """The grade a candidate stands under."""

    id: int
    level: str
    score: float
    challenger: float | None
    reasons: tuple[str, ...]
    override_id: int | None
    machine_level: str | None


def candidates_on(
    session: Session, taxonomy: Taxonomy, rules: PlanRules, as_of: date, region_prefix: str = ""
) -> list[Candidate]:
    """Return what may be sampled in a region as known on a date, one candidate an enterprise × product.

    Base rates and relative risks come from the whole province's history, candidates from the region alone.
    An enterprise that makes and sells a product is sampled as its maker.
    """
    known = known_by(session, as_of, taxonomy)
    grades = _grades_on(session, as_of)
    may_rank = standing.may_rank(session, rules, as_of)
    history = _batches(known, _levels_before(session, as_of), as_of, rules.find.history_months)
    # A batch bought in a shop tells of its maker by the maker's size and score, of the shop by the shop's.
    expectation = {role: Expectation(batches, rules.find) for role, batches in history.items()}
    regions = {row[0]: row[1] for row in session.execute(select(tables.Region.code, tables.Region.name))}
    firms = {
        row.id: row
        for row in session.execute(
            select(
                tables.Enterprise.id, tables.Enterprise.name, tables.Enterprise.region_code, tables.Enterprise.status
            ).where(tables.Enterprise.merged_into_id.is_(None), tables.Enterprise.status == "active")
        )
    }
    found: dict[tuple[int, str], Candidate] = {}
    for enterprise_id, role in known.subjects():  # "producer" comes before "seller"
        firm = firms.get(enterprise_id)
        if firm is None or enterprise_id not in known.enterprises:
            continue
        region = firm.region_code or ""
        if not region.startswith(region_prefix):
            continue
        facts = known.facts.get((enterprise_id, role), [])
        lines = known.lines.get((enterprise_id, role), set()) | {fact.product_id for fact in facts if fact.product_id}
        for product_id in sorted(lines & taxonomy.products.keys()):
            if (enterprise_id, product_id) in found:
                continue
            product = taxonomy.products[product_id]
            channel = _channel(role, known.roles.get(enterprise_id, set()))
            base = expectation[role].rates.rate(product_id, channel)
            graded = grades.get((enterprise_id, product_id, role)) or grades.get((enterprise_id, "", role))
            level = graded.level if graded else "U"
            # Past quarters are graded firm by firm, so the ratio to the score was learnt on whole firms.
            whole = grades.get((enterprise_id, "", role))
            expected = expectation[role].fail_probability(
                product_id, channel, level, whole.score if whole else None, str(enterprise_id),
                known.enterprises[enterprise_id].size or "",
            )  # fmt: skip
            if may_rank and graded and graded.challenger is not None:
                expected = graded.challenger
            samples = [fact for fact in facts if isinstance(fact, Sample) and fact.product_id == product_id]
            found[enterprise_id, product_id] = Candidate(
                enterprise_id=enterprise_id,
                product_id=product_id,
                channel=channel,
                region_code=region,
                grade_level=level,
                fail_probability=expected,
                base_rate=base,
                cost_cny=rules.cost.contract_cny.get(product_id, product.cost_cny or rules.cost.default_cny),
                tier=product.tier,
                licensed=role == "producer"
                and product.licence == "yes"
                and _is_licensed(facts, product_id, known.roles.get(enterprise_id, set()), as_of),
                months_since_failed=_months_since(samples, as_of, ("fail",)),
                months_since_tested=_months_since(samples, as_of, ("pass", "fail")),
                months_since_no_sample=_months_since(samples, as_of, ("no_sample", "refused")),
                grade_id=graded.id if graded else None,
                override_id=graded.override_id if graded else None,
                scorecard_level=(graded.machine_level if graded else None) or "",
                enterprise_name=firm.name,
                product_zh=product.name,
                region_zh=regions.get(region, ""),
                reasons=graded.reasons if graded else (),
            )
    return list(found.values())


def _channel(role: Role, roles: set[str]) -> str:
    if role == "producer":
        return "production"
    return "online" if roles & ONLINE_ROLES else "circulation"


def _is_licensed(facts: list[AnyFact], product_id: str, roles: set[str], as_of: date) -> bool:
    licences = [
        fact
        for fact in facts
        if isinstance(fact, Licence) and fact.kind == "production_licence" and fact.product_id in (product_id, "")
    ]
    if not licences:
        return "licensed_producer" in roles
    newest = max(licences, key=lambda fact: (fact.known_on, fact.signal_id))
    return newest.state == "valid" and (newest.expires_on is None or newest.expires_on >= as_of)


def _months_since(samples: list[Sample], as_of: date, outcomes: tuple[str, ...]) -> int | None:
    dates = [sample.occurred_on for sample in samples if sample.outcome in outcomes]
    return max(full_months(max(dates), as_of), 0) if dates else None


def _grades_on(session: Session, as_of: date) -> dict[Line, Graded]:
    """Return the grades of the last day graded by then; of two policies on that day the newer run counts."""
    day = session.scalar(select(func.max(tables.Grade.as_of)).where(tables.Grade.as_of <= as_of))
    grade = tables.Grade
    found: dict[Line, Graded] = {}
    for row in session.execute(
        select(
            grade.id, grade.enterprise_id, grade.product_id, grade.role, grade.level, grade.score, grade.challenger,
            grade.contributions, grade.override_id, grade.machine_level,
        )
        .where(grade.as_of == day)
        .order_by(grade.run_id, grade.id)
    ):  # fmt: skip
        parts = sorted(row.contributions, key=lambda part: -float(part.get("points", 0)))
        reasons = tuple(
            str(part["sentence"]) for part in parts[:2] if part.get("points", 0) > 0 and part.get("sentence")
        )
        found[row.enterprise_id, row.product_id, row.role] = Graded(
            row.id, row.level, row.score, row.challenger, reasons, row.override_id, row.machine_level
        )
    return found


def _levels_before(session: Session, as_of: date) -> dict[Line, list[tuple[date, str, float]]]:
    grade = tables.Grade
    history: dict[Line, list[tuple[date, str, float]]] = defaultdict(list)
    for row in session.execute(
        select(grade.enterprise_id, grade.role, grade.as_of, SCORECARD_LEVEL.label("level"), grade.score)
        .where(grade.as_of <= as_of, grade.product_id == "")
        .order_by(grade.as_of, grade.run_id)
    ):
        history[row.enterprise_id, "", row.role].append((row.as_of, row.level, row.score))
    return history


def _batches(
    known: Known, levels: dict[Line, list[tuple[date, str, float]]], as_of: date, months: int
) -> dict[Role, list[Batch]]:
    """Return the window's tested batches by the role they tell of, each with its firm's level the day before."""
    batches: dict[Role, list[Batch]] = {"producer": [], "seller": []}
    for enterprise_id, role in known.subjects():
        standing = known.enterprises.get(enterprise_id)
        size = (standing.size or "") if standing else ""
        line = levels.get((enterprise_id, "", role), [])
        for fact in known.facts.get((enterprise_id, role), []):
            if not isinstance(fact, Sample) or not fact.tested or fact.recheck:
                continue
            if not 0 <= full_months(fact.occurred_on, as_of) < months:
                continue
            position = bisect_left(line, (fact.occurred_on, "", 0.0)) - 1
            batches[role].append(
                Batch(
                    fact.product_id,
                    fact.channel or ("production" if role == "producer" else "circulation"),
                    fact.failed,
                    line[position][1] if position >= 0 else None,
                    line[position][2] if position >= 0 else None,
                    str(enterprise_id),
                    size,
                )
            )
    return batches
