"""黄色警示 and 红色警情: which region × product combinations are flagged, since when, why, until when."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from api.deps import Caller, Config, Id, InScope, Paging, Reading
from api.errors import not_found
from api.exports import send_table
from api.grading import policy_of
from api.rendering import masked, render
from api.words import word
from store.export import Cell
from store.reads import areas as reads
from store.reads import regions
from store.reads.page import EXPORT

router = APIRouter(include_in_schema=False)


def wanted_areas(
    colour: Annotated[Literal["", "red", "yellow", "none"], Query(description="状态：红、黄、已解除")] = "",
    region: Annotated[str, Query(max_length=12, description="行政区划代码前缀")] = "",
    product: Annotated[str, Query(max_length=100, description="产品代码")] = "",
) -> reads.AreaFilter:
    """Return the filters of the list of area states."""
    return reads.AreaFilter(colour=colour, region=region, product=product)


Filter = Annotated[reads.AreaFilter, Depends(wanted_areas)]


@router.get("/areas")
def area_list(
    request: Request, session: Reading, scope: InScope, wanted: Filter, page: Paging, settings: Config
) -> Response:
    """List the flagged region × product combinations in reach."""
    found = reads.listing(session, scope, wanted, page)
    policy = policy_of(session, found.rows[0].state.policy_hash) if found.rows else None
    context = {
        "page": found,
        "wanted": wanted,
        "as_of": reads.newest_day(session),
        "rules": policy.areas if policy else None,
        "regions": regions.choices(session, scope, settings.province_code),
        "products": reads.products_flagged(session, scope),
    }
    return render(request, "areas.html", context)


@router.get("/areas.xlsx")
def area_export(request: Request, session: Reading, scope: InScope, principal: Caller, wanted: Filter) -> Response:
    """Send the filtered states as a workbook."""
    found = reads.listing(session, scope, wanted, EXPORT)
    named = request.app.state.vocabulary.name
    headers = [
        "状态",
        "地区",
        "区划代码",
        "产品",
        "截至日期",
        "批次",
        "不合格",
        "涉及企业",
        "不合格率",
        "95%单侧下限",
        "95%单侧上限",
        "全省不合格率",
        "理由",
        "开始",
        "复核",
        "解除条件",
    ]
    rows: list[list[Cell]] = [
        [
            word(row.state.colour, "area_colour"),
            row.region_zh,
            row.state.region_code,
            named(row.state.product_id, "product"),
            row.state.as_of,
            row.state.batches,
            row.state.failures,
            row.state.failing_enterprises,
            row.state.failures / row.state.batches if row.state.batches else None,
            row.state.low,
            row.state.high,
            row.state.provincial_rate,
            "；".join(map(str, row.state.reasons)),
            row.state.started_on,
            row.state.review_on,
            row.state.removal,
        ]
        for row in found.rows
    ]
    return send_table(request, principal, title="区域警示", headers=headers, rows=rows, total=found.total)


@router.get("/areas/{area_id}.xlsx")
def area_batches_export(request: Request, session: Reading, scope: InScope, area_id: Id, principal: Caller) -> Response:
    """Send the batches behind a state as a workbook."""
    file = reads.one(session, scope, area_id)
    if file is None:
        raise not_found()
    headers = ["记录编号", "日期", "结果", "企业编号", "企业名称", "不合格项目", "标题", "来源"]
    rows: list[list[Cell]] = [
        [
            one.signal_id,
            one.occurred_on,
            word(one.outcome, "outcome") if one.outcome else "死亡",
            one.enterprise_id,
            one.enterprise_name,
            "、".join(str(item.get("item", "")) if isinstance(item, dict) else str(item) for item in one.failed_items),
            masked(one.title),
            one.source_title,
        ]
        for one in file.batches
    ]
    product = request.app.state.vocabulary.name(file.row.state.product_id, "product")
    title = f"区域警示批次_{file.row.region_zh}_{product}"
    return send_table(request, principal, title=title[:60], headers=headers, rows=rows, total=len(rows))


@router.get("/areas/{area_id}")
def area_page(request: Request, session: Reading, scope: InScope, area_id: Id) -> Response:
    """Show one state: why, since when, until when, and every batch behind it."""
    file = reads.one(session, scope, area_id)
    if file is None:
        raise not_found()
    return render(request, "area.html", {"file": file})
