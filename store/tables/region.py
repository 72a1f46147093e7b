"""Administrative divisions and the units that act like one."""

from datetime import date

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base


class Region(Base):
    """One adcode (GB/T 2260: PPCCDD) or custom unit over the time it was in force."""

    __tablename__ = "region"
    __table_args__ = (Index(None, "parent_code"), Index(None, "name"))

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    short_name: Mapped[str]
    level: Mapped[str]  # province | city | county | custom
    parent_code: Mapped[str | None]
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    successor_code: Mapped[str | None]
    synthetic: Mapped[bool] = mapped_column(default=False)
