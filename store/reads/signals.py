"""Signals: the list, and one signal with what it says, whom it names and where it came from."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from store.reads.enterprises import RECORD_TABLES, AnySelect
from store.reads.page import Page, PageRequest
from store.reads.scope import Scope, signals_in
from store.tables import (
    Cluster,
    ClusterMember,
    Enterprise,
    ImportFile,
    Label,
    Link,
    Mention,
    Signal,
    Source,
    Tag,
)

SORTS = ("newest", "oldest", "known")


@dataclass(frozen=True, slots=True)
class SignalFilter:
    """What the list is narrowed to; empty values narrow nothing."""

    q: str = ""
    channel: str = ""
    source: str = ""
    trust: str = ""
    region: str = ""
    product: str = ""
    hazard: str = ""
    violation: str = ""
    outcome: str = ""
    since: date | None = None
    until: date | None = None
    enterprise: int | None = None
    run: int | None = None
    file: int | None = None
    origins: bool = False
    sort: str = "newest"


@dataclass(frozen=True, slots=True)
class SignalTag:
    """A tag in short: its kind, code, status and probability."""

    kind: str
    code: str
    status: str
    probability: float


@dataclass(frozen=True, slots=True)
class SignalRow:
    """One line of the list."""

    id: int
    occurred_on: date
    known_at: datetime
    channel: str
    trust: str
    title: str
    excerpt: str
    region_code: str | None
    source_id: str
    source_title: str
    copies: int
    tags: list[SignalTag] = field(default_factory=list)
    enterprises: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class NamedFirm:
    """A name in the signal, whose it is, and whether that firm's page is in reach."""

    mention: Mention
    link: Link | None
    enterprise: Enterprise | None
    reachable: bool


@dataclass(frozen=True, slots=True)
class SignalFile:
    """One signal and everything that hangs on it."""

    signal: Signal
    source: Source
    file: ImportFile | None
    parent: Signal | None
    rows: list[Signal]
    record_kind: str | None
    record: Any
    tags: list[Tag]
    firms: list[NamedFirm]
    labels: list[Label]
    cluster: Cluster | None
    copies: list[tuple[Signal, str, float]]


def listing(session: Session, scope: Scope, wanted: SignalFilter, page: PageRequest) -> Page[SignalRow]:
    """Return the signals in reach that match. Five queries."""
    copies = (
        select(Cluster.size)
        .join(ClusterMember, ClusterMember.cluster_id == Cluster.id)
        .where(ClusterMember.signal_id == Signal.id)
        .correlate(Signal)
        .scalar_subquery()
    )
    statement = _narrowed(select(Signal, Source.title, copies).join(Source, Source.id == Signal.source_id), wanted)
    statement = statement.where(signals_in(scope))
    count = _narrowed(select(func.count(Signal.id)), wanted).where(signals_in(scope))
    total = session.scalar(count) or 0
    order: Any = {
        "oldest": (Signal.occurred_on, Signal.id),
        "known": (Signal.known_at.desc(), Signal.id.desc()),
    }.get(wanted.sort, (Signal.occurred_on.desc(), Signal.id.desc()))
    rows = [
        SignalRow(
            id=signal.id,
            occurred_on=signal.occurred_on,
            known_at=signal.known_at,
            channel=signal.channel,
            trust=signal.trust,
            title=signal.title,
            excerpt=signal.text[:160],
            region_code=signal.region_code,
            source_id=signal.source_id,
            source_title=source_title,
            copies=size or 1,
        )
        for signal, source_title, size in session.execute(
            statement.order_by(*order).offset(page.offset).limit(page.size)
        )
    ]
    return Page(_with_tags_and_firms(session, scope, rows), total, page.number, page.size)


