"""Candidates to plan with: one by one for examples, by the hundred for properties."""

from typing import Any

import numpy as np

from scoring.sampling import Candidate

RISK = {"A": 0.6, "B": 1.0, "C": 1.8, "D": 3.0, "U": 1.1}


def make_candidate(enterprise_id: int = 1, **changes: Any) -> Candidate:
    """A middling producer of an ordinary product that nothing special is known of."""
    values: dict[str, Any] = {
        "enterprise_id": enterprise_id,
        "product_id": "lamp",
        "channel": "production",
        "region_code": "990101",
        "grade_level": "B",
        "fail_probability": 0.1,
        "base_rate": 0.1,
        "cost_cny": 1000.0,
        "tier": 2,
    }
    return Candidate(**(values | changes))


def make_pool(count: int, seed: int, *, counties: int = 20, quiet: bool = False) -> list[Candidate]:
    """A random pool of `count` firm × product pairs; `quiet` leaves out everything that makes one mandatory."""
    generator = np.random.default_rng(seed)
    pool = []
    for number in range(count):
        level = str(generator.choice(list("ABCDU"), p=[0.3, 0.3, 0.15, 0.05, 0.2]))
        base = float(generator.beta(2, 18))
        pool.append(
            make_candidate(
                number // 2,
                product_id=f"p{number % 40}",
                region_code=f"99{(number // 2) % counties:04d}",
                grade_level=level,
                fail_probability=min(base * RISK[level], 0.95),
                base_rate=base,
                cost_cny=float(generator.integers(5, 40) * 100),
                tier=int(generator.choice([1, 2, 3, 4], p=[0.3, 0.4, 0.2, 0.1])),
                licensed=not quiet and bool(generator.random() < 0.1),
                months_since_failed=int(generator.integers(0, 60)) if not quiet and generator.random() < 0.03 else None,
                months_since_tested=int(generator.integers(0, 40)) if generator.random() < 0.4 else None,
                months_since_no_sample=int(generator.integers(0, 40))
                if not quiet and generator.random() < 0.02
                else None,
            )
        )
    return pool
