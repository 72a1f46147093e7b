"""Choosing the lines of most value within the budget: column generation on the relaxed problem, then whole lines.

Every rule but the budget is elastic: what cannot be met costs a penalty far above any line's value, so an
infeasible wish shows as a measured shortfall instead of as no plan. The relaxed problem is solved on few
candidates; all others are priced with its duals and the promising ones join, until none is left: the bound is
then proven for the whole pool. Whole lines come from a small integer problem around the relaxed solution.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

SMALL_POOL = 2_000  # up to here every candidate is a column from the start
PRICED_PER_ROUND = 20_000
ROUNDS = 30
FREE_COLUMNS = 1_200
GAP = 1e-4  # of the plan's value: finer than any estimate that goes into it
NODES = 60
TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Problem:
    """The pool as arrays, one element a candidate, with what was drawn before taken off every limit.

    `value` is what a line is worth, `must` the penalty of leaving a mandatory one out (0: not mandatory), both in
    the same unit. Group numbers count from 0. `key_balance` is Σ(key − share) over lines already in the plan.
    """

    value: np.ndarray
    must: np.ndarray
    cost: np.ndarray
    is_key: np.ndarray
    county: np.ndarray
    county_need: np.ndarray
    enterprise: np.ndarray
    enterprise_room: np.ndarray
    product: np.ndarray
    product_room: np.ndarray  # infinity: no limit
    budget: float
    key_share: float
    key_balance: float
    key_penalty: float
    county_penalty: float


@dataclass(frozen=True, slots=True)
class Solution:
    """The chosen positions (ascending), the value they reach, the relaxed bound on it, and the rules' prices."""

    chosen: np.ndarray
    objective: float
    bound: float
    budget_price: float
    county_price: np.ndarray
    key_price: float
    rounds: int


def solve(problem: Problem) -> Solution:
    """Return the best lines found and the bound they are measured against. Same problem, same solution."""
    columns = _first_columns(problem)
    relaxed = _Relaxed(problem, columns)
    rounds = 1
    while rounds < ROUNDS:
        joining = _price(problem, relaxed)
        if len(joining) == 0:
            break
        columns = np.union1d(columns, joining)
        relaxed = _Relaxed(problem, columns)
        rounds += 1
    chosen = _whole_lines(problem, relaxed)
    return Solution(
        chosen=chosen,
        objective=_objective(problem, chosen),
        bound=relaxed.bound,
        budget_price=relaxed.budget_price,
        county_price=relaxed.county_price,
        key_price=relaxed.key_price,
        rounds=rounds,
    )


def bound_over(problem: Problem, columns: np.ndarray) -> float:
    """Return the relaxed problem's value on these columns alone; over all of them, the bound for any plan."""
    return _Relaxed(problem, columns).bound


def _first_columns(problem: Problem) -> np.ndarray:
    count = len(problem.value)
    if count <= SMALL_POOL:
        return np.arange(count)
    worth = (problem.value + problem.must) / problem.cost
    by_worth = np.argsort(-worth, kind="stable")
    affordable = int(np.searchsorted(np.cumsum(problem.cost[by_worth]), problem.budget)) + 1
    parts = [by_worth[: 2 * affordable], np.flatnonzero(problem.must > 0)]
    keys = by_worth[problem.is_key[by_worth] > 0]
    parts.append(keys[: 2 * affordable])
    # The three most worthwhile of each county, found by one stable sort.
    by_county = by_worth[np.argsort(problem.county[by_worth], kind="stable")]
    counties = problem.county[by_county]
    starts = np.flatnonzero(np.r_[True, counties[1:] != counties[:-1]])
    rank = np.arange(count) - np.repeat(starts, np.diff(np.r_[starts, count]))
    parts.append(by_county[rank < 3])
    return np.unique(np.concatenate(parts))


