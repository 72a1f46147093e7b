"""Which code, policies, lexicon and models are in force: what a figure was made under."""

from datetime import date
from typing import Any

from alerting.policy import load_alert_policy
from casework.rules import load_case_policy
from jobs.plan import plan_rules
from jobs.runs import code_version
from jobs.settings import Settings
from nlp.artifacts import accepted_model, read_manifest
from nlp.enterprises.policy import load_name_policy
from nlp.taxonomy import folder_digest
from scoring.policy import load_policies, policy_in_force


def collect(settings: Settings, on: date) -> dict[str, Any]:
    """Return the versions in force on a day; needs no store. A model that is missing is None."""
    grading = policy_in_force(load_policies(settings.policy_dir), on)
    rules, alerts, cases = plan_rules(settings), load_alert_policy(), load_case_policy()
    model = accepted_model(settings.var, settings.lexicon_dir)
    return {
        "version": code_version(),
        "policies": {
            "grade": {"version": grading.version, "hash": grading.hash},
            "plan": {"version": rules.version, "hash": rules.hash},
            "alert": {"version": alerts.version, "hash": alerts.hash},
            "casework": {"version": cases.version, "hash": None},
            "names": {"version": load_name_policy(settings.name_policy).version, "hash": None},
            "lexicon": {"version": settings.lexicon_dir.name, "hash": folder_digest(settings.lexicon_dir)},
        },
        "models": {"text": read_manifest(model).get("version") if model else None},
    }
