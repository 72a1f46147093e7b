"""Who may do what: one table of acts by role, one table of acts by route. What is not listed is refused."""

from enum import StrEnum


class Act(StrEnum):
    """What a route lets its caller do."""

    OPEN = "open"  # without signing in
    READ = "read"
    EXPORT = "export"
    ANSWER = "answer"  # acknowledge and answer alerts, take steps on a case
    IMPORT = "import"
    REVIEW = "review"  # decide links, merge entries
    LABEL = "label"
    PLAN = "plan"
    PROPOSE = "propose"  # ask for an override of a grade, enter a firm's statement
    APPROVE = "approve"  # approve or refuse another's override, answer a statement
    ADMINISTER = "administer"


ROLES: dict[str, frozenset[Act]] = {
    "reader": frozenset({Act.READ, Act.EXPORT}),
    "bureau": frozenset({Act.READ, Act.EXPORT, Act.ANSWER, Act.IMPORT, Act.PROPOSE}),
    "analyst": frozenset(Act) - {Act.OPEN, Act.ADMINISTER},
    "admin": frozenset(Act) - {Act.OPEN},
}

ROUTES: dict[tuple[str, str], Act] = {
    ("GET", "/health"): Act.OPEN,
    ("GET", "/sign-in"): Act.OPEN,
    ("POST", "/sign-in"): Act.OPEN,
    ("POST", "/sign-out"): Act.READ,
    ("GET", "/"): Act.READ,
    ("GET", "/search"): Act.READ,
    ("GET", "/search/suggest"): Act.READ,
    ("GET", "/enterprises"): Act.READ,
    ("GET", "/enterprises.xlsx"): Act.EXPORT,
    ("GET", "/enterprises/{enterprise_id}"): Act.READ,
    ("GET", "/enterprises/{enterprise_id}.xlsx"): Act.EXPORT,
    ("GET", "/enterprises/{enterprise_id}/dossier"): Act.READ,
    ("POST", "/enterprises/{enterprise_id}/overrides"): Act.PROPOSE,
    ("POST", "/enterprises/{enterprise_id}/statements"): Act.PROPOSE,
    ("GET", "/overrides"): Act.READ,
    ("GET", "/overrides.xlsx"): Act.EXPORT,
    ("POST", "/overrides/{override_id}/decide"): Act.APPROVE,
    ("POST", "/overrides/{override_id}/withdraw"): Act.PROPOSE,
    ("GET", "/statements/{statement_id}/file"): Act.READ,
    ("POST", "/statements/{statement_id}/reply"): Act.APPROVE,
    ("POST", "/statements/{statement_id}/withdraw"): Act.PROPOSE,
    ("GET", "/unknown"): Act.READ,
    ("GET", "/unknown.xlsx"): Act.EXPORT,
    ("GET", "/areas"): Act.READ,
    ("GET", "/areas.xlsx"): Act.EXPORT,
    ("GET", "/areas/{area_id}"): Act.READ,
    ("GET", "/areas/{area_id}.xlsx"): Act.EXPORT,
    ("GET", "/inherent"): Act.READ,
    ("GET", "/whatif"): Act.PLAN,
    ("POST", "/whatif"): Act.PLAN,
    ("GET", "/whatif/{trial_id}"): Act.PLAN,
    ("GET", "/whatif/{trial_id}.xlsx"): Act.PLAN,
    ("GET", "/signals"): Act.READ,
    ("GET", "/signals.xlsx"): Act.EXPORT,
    ("GET", "/signals/{signal_id}"): Act.READ,
    ("GET", "/signals/{signal_id}/copy"): Act.READ,
    ("POST", "/signals/{signal_id}/unmask"): Act.READ,
    ("GET", "/plans"): Act.READ,
    ("GET", "/plans.xlsx"): Act.EXPORT,
    ("POST", "/plans"): Act.PLAN,
    ("GET", "/plans/{plan_id}"): Act.READ,
    ("GET", "/plans/{plan_id}.xlsx"): Act.EXPORT,
    ("POST", "/plans/{plan_id}/issue"): Act.PLAN,
    ("POST", "/plans/{plan_id}/lines/{line_id}/withdraw"): Act.PLAN,
    ("GET", "/alerts"): Act.READ,
    ("GET", "/alerts.xlsx"): Act.EXPORT,
    ("GET", "/alerts/{alert_id}"): Act.READ,
    ("POST", "/alerts/{alert_id}/answers"): Act.ANSWER,
    ("GET", "/cases"): Act.READ,
    ("GET", "/cases.xlsx"): Act.EXPORT,
    ("GET", "/cases/{case_id}"): Act.READ,
    ("POST", "/cases/{case_id}/steps"): Act.ANSWER,
    ("GET", "/sources"): Act.READ,
    ("GET", "/sources.xlsx"): Act.EXPORT,
    ("GET", "/sources/{source_id}"): Act.READ,
    ("GET", "/imports"): Act.READ,
    ("GET", "/imports.xlsx"): Act.EXPORT,
    ("POST", "/imports"): Act.IMPORT,
    ("GET", "/imports/{file_id}"): Act.READ,
    ("GET", "/imports/{file_id}/rejected.xlsx"): Act.EXPORT,
    ("POST", "/imports/{file_id}/unmask"): Act.EXPORT,
    ("POST", "/imports/{file_id}/headers"): Act.REVIEW,
    ("POST", "/imports/{file_id}/again"): Act.REVIEW,
    ("GET", "/runs"): Act.READ,
    ("GET", "/runs.xlsx"): Act.EXPORT,
    ("POST", "/jobs"): Act.PLAN,
    ("GET", "/jobs/{request_id}"): Act.READ,
    ("POST", "/jobs/{request_id}/cancel"): Act.READ,
    ("GET", "/review"): Act.REVIEW,
    ("GET", "/review.xlsx"): Act.REVIEW,
    ("POST", "/review/{mention_id}"): Act.REVIEW,
    ("GET", "/merges"): Act.REVIEW,
    ("POST", "/merges"): Act.REVIEW,
    ("POST", "/merges/{merge_id}/undo"): Act.REVIEW,
    ("GET", "/labelling"): Act.LABEL,
    ("POST", "/labelling/{signal_id}"): Act.LABEL,
    ("POST", "/labelling/undo/{label_id}"): Act.LABEL,
    ("POST", "/models/training"): Act.PLAN,
    ("POST", "/models/accepted"): Act.PLAN,
    ("GET", "/policy"): Act.READ,
    ("GET", "/backtest"): Act.READ,
    ("GET", "/account"): Act.READ,
    ("POST", "/account/password"): Act.READ,
    ("POST", "/account/tokens"): Act.READ,
    ("POST", "/account/tokens/{token_id}/revoke"): Act.READ,
    ("GET", "/accounts"): Act.ADMINISTER,
    ("GET", "/accounts.xlsx"): Act.ADMINISTER,
    ("POST", "/accounts"): Act.ADMINISTER,
    ("POST", "/accounts/{account_id}"): Act.ADMINISTER,
    ("GET", "/audit"): Act.ADMINISTER,
    ("GET", "/audit.xlsx"): Act.ADMINISTER,
    ("GET", "/help"): Act.READ,
    ("GET", "/api/docs"): Act.READ,
    ("GET", "/api/v1/openapi.json"): Act.READ,
    ("GET", "/api/v1/overview"): Act.READ,
    ("GET", "/api/v1/enterprises"): Act.READ,
    ("GET", "/api/v1/enterprises/{enterprise_id}"): Act.READ,
    ("GET", "/api/v1/enterprises/{enterprise_id}/records"): Act.READ,
    ("GET", "/api/v1/overrides"): Act.READ,
    ("GET", "/api/v1/unknown"): Act.READ,
    ("GET", "/api/v1/areas"): Act.READ,
    ("GET", "/api/v1/areas/{area_id}"): Act.READ,
    ("GET", "/api/v1/whatif/{trial_id}"): Act.PLAN,
    ("GET", "/api/v1/signals"): Act.READ,
    ("GET", "/api/v1/signals/{signal_id}"): Act.READ,
    ("GET", "/api/v1/plans"): Act.READ,
    ("GET", "/api/v1/plans/{plan_id}"): Act.READ,
    ("GET", "/api/v1/alerts"): Act.READ,
    ("GET", "/api/v1/alerts/{alert_id}"): Act.READ,
    ("POST", "/api/v1/alerts/{alert_id}/answers"): Act.ANSWER,
    ("GET", "/api/v1/cases"): Act.READ,
    ("GET", "/api/v1/cases/{case_id}"): Act.READ,
    ("GET", "/api/v1/sources"): Act.READ,
    ("GET", "/api/v1/imports"): Act.READ,
    ("GET", "/api/v1/imports/{file_id}"): Act.READ,
    ("GET", "/api/v1/runs"): Act.READ,
}


def may(role: str, act: Act) -> bool:
    """True when the role carries the act; an unknown role carries none."""
    return act is Act.OPEN or act in ROLES.get(role, frozenset())
