"""Items -> store: each signal once, with its typed record and the names it mentions, in bulk."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any

from sqlalchemy import bindparam, delete, select, tuple_, update
from sqlalchemy.orm import Session

from ingest.signal import RawSignal
from store.dialect import allocate_ids, bulk_insert, chunked, serialise
from store.tables import (
    Complaint,
    CreditClass,
    EnforcementCase,
    Injury,
    Inspection,
    Licence,
    Link,
    Mention,
    MonitoringPoint,
    MonitoringReport,
    PlanLine,
    Recall,
    SamplingResult,
    SelfCheck,
    Signal,
    Tag,
)

CHUNK = 2_000

RECORD_TABLES = {
    table.__tablename__: table.metadata.tables[table.__tablename__]
    for table in (
        SamplingResult,
        Complaint,
        Recall,
        Injury,
        Licence,
        EnforcementCase,
        Inspection,
        SelfCheck,
        MonitoringReport,
        CreditClass,
    )
}
"""The typed table behind each `RawSignal.record_kind`."""

_SIGNALS, _MENTIONS = Signal.metadata.tables["signal"], Signal.metadata.tables["mention"]
_SIGNAL_COLUMNS = (
    "id", "source_id", "external_id", "content_hash", "channel", "trust", "parent_id", "title", "text", "url",
    "region_code", "occurred_on", "known_at", "file_id", "file_place", "run_id", "archive_path", "damaged", "payload",
    "flags",
)  # fmt: skip
_MENTION_COLUMNS = ("signal_id", "role", "text", "start", "end", "uscc", "region_code", "address", "denied")

_VISITED = {"no_sample": "no_sample", "refused": "refused"}


@dataclass(slots=True)
class Stored:
    """What became of the signals: new, already there, or under a known id with other content (`conflicts`)."""

    added: int = 0
    known: int = 0
    conflicts: list[RawSignal] = field(default_factory=list)


def store_signals(
    session: Session, signals: Iterable[RawSignal], *, run_id: int | None = None, file_id: int | None = None
) -> Stored:
    """Store each signal that is not there yet, by (source, external id). The caller commits.

    A signal whose id is known is left alone; when its content differs it is returned as a conflict, because
    evidence is never edited. Raises KeyError for an unknown record kind.
    """
    stored = Stored()
    serialise(session, "signals")
    for chunk in chunked(signals, CHUNK):
        _store_chunk(session, chunk, stored, run_id=run_id, file_id=file_id)
    return stored


def revise_signals(session: Session, revised: Iterable[tuple[int, RawSignal]]) -> int:
    """Store the same rows of the same file read better; return how many signals there were. The caller commits.

    Only our reading changes, never when it was known nor what people decided: the signal keeps its id and
    `known_at`, a mention that somebody decided on stays, and what was derived from the text is derived anew.
    """
    count = 0
    for chunk in chunked(revised, CHUNK):
        count += len(chunk)
        ids = [id_ for id_, _ in chunk]
        stands = select(Signal.id, Signal.external_id, Signal.known_at).where(Signal.id.in_(ids))
        held = {row.id: row for row in session.execute(stands)}
        taken = _known(session, {(signal.source_id, external_id(signal)) for _, signal in chunk})
        session.connection().execute(
            update(_SIGNALS).where(_SIGNALS.c.id == bindparam("revised")),
            [
                {
                    "revised": id_,
                    "external_id": held[id_].external_id
                    if (signal.source_id, external_id(signal)) in taken
                    else external_id(signal),
                    "content_hash": signal.content_hash,
                    "title": signal.title,
                    "text": signal.text,
                    "url": signal.url,
                    "region_code": signal.region_code,
                    "occurred_on": signal.occurred_on,
                    "payload": dict(signal.payload),
                }
                for id_, signal in chunk
            ],
        )
        session.execute(delete(Tag).where(Tag.signal_id.in_(ids)))
        for kind in {signal.record_kind for _, signal in chunk} - {None}:
            table = RECORD_TABLES[str(kind)]
            session.execute(delete(table).where(table.c.signal_id.in_(ids)))
        _store_records(session, [replace(signal, known_at=held[id_].known_at) for id_, signal in chunk], ids)
        for id_, signal in chunk:
            _revise_mentions(session, id_, signal)
    return count


def _revise_mentions(session: Session, signal_id: int, signal: RawSignal) -> None:
    """Add the names the row now says, and drop those it does not, unless somebody decided whose they are."""
    said = {(m.role, m.text): m for m in signal.mentions}
    rows = session.execute(
        select(Mention.id, Mention.role, Mention.text, Link.decided)
        .outerjoin(Link, Link.mention_id == Mention.id)
        .where(Mention.signal_id == signal_id, Mention.start < 0)
    ).all()
    gone = [row.id for row in rows if (row.role, row.text) not in said and row.decided is None]
    session.execute(delete(Link).where(Link.mention_id.in_(gone)))
    session.execute(delete(Mention).where(Mention.id.in_(gone)))
    held = {(row.role, row.text) for row in rows}
    new = [(signal_id, m.role, m.text, -1, -1, m.uscc, m.region_code, m.address, m.denied)
           for key, m in said.items() if key not in held]  # fmt: skip
    bulk_insert(session, _MENTIONS, _MENTION_COLUMNS, list(zip(*new, strict=True)))


def external_id(signal: RawSignal) -> str:
    """Return the id a signal is stored under: the source's own, else its content hash."""
    return signal.external_id or signal.content_hash


