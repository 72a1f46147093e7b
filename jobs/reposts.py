"""Collapsing reposts: signals that tell one story become one cluster with an origin."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, select
from sqlalchemy.orm import Session, sessionmaker

from jobs.runs import recorded_run
from jobs.settings import Settings
from nlp.reposts import (
    COPY,
    SHORTEST,
    SIMILAR,
    VERSION,
    Groups,
    Match,
    RepostIndex,
    Telling,
    elsewhere,
    independent_sources,
    origin_of,
    repost_key,
    similarity,
)
from nlp.retellings import DAYS, retold
from store.china_time import CHINA
from store.dialect import chunked
from store.session import read_only
from store.tables import Cluster, ClusterMember, Complaint, Label, Mention, Signal

CHANNELS = ("opinion", "complaint", "notice")
"""Where texts are told again. Results, licences and cases have a number of their own and are never copies."""

PUBLIC = ("opinion", "notice")
"""Where the same event is told in other words; a complaint is its sender's own case."""

WINDOW = timedelta(days=120)  # the same words a season later are a new event (P)
BATCH = 5_000


_SELECT = (
    select(Signal, Complaint.claimant_hash, Mention.text)
    .outerjoin(Complaint, Complaint.signal_id == Signal.id)
    .outerjoin(Mention, and_(Mention.signal_id == Signal.id, Mention.role == "respondent", Mention.start < 0))
)


@dataclass(frozen=True, slots=True)
class _Text:
    id: int
    source_id: str
    channel: str
    trust: str
    known_at: datetime
    outlet: str
    key: str
    against: str  # whom a complaint is against, as written


def run(sessions: sessionmaker[Session], settings: Settings, as_of: date) -> dict[str, Any]:
    """Match the signals stored since the last run against all before; return the counts.

    Works on everything stored: a cluster is no fact, and what was known on a date is read from its members.
    Running it again without new signals changes nothing. Deleting `var/reposts.npz` only makes it start over.
    """
    with recorded_run(sessions, "reposts", as_of=as_of, model_version=VERSION) as (_run_id, counts):
        path = settings.var / "reposts.npz"
        with read_only(sessions) as session:
            index, names = _opened(session, RepostIndex.load(path))
        if not names:  # starting over: clusters made by an older version must not pull the new ones together
            with sessions.begin() as session:
                session.execute(delete(ClusterMember))
                session.execute(delete(Cluster))
        counts.update(signals=0, matched=0, clusters=0)
        while True:
            with sessions.begin() as session:
                batch = _next(session, names[-1] if names else 0)
                if not batch:
                    break
                matches = index.add([text.key for text in batch])
                names += [text.id for text in batch]
                refused = _refused(session)
                joins = _joins(session, batch, matches, names, refused)
                joins += _retellings(session, batch, refused)
                counts["signals"] += len(batch)
                counts["matched"] += len({later for later, _earlier in joins})
                counts["clusters"] += _write(session, joins)
        if counts["signals"]:
            index.save(path, names)
        return dict(counts)


def _opened(session: Session, saved: tuple[RepostIndex, list[int]] | None) -> tuple[RepostIndex, list[int]]:
    """Return the saved index when it belongs to this store, else an empty one."""
    if saved is not None:
        index, names = saved
        ends = {names[0], names[-1]} if names else set()
        known = set(session.scalars(select(Signal.id).where(Signal.id.in_(ends), Signal.channel.in_(CHANNELS))))
        if known == ends:
            return index, names
    return RepostIndex(), []


def _next(session: Session, after: int) -> list[_Text]:
    return _texts(
        session,
        _SELECT.where(Signal.id > after, Signal.channel.in_(CHANNELS)).order_by(Signal.id).limit(BATCH),
    )


def _by_id(session: Session, ids: Iterable[int]) -> dict[int, _Text]:
    found: dict[int, _Text] = {}
    for chunk in chunked(sorted(set(ids)), 500):
        found |= {text.id: text for text in _texts(session, _SELECT.where(Signal.id.in_(chunk)))}
    return found


def _texts(session: Session, statement: Any) -> list[_Text]:
    texts = []
    seen: set[int] = set()
    for signal, claimant, against in session.execute(statement):
        if signal.id in seen:  # a complaint against two firms is one text
            continue
        seen.add(signal.id)
        key = repost_key(signal.text)
        if len(key) < SHORTEST:
            key = repost_key(f"{signal.title}\n{signal.text}")
        outlet = str(signal.payload.get("outlet") or claimant or "")
        texts.append(
            _Text(
                signal.id,
                signal.source_id,
                signal.channel,
                signal.trust,
                signal.known_at,
                outlet or signal.source_id,
                key,
                against or "",
            )
        )
    return texts


