"""The plan: what must be in, what is drawn at random, what is worth most; each line with its reason.

The random draw comes first and from the whole pool, so its probabilities do not depend on what the other rules
choose; the rest of the budget goes to the mandatory lines and then to expected value.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from scoring.sampling.candidates import Candidate
from scoring.sampling.draw import inclusion_probabilities, systematic_draw
from scoring.sampling.optimise import Problem, Solution, solve
from scoring.sampling.reasons import (
    Setting,
    Shortfall,
    explain,
    explain_key_share,
    explain_missing_lines,
    explain_random_share,
)
from scoring.sampling.rules import PlanRules

# Penalties, in units of the most valuable line. One batch may displace as many others as the dearest costs
# cheapest ones, so each rule outweighs that, and a rule earlier in the order outweighs the next.
_STEP = 3.0
_LARGEST_COST_RATIO = 20.0
_RESIZES = 3


@dataclass(frozen=True, slots=True)
class DraftLine:
    """One batch to sample. `probability` is that of the random draw; 1 where a rule, not chance, decided."""

    candidate: Candidate
    rule: str  # follow_up | full_coverage | county_floor | key_share | risk | random
    purpose: str  # find | estimate
    probability: float
    why: str


@dataclass(frozen=True, slots=True)
class DraftPlan:
    """The lines in their printed order, what the rules could not get, and what was left out beforehand.

    `bound` is the most any choice beside the random lines could reach under the same rules; `value` what these
    lines reach, in the same unit (expected failures × severity weight, with the rules' bonuses and penalties).
    """

    lines: tuple[DraftLine, ...]
    budget_cny: float
    seed: int
    shortfalls: tuple[Shortfall, ...]
    pool: int
    left_out: Mapping[str, int]
    value: float
    bound: float
    rules_hash: str
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def cost_cny(self) -> float:
        """What the lines cost together, never more than the budget."""
        return sum(line.candidate.cost_cny for line in self.lines)


@dataclass(frozen=True, slots=True)
class _Pool:
    """The candidates that may be chosen, in their stable order, and which of them must be."""

    candidates: list[Candidate]
    mandatory: dict[int, str]  # position -> rule
    licensed_here: dict[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class _Drawn:
    """The random part: positions in the pool, and every candidate's probability."""

    positions: np.ndarray
    probabilities: np.ndarray


def make_plan(candidates: Sequence[Candidate], rules: PlanRules, budget_cny: float, seed: int) -> DraftPlan:
    """Return the plan for this pool, budget and seed; the order of `candidates` does not matter.

    The budget is never exceeded. Rules that cannot all be met are relaxed from the last of `rules.order` to the
    first, and every shortfall says which rule, how much was wanted, how much was got. Raises ValueError when a
    firm's product is in the pool twice, a cost is not positive or a probability is not one.
    """
    everyone = sorted(candidates, key=lambda candidate: candidate.key)
    _check(everyone, budget_cny)
    pool = _pool(everyone, rules)
    size = round(rules.random.share * _likely_size(pool, rules, budget_cny))
    for _ in range(_RESIZES):
        drawn = _draw(pool, rules, budget_cny, seed, size)
        rest = np.setdiff1d(np.arange(len(pool.candidates)), drawn.positions)
        problem = _problem(pool, drawn, rest, rules, budget_cny)
        solution = solve(problem)
        found = len(solution.chosen)
        wanted = round(rules.random.share / (1 - rules.random.share) * found)
        if rules.random.lowest <= _share(len(drawn.positions), found) <= rules.random.highest or wanted == size:
            break
        size = wanted
    lines = _lines(pool, drawn, rest, problem, solution, rules)
    return DraftPlan(
        lines=tuple(lines),
        budget_cny=budget_cny,
        seed=seed,
        shortfalls=tuple(_shortfalls(lines, pool, rules, budget_cny)),
        pool=len(pool.candidates),
        left_out={"repeat": len(everyone) - len(pool.candidates)},
        value=solution.objective,
        bound=solution.bound,
        rules_hash=rules.hash,
        counts=dict(sorted(Counter(line.rule for line in lines).items())),
    )


def must_follow_up(candidate: Candidate, rules: PlanRules) -> bool:
    """True when the firm failed within three years and has not been sampled since, or nothing could be sampled."""
    limits = rules.follow_up
    failed, tested = candidate.months_since_failed, candidate.months_since_tested
    if failed is not None and limits.rectification_months <= failed < limits.failed_within_months:
        settled = tested is not None and tested < failed and tested < limits.settled_months
        if not settled:
            return True
    vain = candidate.months_since_no_sample
    return vain is not None and vain < limits.no_sample_within_months and (tested is None or tested > vain)


def _check(candidates: Sequence[Candidate], budget_cny: float) -> None:
    if not budget_cny > 0 or not np.isfinite(budget_cny):
        raise ValueError("预算必须是正数")
    seen: set[tuple[int, str]] = set()
    for candidate in candidates:
        identity = (candidate.enterprise_id, candidate.product_id)
        if identity in seen:
            raise ValueError(f"企业 {candidate.enterprise_id} 的产品 {candidate.product_id} 在候选中出现两次")
        seen.add(identity)
        if not 0 < candidate.cost_cny < float("inf"):
            raise ValueError(f"企业 {candidate.enterprise_id} 的单批费用不是正数：{candidate.cost_cny}")
        if not 0 <= candidate.fail_probability <= 1 or not 0 <= candidate.base_rate <= 1:
            raise ValueError(f"企业 {candidate.enterprise_id} 的概率不在 0 与 1 之间")


def _pool(everyone: Sequence[Candidate], rules: PlanRules) -> _Pool:
    licensed: dict[tuple[str, str], int] = Counter(
        (candidate.region_code, candidate.product_id)
        for candidate in everyone
        if candidate.licensed and candidate.region_code
    )
    kept: list[Candidate] = []
    mandatory: dict[int, str] = {}
    for candidate in everyone:
        rule = _mandatory_rule(candidate, licensed[candidate.region_code, candidate.product_id], rules)
        if rule:
            mandatory[len(kept)] = rule
        elif _recently_tested(candidate, rules.repeat.months):
            continue
        kept.append(candidate)
    return _Pool(kept, mandatory, dict(licensed))


def _mandatory_rule(candidate: Candidate, licensed_here: int, rules: PlanRules) -> str | None:
    applies = {
        "follow_up": must_follow_up(candidate, rules),
        "full_coverage": candidate.licensed
        and 0 < licensed_here < rules.full_coverage.fewer_than
        and not _recently_tested(candidate, max(rules.full_coverage.within_months, rules.repeat.months)),
    }
    return next((rule for rule in rules.order if applies.get(rule)), None)


def _recently_tested(candidate: Candidate, months: int) -> bool:
    return candidate.months_since_tested is not None and candidate.months_since_tested < months


def _share(drawn: int, found: int) -> float:
    return drawn / max(drawn + found, 1)


def _likely_size(pool: _Pool, rules: PlanRules, budget_cny: float) -> int:
    """Guess how many lines the budget buys: mandatory ones first, then the most value for the money."""
    worth = sorted(
        range(len(pool.candidates)),
        key=lambda i: (i not in pool.mandatory, -_value(pool.candidates[i], rules) / pool.candidates[i].cost_cny, i),
    )
    costs = np.cumsum([pool.candidates[i].cost_cny for i in worth])
    return int(np.searchsorted(costs, budget_cny, side="right"))


def _draw(pool: _Pool, rules: PlanRules, budget_cny: float, seed: int, size: int) -> _Drawn:
    weights = [rules.random.level_weights.get(candidate.grade_level, 1.0) for candidate in pool.candidates]
    costs = np.array([candidate.cost_cny for candidate in pool.candidates])
    while True:
        size = min(size, len(weights))
        probabilities = inclusion_probabilities(weights, size) if size else np.zeros(len(weights))
        positions = systematic_draw(probabilities, np.random.default_rng(seed))
        if costs[positions].sum() <= budget_cny:
            return _Drawn(positions, probabilities)
        size -= 1  # only where the budget buys hardly more than the random part


def _value(candidate: Candidate, rules: PlanRules) -> float:
    return rules.value(candidate.fail_probability, candidate.tier)


def _problem(pool: _Pool, drawn: _Drawn, rest: np.ndarray, rules: PlanRules, budget_cny: float) -> Problem:
    everyone = pool.candidates
    counties = _numbered([candidate.region_code for candidate in everyone])
    enterprises = _numbered([candidate.enterprise_id for candidate in everyone])
    products = _numbered([candidate.product_id for candidate in everyone])
    value = np.array([_value(candidate, rules) for candidate in everyone])
    cost = np.array([candidate.cost_cny for candidate in everyone])
    is_key = np.array([candidate.tier in rules.key_share.tiers for candidate in everyone], dtype=float)
    penalty = _penalties(value, cost, rules)
    must = np.array([penalty[pool.mandatory[i]] if i in pool.mandatory else 0.0 for i in range(len(everyone))])
    taken = drawn.positions
    needs_floor = np.array([bool(code) for code in counties.names], dtype=float)
    in_county = np.bincount(counties.of[taken], minlength=len(counties.names))
    of_firm = np.bincount(enterprises.of[taken], minlength=len(enterprises.names))
    must_of_firm = np.bincount(enterprises.of[rest], weights=(must[rest] > 0), minlength=len(enterprises.names))
    share, balance = _key_rule(is_key, taken, rules, _likely_size(pool, rules, budget_cny))
    limits = np.array([rules.capacity.get(str(name), np.inf) for name in products.names], dtype=float)
    of_product = np.bincount(products.of[taken], minlength=len(products.names))
    return Problem(
        value=value[rest],
        must=must[rest],
        cost=cost[rest],
        is_key=is_key[rest],
        county=counties.of[rest],
        county_need=np.maximum(needs_floor * rules.county_floor.batches - in_county, 0),
        enterprise=enterprises.of[rest],
        # A firm's mandatory lines are in whatever its limit is.
        enterprise_room=np.maximum(rules.per_enterprise - of_firm, must_of_firm),
        product=products.of[rest],
        product_room=np.maximum(limits - of_product, 0),
        budget=budget_cny - float(cost[taken].sum()),
        key_share=share,
        key_balance=balance,
        key_penalty=penalty["key_share"],
        county_penalty=penalty["county_floor"],
    )


def _key_rule(is_key: np.ndarray, taken: np.ndarray, rules: PlanRules, likely_size: int) -> tuple[float, float]:
    """Return the share asked of key products and the balance the drawn lines bring to it.

    With too few key candidates in the pool the share could only be met by leaving money unspent; then every one of
    them is asked for instead, and the plan says that the share was missed.
    """
    share = rules.key_share.minimum
    if is_key.sum() < share * likely_size:
        return 0.0, -float(is_key.sum() - is_key[taken].sum())
    return share, float((is_key[taken] - share).sum())


@dataclass(frozen=True, slots=True)
class _Groups:
    names: list[str | int]
    of: np.ndarray


def _numbered(names: Sequence[str | int]) -> _Groups:
    numbers: dict[str | int, int] = {}
    of = np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=int)
    return _Groups(list(numbers), of)


