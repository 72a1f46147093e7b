"""The planner against the full linear programme, on the same invented pool in the same run.

    python -m bench.bench_plan [CANDIDATES] [BUDGET_CNY]

Prints one JSON line: seconds of both, their ratio, and the gap of the plan's whole lines to the full programme's bound.
The pool makes nobody mandatory, so that the gap is over expected value alone and not hidden by the rules' bonuses.
"""

import json
import sys
import time

import numpy as np

from scoring.sampling import Candidate, load_rules, make_plan, optimise, plan

RISK = {"A": 0.6, "B": 1.0, "C": 1.8, "D": 3.0, "U": 1.1}


def make_pool(count: int, seed: int, counties: int = 2_800) -> list[Candidate]:
    """Return as many firm × product pairs over the nation's counties, two products a firm."""
    generator = np.random.default_rng(seed)
    levels = generator.choice(list("ABCDU"), count, p=[0.3, 0.3, 0.15, 0.05, 0.2])
    base = generator.beta(2, 18, count)
    costs = generator.integers(5, 40, count) * 100.0
    tiers = generator.choice([1, 2, 3, 4], count, p=[0.3, 0.4, 0.2, 0.1])
    return [
        Candidate(
            enterprise_id=number // 2,
            product_id=f"p{number % 126}",
            channel="production",
            region_code=f"{100000 + (number // 2) % counties}",
            grade_level=str(levels[number]),
            fail_probability=min(float(base[number]) * RISK[str(levels[number])], 0.95),
            base_rate=float(base[number]),
            cost_cny=float(costs[number]),
            tier=int(tiers[number]),
        )
        for number in range(count)
    ]


def main(count: int, budget_cny: float) -> dict[str, float]:
    """Return the figures."""
    pool = make_pool(count, 7)
    rules = load_rules()
    problems: list[optimise.Problem] = []
    solve = optimise.solve

    def remember(problem: optimise.Problem) -> optimise.Solution:
        problems.append(problem)
        return solve(problem)

    plan.solve = remember
    start = time.perf_counter()
    draft = make_plan(pool, rules, budget_cny, 7)
    planned = time.perf_counter() - start
    start = time.perf_counter()
    solution = solve(problems[-1])
    by_columns = time.perf_counter() - start
    start = time.perf_counter()
    bound = optimise.bound_over(problems[-1], np.arange(len(problems[-1].value)))
    full = time.perf_counter() - start
    return {
        "candidates": count,
        "lines": len(draft.lines),
        "shortfalls": len(draft.shortfalls),
        "seconds_plan": round(planned, 2),
        "seconds_columns": round(by_columns, 2),
        "seconds_full_lp": round(full, 2),
        "times_faster": round(full / by_columns, 1),
        "gap_percent": round(100 * (bound - solution.objective) / bound, 4),
        "bound_difference_percent": round(100 * abs(bound - solution.bound) / bound, 6),
    }


if __name__ == "__main__":
    arguments = sys.argv[1:]
    candidates = int(arguments[0]) if arguments else 100_000
    print(json.dumps(main(candidates, float(arguments[1]) if len(arguments) > 1 else 40.0 * candidates)))
