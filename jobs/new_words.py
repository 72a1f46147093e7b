"""新词发现 over the stored signals: words that move with risk and that no lexicon knows, for a person to judge."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from jobs.settings import Settings
from nlp.masking import mask
from nlp.new_words import NewWord, propose
from nlp.taxonomy import Taxonomy, load_taxonomy
from store.china_time import end_of
from store.session import read_only
from store.tables import Signal, Tag

NEWEST = 20_000  # signals looked at: enough for a new word to show, few enough for a minute
RISKY_FROM = 0.5


def run(sessions: sessionmaker[Session], settings: Settings, as_of: date, most: int = 50) -> list[NewWord]:
    """Propose from what was known by the end of `as_of`; writes nothing."""
    with read_only(sessions) as session:
        return proposals(session, load_taxonomy(settings.lexicon_dir), end_of(as_of), most)


def proposals(session: Session, taxonomy: Taxonomy, until: datetime, most: int = 50) -> list[NewWord]:
    """Propose from the newest tagged signals that are told in words: complaints, posts, news; not table rows."""
    rows = session.execute(
        select(Signal.text, Tag.probability)
        .join(Tag, Tag.signal_id == Signal.id)
        .where(Tag.kind == "relevance", Signal.known_at < until, Signal.channel != "sampling", Signal.text != "")
        .order_by(Signal.known_at.desc(), Signal.id.desc())
        .limit(NEWEST)
    ).all()
    risk = [text for text, probability in rows if probability >= RISKY_FROM]
    other = [text for text, probability in rows if probability < RISKY_FROM]
    return propose(risk, other, known_words(taxonomy), most=most)


def known_words(taxonomy: Taxonomy) -> list[str]:
    """Every term and alias of a lexicon folder."""
    terms = [
        word
        for group in (taxonomy.hazards.values(), taxonomy.violations.values())
        for entry in group
        for word in (entry.name, *entry.terms)
    ]
    return [*terms, *(alias.text for alias in taxonomy.aliases)]


def as_rows(words: list[NewWord]) -> list[dict[str, Any]]:
    """The proposals as plain values, the examples without personal data: they are printed and kept with a model."""
    return [
        {"word": word.text, "texts": word.texts, "lift": word.lift, "examples": [mask(one) for one in word.examples]}
        for word in words
    ]
