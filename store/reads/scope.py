"""Region scope: the one place that decides which rows an account may see. Deny by default."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, false, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute

from store.tables import Enterprise, Link, Mention, Signal


@dataclass(frozen=True, slots=True)
class Scope:
    """The adcode prefix in reach: '' the whole province, '3701' a city with its counties, None nothing."""

    prefix: str | None

    def covers(self, region_code: str | None) -> bool:
        """True when a row of `region_code` is in reach; a row without region belongs to the province alone."""
        if self.prefix is None:
            return False
        return self.prefix == "" or (region_code or "").startswith(self.prefix)

    def where(self, column: InstrumentedAttribute[str | None] | InstrumentedAttribute[str]) -> ColumnElement[bool]:
        """Return the condition that keeps a query's rows in reach."""
        if self.prefix is None:
            return false()
        return true() if self.prefix == "" else column.startswith(self.prefix, autoescape=True)


PROVINCE = Scope("")
NOTHING = Scope(None)


def signals_in(scope: Scope) -> ColumnElement[bool]:
    """Return the condition that a signal is in reach: by its own region, or by a firm it was linked to.

    A provincial notice has no city of its own, yet the city of the firm it names must be able to read it:
    otherwise the reasons of a grade would lead nowhere.
    """
    if scope.prefix is None or scope.prefix == "":
        return scope.where(Signal.region_code)
    linked = (
        select(Mention.signal_id)
        .join(Link, Link.mention_id == Mention.id)
        .join(Enterprise, Enterprise.id == Link.enterprise_id)
        .where(scope.where(Enterprise.region_code))
    )
    return or_(scope.where(Signal.region_code), Signal.id.in_(linked))
