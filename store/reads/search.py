"""Finding by words, inside the caller's scope."""

from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from store.reads import enterprises
from store.reads.page import PageRequest
from store.reads.scope import Scope
from store.reads.signals import SignalFilter, SignalRow, listing
from store.tables import Enterprise


@dataclass(frozen=True, slots=True)
class Found:
    """What matches a search: enterprises by name or code, signals by their text."""

    enterprises: list[Enterprise] = field(default_factory=list)
    signals: list[SignalRow] = field(default_factory=list)
    signals_total: int = 0


def find(session: Session, scope: Scope, words: str, *, limit: int, with_signals: bool = True) -> Found:
    """Return at most `limit` of each that match; nothing for fewer than two characters."""
    if len(words) < 2:
        return Found()
    named = enterprises.named_like(session, scope, words, limit)
    if not with_signals:
        return Found(named)
    page = listing(session, scope, SignalFilter(q=words), PageRequest(1, limit))
    return Found(named, page.rows, page.total)