class _Relaxed:
    """The relaxed problem on some columns, solved; with the prices that rate all the others."""

    def __init__(self, problem: Problem, columns: np.ndarray) -> None:
        self.columns = columns
        self.rows = _Rows(problem, columns)
        count, needs = len(columns), len(self.rows.needy)
        gain = problem.value[columns] + problem.must[columns]
        objective = np.r_[-gain, problem.key_penalty, np.full(needs, problem.county_penalty)]
        upper = np.r_[np.ones(count), np.full(1 + needs, np.inf)]
        bounds: Any = np.column_stack([np.zeros_like(upper), upper])
        result = linprog(
            objective,
            A_ub=self.rows.matrix,
            b_ub=self.rows.limits,
            bounds=bounds,
            method="highs",
        )
        if result.x is None:
            raise ArithmeticError(f"the relaxed plan was not solved: {result.message}")
        self.x = np.clip(result.x[:count], 0.0, 1.0)
        self.bound = -float(result.fun or 0.0)
        prices = -np.asarray(result.ineqlin.marginals)  # >= 0: what one unit of each limit is worth
        self.budget_price = float(prices[0])
        self.key_price = float(prices[1])
        self.county_price = np.zeros(len(problem.county_need))
        self.county_price[self.rows.needy] = prices[2 : 2 + needs]
        self.product_price = np.zeros(len(problem.product_room))
        products = self.rows.limited
        self.product_price[products] = prices[2 + needs : 2 + needs + len(products)]
        self.enterprise_price = np.zeros(len(problem.enterprise_room))
        self.enterprise_price[self.rows.crowded] = prices[2 + needs + len(products) :]

    def reduced_gain(self, problem: Problem, columns: np.ndarray | slice) -> np.ndarray:
        """Return what each column is worth beyond the price of the limits it uses up."""
        gain: np.ndarray = (
            problem.value[columns]
            + problem.must[columns]
            - self.budget_price * problem.cost[columns]
            + self.key_price * (problem.is_key[columns] - problem.key_share)
            + self.county_price[problem.county[columns]]
            - self.product_price[problem.product[columns]]
            - self.enterprise_price[problem.enterprise[columns]]
        )
        return gain


class _Rows:
    """The limits as `matrix @ (x, key slack, county slacks) <= limits`, on some columns.

    A firm's row is needed only when more of its columns take part than it has room for.
    """

    def __init__(self, problem: Problem, columns: np.ndarray) -> None:
        count = len(columns)
        self.needy = np.flatnonzero(problem.county_need > 0)
        self.limited = np.flatnonzero(np.isfinite(problem.product_room))
        present = np.bincount(problem.enterprise[columns], minlength=len(problem.enterprise_room))
        self.crowded = np.flatnonzero(present > problem.enterprise_room)
        needs = len(self.needy)
        position = np.arange(count)
        blocks = [
            sparse.csr_matrix((problem.cost[columns], (np.zeros(count, int), position)), shape=(1, count)),
            sparse.csr_matrix(
                (problem.key_share - problem.is_key[columns], (np.zeros(count, int), position)), shape=(1, count)
            ),
            -_members(problem.county[columns], self.needy, len(problem.county_need)),
            _members(problem.product[columns], self.limited, len(problem.product_room)),
            _members(problem.enterprise[columns], self.crowded, len(problem.enterprise_room)),
        ]
        body = sparse.vstack(blocks, format="csr")
        slack_rows = np.r_[1, 2 + np.arange(needs)]
        slacks = sparse.csr_matrix(
            (-np.ones(1 + needs), (slack_rows, np.arange(1 + needs))), shape=(body.shape[0], 1 + needs)
        )
        self.matrix = sparse.hstack([body, slacks], format="csr")
        self.limits = np.r_[
            problem.budget,
            problem.key_balance,
            -problem.county_need[self.needy],
            problem.product_room[self.limited],
            problem.enterprise_room[self.crowded],
        ].astype(float)


def _members(groups: np.ndarray, wanted: np.ndarray, total: int) -> sparse.csr_matrix:
    row_of = np.full(total, -1)
    row_of[wanted] = np.arange(len(wanted))
    rows = row_of[groups]
    inside = rows >= 0
    return sparse.csr_matrix(
        (np.ones(int(inside.sum())), (rows[inside], np.flatnonzero(inside))), shape=(len(wanted), len(groups))
    )


