"""What would change one firm's grade, worked out when its page asks: its own records are read, nobody else's."""

from datetime import date
from pathlib import Path

from sqlalchemy.orm import Session

from jobs.known_facts import facts_of, read_records
from nlp.taxonomy import load_taxonomy
from scoring.policy import Policy
from scoring.whatif import Outlook, outlooks
from store.merges import entries_of

Line = tuple[str, str]  # product line ('' = all), role


def outlooks_of(
    session: Session, lexicon_dir: Path, policy: Policy, enterprise_id: int, as_of: date
) -> dict[Line, list[Outlook]]:
    """Return by line what the next batch, or a quiet year, would make of the grade, as known by the end of a day."""
    taxonomy = load_taxonomy(lexicon_dir)
    known = read_records(session, as_of, taxonomy, entries_of(session, enterprise_id)).by(as_of)
    return {
        (facts.product_id, facts.role): outlooks(facts, policy, as_of)
        for subject in known.subjects()
        if subject[0] == enterprise_id
        for facts in facts_of(known, subject, taxonomy)
    }
