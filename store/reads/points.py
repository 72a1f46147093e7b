"""Risk monitoring points and whether each reports as it has to."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.reads.scope import Scope
from store.tables import MonitoringPoint, MonitoringReport


@dataclass(frozen=True, slots=True)
class PointDuty:
    """One active point: its newest report, when the next was due, and how many days late it is (0: not late).

    `late_days` is None for a point that never reported.
    """

    point: MonitoringPoint
    newest_on: date | None
    due_on: date | None
    late_days: int | None
    reports: int

    @property
    def is_late(self) -> bool:
        """True when a report is missing."""
        return self.late_days is None or self.late_days > 0


def duties(session: Session, scope: Scope, today: date) -> list[PointDuty]:
    """Return the active points in reach, those that never reported and the latest first."""
    rows = session.execute(
        select(MonitoringPoint, func.max(MonitoringReport.occurred_on), func.count(MonitoringReport.signal_id))
        .outerjoin(
            MonitoringReport,
            (MonitoringReport.point_id == MonitoringPoint.id) & (MonitoringReport.occurred_on <= today),
        )
        .where(MonitoringPoint.active, scope.where(MonitoringPoint.region_code))
        .group_by(MonitoringPoint.id)
    )
    found = []
    for point, newest, count in rows:
        due = newest + timedelta(days=point.duty_days) if newest else None
        late = max((today - due).days, 0) if due else None
        found.append(PointDuty(point, newest, due, late, count))
    return sorted(found, key=lambda duty: (-1_000_000 if duty.late_days is None else -duty.late_days, duty.point.name))
