"""Facts for the tests: valid ones, so that a test states only what matters to it."""

from datetime import date, timedelta
from itertools import count
from typing import Any

from scoring.facts import Complaint, Facts, Injury, Inspection, Licence, Opinion, Penalty, Recall, Sample, SelfCheck

AS_OF = date(2026, 6, 30)
_ids = count(1)


def common(days_ago: int, changes: dict[str, Any]) -> dict[str, Any]:
    """Return what every fact needs; the fact happened and was known `days_ago`."""
    day = AS_OF - timedelta(days=days_ago)
    return {"signal_id": next(_ids), "occurred_on": day, "known_on": day, **changes}


def make_facts(**changes: Any) -> Facts:
    return Facts(**{"enterprise_id": 1, "tier": 3, "size": "large", **changes})


def make_sample(outcome: str = "pass", days_ago: int = 30, **changes: Any) -> Sample:
    return Sample(**common(days_ago, {"outcome": outcome, **changes}))


def make_complaint(days_ago: int = 30, **changes: Any) -> Complaint:
    return Complaint(**common(days_ago, changes))


def make_opinion(days_ago: int = 30, **changes: Any) -> Opinion:
    return Opinion(**common(days_ago, {"trust": "social", "severity": 4, "source_id": "post", **changes}))


def make_penalty(days_ago: int = 30, **changes: Any) -> Penalty:
    return Penalty(**common(days_ago, changes))


def make_inspection(days_ago: int = 30, **changes: Any) -> Inspection:
    return Inspection(**common(days_ago, changes))


def make_recall(days_ago: int = 30, **changes: Any) -> Recall:
    return Recall(**common(days_ago, changes))


def make_injury(days_ago: int = 30, **changes: Any) -> Injury:
    return Injury(**common(days_ago, changes))


def make_licence(days_ago: int = 30, **changes: Any) -> Licence:
    return Licence(**common(days_ago, {"number": "XK06-001-00001", **changes}))


def make_self_check(days_ago: int = 30, **changes: Any) -> SelfCheck:
    return SelfCheck(**common(days_ago, changes))
