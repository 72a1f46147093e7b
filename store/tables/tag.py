"""What a text says: derived tags, and what people decided about them."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base


class Tag(Base):
    """One product, hazard, violation or fact found in a signal, with its evidence. Derived."""

    __tablename__ = "tag"
    __table_args__ = (
        UniqueConstraint("signal_id", "kind", "code", "status"),
        Index(None, "kind", "code"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    signal_id: Mapped[int] = mapped_column(ForeignKey("signal.id"))
    kind: Mapped[str]  # relevance | product | hazard | violation | outcome | info_grade | fact
    code: Mapped[str]
    status: Mapped[str] = mapped_column(default="asserted")  # asserted | negated | hypothetical | rumour
    probability: Mapped[float]
    evidence: Mapped[list[Any]] = mapped_column(default=list)  # [[start, end]] in the stored text
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    version: Mapped[str]


class Label(Base):
    """A person's decision on a tag, link or cluster. "unsure" is one. Never overwritten by a machine."""

    __tablename__ = "label"
    __table_args__ = (Index(None, "signal_id", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    signal_id: Mapped[int] = mapped_column(ForeignKey("signal.id"))
    kind: Mapped[str]  # relevance | product | hazard | violation | outcome | cluster
    code: Mapped[str]
    decision: Mapped[str]  # yes | no | unsure
    status: Mapped[str] = mapped_column(default="asserted")
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class ModelVersion(Base):
    """A trained model: which data cut, what it scored, and whether a person accepted it."""

    __tablename__ = "model_version"

    id: Mapped[int] = mapped_column(primary_key=True)
    task: Mapped[str]
    sha256: Mapped[str] = mapped_column(unique=True)
    path: Mapped[str]
    trained_at: Mapped[datetime]
    metrics: Mapped[dict[str, Any]] = mapped_column(default=dict)
    status: Mapped[str]  # candidate | accepted | retired
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[datetime | None]
