"""What the figures rest on: the rules in force, how they and the challenger did against history, and help."""

import json
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import select

from alerting.policy import load_alert_policy
from api.clock import today
from api.deps import Config, Reading
from api.rendering import render
from jobs.standing import standing
from scoring.policy import PolicyError, load_policy
from store.reads import runs
from store.tables import PolicyVersion

router = APIRouter(include_in_schema=False)


@router.get("/policy")
def policy_page(request: Request, session: Reading, settings: Config) -> Response:
    """Show the rules in force and every version that was ever used."""
    try:
        policy = load_policy(settings.policy_dir / "policy.yml")
    except PolicyError:
        policy = None
    context = {
        "policy": policy,
        "alert_rules": load_alert_policy(),
        "versions": list(session.scalars(select(PolicyVersion).order_by(PolicyVersion.first_used_at.desc()))),
    }
    return render(request, "policy.html", context)


@router.get("/backtest")
def backtest_page(request: Request, session: Reading, settings: Config) -> Response:
    """Show how the grades did against simple rivals on what was sampled later, and how the challenger stands."""
    context = {
        "own": runs.newest_good(session, "backtest"),
        "standing": standing(session, today(session, settings)),
        "reports": _reports(settings.var / "backtest"),
    }
    return render(request, "backtest.html", context)


@router.get("/help")
def help_page(request: Request) -> Response:
    """Show how to use the pages."""
    return render(request, "help.html", {})


def _reports(folder: Path) -> list[dict[str, Any]]:
    found = []
    for path in sorted(folder.glob("*.json"))[:20]:
        try:
            body = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(body, dict):
            found.append({"name": path.stem, **body})
    return found
