"""Sources and their health."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from api.clock import today
from api.deps import Caller, Config, InScope, Paging, Reading
from api.errors import not_found
from api.exports import send_table
from api.rendering import render, timetable
from api.words import word
from store.export import Cell
from store.reads import points, regions
from store.reads import sources as reads
from store.reads.page import EXPORT

router = APIRouter(include_in_schema=False)

Verdict = Annotated[Literal["", "ok", "suspect", "silent", "failed"], Query(description="体检结论")]
Channel = Annotated[str, Query(max_length=40, description="渠道")]


@router.get("/sources")
def source_list(
    request: Request,
    session: Reading,
    scope: InScope,
    page: Paging,
    settings: Config,
    verdict: Verdict = "",
    channel: Channel = "",
) -> Response:
    """List the sources, the troubled ones first."""
    found = reads.list_sources(session, scope, page, verdict=verdict or None, channel=channel or None)
    names = regions.names(session, [row.region_code for row in found.rows])
    duties = points.duties(session, scope, today(session, settings))
    context = {
        "page": found,
        "verdict": verdict,
        "channel": channel,
        "names": names,
        "late": [duty for duty in duties if duty.is_late],
        "points": len(duties),
    }
    return render(request, "sources.html", context)


@router.get("/sources.xlsx")
def source_export(
    request: Request,
    session: Reading,
    scope: InScope,
    principal: Caller,
    verdict: Verdict = "",
    channel: Channel = "",
) -> Response:
    """Send the sources as a workbook."""
    found = reads.list_sources(session, scope, EXPORT, verdict=verdict or None, channel=channel or None)
    headers = [
        "来源",
        "名称",
        "渠道",
        "可信类别",
        "方式",
        "周期",
        "启用",
        "结论",
        "体检时间",
        "最新内容",
        "信号数",
        "发现",
    ]
    rows: list[list[Cell]] = [
        [
            row.id,
            row.title,
            word(row.channel, "channel"),
            word(row.trust, "trust"),
            row.platform,
            timetable(row.schedule),
            row.active,
            word(row.verdict, "verdict") if row.verdict else "未体检",
            row.checked_at,
            row.newest_on,
            row.signals,
            "；".join(finding_text(finding) for finding in row.findings or []),
        ]
        for row in found.rows
    ]
    return send_table(request, principal, title="数据来源", headers=headers, rows=rows, total=found.total)


@router.get("/sources/{source_id}")
def source_page(
    request: Request, session: Reading, scope: InScope, source_id: Annotated[str, Path(max_length=200)]
) -> Response:
    """Show one source: what is expected of it and how it has been doing."""
    detail = reads.source_detail(session, scope, source_id)
    if detail is None:
        raise not_found()
    return render(request, "source.html", {"detail": detail, "names": regions.names(session, [detail.row.region_code])})


def finding_text(finding: object) -> str:
    """Return a finding of a source check as its sentence."""
    return str(finding.get("message", finding)) if isinstance(finding, dict) else str(finding)
