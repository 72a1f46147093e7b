"""Rows of the register of risk monitoring points (风险监测点) -> points and how often each has to report."""

import re
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from ingest.importers import ReadRow
from ingest.rows import Context
from store.dialect import chunked
from store.tables import MonitoringPoint

USUAL_DAYS = 30  # P: a point whose duty is not written reports monthly
_PERIODS = (
    ("半月", 15), ("半年", 182), ("周", 7), ("星期", 7), ("旬", 10), ("双月", 61), ("月", 30), ("季", 91), ("年", 365),
)  # fmt: skip
_ENDED = ("撤销", "停", "退出", "注销", "否")


def store_points(session: Session, rows: Sequence[ReadRow], context: Context) -> int:
    """Enter register rows; return how many points are new. A point is known again by its name."""
    added = 0
    for chunk in chunked(rows, 500):
        names = [str(row.values["point_name"]) for row in chunk]
        held = {
            point.name: point
            for point in session.scalars(select(MonitoringPoint).where(MonitoringPoint.name.in_(names)))
        }
        for name, row in zip(names, chunk, strict=True):
            point = held.get(name)
            if point is None:
                point = held[name] = MonitoringPoint(name=name)
                session.add(point)
                added += 1
            point.region_code = _region(row, context) or point.region_code
            point.duty_days = duty_days(str(row.values.get("duty") or ""))
            status = str(row.values.get("point_status") or "")
            point.active = not any(word in status for word in _ENDED)
    session.flush()
    return added


def duty_days(said: str) -> int:
    """Return within how many days of one report the next is due: 每月, 季度, 每半年, 每15天, 20日."""
    if found := re.search(r"([0-9]{1,3})\s*(?:个)?(天|日|周|月|年)", said):
        return max(1, int(found[1]) * {"天": 1, "日": 1, "周": 7, "月": 30, "年": 365}[found[2]])
    return next((days for word, days in _PERIODS if word in said), USUAL_DAYS)


def _region(row: ReadRow, context: Context) -> str | None:
    for name in ("region_code", "region", "point_name"):
        place = str(row.values.get(name) or "")
        if re.fullmatch(r"[1-9][0-9]{5}", place):
            return place
        if place and context.locate and (code := context.locate(place)):
            return code
    return context.region_code
