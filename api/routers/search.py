"""Finding an enterprise or a signal from anywhere."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.deps import InScope, Reading
from api.rendering import render
from store.reads import regions
from store.reads.search import find

router = APIRouter(include_in_schema=False)

Words = Annotated[str, Query(max_length=100)]


@router.get("/search")
def search_page(request: Request, session: Reading, scope: InScope, q: Words = "") -> Response:
    """Show what matches, enterprises first."""
    found = find(session, scope, q.strip(), limit=20)
    names = regions.names(session, [row.region_code for row in found.enterprises])
    return render(request, "search.html", {"q": q.strip(), "found": found, "names": names})


@router.get("/search/suggest")
def suggest(request: Request, session: Reading, scope: InScope, q: Words = "") -> Response:
    """Show the first few matches while the words are being typed."""
    words = q.strip()
    found = find(session, scope, words, limit=6, with_signals=False) if len(words) >= 2 else None
    return render(request, "search_suggest.html", {"q": words, "found": found})
