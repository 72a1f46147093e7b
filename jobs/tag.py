"""Tagging: every signal without tags of the tagger in force gets them. Tags are derived: old ones are replaced."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session, sessionmaker

from jobs.runs import recorded_run
from jobs.settings import Settings
from nlp.artifacts import accepted_model
from nlp.tagging import Tagged, Tagger, load_tagger
from store.china_time import end_of
from store.dialect import chunked
from store.session import read_only
from store.tables import SamplingResult, Signal, Tag

CHUNK = 1000
SHOWN_FROM = 0.2  # below this a hazard or violation is noise and leaves no row


def tagger_for(settings: Settings, native: bool = False) -> Tagger:
    """The tagger in force: the configured lexicon with the accepted model, or the one that ships."""
    return load_tagger(settings.lexicon_dir, accepted_model(settings.var, settings.lexicon_dir), native=native)


def run(sessions: sessionmaker[Session], settings: Settings, as_of: date) -> dict[str, Any]:
    """Tag what was known by the end of `as_of`; return counts. A second run finds nothing to do."""
    tagger = tagger_for(settings)
    with recorded_run(sessions, "tag", as_of=as_of, model_version=tagger.version) as (_, counts):
        counts.update(signals=0, relevant=0, tags=0)
        for ids in chunked(_untagged(sessions, tagger.version, as_of), CHUNK):
            with sessions.begin() as session:
                rows = _tag_rows(session, tagger, ids)
                session.execute(delete(Tag).where(Tag.signal_id.in_(ids)))
                session.execute(insert(Tag), rows)
            counts["signals"] += len(ids)
            counts["tags"] += len(rows)
            counts["relevant"] += sum(row["kind"] == "relevance" and row["probability"] >= 0.5 for row in rows)
        return dict(counts)


def _untagged(sessions: sessionmaker[Session], version: str, as_of: date) -> list[int]:
    current = select(Tag.signal_id).where(Tag.kind == "relevance", Tag.version == version)
    with read_only(sessions) as session:
        query = select(Signal.id).where(Signal.known_at < end_of(as_of), Signal.id.not_in(current)).order_by(Signal.id)
        return list(session.scalars(query))


def _tag_rows(session: Session, tagger: Tagger, ids: Sequence[int]) -> list[dict[str, Any]]:
    signals = session.execute(
        select(Signal.id, Signal.text, Signal.title, Signal.channel, Signal.occurred_on)
        .where(Signal.id.in_(ids))
        .order_by(Signal.id)
    ).all()
    samples = {
        row.signal_id: row
        for row in session.execute(
            select(SamplingResult.signal_id, SamplingResult.outcome, SamplingResult.failed_items,
                   SamplingResult.safety_failed, SamplingResult.product_id).where(SamplingResult.signal_id.in_(ids))
        )
    }  # fmt: skip
    rows: list[dict[str, Any]] = []
    tagged = tagger.tag_many((s.text or s.title, s.channel, s.occurred_on) for s in signals)
    for signal, tags in zip(signals, tagged, strict=True):
        sample = samples.get(signal.id)
        if sample is not None:
            items = [str(item.get("item", "")) for item in sample.failed_items] if sample.outcome == "fail" else []
            tags = tagger.tag_sample(
                signal.text or signal.title,
                tags,
                failed_items=items,
                safety_failed=sample.safety_failed,
                product=sample.product_id,
            )
        rows.extend({"signal_id": signal.id, "version": tagger.version, **row} for row in tag_rows(tags))
    return rows


def tag_rows(tags: Tagged) -> Iterable[dict[str, Any]]:
    """The rows one tagged text leaves; the relevance row is always there and says that the text was read."""
    yield _row("relevance", "relevant", "asserted", tags.relevance, ())
    for kind, findings in (("product", tags.products), ("hazard", tags.hazards), ("violation", tags.violations)):
        for finding in findings:
            if finding.probability >= SHOWN_FROM or finding.status != "asserted":
                yield _row(
                    kind, finding.code, finding.status, finding.probability, finding.spans, source=finding.source
                )
    if tags.outcome != "none":
        detail = {"injured": tags.injured, "deaths": tags.deaths}
        yield _row("outcome", tags.outcome, "asserted", tags.outcome_probability, (), **detail)
    if tags.info_grade is not None:
        yield _row("info_grade", str(tags.info_grade), "asserted", tags.relevance, (), severity=tags.severity)
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for fact in tags.facts:
        by_kind.setdefault(fact.kind, []).append({"value": fact.value, "span": [fact.start, fact.end]})
    for kind, facts in by_kind.items():
        spans = [tuple(fact["span"]) for fact in facts]
        yield _row("fact", kind, "asserted", 1.0, spans, values=[fact["value"] for fact in facts])


def _row(
    kind: str, code: str, status: str, probability: float, spans: Iterable[tuple[int, ...]], **detail: Any
) -> dict[str, Any]:
    return {
        "kind": kind,
        "code": code,
        "status": status,
        "probability": round(float(probability), 4),
        "evidence": [list(span) for span in spans],
        "detail": detail,
    }