def _store_chunk(
    session: Session, chunk: Sequence[RawSignal], stored: Stored, *, run_id: int | None, file_id: int | None
) -> None:
    known = _known(session, {(s.source_id, external_id(s)) for s in chunk})
    fresh: list[RawSignal] = []
    hashes: list[str] = []
    for signal in chunk:
        key = (signal.source_id, external_id(signal))
        content = signal.content_hash
        if key not in known:
            known[key] = content
            fresh.append(signal)
            hashes.append(content)
        elif known[key] == content:
            stored.known += 1
        else:
            stored.conflicts.append(signal)
    if not fresh:
        return
    ids = allocate_ids(session, Signal.__tablename__, len(fresh))
    parents = _parents(session, fresh, ids)
    nothing = [None] * len(fresh)
    columns: dict[str, Sequence[Any]] = {
        "id": ids,
        "external_id": [external_id(s) for s in fresh],
        "content_hash": hashes,
        "parent_id": [parents.get((s.source_id, s.parent_external_id or "")) for s in fresh] if parents else nothing,
        "file_id": [file_id] * len(fresh),
        "run_id": [run_id] * len(fresh),
        "damaged": [[list(span) for span in s.damaged] for s in fresh],
        "payload": [dict(s.payload) for s in fresh],
        "flags": [list(s.flags) for s in fresh],
    }
    for name in _SIGNAL_COLUMNS:
        if name not in columns:
            columns[name] = list(map(attrgetter(name), fresh))
    bulk_insert(session, _SIGNALS, _SIGNAL_COLUMNS, [columns[name] for name in _SIGNAL_COLUMNS])
    _store_records(session, fresh, ids)
    mentions = [
        (id_, m.role, m.text, -1, -1, m.uscc, m.region_code, m.address, m.denied)
        for id_, s in zip(ids, fresh, strict=True)
        for m in {(m.role, m.text): m for m in s.mentions}.values()
    ]
    bulk_insert(session, _MENTIONS, _MENTION_COLUMNS, list(zip(*mentions, strict=True)))
    stored.added += len(fresh)


def _known(session: Session, keys: set[tuple[str, str]]) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    by_source: dict[str, list[str]] = {}
    for source, external in keys:
        by_source.setdefault(source, []).append(external)
    for source, externals in by_source.items():
        for part in chunked(sorted(externals), 500):
            rows = session.execute(
                select(Signal.external_id, Signal.content_hash).where(
                    Signal.source_id == source, Signal.external_id.in_(part)
                )
            )
            found |= {(source, external): content for external, content in rows}
    return found