def _refused(session: Session) -> set[int]:
    """Return the signals a person said belong to no cluster."""
    statement = select(Label.signal_id).where(
        Label.kind == "cluster", Label.decision == "no", Label.withdrawn_at.is_(None)
    )
    return set(session.scalars(statement))


def _joins(
    session: Session,
    batch: Sequence[_Text],
    matches: Sequence[Sequence[Match]],
    names: Sequence[int],
    refused: set[int],
) -> list[tuple[int, int]]:
    """Return the pairs (later, earlier) that hold when the texts themselves are compared."""
    earlier = {names[match.earlier] for found in matches for match in found}
    texts = {text.id: text for text in batch}
    texts |= _by_id(session, earlier - texts.keys())
    joins = []
    for text, found in zip(batch, matches, strict=True):
        for match in found:
            other = texts.get(names[match.earlier])
            if other is None or refused & {text.id, other.id} or not _is_same(text, other):
                continue
            joins.append((text.id, other.id))
            break
    return joins


def _retellings(session: Session, batch: Sequence[_Text], refused: set[int]) -> list[tuple[int, int]]:
    """Return the pairs of public texts that tell one event within days in words of their own."""
    fresh = {text.id for text in batch if text.channel in PUBLIC}
    if not fresh:
        return []
    moments = [text.known_at for text in batch if text.id in fresh]
    window = _texts(
        session,
        _SELECT.where(
            Signal.channel.in_(PUBLIC),
            Signal.known_at >= min(moments) - timedelta(days=DAYS + 1),
            Signal.known_at <= max(moments) + timedelta(days=DAYS + 1),
        ).order_by(Signal.id),
    )
    texts = [text for text in window if text.id not in refused and len(text.key) >= SHORTEST]
    days = [text.known_at.astimezone(CHINA).toordinal() for text in texts]
    joins = []
    for later, earlier, _overlap in retold([text.key for text in texts], days):
        one, other = texts[later], texts[earlier]
        both_notices = one.channel == other.channel == "notice"
        if fresh & {one.id, other.id} and not both_notices:
            joins.append((one.id, other.id))
    return joins


def _is_same(one: _Text, other: _Text) -> bool:
    """True when one text repeats the other, within a season; an office's own notices share only their form."""
    if one.channel != other.channel and "complaint" in (one.channel, other.channel):
        return False
    if one.channel == "notice" and one.source_id == other.source_id:
        return False
    if abs(one.known_at - other.known_at) > WINDOW:
        return False
    if min(len(one.key), len(other.key)) < SHORTEST:
        return one.key == other.key
    if one.against and other.against and one.against != other.against:
        return False  # complaint forms are filled in alike; against whom is what is said
    if elsewhere(one.key, other.key):
        return False
    jaccard, contained = similarity(one.key, other.key)
    return jaccard >= SIMILAR or contained >= COPY


def _write(session: Session, joins: Sequence[tuple[int, int]]) -> int:
    """Write the clusters the joins make or enlarge; return how many."""
    if not joins:
        return 0
    groups = Groups()
    touched = {number for pair in joins for number in pair}
    clusters = set(session.scalars(select(ClusterMember.cluster_id).where(ClusterMember.signal_id.in_(touched))))
    rows = session.execute(
        select(ClusterMember.cluster_id, ClusterMember.signal_id).where(ClusterMember.cluster_id.in_(clusters))
    ).all()
    first: dict[int, int] = {}
    for cluster_id, signal_id in rows:
        touched.add(signal_id)
        groups.join(first.setdefault(cluster_id, signal_id), signal_id)
    for later, earlier in joins:
        groups.join(later, earlier)
    session.execute(delete(ClusterMember).where(ClusterMember.cluster_id.in_(clusters)))
    session.execute(delete(Cluster).where(Cluster.id.in_(clusters)))
    texts = _by_id(session, touched)
    written = 0
    for members in groups.members(sorted(touched)):
        tellings = [
            Telling(text.id, text.trust, text.known_at, text.outlet, text.key)
            for text in (texts[number] for number in members)
        ]
        origin = origin_of(tellings)
        cluster = Cluster(
            origin_id=origin.number,
            size=len(tellings),
            independent_sources=independent_sources(tellings),
            version=VERSION,
        )
        session.add(cluster)
        session.flush()
        session.add_all(
            ClusterMember(
                signal_id=telling.number,
                cluster_id=cluster.id,
                similarity=round(max(similarity(telling.key, origin.key)), 4),
            )
            for telling in tellings
        )
        written += 1
    return written
