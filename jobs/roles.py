"""Which roles follow from the records: who produced, who sold, who holds which licence, and of which product.

A complaint's respondent whom the register or a record knows as producer does not become a seller by being
complained about, and a batch drawn at the producer's own gate makes nobody a seller.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from store.dialect import insert_ignore
from store.tables import Complaint, EnterpriseRole, Licence, Link, Mention, SamplingResult

PRODUCING = ("producer", "licensed_producer", "ccc_holder")
_LICENCE_ROLES = {"production_licence": "licensed_producer", "ccc": "ccc_holder"}
_SELLING_CHANNELS = {"circulation": "seller", "online": "online_shop"}


def roles_from_records(session: Session) -> int:
    """Add the roles that links in force imply and that are not there yet; return how many were new."""
    found: dict[tuple[int, str, str], datetime] = {}

    def note(enterprise_id: int | None, role: str, product_id: str | None, known_at: datetime) -> None:
        if enterprise_id is not None:
            key = (enterprise_id, role, product_id or "")
            found[key] = min(known_at, found.get(key, known_at))

    for firm, product, since in session.execute(_linked(SamplingResult, ("producer", "consigner"))):
        note(firm, "producer", product, since)
    for firm, product, kind, since in session.execute(_linked(Licence, ("holder", "producer"), Licence.kind)):
        note(firm, _LICENCE_ROLES.get(kind, "producer"), product, since)
    for firm, product, channel, since in _sellers(session):
        note(firm, _SELLING_CHANNELS.get(channel or "", "seller"), product, since)
    producing = _producing(session) | {firm for firm, role, _ in found if role in PRODUCING}
    for firm, product, since in session.execute(_linked(Complaint, ("respondent",))):
        if firm not in producing:
            note(firm, "seller", product, since)
    rows = [
        {"enterprise_id": firm, "role": role, "product_id": product, "known_at": since}
        for (firm, role, product), since in sorted(found.items())
    ]
    return insert_ignore(session, EnterpriseRole.__table__, rows, key=("enterprise_id", "role", "product_id"))  # type: ignore[arg-type]


def _linked(
    record: type[SamplingResult] | type[Licence] | type[Complaint], roles: tuple[str, ...], *also: object
) -> Any:
    """(enterprise, product, further columns, earliest day known) of the records' mentions in these roles."""
    return (
        select(Link.enterprise_id, record.product_id, *also, func.min(record.known_at))  # type: ignore[call-overload]
        .join(Mention, Mention.id == Link.mention_id)
        .join(record, record.signal_id == Mention.signal_id)
        .where(Mention.role.in_(roles), Link.enterprise_id.is_not(None), Mention.denied.is_(False))
        .group_by(Link.enterprise_id, record.product_id, *also)
    )


def _sellers(session: Session) -> Iterable[tuple[int | None, str | None, str | None, datetime]]:
    """Firms sampled where goods are sold: by the batch's channel, else because another firm made the batch."""
    own, maker = aliased(Mention), aliased(Mention)
    made = aliased(Link)
    statement = (
        select(Link.enterprise_id, SamplingResult.product_id, SamplingResult.channel, func.min(SamplingResult.known_at))
        .join(own, own.id == Link.mention_id)
        .join(SamplingResult, SamplingResult.signal_id == own.signal_id)
        .outerjoin(maker, (maker.signal_id == own.signal_id) & (maker.role == "producer"))
        .outerjoin(made, made.mention_id == maker.id)
        .where(
            own.role == "sampled",
            Link.enterprise_id.is_not(None),
            SamplingResult.channel.in_(tuple(_SELLING_CHANNELS))
            | (SamplingResult.channel.is_(None) & made.enterprise_id.is_distinct_from(Link.enterprise_id)),
        )
        .group_by(Link.enterprise_id, SamplingResult.product_id, SamplingResult.channel)
    )
    return [(firm, product, channel, since) for firm, product, channel, since in session.execute(statement)]


def _producing(session: Session) -> set[int]:
    return set(
        session.scalars(select(EnterpriseRole.enterprise_id).where(EnterpriseRole.role.in_(PRODUCING)).distinct())
    )
