"""Enterprises: the list, its export, and one enterprise's file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from api.clock import now, today
from api.deps import Caller, Config, Id, InScope, Paging, Reading
from api.errors import not_found
from api.exports import send_table
from api.grading import policy_of, view
from api.relations import relations_chart
from api.rendering import masked, render
from api.words import word
from jobs.outlook import outlooks_of
from jobs.settings import Settings
from jobs.standing import standing
from store.export import Cell, Sheet
from store.overrides import LONGEST_DAYS
from store.reads import enterprises as reads
from store.reads import imports, linked, regions
from store.reads import overrides as override_reads
from store.reads.page import EXPORT, PageRequest
from store.reads.scope import Scope

router = APIRouter(include_in_schema=False)

Levels = Literal["A", "B", "C", "D", "U", "none"]
Short = Annotated[str, Query(max_length=100)]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filters as they stand in the address."""

    filter: reads.EnterpriseFilter


def wanted_enterprises(
    q: Annotated[str, Query(max_length=100, description="名称、曾用名、品牌或统一社会信用代码")] = "",
    level: Annotated[list[Levels | Literal[""]] | None, Query(description="风险等级，可多选")] = None,
    region: Annotated[str, Query(max_length=12, description="行政区划代码前缀")] = "",
    product: Short = "",
    role: Short = "",
    status: Short = "",
    scale: Annotated[str, Query(max_length=20, description="企业规模")] = "",
    forced: Annotated[bool, Query(description="仅看强制定级")] = False,
    worsened: Annotated[bool, Query(description="仅看较上期升高")] = False,
    provisional: Annotated[bool | None, Query(description="是否暂立企业")] = None,
    sort: Annotated[Literal["risk", "name", "region", "changed", "new"], Query(description="排序")] = "risk",
) -> reads.EnterpriseFilter:
    """Return the filters of the enterprise list."""
    return reads.EnterpriseFilter(
        q=q.strip(),
        levels=tuple(one for one in level or () if one),
        region=region,
        product=product,
        role=role,
        status=status,
        size=scale,
        forced=forced,
        worsened=worsened,
        provisional=provisional,
        sort=sort,
    )


Filter = Annotated[reads.EnterpriseFilter, Depends(wanted_enterprises)]


@router.get("/enterprises")
def enterprise_list(
    request: Request, session: Reading, scope: InScope, wanted: Filter, page: Paging, settings: Config
) -> Response:
    """List the enterprises in reach."""
    found = reads.listing(session, scope, wanted, page)
    context = {
        "page": found,
        "wanted": wanted,
        "names": regions.names(session, [row.region_code for row in found.rows]),
        "regions": regions.choices(session, scope, settings.province_code),
        "products": reads.products_in_use(session, scope),
    }
    return render(request, "enterprises.html", context)


@router.get("/enterprises.xlsx")
def enterprise_export(
    request: Request, session: Reading, scope: InScope, wanted: Filter, principal: Caller
) -> Response:
    """Send the filtered enterprises as a workbook."""
    found = reads.listing(session, scope, wanted, EXPORT)
    names = regions.names(session, [row.region_code for row in found.rows])
    named = request.app.state.vocabulary.name
    headers = [
        "企业编号",
        "企业名称",
        "统一社会信用代码",
        "所在地区",
        "区划代码",
        "主体类型",
        "产品",
        "规模",
        "状态",
        "风险等级",
        "风险分",
        "上期等级",
        "强制定级规则",
        "监管措施（建议）",
        "分级日期",
        "主要原因",
        "抽样批次",
        "不合格批次",
        "投诉举报数",
    ]
    rows = [
        [
            row.id,
            row.name,
            row.uscc,
            names.get(row.region_code or "", row.region_code),
            row.region_code,
            "、".join(word(role, "role") for role in row.roles),
            "、".join(named(product, "product") for product in row.products),
            word(row.size, "size"),
            word(row.status, "status"),
            row.level,
            row.score,
            row.previous_level,
            row.forced_rule,
            row.measure,
            row.as_of,
            "；".join(masked(reason) for reason in row.reasons),
            row.samples,
            row.failures,
            row.complaints,
        ]
        for row in found.rows
    ]
    return send_table(request, principal, title="企业清单", headers=headers, rows=rows, total=found.total)


