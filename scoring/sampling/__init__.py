"""Grades -> plan: what to sample within a budget, what for, and what came of it.

Candidates, rules, a budget and a seed enter; lines with their reasons and probabilities leave. Pure.
"""

from scoring.sampling.candidates import Candidate, full_months
from scoring.sampling.expected import BaseRates, Batch, Expectation, RelativeRisk
from scoring.sampling.outcome import Planned, Result, plan_outcome
from scoring.sampling.plan import DraftLine, DraftPlan, make_plan
from scoring.sampling.rules import PlanRules, PlanRulesError, load_rules

__all__ = [
    "BaseRates",
    "Batch",
    "Candidate",
    "DraftLine",
    "DraftPlan",
    "Expectation",
    "PlanRules",
    "PlanRulesError",
    "Planned",
    "RelativeRisk",
    "Result",
    "full_months",
    "load_rules",
    "make_plan",
    "plan_outcome",
]
