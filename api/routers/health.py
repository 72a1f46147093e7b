"""Whether the service answers, for those who watch it."""

from fastapi import APIRouter
from sqlalchemy import text

from api.deps import Reading

router = APIRouter()


@router.get("/health", include_in_schema=False)
def health(session: Reading) -> dict[str, str]:
    """Say that pages and store answer; nothing about what is in them."""
    session.execute(text("SELECT 1"))
    return {"status": "ok"}
