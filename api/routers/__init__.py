"""The routes, one file a noun."""

from fastapi import APIRouter

from api.routers import accounts, enterprises, health, overview, search, sign_in, signals

ROUTERS: tuple[APIRouter, ...] = (
    health.router,
    sign_in.router,
    overview.router,
    search.router,
    enterprises.router,
    signals.router,
    accounts.router,
)
