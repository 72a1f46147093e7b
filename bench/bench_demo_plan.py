"""How much of what an all-knowing plan finds does the demonstration's plan find, under the same rules and budget?

    python -m demo --serve 0 && python -m bench.bench_demo_plan [--var var/demo]

Reads the demonstration's store as of its today and the hidden truth of its firms, which no part of the pipeline may
read. Every plan keeps the same rules, budget and random lines; only the failure probability that ranks differs.
Finds are expected failures by the true probabilities, so no luck of a single draw is in the ratios. "What the
records tell" is a model fitted to the truth itself, on other firms, from what the store knows of each candidate: no
plan that may not see the truth can hope for more from the same facts.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import GroupKFold

from demo.firms import true_rate
from demo.history import TODAY
from demo.province import Province
from demo.run import BUDGET_CNY, PLAN_SEED
from jobs import standing
from jobs.candidates import candidates_on
from jobs.opening import open_store
from jobs.plan import plan_rules
from jobs.settings import Settings
from nlp.taxonomy import load_taxonomy
from scoring.backtest.measures import auc
from scoring.sampling import Candidate, DraftPlan, make_plan
from store.session import read_only
from store.tables import Enterprise


def truth_of(province: Province, codes: dict[int, str | None], pool: Sequence[Candidate]) -> np.ndarray:
    """Return each candidate's true failure probability; 0 where nobody could be sampled."""
    firms = {firm.uscc: firm for firm in province.firms if firm.status == "存续"}
    names = {firm.name: firm for firm in province.firms if firm.status == "存续"}
    found = np.zeros(len(pool))
    for at, one in enumerate(pool):
        firm = firms.get(codes.get(one.enterprise_id) or "") or names.get(one.enterprise_name)
        if firm is not None and one.product_id in firm.products:
            found[at] = true_rate(firm, one.product_id, province.firms)
    return found


def told_by_records(pool: Sequence[Candidate], chances: np.ndarray, folds: int = 5) -> np.ndarray:
    """Return each candidate's failure probability as learnt from the truth of other firms and its own records."""
    known = pd.DataFrame(
        {
            "expected": [one.fail_probability for one in pool],
            "base": [one.base_rate for one in pool],
            "failed": [one.months_since_failed for one in pool],
            "tested": [one.months_since_tested for one in pool],
            "vain": [one.months_since_no_sample for one in pool],
            "tier": [one.tier for one in pool],
            **{
                name: pd.Categorical([getattr(one, name) for one in pool]).codes
                for name in ("product_id", "channel", "grade_level", "licensed")
            },
            "reasons": [len(one.reasons) for one in pool],
        },
        dtype=float,
    )
    found = np.zeros(len(pool))
    for others, own in GroupKFold(folds).split(known, groups=[one.enterprise_id for one in pool]):
        model = HistGradientBoostingRegressor(
            loss="poisson", max_iter=150, learning_rate=0.05, min_samples_leaf=30, random_state=0
        )
        found[own] = model.fit(known.iloc[others], chances[others]).predict(known.iloc[own])
    return np.clip(found, 0, 1)


def expected_finds(plan: DraftPlan, truth: dict[tuple[int, str], float], rules: Sequence[str] = ()) -> float:
    """Return the failures a plan's lines find on average; of some rules' lines only, where any are named."""
    return sum(
        truth[line.candidate.enterprise_id, line.candidate.product_id]
        for line in plan.lines
        if not rules or line.rule in rules
    )


def main() -> None:
    """Print one JSON line a plan."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--var", type=Path, default=Path("var/demo"))
    settings = Settings(var=parser.parse_args().var, synthetic=True, province_code="99")
    sessions = open_store(settings)
    rules = plan_rules(settings)
    with read_only(sessions) as session:
        pool = candidates_on(session, load_taxonomy(settings.lexicon_dir), rules, TODAY, "99")
        codes = {row.id: row.uscc for row in session.query(Enterprise.id, Enterprise.uscc)}
        may_rank = standing.promoted(session, TODAY)
    province = Province()
    chances = truth_of(province, codes, pool)
    truth = {(one.enterprise_id, one.product_id): float(chance) for one, chance in zip(pool, chances, strict=True)}
    rng = np.random.default_rng(0)
    drawn = rng.random(len(pool)) < chances
    ours = np.array([one.fail_probability for one in pool])

    def with_chances(values: np.ndarray) -> DraftPlan:
        ranked = [replace(one, fail_probability=float(value)) for one, value in zip(pool, values, strict=True)]
        return make_plan(ranked, rules, BUDGET_CNY, PLAN_SEED)

    plans = {
        "plan": with_chances(ours),
        "base rates only": with_chances(np.array([one.base_rate for one in pool])),
        "what the records tell": with_chances(told_by_records(pool, chances)),
        "all-knowing, same rules": with_chances(np.clip(chances, 0, 1)),
    }
    best = expected_finds(plans["all-knowing, same rules"], truth)
    best_free = expected_finds(plans["all-knowing, same rules"], truth, FREE)
    for name, plan in plans.items():
        free = [line for line in plan.lines if line.rule in FREE]
        print(
            json.dumps(
                {
                    "plan": name,
                    "lines": len(plan.lines),
                    "expected_finds": round(expected_finds(plan, truth), 2),
                    "of_all_knowing": round(expected_finds(plan, truth) / best, 3),
                    "free_lines": len(free),
                    "free_finds": round(expected_finds(plan, truth, FREE), 2),
                    "free_of_all_knowing": round(expected_finds(plan, truth, FREE) / best_free, 3),
                },
                ensure_ascii=False,
            )
        )
    print(
        json.dumps(
            {
                "pool": len(pool),
                "mean_true_rate": round(float(chances.mean()), 5),
                "random_finds": round(float(chances.mean()) * len(plans["plan"].lines), 2),
                "correlation_of_log_odds": round(float(np.corrcoef(_log(ours), _log(chances))[0, 1]), 3),
                "auc_plan": auc(ours, drawn),
                "auc_all_knowing": auc(chances, drawn),
                "challenger_promoted": may_rank,
            }
        )
    )


FREE = ("risk", "key_share", "county_floor")  # what the failure probability decides; the rest is given by the rules


def _log(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.log(np.clip(values, 1e-4, 1)))


if __name__ == "__main__":
    main()