@router.get("/enterprises/{enterprise_id}.xlsx")
def enterprise_file_export(
    request: Request, session: Reading, scope: InScope, enterprise_id: Id, principal: Caller
) -> Response:
    """Send one enterprise's file as a workbook: the reasons of its grade, and its records."""
    file = reads.one(session, scope, enterprise_id)
    if file is None:
        raise not_found()
    headers = [
        "身份",
        "产品线",
        "等级",
        "系统分级",
        "得分",
        "指标",
        "分值",
        "满分",
        "说明",
        "封顶",
        "依据记录编号",
        "分级日期",
        "政策版本",
    ]
    named = request.app.state.vocabulary.name
    rows = [
        [
            word(grade.role, "grade_role"),
            named(grade.product_id, "product") if grade.product_id else "全部",
            grade.level,
            grade.machine_level or grade.level,
            grade.score,
            str(part.get("zh", part.get("indicator", ""))),
            float(part.get("points", 0)),
            part.get("weight"),
            masked(str(part.get("sentence", ""))),
            part.get("cap"),
            "、".join(str(i) for i in part.get("evidence", [])),
            grade.as_of,
            grade.policy_hash[:12],
        ]
        for grade in file.grades
        for part in grade.contributions
    ]
    records: list[list[Cell]] = [
        [
            word(kind, "channel"),
            row.signal.signal_id,
            row.signal.occurred_on,
            row.signal.known_at,
            word(row.role, "mention_role"),
            masked(row.signal.title),
            row.signal.source_title,
        ]
        for kind, found in file.records.items()
        for row in found
    ]
    sheet = Sheet("记录", ["类别", "记录编号", "发生日期", "知悉时间", "本企业角色", "标题", "来源"], records, [])
    title = f"一企一档_{file.enterprise.name}"
    return send_table(request, principal, title=title[:60], headers=headers, rows=rows, total=len(rows), extra=[sheet])


@router.get("/enterprises/{enterprise_id}")
def enterprise_page(
    request: Request,
    session: Reading,
    scope: InScope,
    enterprise_id: Id,
    settings: Config,
    as_of: Annotated[date | None, Query(description="看这一天以前最近一次的分级")] = None,
    since: Annotated[date | None, Query(description="与这一天以前最近一次的分级相比")] = None,
) -> Response:
    """Show one enterprise: its grade, why, and everything known of it."""
    file = reads.one(session, scope, enterprise_id, as_of=as_of, since=since)
    if file is None:
        raise not_found()
    if file.enterprise.merged_into_id:
        return RedirectResponse(f"/enterprises/{file.enterprise.merged_into_id}", 303)
    ties = linked.ties(session, scope, enterprise_id)
    shared = linked.shared_models(session, scope, enterprise_id=enterprise_id)
    codes = [file.enterprise.region_code, *(tie.enterprise.region_code for tie in ties)]
    codes += [code for row in shared for code in row.regions]
    day = today(session, settings)
    context = {
        **_grades(session, scope, file, settings, day),
        "file": file,
        "as_of": as_of,
        "today": day,
        "last_day": day + timedelta(days=LONGEST_DAYS),
        "register": imports.of_run(session, scope, file.enterprise.run_id),
        "ties": ties,
        "tie_words": linked.TIES,
        "relations_chart": relations_chart(file.enterprise, ties),
        "shared": shared,
        "names": regions.names(session, codes),
        "history_chart": _history_chart(file),
        "record_columns": RECORD_COLUMNS,
    }
    return render(request, "enterprise.html", context)


@router.get("/enterprises/{enterprise_id}/dossier")
def dossier(
    request: Request, session: Reading, scope: InScope, enterprise_id: Id, principal: Caller, settings: Config
) -> Response:
    """Show an enterprise's 风险档案 on one sheet, to be printed."""
    file = reads.one(session, scope, enterprise_id)
    if file is None:
        raise not_found()
    if file.enterprise.merged_into_id:
        return RedirectResponse(f"/enterprises/{file.enterprise.merged_into_id}/dossier", 303)
    samples = file.records.get("sampling", [])[:6]
    context = {
        **_grades(session, scope, file, settings, today(session, settings)),
        "e": file.enterprise,
        "file": file,
        "samples": samples,
        "products": sorted({role.product_id for role in file.roles if role.product_id}),
        "latest": partial(_latest, file.evidence),
        "names": regions.names(session, [file.enterprise.region_code]),
        "now": now(session, settings),
    }
    return render(request, "dossier.html", context)