def _parents(session: Session, fresh: Sequence[RawSignal], ids: Sequence[int]) -> dict[tuple[str, str], int]:
    wanted = {(s.source_id, s.parent_external_id) for s in fresh if s.parent_external_id}
    if not wanted:
        return {}
    found = {(s.source_id, external_id(s)): id_ for id_, s in zip(ids, fresh, strict=True)}
    rows = session.execute(
        select(Signal.source_id, Signal.external_id, Signal.id).where(
            tuple_(Signal.source_id, Signal.external_id).in_(sorted((a, b) for a, b in wanted if b))
        )
    )
    return {(source, external): id_ for source, external, id_ in rows} | {k: v for k, v in found.items() if k in wanted}


def _store_records(session: Session, fresh: Sequence[RawSignal], ids: Sequence[int]) -> None:
    by_kind: dict[str, list[tuple[int, RawSignal]]] = {}
    for id_, signal in zip(ids, fresh, strict=True):
        if signal.record_kind is not None:
            by_kind.setdefault(signal.record_kind, []).append((id_, signal))
    for kind, pairs in by_kind.items():
        table = RECORD_TABLES[kind]
        columns: dict[str, Sequence[Any]] = {"signal_id": [id_ for id_, _ in pairs]}
        for name in ("occurred_on", "known_at", "region_code"):
            columns[name] = [getattr(signal, name) for _, signal in pairs]
        if kind == MonitoringReport.__tablename__:
            columns["point_id"] = _points(session, [signal for _, signal in pairs])
        if kind == SamplingResult.__tablename__:
            columns["plan_line_id"] = _tie_to_plan(session, pairs)
        names = [column.name for column in table.columns]
        records = [signal.record for _, signal in pairs]
        for name in names:
            if name not in columns:
                default = _default(table.c[name])
                columns[name] = [record.get(name, default) for record in records]
        bulk_insert(session, table, names, [columns[name] for name in names])


def _default(column: Any) -> Any:
    """Return what a row has in a column others of its chunk fill: the table's own default."""
    default = column.default
    if default is None:
        return None
    return default.arg(None) if default.is_callable else default.arg


def _points(session: Session, reports: Sequence[RawSignal]) -> list[int | None]:
    """Return the id of each report's monitoring point, registering points that are new."""
    names = {r.record["point_name"]: r.region_code for r in reports if r.record.get("point_name")}
    found = session.execute(select(MonitoringPoint.name, MonitoringPoint.id).where(MonitoringPoint.name.in_(names)))
    points = {row.name: row.id for row in found}
    for name in sorted(names.keys() - points.keys()):
        point = MonitoringPoint(name=name, region_code=names[name])
        session.add(point)
        session.flush()
        points[name] = point.id
    return [points.get(report.record.get("point_name") or "") for report in reports]


def _tie_to_plan(session: Session, results: Sequence[tuple[int, RawSignal]]) -> list[int | None]:
    """Return the plan line each result answers, by the code printed on the sampling sheet; the line learns of it."""
    codes = sorted({signal.record["plan_code"] for _, signal in results if signal.record.get("plan_code")})
    lines: dict[str, int] = {}
    for part in chunked(codes, 500):
        found = session.execute(select(PlanLine.code, PlanLine.id).where(PlanLine.code.in_(part)))
        lines |= {row.code: row.id for row in found}
    if not lines:
        return [None] * len(results)
    tied = []
    for id_, signal in results:
        line_id = lines.get(signal.record.get("plan_code") or "")
        tied.append(line_id)
        if line_id is not None:
            session.execute(update(PlanLine).where(PlanLine.id == line_id).values(**_answer(id_, signal.record)))
    return tied


def _answer(signal_id: int, record: Mapping[str, Any]) -> dict[str, Any]:
    outcome = record["outcome"]
    return {
        "status": _VISITED.get(outcome, "sampled"),
        "outcome": outcome if outcome in ("pass", "fail") else None,
        "result_signal_id": signal_id,
    }
