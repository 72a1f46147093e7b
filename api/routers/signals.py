"""Signals: the list, its export, one signal with its text, and the saved copy of its source."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse, Response

from api.deps import LARGEST_INTEGER, Caller, Config, Form, Id, InScope, Paging, Reading, Writing, note
from api.errors import Refused, not_found
from api.exports import attachment, send_table
from api.highlight import pieces
from api.rendering import masked, render
from api.routers.enterprises import RECORD_COLUMNS
from api.words import word
from store.reads import regions
from store.reads import signals as reads
from store.reads.page import EXPORT

router = APIRouter(include_in_schema=False)

Short = Annotated[str, Query(max_length=100)]
Number = Annotated[int | None, Query(ge=1, le=LARGEST_INTEGER)]
DAY_PATTERN = r"^$|^\d{4}-\d{2}-\d{2}$"


def wanted_signals(
    q: Annotated[str, Query(max_length=100, description="标题或原文中的词")] = "",
    channel: Short = "",
    source: Short = "",
    trust: Short = "",
    region: Annotated[str, Query(max_length=12)] = "",
    product: Short = "",
    hazard: Short = "",
    violation: Short = "",
    outcome: Short = "",
    since: Annotated[str, Query(pattern=DAY_PATTERN, description="发生日期起")] = "",
    until: Annotated[str, Query(pattern=DAY_PATTERN, description="发生日期止")] = "",
    enterprise: Number = None,
    run: Number = None,
    file: Number = None,
    origins: Annotated[bool, Query(description="转载只看首发")] = False,
    sort: Annotated[Literal["newest", "oldest", "known"], Query()] = "newest",
) -> reads.SignalFilter:
    """Return the filters of the signal list."""
    return reads.SignalFilter(
        q=q.strip(),
        channel=channel,
        source=source,
        trust=trust,
        region=region,
        product=product,
        hazard=hazard,
        violation=violation,
        outcome=outcome,
        since=_day(since),
        until=_day(until),
        enterprise=enterprise,
        run=run,
        file=file,
        origins=origins,
        sort=sort,
    )


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused(422, "日期应写作 年-月-日") from None


Filter = Annotated[reads.SignalFilter, Depends(wanted_signals)]


@router.get("/signals")
def signal_list(
    request: Request, session: Reading, scope: InScope, wanted: Filter, page: Paging, settings: Config
) -> Response:
    """List the signals in reach."""
    found = reads.listing(session, scope, wanted, page)
    context = {
        "page": found,
        "wanted": wanted,
        "names": regions.names(session, [row.region_code for row in found.rows]),
        "regions": regions.choices(session, scope, settings.province_code),
        "sources": reads.sources_in_use(session),
    }
    return render(request, "signals.html", context)


@router.get("/signals.xlsx")
def signal_export(request: Request, session: Reading, scope: InScope, wanted: Filter, principal: Caller) -> Response:
    """Send the filtered signals as a workbook, personal data hidden."""
    found = reads.listing(session, scope, wanted, EXPORT)
    names = regions.names(session, [row.region_code for row in found.rows])
    named = request.app.state.vocabulary.name
    headers = [
        "信号编号",
        "发生日期",
        "知悉时间",
        "渠道",
        "可信类别",
        "来源",
        "标题",
        "摘要",
        "所在地区",
        "产品",
        "危害",
        "违法行为",
        "关联企业",
        "同源转载数",
    ]

    def tags(row: reads.SignalRow, kind: str) -> str:
        return "、".join(named(tag.code, kind) for tag in row.tags if tag.kind == kind and tag.status == "asserted")

    rows: list[list[Any]] = [
        [
            row.id,
            row.occurred_on,
            row.known_at,
            word(row.channel, "channel"),
            word(row.trust, "trust"),
            row.source_title,
            masked(row.title),
            masked(row.excerpt),
            names.get(row.region_code or "", row.region_code),
            tags(row, "product"),
            tags(row, "hazard"),
            tags(row, "violation"),
            "、".join(name for _, name in row.enterprises),
            row.copies,
        ]
        for row in found.rows
    ]
    return send_table(request, principal, title="风险信号", headers=headers, rows=rows, total=found.total)


@router.get("/signals/{signal_id}")
def signal_page(request: Request, session: Reading, scope: InScope, signal_id: Id) -> Response:
    """Show one signal, personal data hidden."""
    file = reads.one(session, scope, signal_id)
    if file is None:
        raise not_found()
    return _page(request, session, file, raw=False)


@router.post("/signals/{signal_id}/unmask")
def unmask(
    request: Request, session: Writing, scope: InScope, signal_id: Id, principal: Caller, form: Form
) -> Response:
    """Show the text as received, to those who may, with a reason that goes to the audit trail."""
    if not principal.raw_text:
        raise Refused(403)
    reason = form.text("reason", longest=200, required=True, label="查看理由")
    file = reads.one(session, scope, signal_id)
    if file is None:
        raise not_found()
    note(session, principal, "unmask", "signal", signal_id, detail={"reason": reason})
    return _page(request, session, file, raw=True)


@router.get("/signals/{signal_id}/copy")
def saved_copy(
    request: Request, session: Reading, scope: InScope, signal_id: Id, principal: Caller, settings: Config
) -> Response:
    """Send the saved copy of the source page, to be saved and never shown as a page of ours.

    The copy is what the source published; for complaints, whose text may hold personal data, only those who
    may open raw text get it.
    """
    file = reads.one(session, scope, signal_id)
    if file is None or not file.signal.archive_path:
        raise not_found()
    if file.signal.channel in ("complaint", "injury") and not principal.raw_text:
        raise Refused(403)
    root = settings.var.resolve()
    stored = Path(file.signal.archive_path)
    path = (stored if stored.is_absolute() else root / stored).resolve()
    if not path.is_relative_to(root) or not path.is_file():
        raise not_found()
    stamp = datetime.now(UTC).strftime("%Y%m%d")
    headers = {
        "Content-Disposition": attachment(f"信号{signal_id}_存档_{stamp}{path.suffix or '.bin'}"),
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return FileResponse(path, media_type="application/octet-stream", headers=headers)


def _page(request: Request, session: Any, file: reads.SignalFile, *, raw: bool) -> Response:
    text = file.signal.text
    context = {
        "file": file,
        "names": regions.names(
            session, [file.signal.region_code, *(firm.enterprise.region_code for firm in file.firms if firm.enterprise)]
        ),
        "pieces": pieces(text if raw else masked(text), file.tags, [firm.mention for firm in file.firms]),
        "raw": raw,
        "record_columns": RECORD_COLUMNS,
    }
    return render(request, "signal.html", context)