def _grades(
    session: Session, scope: Scope, file: reads.EnterpriseFile, settings: Settings, day: date
) -> dict[str, Any]:
    """Return what the page says of each grade: over all lines by role, line by line, and the overrides."""
    outlooks: Mapping[tuple[str, str], Any] = {}
    if file.grades and (policy := policy_of(session, file.grades[0].policy_hash)) is not None:
        outlooks = outlooks_of(session, settings.lexicon_dir, policy, file.enterprise.id, file.grades[0].as_of)
    stands = standing(session, file.grades[0].as_of) if file.grades else None
    views = [
        view(session, grade, file.compared.get((grade.product_id, grade.role)), outlooks, stands)
        for grade in file.grades
    ]
    return {
        "wholes": [one for one in views if not one.grade.product_id],
        "lines": [one for one in views if one.grade.product_id],
        "overrides": override_reads.listing(session, scope, day, PageRequest(1, 50), enterprise_id=file.enterprise.id),
    }


def _latest(evidence: Mapping[int, reads.EvidenceRow], ids: Sequence[int]) -> reads.EvidenceRow | None:
    """Return the newest of some records that is in reach."""
    known = [evidence[one] for one in ids if one in evidence]
    return max(known, key=lambda row: (row.occurred_on, row.signal_id), default=None)


def _history_chart(file: reads.EnterpriseFile) -> dict[str, Any] | None:
    days = sorted({grade.as_of for grade in file.history})
    if len(days) < 2:
        return None
    scores = {(grade.role, grade.as_of): round(grade.score, 1) for grade in file.history}
    roles = sorted({grade.role for grade in file.history})
    return {
        "xAxis": {"type": "category", "data": [day.isoformat() for day in days]},
        "yAxis": {"type": "value", "min": 0, "max": 100},
        "legend": {"show": len(roles) > 1},
        "series": [
            {
                "name": word(role, "grade_role"),
                "type": "line",
                "data": [scores.get((role, day)) for day in days],
                "label": {"show": False},
            }
            for role in roles
        ],
    }


# What a record's line shows beside its date, title and source: label, field, kind of word.
RECORD_COLUMNS: dict[str, list[tuple[str, str, str]]] = {
    "sampling": [
        ("结果", "outcome", "outcome"),
        ("产品", "product_raw", ""),
        ("环节", "channel", "channel"),
        ("级别", "level", "sampling_level"),
        ("规格型号", "spec_model", ""),
        ("不合格项目", "failed_items", "items"),
        ("整改", "rectification", "rectification"),
    ],
    "complaint": [
        ("类型", "kind", "complaint_kind"),
        ("问题", "issue", ""),
        ("产品", "product_raw", ""),
        ("涉及金额", "amount_cny", "yuan"),
        ("查实", "verified", "bool"),
    ],
    "recall": [
        ("产品", "product_raw", ""),
        ("数量", "units", "number"),
        ("缺陷", "defect", "text"),
        ("责令", "ordered", "bool"),
    ],
    "injury": [
        ("产品", "product_raw", ""),
        ("原因", "cause", ""),
        ("程度", "severity", "severity"),
        ("结局", "outcome", "outcome"),
        ("回访认定", "followed_up", "bool"),
    ],
    "licence": [
        ("证书", "number", ""),
        ("类型", "kind", "licence_kind"),
        ("产品", "product_raw", ""),
        ("状态", "state", "licence_state"),
        ("有效期至", "expires_on", "day"),
    ],
    "case": [
        ("违法行为", "violation_raw", "text"),
        ("处罚", "penalty", "text"),
        ("罚款", "fine_cny", "yuan"),
        ("决定日期", "decided_on", "day"),
    ],
    "inspection": [
        ("类型", "kind", "inspection_kind"),
        ("问题数", "findings", "number"),
        ("严重问题", "serious_findings", "number"),
        ("通过", "passed", "bool"),
    ],
    "self_check": [
        ("类型", "kind", "self_check_kind"),
        ("发现问题", "problems", "number"),
        ("已整改", "rectified", "number"),
        ("配备质量安全总监", "officer_named", "bool"),
    ],
    "monitoring": [("产品", "product_raw", ""), ("严重程度", "severity", "severity")],
    "credit": [("等级", "grade", ""), ("严重违法失信", "blacklisted", "bool"), ("有效期至", "valid_to", "day")],
}
