"""What firms say of their own grades (陈述申辩), and what was answered."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base


class Statement(Base):
    """A firm's statement on its grade, as it was handed in; it is shown with the grade and changes none by itself."""

    __tablename__ = "statement"
    __table_args__ = (Index(None, "enterprise_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"))
    about_as_of: Mapped[date | None]  # the grading it speaks of
    about_level: Mapped[str | None]
    text: Mapped[str]
    received_on: Mapped[date]
    file_name: Mapped[str | None]
    file_path: Mapped[str | None]  # below the data folder
    file_sha256: Mapped[str | None]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    made_at: Mapped[datetime]
    reply: Mapped[str | None]
    replied_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    replied_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]  # entered by mistake
    withdrawn_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