def one(session: Session, scope: Scope, signal_id: int) -> SignalFile | None:
    """Return a signal with its record, tags, names and copies, or None when it is out of reach."""
    signal = session.scalar(select(Signal).where(Signal.id == signal_id, signals_in(scope)))
    if signal is None:
        return None
    record_kind, record = None, None
    for kind, table in RECORD_TABLES.items():
        record = session.get(table, signal_id)
        if record is not None:
            record_kind = kind
            break
    cluster = session.scalar(
        select(Cluster)
        .join(ClusterMember, ClusterMember.cluster_id == Cluster.id)
        .where(ClusterMember.signal_id == signal_id)
    )
    copies: list[tuple[Signal, str, float]] = []
    if cluster is not None and cluster.size > 1:
        copies = [
            (copy, title, similarity)
            for copy, title, similarity in session.execute(
                select(Signal, Source.title, ClusterMember.similarity)
                .join(ClusterMember, ClusterMember.signal_id == Signal.id)
                .join(Source, Source.id == Signal.source_id)
                .where(ClusterMember.cluster_id == cluster.id, signals_in(scope))
                .order_by(Signal.known_at, Signal.id)
                .limit(60)
            )
        ]
    firms = [
        NamedFirm(mention, link, enterprise, enterprise is not None and scope.covers(enterprise.region_code))
        for mention, link, enterprise in session.execute(
            select(Mention, Link, Enterprise)
            .outerjoin(Link, Link.mention_id == Mention.id)
            .outerjoin(Enterprise, Enterprise.id == Link.enterprise_id)
            .where(Mention.signal_id == signal_id)
            .order_by(Mention.start, Mention.id)
        )
    ]
    return SignalFile(
        signal=signal,
        source=session.get_one(Source, signal.source_id),
        file=session.get(ImportFile, signal.file_id) if signal.file_id else None,
        parent=session.scalar(select(Signal).where(Signal.id == signal.parent_id, signals_in(scope)))
        if signal.parent_id
        else None,
        rows=list(
            session.scalars(
                select(Signal).where(Signal.parent_id == signal_id, signals_in(scope)).order_by(Signal.id).limit(100)
            )
        ),
        record_kind=record_kind,
        record=record,
        tags=list(
            session.scalars(
                select(Tag).where(Tag.signal_id == signal_id).order_by(Tag.kind, Tag.probability.desc(), Tag.id)
            )
        ),
        firms=firms,
        labels=list(
            session.scalars(
                select(Label).where(Label.signal_id == signal_id, Label.withdrawn_at.is_(None)).order_by(Label.id)
            )
        ),
        cluster=cluster,
        copies=copies,
    )


def sources_in_use(session: Session) -> list[tuple[str, str]]:
    """Return the sources' ids and titles, for the pick-list."""
    return [(row.id, row.title) for row in session.execute(select(Source.id, Source.title).order_by(Source.title))]


def _narrowed(statement: AnySelect, wanted: SignalFilter) -> AnySelect:
    if wanted.q:
        statement = statement.where(
            or_(Signal.title.contains(wanted.q, autoescape=True), Signal.text.contains(wanted.q, autoescape=True))
        )
    for column, value in (
        (Signal.channel, wanted.channel),
        (Signal.source_id, wanted.source),
        (Signal.trust, wanted.trust),
        (Signal.run_id, wanted.run),
        (Signal.file_id, wanted.file),
    ):
        if value:
            statement = statement.where(column == value)
    if wanted.region:
        statement = statement.where(Signal.region_code.startswith(wanted.region, autoescape=True))
    for kind, code in (
        ("product", wanted.product),
        ("hazard", wanted.hazard),
        ("violation", wanted.violation),
        ("outcome", wanted.outcome),
    ):
        if code:
            tagged = select(Tag.signal_id).where(Tag.kind == kind, Tag.code == code, Tag.status == "asserted")
            statement = statement.where(Signal.id.in_(tagged))
    if wanted.since:
        statement = statement.where(Signal.occurred_on >= wanted.since)
    if wanted.until:
        statement = statement.where(Signal.occurred_on <= wanted.until)
    if wanted.enterprise:
        linked = (
            select(Mention.signal_id)
            .join(Link, Link.mention_id == Mention.id)
            .join(Enterprise, Enterprise.id == Link.enterprise_id)
            .where(func.coalesce(Enterprise.merged_into_id, Enterprise.id) == wanted.enterprise)
        )
        statement = statement.where(Signal.id.in_(linked))
    if wanted.origins:
        statement = statement.where(
            Signal.id.not_in(
                select(ClusterMember.signal_id)
                .join(Cluster, Cluster.id == ClusterMember.cluster_id)
                .where(Cluster.origin_id != ClusterMember.signal_id)
            )
        )
    return statement


def _with_tags_and_firms(session: Session, scope: Scope, rows: Sequence[SignalRow]) -> list[SignalRow]:
    tags: dict[int, list[SignalTag]] = {}
    firms: dict[int, dict[int, str]] = {}
    ids = [row.id for row in rows]
    for start in range(0, len(ids), 500):
        part = ids[start : start + 500]
        for tag in session.execute(
            select(Tag.signal_id, Tag.kind, Tag.code, Tag.status, Tag.probability)
            .where(Tag.signal_id.in_(part), Tag.kind.in_(("hazard", "violation", "product", "outcome")))
            .order_by(Tag.kind, Tag.probability.desc())
        ):
            tags.setdefault(tag.signal_id, []).append(SignalTag(tag.kind, tag.code, tag.status, tag.probability))
        for signal_id, enterprise_id, name in session.execute(
            select(Mention.signal_id, Enterprise.id, Enterprise.name)
            .join(Link, Link.mention_id == Mention.id)
            .join(Enterprise, Enterprise.id == Link.enterprise_id)
            .where(Mention.signal_id.in_(part), scope.where(Enterprise.region_code))
            .order_by(Mention.id)
        ):
            firms.setdefault(signal_id, {})[enterprise_id] = name
    return [replace(row, tags=tags.get(row.id, []), enterprises=list(firms.get(row.id, {}).items())) for row in rows]
