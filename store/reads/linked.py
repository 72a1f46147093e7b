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
    "merged": "已并入本企业",
    "brand": "同一品牌",
    "shop": "同一店铺名",
    "model": "同一型号",
    "seller": "销售其产品",
    "maker": "其产品的生产者",
}
MOST_TIES = 40
_SHORTEST_MODEL = 2
_TRADE_NAMES = ("brand", "shop")


@dataclass(frozen=True, slots=True)
class Tie:
    """An edge from the enterprise in the middle: to whom, how, what they share, and the signals that show it."""

    enterprise: Enterprise
    kind: str  # a key of TIES
    what: str
    signals: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SharedModel:
    """One brand and model that failed in several counties; `spec_model` is '' when only the brand is the same."""

    product_id: str | None
    brand: str | None
    spec_model: str
    failures: int
    regions: tuple[str, ...]
    signals: tuple[int, ...]
    in_reach: tuple[int, ...] = ()  # those of the signals whose county is in reach


def ties(session: Session, scope: Scope, enterprise_id: int) -> list[Tie]:
    """Return what ties an enterprise to others in reach: parent, branches, entries merged into it, brands, shop
    names, models, sellers and makers."""
    own = entries_of(session, enterprise_id)
    found = [*_family(session, own), *_brands(session, own), *_models(session, own), *_trade(session, own)]
    others = [*_merged(session, own[1:]), *(tie for tie in found if tie.enterprise.id not in own)]
    return [tie for tie in others if scope.covers(tie.enterprise.region_code)][:MOST_TIES]


def shared_models(
    session: Session, scope: Scope, *, least_regions: int = 2, enterprise_id: int | None = None
) -> list[SharedModel]:
    """Return brand and model pairs that failed in at least so many counties, one of them in reach; most failures first.

    A model is told apart by product, brand and model number together: 5V2A alone is on everybody's charger. With
    `enterprise_id`, only what that enterprise made or sold, and brands without their models as well.
    """
    failed = select(
        SamplingResult.product_id,
        SamplingResult.brand,
        SamplingResult.spec_model,
        SamplingResult.region_code,
        SamplingResult.signal_id,
    ).where(
        SamplingResult.outcome == "fail",
        SamplingResult.brand.is_not(None),
        SamplingResult.region_code.is_not(None),
    )
    wanted: set[tuple[str | None, str, str]] | None = None
    if enterprise_id is not None:
        wanted = _own_products(session, enterprise_id)
        failed = failed.where(SamplingResult.brand.in_({brand for _, brand, _ in wanted}))
    groups: dict[tuple[str | None, str, str], list[tuple[str, int]]] = defaultdict(list)
    for product, brand, model, region, signal in session.execute(failed):
        named = str(model or "").strip()
        for key in {(product, str(brand), named), (product, str(brand), "")}:
            if key in wanted if wanted is not None else len(named) >= _SHORTEST_MODEL and key[2]:
                groups[key].append((str(region), signal))
    rows = []
    for (product, brand, model), hits in groups.items():
        regions = tuple(sorted({region for region, _ in hits}))
        if len(regions) >= least_regions and (
            enterprise_id is not None or any(scope.covers(region) for region in regions)
        ):
            signals = tuple(sorted(signal for _, signal in hits))
            reach = tuple(sorted(signal for region, signal in hits if scope.covers(region)))
            rows.append(SharedModel(product, brand, model, len(hits), regions, signals, reach))
    return sorted(rows, key=lambda row: (not row.spec_model, -row.failures, row.spec_model))


def _own_products(session: Session, enterprise_id: int) -> set[tuple[str | None, str, str]]:
    """(product, brand, model) of the batches an enterprise made or sold, and the same without the model."""
    rows = session.execute(
        select(SamplingResult.product_id, SamplingResult.brand, SamplingResult.spec_model)
        .join(Mention, Mention.signal_id == SamplingResult.signal_id)
        .join(Link, Link.mention_id == Mention.id)
        .where(Link.enterprise_id.in_(entries_of(session, enterprise_id)), SamplingResult.brand.is_not(None))
        .distinct()
    )
    found: set[tuple[str | None, str, str]] = set()
    for product, brand, model in rows:
        named = str(model or "").strip()
        found.add((product, str(brand), named if len(named) >= _SHORTEST_MODEL else ""))
        found.add((product, str(brand), ""))
    return found


def _merged(session: Session, entries: list[int]) -> list[Tie]:
    rows = session.scalars(select(Enterprise).where(Enterprise.id.in_(entries)).order_by(Enterprise.id))
    return [Tie(row, "merged", "") for row in rows]


def _family(session: Session, own: list[int]) -> list[Tie]:
    parents = select(Enterprise.parent_id).where(Enterprise.id.in_(own), Enterprise.parent_id.is_not(None))
    rows = session.scalars(
        select(Enterprise).where(or_(Enterprise.id.in_(parents), Enterprise.parent_id.in_(own))).order_by(Enterprise.id)
    )
    return [Tie(row, "branch" if row.parent_id in own else "parent", "") for row in rows]


def _brands(session: Session, own: list[int]) -> list[Tie]:
    """Firms that bear one of its brands or shop names."""
    mine, theirs = aliased(EnterpriseName), aliased(EnterpriseName)
    rows = session.execute(
        select(Enterprise, theirs.name, theirs.kind, mine.kind)
        .join(theirs, theirs.enterprise_id == Enterprise.id)
        .join(mine, mine.name_key == theirs.name_key)
        .where(
            mine.kind.in_(_TRADE_NAMES),
            theirs.kind.in_(_TRADE_NAMES),
            mine.enterprise_id.in_(own),
            theirs.enterprise_id.not_in(own),
        )
        .order_by(Enterprise.id)
    )
    return [Tie(row, "shop" if "shop" in (kind, my_kind) else "brand", name) for row, name, kind, my_kind in rows]


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
            func.length(theirs.spec_model) >= _SHORTEST_MODEL,
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