def _penalties(value: np.ndarray, cost: np.ndarray, rules: PlanRules) -> dict[str, float]:
    ratio = min(float(cost.max() / cost.min()), _LARGEST_COST_RATIO) if len(cost) else 1.0
    least = 2.0 * ratio * max(float(value.max(initial=0.0)), 1e-6)
    return {rule: least * _STEP**steps for steps, rule in enumerate(reversed(rules.order))}


def _lines(
    pool: _Pool, drawn: _Drawn, rest: np.ndarray, problem: Problem, solution: Solution, rules: PlanRules
) -> list[DraftLine]:
    lines: list[DraftLine] = []
    for position in drawn.positions:
        candidate, probability = pool.candidates[position], float(drawn.probabilities[position])
        why = explain(candidate, "random", rules, Setting(len(pool.candidates), probability))
        lines.append(DraftLine(candidate, "random", "estimate", probability, why))
    for index in solution.chosen:
        position = int(rest[index])
        candidate = pool.candidates[position]
        rule = pool.mandatory.get(position) or _deciding_rule(problem, solution, int(index))
        licensed_here = pool.licensed_here.get((candidate.region_code, candidate.product_id), 0)
        why = explain(candidate, rule, rules, Setting(len(pool.candidates), 1.0, licensed_here))
        lines.append(DraftLine(candidate, rule, "find", 1.0, why))
    return sorted(lines, key=lambda line: line.candidate.key)


