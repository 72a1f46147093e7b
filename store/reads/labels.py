"""What to label next, and how far labelling is."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.reads.scope import Scope, signals_in
from store.tables import Label, ModelVersion, Signal, Source, Tag

MOST_PROPOSALS = 9


@dataclass(frozen=True, slots=True)
class Proposal:
    """A tag the machine proposes, and what this person said of it before."""

    kind: str
    code: str
    probability: float
    status: str
    said: str | None


@dataclass(frozen=True, slots=True)
class LabellingTask:
    """A signal to be labelled with up to nine proposals, the surest first."""

    signal: Signal
    source: Source
    tags: list[Tag]
    proposals: list[Proposal]
    relevance: float | None
    relevance_said: str | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How many signals have labels, how many labels there are, and one's own last one."""

    signals: int
    labels: int
    unsure: int
    last: Label | None


def models(session: Session, most: int = 10) -> list[ModelVersion]:
    """The trained models of the tagger, the newest first."""
    return list(session.scalars(select(ModelVersion).order_by(ModelVersion.id.desc()).limit(most)))


def next_signal(session: Session, scope: Scope, account_id: int, skip: int = 0) -> int | None:
    """Return the signal that is worth most to label: where the tagger is least sure and nobody has labelled yet.

    Structured sampling rows are left out: their tags follow from columns, not from reading.
    """
    labelled = select(Label.signal_id).where(Label.withdrawn_at.is_(None))
    doubt = func.min(func.abs(Tag.probability - 0.5))
    return session.scalar(
        select(Tag.signal_id)
        .join(Signal, Signal.id == Tag.signal_id)
        .where(
            Tag.kind.in_(("relevance", "hazard", "violation")),
            Signal.channel.in_(("complaint", "opinion", "monitoring", "injury", "case", "notice")),
            Tag.signal_id.not_in(labelled),
            signals_in(scope),
        )
        .group_by(Tag.signal_id)
        .order_by(doubt, Tag.signal_id)
        .offset(skip)
        .limit(1)
    )


def task(session: Session, scope: Scope, signal_id: int, account_id: int) -> LabellingTask | None:
    """Return a signal with its proposals, or None when it is out of reach."""
    signal = session.scalar(select(Signal).where(Signal.id == signal_id, signals_in(scope)))
    if signal is None:
        return None
    tags = list(
        session.scalars(
            select(Tag).where(Tag.signal_id == signal_id).order_by(Tag.probability.desc(), Tag.kind, Tag.code)
        )
    )
    said = {
        (label.kind, label.code): label.decision
        for label in session.scalars(
            select(Label).where(
                Label.signal_id == signal_id, Label.account_id == account_id, Label.withdrawn_at.is_(None)
            )
        )
    }
    proposals: dict[tuple[str, str], Proposal] = {}
    for tag in tags:
        if tag.kind in ("product", "hazard", "violation") and (tag.kind, tag.code) not in proposals:
            proposals[tag.kind, tag.code] = Proposal(
                tag.kind, tag.code, tag.probability, tag.status, said.get((tag.kind, tag.code))
            )
    for kind, code in said:
        if kind != "relevance" and (kind, code) not in proposals:
            proposals[kind, code] = Proposal(kind, code, 0.0, "asserted", said[kind, code])
    relevance = next((tag.probability for tag in tags if tag.kind == "relevance"), None)
    return LabellingTask(
        signal=signal,
        source=session.get_one(Source, signal.source_id),
        tags=tags,
        proposals=list(proposals.values())[:MOST_PROPOSALS],
        relevance=relevance,
        relevance_said=said.get(("relevance", "relevant")),
    )


def progress(session: Session, account_id: int) -> Progress:
    """Return how far labelling is."""
    in_force = Label.withdrawn_at.is_(None)
    return Progress(
        signals=session.scalar(select(func.count(func.distinct(Label.signal_id))).where(in_force)) or 0,
        labels=session.scalar(select(func.count()).select_from(Label).where(in_force)) or 0,
        unsure=session.scalar(select(func.count()).select_from(Label).where(in_force, Label.decision == "unsure")) or 0,
        last=session.scalar(
            select(Label)
            .where(in_force, Label.account_id == account_id)
            .order_by(Label.decided_at.desc(), Label.id.desc())
            .limit(1)
        ),
    )
