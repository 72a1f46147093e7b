"""What people decided, as a proposal for the name policy's deductions.

A candidate's certainty is 1 minus what the policy takes for each difference, so a decision "this is that firm" or "it
is not" is an example of a linear score that should lie above or below `thresholds.link`. The deductions are fitted by
logistic regression that is held to the values in force: a line few decisions speak about hardly moves, one nobody
spoke about does not move at all. Nothing here puts a policy in force.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from nlp.enterprises.policy import NamePolicy

LEAST_DECISIONS = 40  # fewer than these are too few to propose anything (P)
_LEAST_EXAMPLES = 5  # decisions that must touch a line before it moves (P)
_SLOPE = 12.0  # certainty to log-odds: 0.1 above the threshold is odds of 3.3 to 1 (P)
_WRONG_COSTS = 3.0  # a wrong link weighs as much as three missed ones (P)
_HELD = 0.15  # how far a line moves freely from the value in force (P)

_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """One candidate a person judged: the policy lines it was charged, and whether it is the firm meant."""

    taken: tuple[tuple[str, float], ...]
    same: bool


@dataclass(frozen=True, slots=True)
class Measured:
    """Deductions against decisions: candidates that reach `thresholds.link`, those wrongly, those missed."""

    judged: int
    linked: int
    wrong: int
    missed: int
    log_loss: float


def fit(examples: Sequence[Judged], policy: NamePolicy) -> dict[str, float]:
    """Every deduction, those the examples speak about moved towards them; two decimals, between 0 and 1."""
    touched = Counter(line for example in examples for line in {line for line, _ in example.taken})
    lines = sorted(line for line, count in touched.items() if count >= _LEAST_EXAMPLES)
    proposed = dict(policy.deductions)
    if not lines:
        return proposed
    at = {line: column for column, line in enumerate(lines)}
    charged, fixed = np.zeros((len(examples), len(lines))), np.zeros(len(examples))
    for row, example in enumerate(examples):
        for line, times in example.taken:
            if line in at:
                charged[row, at[line]] += times
            else:
                fixed[row] += policy.deductions[line] * times
    same = np.array([example.same for example in examples])
    weight = np.where(same, 1.0, _WRONG_COSTS)
    old = np.array([policy.deductions[line] for line in lines])

    def loss(values: _Array) -> tuple[float, _Array]:
        above = _SLOPE * (1.0 - fixed - charged @ values - policy.link)
        signed = np.where(same, above, -above)
        pull = (values - old) / _HELD
        total = float(weight @ np.logaddexp(0.0, -signed) + 0.5 * pull @ pull)
        slope = weight * np.where(same, -1.0, 1.0) / (1.0 + np.exp(np.clip(signed, -50, 50)))
        return total, -_SLOPE * (charged.T @ slope) + pull / _HELD

    found = minimize(loss, old, jac=True, method="L-BFGS-B", bounds=[(0.0, 1.0)] * len(lines))
    return proposed | {line: round(float(value), 2) for line, value in zip(lines, found.x, strict=True)}


def measure(examples: Sequence[Judged], deductions: Mapping[str, float], policy: NamePolicy) -> Measured:
    """What these deductions would have done with the decisions, each candidate taken alone."""
    linked = wrong = missed = 0
    loss = 0.0
    for example in examples:
        above = 1.0 - sum(deductions[line] * times for line, times in example.taken) - policy.link
        linked += above >= -1e-9
        wrong += above >= -1e-9 and not example.same
        missed += above < -1e-9 and example.same
        loss += float(np.logaddexp(0.0, -_SLOPE * above if example.same else _SLOPE * above))
    return Measured(len(examples), linked, wrong, missed, round(loss / max(1, len(examples)), 4))


def proposal(policy_text: str, deductions: Mapping[str, float], heading: str) -> str:
    """The text of the policy file with these deductions, its comments kept, under a heading of comment lines."""
    text = policy_text
    for line, value in deductions.items():
        text = re.sub(rf"(?m)^(  {re.escape(line)}: )[0-9.]+", rf"\g<1>{value:.2f}", text, count=1)
    return "".join(f"# {line}\n" for line in heading.splitlines()) + text
