"""Region scope: the one place that decides which rows an account may see. Deny by default."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, false, true
from sqlalchemy.orm import InstrumentedAttribute


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
