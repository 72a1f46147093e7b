"""Names of regions, and the pick-list of those in reach."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.reads.scope import Scope
from store.tables import Region


@dataclass(frozen=True, slots=True)
class RegionChoice:
    """One entry of the region pick-list; `prefix` is what its rows' codes begin with."""

    prefix: str
    name: str
    level: str


def prefix_of(code: str, level: str) -> str:
    """Return what the codes inside a region begin with: 370000 → 37, 370100 → 3701, a county is itself."""
    return {"province": code[:2], "city": code[:4]}.get(level, code)


def names(session: Session, codes: Iterable[str | None]) -> dict[str, str]:
    """Return the names of the codes as they are read: the city before its county."""
    wanted = {code for code in codes if code}
    if not wanted:
        return {}
    parents = {code[:4] + "00" for code in wanted if len(code) == 6} | {code.ljust(6, "0") for code in wanted}
    found = {
        row.code: row
        for row in session.scalars(select(Region).where(Region.code.in_(sorted(wanted | parents))))
        if row.code
    }
    result: dict[str, str] = {}
    for code in wanted:
        own = found.get(code) or found.get(code.ljust(6, "0"))  # '99' is the province of 990000
        if own is None:
            continue
        parent = found.get(code[:4] + "00")
        result[code] = f"{parent.short_name}{own.name}" if parent is not None and parent is not own else own.name
    return result


def choices(session: Session, scope: Scope, province: str = "") -> list[RegionChoice]:
    """Return the regions in reach, of one province when given, cities each followed by their counties."""
    statement = (
        select(Region)
        .where(scope.where(Region.code), Region.valid_to.is_(None), Region.level.in_(("city", "county", "custom")))
        .order_by(Region.code)
    )
    if province:
        statement = statement.where(Region.code.startswith(province, autoescape=True))
    return [RegionChoice(prefix_of(row.code, row.level), row.name, row.level) for row in session.scalars(statement)]
