"""The routes, one file a noun."""

from fastapi import APIRouter

from api.routers import (
    accounts,
    alerts,
    cases,
    enterprises,
    grounds,
    health,
    import_files,
    imports,
    labelling,
    overview,
    plans,
    rest,
    review,
    runs,
    search,
    sign_in,
    signals,
    sources,
)

ROUTERS: tuple[APIRouter, ...] = (
    health.router,
    sign_in.router,
    overview.router,
    search.router,
    enterprises.router,
    signals.router,
    plans.router,
    alerts.router,
    cases.router,
    sources.router,
    imports.router,
    import_files.router,
    runs.router,
    review.router,
    labelling.router,
    grounds.router,
    accounts.router,
    rest.router,
    rest.docs,
)