def _deciding_rule(problem: Problem, solution: Solution, index: int) -> str:
    """Name what carried a line: its own value for the money, else its county's floor, else the key share."""
    surplus = float(problem.value[index] - solution.budget_price * problem.cost[index])
    if surplus >= 0:
        return "risk"
    floor = float(solution.county_price[problem.county[index]])
    key = float(solution.key_price * (problem.is_key[index] - problem.key_share))
    if floor > 0 and floor >= key:
        return "county_floor"
    return "key_share" if key > 0 else "risk"


def _shortfalls(lines: Sequence[DraftLine], pool: _Pool, rules: PlanRules, budget_cny: float) -> list[Shortfall]:
    found: dict[str, Shortfall] = {}
    chosen = {line.candidate.key for line in lines}
    by_rule: dict[str, list[Candidate]] = defaultdict(list)
    for position, rule in pool.mandatory.items():
        by_rule[rule].append(pool.candidates[position])
    for rule, wanted in by_rule.items():
        missing = [candidate.cost_cny for candidate in wanted if candidate.key not in chosen]
        if missing:
            found[rule] = explain_missing_lines(rule, len(wanted), len(wanted) - len(missing), sum(missing), budget_cny)
    is_key = [line.candidate.tier in rules.key_share.tiers for line in lines]
    if lines and sum(is_key) < rules.key_share.minimum * len(lines) - 1e-9:
        available = sum(candidate.tier in rules.key_share.tiers for candidate in pool.candidates)
        found["key_share"] = explain_key_share(rules.key_share.minimum, sum(is_key), len(lines), available)
    floor = _county_shortfall(lines, pool, rules, budget_cny)
    if floor:
        found["county_floor"] = floor
    shortfalls = [found[rule] for rule in rules.order if rule in found]
    drawn = sum(line.rule == "random" for line in lines)
    if lines and not rules.random.lowest <= drawn / len(lines) <= rules.random.highest:
        shortfalls.append(explain_random_share(rules.random.lowest, rules.random.highest, drawn, len(lines)))
    return shortfalls


def _county_shortfall(lines: Sequence[DraftLine], pool: _Pool, rules: PlanRules, budget_cny: float) -> Shortfall | None:
    have = Counter(line.candidate.region_code for line in lines)
    cheapest: dict[str, list[float]] = defaultdict(list)
    for candidate in pool.candidates:
        if candidate.region_code:
            cheapest[candidate.region_code].append(candidate.cost_cny)
    wanted = got = 0
    missing_cny = 0.0
    for county, costs in cheapest.items():
        due = min(rules.county_floor.batches, len(costs))
        here = min(have[county], due)
        wanted, got = wanted + due, got + here
        missing_cny += sum(sorted(costs)[: due - here])
    return explain_missing_lines("county_floor", wanted, got, missing_cny, budget_cny) if got < wanted else None