def _price(problem: Problem, relaxed: _Relaxed) -> np.ndarray:
    gain = relaxed.reduced_gain(problem, slice(None))
    gain[relaxed.columns] = -np.inf
    promising = np.flatnonzero(gain > TOLERANCE)
    if len(promising) > PRICED_PER_ROUND:
        promising = promising[np.argsort(-gain[promising], kind="stable")[:PRICED_PER_ROUND]]
    return promising


def _whole_lines(problem: Problem, relaxed: _Relaxed) -> np.ndarray:
    """Settle the columns near the margin as whole lines; the clear ones stay as the relaxed problem has them."""
    columns, x = relaxed.columns, relaxed.x
    if len(columns) == 0:
        return columns
    gain = np.abs(relaxed.reduced_gain(problem, columns))
    fractional = (x > TOLERANCE) & (x < 1 - TOLERANCE)
    gain[fractional] = -1.0
    order = np.argsort(gain, kind="stable")
    free = np.sort(order[: max(FREE_COLUMNS, int(fractional.sum()))])
    settled = np.ones(len(columns), dtype=bool)
    settled[free] = False
    taken = columns[settled & (x > 0.5)]
    rest = _without(problem, taken)
    open_columns = columns[free]
    rows = _Rows(rest, open_columns)
    needs = len(rows.needy)
    count = len(open_columns)
    upper = np.r_[np.ones(count), np.full(1 + needs, np.inf)]
    result = milp(
        np.r_[
            -(problem.value[open_columns] + problem.must[open_columns]),
            problem.key_penalty,
            np.full(needs, problem.county_penalty),
        ],
        constraints=LinearConstraint(rows.matrix, -np.inf, rows.limits),
        integrality=np.r_[np.ones(count), np.zeros(1 + needs)],
        bounds=Bounds(0, upper),
        # A node limit instead of a time limit: the same input gives the same plan on a slow machine too.
        options={"mip_rel_gap": _allowed_gap(problem, relaxed, free), "node_limit": NODES},
    )
    whole = x[free] > 1 - TOLERANCE if result.x is None else result.x[:count] > 0.5
    return _within_budget(problem, np.sort(np.concatenate([taken, open_columns[whole]])))


def _allowed_gap(problem: Problem, relaxed: _Relaxed, free: np.ndarray) -> float:
    """Return the relative gap of the small problem that is `GAP` of the whole plan's value, penalties aside."""
    columns, x = relaxed.columns, relaxed.x
    whole = float((problem.value[columns] * x).sum())
    part = float(((problem.value + problem.must)[columns][free] * x[free]).sum())
    return float(np.clip(GAP * whole / max(part, 1e-12), 1e-6, 1e-3))


def _within_budget(problem: Problem, chosen: np.ndarray) -> np.ndarray:
    """Drop the least worthwhile line while the solver's tolerance lets the sum stand above the budget."""
    while len(chosen) and math.fsum(problem.cost[chosen]) > problem.budget:
        chosen = np.delete(chosen, int(np.argmin((problem.value + problem.must)[chosen])))
    return chosen


def _without(problem: Problem, taken: np.ndarray) -> Problem:
    """Return the problem that is left once these lines are in the plan."""
    county = np.bincount(problem.county[taken], minlength=len(problem.county_need))
    product = np.bincount(problem.product[taken], minlength=len(problem.product_room))
    enterprise = np.bincount(problem.enterprise[taken], minlength=len(problem.enterprise_room))
    return replace(
        problem,
        county_need=np.maximum(problem.county_need - county, 0),
        enterprise_room=problem.enterprise_room - enterprise,
        product_room=problem.product_room - product,
        budget=problem.budget - float(problem.cost[taken].sum()),
        key_balance=problem.key_balance + float((problem.is_key[taken] - problem.key_share).sum()),
    )


def _objective(problem: Problem, chosen: np.ndarray) -> float:
    left = _without(problem, chosen)
    gained = float((problem.value[chosen] + problem.must[chosen]).sum())
    missing_key = max(-left.key_balance, 0.0)
    return gained - problem.key_penalty * missing_key - problem.county_penalty * float(left.county_need.sum())
