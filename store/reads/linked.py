"""Linked risk: what ties an enterprise to others, and models that fail in more than one county."""

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, aliased

from store.merges import entries_of
from store.reads.scope import Scope
from store.tables import Enterprise, EnterpriseName, Link, Mention, SamplingResult

# How one enterprise stands to another, as the page shows it.
TIES = {
    "parent": "上级单位",
    "branch": "分支机构",
    "brand": "同一品牌",
    "model": "同一型号",
    "seller": "销售其产品",
    "maker": "其产品的生产者",
}
MOST_TIES = 40


@dataclass(frozen=True, slots=True)
class Tie:
    """An edge from the enterprise in the middle: to whom, how, what they share, and the signals that show it."""

    enterprise: Enterprise
    kind: str  # a key of TIES
    what: str
    signals: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SharedModel:
    """One brand and model that failed in several counties."""

    product_id: str | None
    brand: str | None
    spec_model: str
    failures: int
    regions: tuple[str, ...]
    signals: tuple[int, ...]


def ties(session: Session, scope: Scope, enterprise_id: int) -> list[Tie]:
    """Return what ties an enterprise to others in reach: parent, branches, brands, models, sellers and makers."""
    own = entries_of(session, enterprise_id)
    found = [*_family(session, own), *_brands(session, own), *_models(session, own), *_trade(session, own)]
    reach = [tie for tie in found if tie.enterprise.id not in own and scope.covers(tie.enterprise.region_code)]
    return reach[:MOST_TIES]


def shared_models(session: Session, scope: Scope, *, least_regions: int = 2) -> list[SharedModel]:
    """Return brand and model pairs that failed in at least so many counties, one of them in reach; most failures first.

    A model is told apart by product, brand and model number together: 5V2A alone is on everybody's charger.
    """
    failed = select(
        SamplingResult.product_id,
        SamplingResult.brand,
        SamplingResult.spec_model,
        SamplingResult.region_code,
        SamplingResult.signal_id,
    ).where(
        SamplingResult.outcome == "fail",
        SamplingResult.spec_model.is_not(None),
        SamplingResult.brand.is_not(None),
        SamplingResult.region_code.is_not(None),
    )
    groups: dict[tuple[str | None, str | None, str], list[tuple[str, int]]] = defaultdict(list)
    for product, brand, model, region, signal in session.execute(failed):
        if len(str(model).strip()) >= 2:
            groups[product, brand, str(model)].append((str(region), signal))
    rows = []
    for (product, brand, model), hits in groups.items():
        regions = tuple(sorted({region for region, _ in hits}))
        if len(regions) >= least_regions and any(scope.covers(region) for region in regions):
            signals = tuple(sorted(signal for _, signal in hits))
            rows.append(SharedModel(product, brand, model, len(hits), regions, signals))
    return sorted(rows, key=lambda row: (-row.failures, row.spec_model))


def _family(session: Session, own: list[int]) -> list[Tie]:
    parents = select(Enterprise.parent_id).where(Enterprise.id.in_(own), Enterprise.parent_id.is_not(None))
    rows = session.scalars(
        select(Enterprise).where(or_(Enterprise.id.in_(parents), Enterprise.parent_id.in_(own))).order_by(Enterprise.id)
    )
    return [Tie(row, "branch" if row.parent_id in own else "parent", "") for row in rows]


def _brands(session: Session, own: list[int]) -> list[Tie]:
    mine, theirs = aliased(EnterpriseName), aliased(EnterpriseName)
    rows = session.execute(
        select(Enterprise, theirs.name)
        .join(theirs, theirs.enterprise_id == Enterprise.id)
        .join(mine, (mine.name_key == theirs.name_key) & (mine.kind == "brand"))
        .where(theirs.kind == "brand", mine.enterprise_id.in_(own), theirs.enterprise_id.not_in(own))
        .order_by(Enterprise.id)
    )
    return [Tie(row, "brand", name) for row, name in rows]


def _models(session: Session, own: list[int]) -> list[Tie]:
    """Other firms whose batches carry the same product, brand and model."""
    mine, theirs = aliased(SamplingResult), aliased(SamplingResult)
    my_mention, my_link = aliased(Mention), aliased(Link)
    rows = session.execute(
        select(Enterprise, theirs.spec_model, theirs.signal_id)
        .join(Link, Link.enterprise_id == Enterprise.id)
        .join(Mention, Mention.id == Link.mention_id)
        .join(theirs, theirs.signal_id == Mention.signal_id)
        .join(
            mine,
            (mine.spec_model == theirs.spec_model)
            & (mine.brand == theirs.brand)
            & mine.product_id.is_not_distinct_from(theirs.product_id),
        )
        .join(my_mention, my_mention.signal_id == mine.signal_id)
        .join(my_link, my_link.mention_id == my_mention.id)
        .where(
            Mention.role == "producer",
            my_mention.role == "producer",
            my_link.enterprise_id.in_(own),
            Link.enterprise_id.not_in(own),
            func.length(theirs.spec_model) >= 2,
        )
        .order_by(Enterprise.id, theirs.signal_id)
        .distinct()
    )
    return _gathered([(row, "model", str(model), signal) for row, model, signal in rows])


def _trade(session: Session, own: list[int]) -> list[Tie]:
    """Who sold its products, and whose products it sold, by the batches sampled."""
    mine, my_link = aliased(Mention), aliased(Link)
    rows = session.execute(
        select(Enterprise, Mention.role, Mention.signal_id)
        .join(Link, Link.enterprise_id == Enterprise.id)
        .join(Mention, Mention.id == Link.mention_id)
        .join(mine, mine.signal_id == Mention.signal_id)
        .join(my_link, my_link.mention_id == mine.id)
        .where(
            my_link.enterprise_id.in_(own),
            Link.enterprise_id.not_in(own),
            ((mine.role == "producer") & (Mention.role == "sampled"))
            | ((mine.role == "sampled") & (Mention.role == "producer")),
        )
        .order_by(Enterprise.id, Mention.signal_id)
    )
    kinds = {"sampled": "seller", "producer": "maker"}
    return _gathered([(row, kinds[role], "", signal) for row, role, signal in rows])


def _gathered(rows: list[tuple[Enterprise, str, str, int]]) -> list[Tie]:
    """One tie for each firm, kind and thing shared, with all its signals."""
    signals: dict[tuple[int, str, str], list[int]] = defaultdict(list)
    firms = {row.id: row for row, *_ in rows}
    for row, kind, what, signal in rows:
        if signal not in signals[row.id, kind, what]:
            signals[row.id, kind, what].append(signal)
    return [Tie(firms[firm], kind, what, tuple(found)) for (firm, kind, what), found in signals.items()]
