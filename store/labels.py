"""What people say about a signal's tags. "unsure" is an answer; nothing a machine does overwrites a label."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from store.tables import Label

KINDS = ("relevance", "product", "hazard", "violation", "outcome")
DECISIONS = ("yes", "no", "unsure")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One answer: does the signal say this?"""

    kind: str
    code: str
    decision: str


def save(
    session: Session, signal_id: int, verdicts: Sequence[Verdict], *, account_id: int, at: datetime
) -> list[Label]:
    """Keep the answers of one person on one signal; that person's earlier answers to the same questions step back."""
    rows = []
    for verdict in verdicts:
        session.execute(
            update(Label)
            .where(
                Label.signal_id == signal_id,
                Label.kind == verdict.kind,
                Label.code == verdict.code,
                Label.account_id == account_id,
                Label.withdrawn_at.is_(None),
            )
            .values(withdrawn_at=at)
        )
        rows.append(
            Label(
                signal_id=signal_id,
                kind=verdict.kind,
                code=verdict.code,
                decision=verdict.decision,
                account_id=account_id,
                decided_at=at,
            )
        )
    session.add_all(rows)
    session.flush()
    return rows


def withdraw(session: Session, label_id: int, *, account_id: int, at: datetime) -> int | None:
    """Take back the answers given together with this one by this person; return the signal, None when not theirs."""
    label = session.get(Label, label_id)
    if label is None or label.account_id != account_id or label.withdrawn_at is not None:
        return None
    session.execute(
        update(Label)
        .where(
            Label.signal_id == label.signal_id,
            Label.account_id == account_id,
            Label.decided_at == label.decided_at,
            Label.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=at)
    )
    return label.signal_id
