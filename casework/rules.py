"""Which step comes next in a case, which clocks run, and when it may be closed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from casework.deadlines import WorkCalendar, due_on
from casework.limits import Limit

DEFAULT_PATH = Path(__file__).resolve().parent / "policy.yml"


class StepError(ValueError):
    """The step is not possible now; the message says why, in Chinese."""


class Step(BaseModel):
    """One step of a kind of case: the limits that start when it is done, and those it meets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: str
    zh: str
    start: tuple[str, ...]
    meets: tuple[str, ...]
    optional: bool = False


class CasePolicy(BaseModel):
    """The steps of each kind of case in their order, and which alerts open one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: str
    status: str
    lapse: tuple[str, ...]  # limits that are a firm's right: they end by themselves and nobody is late
    steps: dict[str, tuple[Step, ...]]
    hazard_rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """A step that was taken, when, and whether a re-check passed."""

    step: str
    done_on: date
    passed: bool | None = None
    proof: bool = False


@dataclass(frozen=True, slots=True)
class RunningClock:
    """A limit with its dates; `met_on` is the day of the step that meets it, or the day a right ends by itself."""

    limit_id: str
    started_on: date
    due_on: date
    met_on: date | None


@cache
def load_case_policy(path: Path = DEFAULT_PATH) -> CasePolicy:
    """Read the policy file."""
    return CasePolicy.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def next_step(kind: str, done: Sequence[Done], policy: CasePolicy) -> Step | None:
    """Return the step that is to be taken next; None when the case is closed.

    After a re-check that failed the next step is the announcement, after one that passed the closing.
    """
    taken = {step.step for step in done}
    if "closed" in taken:
        return None
    steps = {step.step: step for step in policy.steps[kind]}
    rechecks = [step for step in done if step.step == "rechecking"]
    if rechecks and rechecks[-1].passed is False:
        announced = [step for step in done if step.step == "announced"]
        if "announced" in steps and (not announced or announced[-1].done_on < rechecks[-1].done_on):
            return steps["announced"]
        return steps["rechecking"]
    return next((step for step in policy.steps[kind] if step.step not in taken and not step.optional), None)


def check_closing(kind: str, done: Sequence[Done]) -> None:
    """Raise StepError unless a passed re-check, or a person's proof, allows the case to be closed."""
    rechecks = [step for step in done if step.step == "rechecking"]
    closing = [step for step in done if step.step == "closed"]
    if rechecks and rechecks[-1].passed:
        return
    if closing and closing[-1].proof:
        return
    raise StepError("销号须有复查合格的结果，或由经办人附上证明材料")


def clocks(
    kind: str, done: Sequence[Done], policy: CasePolicy, limits: Mapping[str, Limit], calendar: WorkCalendar
) -> list[RunningClock]:
    """Return the clocks of a case from the steps that were taken; each starts once, at its step's first time."""
    first: dict[str, date] = {}
    for taken in done:
        first[taken.step] = min(first.get(taken.step, taken.done_on), taken.done_on)
    met = {limit: first[s.step] for s in policy.steps[kind] if s.step in first for limit in s.meets}
    if "closed" in first:
        # A closed case has no open clocks left.
        for step in policy.steps[kind]:
            for limit in step.start:
                met.setdefault(limit, first["closed"])
    running = []
    for step in policy.steps[kind]:
        for limit_id in step.start:
            if step.step in first and limit_id in limits:
                due = due_on(limits[limit_id], first[step.step], calendar)
                met_on = met.get(limit_id)
                if limit_id in policy.lapse:
                    met_on = min(due, met_on or due)
                running.append(RunningClock(limit_id, first[step.step], due, met_on))
    return running
