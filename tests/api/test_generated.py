"""Generated requests against the described API: none makes the service fail or leave its description."""

from collections.abc import Callable
from typing import Any

import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from tests.api.conftest import Browser

EXAMPLES = 6  # for each operation


def test_generated_requests_are_answered_as_described(app: FastAPI, browser: Callable[[str], Browser]) -> None:
    asking = browser("admin")
    schema = schemathesis.openapi.from_dict(asking.get("/api/v1/openapi.json").json())
    headers = {"X-CSRF-Token": asking.csrf, "Cookie": "; ".join(f"{k}={v}" for k, v in asking.cookies.items())}
    tried = sum(try_out(result.ok(), app, headers) for result in schema.get_all_operations())
    assert tried >= EXAMPLES * 15


def try_out(operation: Any, app: FastAPI, headers: dict[str, str]) -> int:
    """Send generated requests to one operation, check the answers, and return how many there were."""
    tried = 0

    @seed(20261121)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def run(case: Any) -> None:
        nonlocal tried
        answer = case.call(app=app, headers=headers)
        checks = [not_a_server_error, status_code_conformance, response_schema_conformance]
        case.validate_response(answer, checks=checks)
        tried += 1

    run()
    return tried
