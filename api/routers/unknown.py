"""The queue of firms of which nothing is known."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from api.deps import Caller, Config, InScope, Paging, Reading
from api.exports import send_table
from api.grading import policy_of
from api.rendering import masked, render
from api.words import word
from store.export import Cell
from store.reads import enterprises, regions
from store.reads import unknown as reads
from store.reads.page import EXPORT

router = APIRouter(include_in_schema=False)


def wanted_unknown(
    region: Annotated[str, Query(max_length=12, description="行政区划代码前缀")] = "",
    product: Annotated[str, Query(max_length=100, description="产品代码")] = "",
    tier: Annotated[Literal["", "1", "2", "3", "4"], Query(description="产品固有风险等级")] = "",
    role: Annotated[Literal["", "producer", "seller"], Query(description="身份：生产者、销售者")] = "",
) -> reads.UnknownFilter:
    """Return the filters of the queue."""
    return reads.UnknownFilter(region=region, product=product, tier=int(tier or 0), role=role)


Filter = Annotated[reads.UnknownFilter, Depends(wanted_unknown)]


@router.get("/unknown")
def unknown_list(
    request: Request, session: Reading, scope: InScope, wanted: Filter, page: Paging, settings: Config
) -> Response:
    """List the firms in reach graded 未知, the riskiest products first."""
    found = reads.queue(session, scope, wanted, page)
    policy = policy_of(session, found.rows[0].grade.policy_hash) if found.rows else None
    context = {
        "page": found,
        "wanted": wanted,
        "months": policy.unknown.months if policy else 24,
        "names": regions.names(session, [row.enterprise.region_code for row in found.rows]),
        "regions": regions.choices(session, scope, settings.province_code),
        "products": enterprises.products_in_use(session, scope),
    }
    return render(request, "unknown.html", context)


@router.get("/unknown.xlsx")
def unknown_export(request: Request, session: Reading, scope: InScope, principal: Caller, wanted: Filter) -> Response:
    """Send the filtered queue as a workbook."""
    found = reads.queue(session, scope, wanted, EXPORT)
    names = regions.names(session, [row.enterprise.region_code for row in found.rows])
    named = request.app.state.vocabulary.name
    headers = [
        "企业编号",
        "企业名称",
        "统一社会信用代码",
        "地址",
        "所在地区",
        "身份",
        "产品",
        "固有风险等级",
        "建议措施",
        "何时起未知",
        "最近记录日期",
        "最近记录编号",
        "未抽到样日期",
        "已列入抽查计划",
        "状态",
    ]
    rows: list[list[Cell]] = [
        [
            row.enterprise.id,
            row.enterprise.name,
            row.enterprise.uscc,
            masked(row.enterprise.address),
            names.get(row.enterprise.region_code or "", row.enterprise.region_code),
            word(row.grade.role, "grade_role"),
            "、".join(named(product, "product") for product in row.products),
            row.grade.tier,
            row.grade.measure,
            row.unknown_since,
            row.last_signal_on,
            row.last_signal_id,
            row.last_attempt_on,
            "是" if row.planned else "否",
            word(row.enterprise.status, "status"),
        ]
        for row in found.rows
    ]
    return send_table(request, principal, title="未知企业", headers=headers, rows=rows, total=found.total)
