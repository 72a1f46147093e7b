"""Declared sources -> their rows in the store."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from ingest.source import SourceSpec
from store.dialect import upsert
from store.tables import Source


def register_sources(session: Session, specs: Sequence[SourceSpec]) -> int:
    """Write the sources' rows, new or changed; return how many were written. The caller commits."""
    rows = [
        {
            "id": spec.id,
            "title": spec.title,
            "channel": spec.channel,
            "trust": spec.trust,
            "region_code": spec.region,
            "platform": spec.platform,
            "url": spec.start_url(),
            "schedule": spec.schedule,
            "expect": spec.expect.model_dump(mode="json"),
            "active": spec.active,
            "synthetic": spec.synthetic,
        }
        for spec in specs
    ]
    changing = [name for name in rows[0] if name not in ("id", "active")] if rows else []
    return upsert(session, Source.__table__, rows, key=["id"], update=changing)  # type: ignore[arg-type]
