"""Sending a list as an XLSX file: what was filtered, and how much of it."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import Response

from api.auth import Principal
from api.deps import note, sessions_of
from api.rendering import moment
from store.export import XLSX_TYPE, Cell, Sheet, to_xlsx
from store.session import transaction

SYNTHETIC_NOTE = "虚构数据：演示用，不对应任何真实企业或事件。"


def attachment(name: str) -> str:
    """Return a Content-Disposition that saves under a Chinese name and cannot carry another header."""
    clean = "".join(character for character in name if character.isprintable() and character not in '/\\":*?<>|')
    return f"attachment; filename=\"download\"; filename*=UTF-8''{quote(clean or '下载', safe='')}"


def send_table(
    request: Request,
    principal: Principal,
    *,
    title: str,
    headers: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    total: int,
    extra: Iterable[Sheet] = (),
    notes: Sequence[str] = (),
) -> Response:
    """Return the rows as a workbook that says how many of how many they are, and record the export."""
    now = datetime.now(UTC)
    filters = "；".join(f"{key}={value}" for key, value in request.query_params.multi_items() if value)
    heading = [
        f"{title}　导出 {len(rows)} / 共 {total}",
        f"导出时间 {moment(now)}　导出人 {principal.display_name}　筛选条件 {filters or '无'}",
        *notes,
    ]
    if request.app.state.settings.synthetic:
        heading.append(SYNTHETIC_NOTE)
    body = to_xlsx([Sheet(title, headers, rows, heading), *extra], created_at=now)
    with transaction(sessions_of(request)) as session:
        note(session, principal, "export", "list", request.url.path, detail={"rows": len(rows), "filters": filters})
    name = f"{title}_{moment(now)[:10]}_{len(rows)}of{total}.xlsx"
    return Response(body, media_type=XLSX_TYPE, headers={"Content-Disposition": attachment(name)})
