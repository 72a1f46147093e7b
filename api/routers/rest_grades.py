"""The JSON API around grades: overrides, the queue of unknown firms, area states, policies on trial."""

from fastapi import APIRouter

from api.clock import today
from api.deps import Config, Id, InScope, Paging, Reading
from api.errors import not_found
from api.rendering import masked
from api.routers.areas import Filter as AreaFilter
from api.routers.overrides import State
from api.routers.trials import Level
from api.routers.unknown import Filter as UnknownFilter
from api.schemas.answers import (
    ERRORS,
    AreaAnswer,
    AreaDetail,
    Listing,
    MoveAnswer,
    OverrideAnswer,
    OverridesAnswer,
    TrackAnswer,
    TrialAnswer,
    UnknownLine,
)
from store.reads import areas, overrides, trials, unknown

router = APIRouter(tags=["分级"], responses=ERRORS)


@router.get("/api/v1/overrides", summary="人工调整", response_model=OverridesAnswer)
def list_overrides(
    session: Reading, scope: InScope, page: Paging, settings: Config, state: State = ""
) -> OverridesAnswer:
    """辖区内对等级的人工调整，以及此后抽检结果与调整方向一致的次数。"""
    day = today(session, settings)
    found = overrides.listing(session, scope, day, page, state=state)
    rows = [
        OverrideAnswer(
            id=row.override.id,
            enterprise_id=row.enterprise_id,
            enterprise_name=row.enterprise_name,
            role=row.override.role,
            product_id=row.override.product_id,
            set_aside=row.override.set_aside,
            value=row.override.value,
            reason=masked(row.override.reason),
            state=row.state,
            maker=row.maker,
            made_at=row.override.made_at,
            approver=row.approver,
            approved_at=row.override.approved_at,
            expires_on=row.override.expires_on,
            next_sample=row.later.signal_id if row.later else None,
            right=row.right,
        )
        for row in found.rows
    ]
    record = [TrackAnswer.model_validate(one) for one in overrides.track_record(session, scope, day)]
    return OverridesAnswer(rows=rows, total=found.total, page=found.number, size=found.size, record=record)


@router.get("/api/v1/unknown", summary="未知企业", response_model=Listing[UnknownLine])
def list_unknown(session: Reading, scope: InScope, wanted: UnknownFilter, page: Paging) -> Listing[UnknownLine]:
    """辖区内等级为未知的企业，固有风险高的在前。"""
    found = unknown.queue(session, scope, wanted, page)
    rows = [
        UnknownLine(
            enterprise_id=row.enterprise.id,
            enterprise_name=row.enterprise.name,
            region_code=row.enterprise.region_code,
            role=row.grade.role,
            products=row.products,
            tier=row.grade.tier,
            measure=row.grade.measure,
            unknown_since=row.unknown_since,
            last_signal_on=row.last_signal_on,
            last_signal_id=row.last_signal_id,
            last_attempt_on=row.last_attempt_on,
            planned=row.planned,
        )
        for row in found.rows
    ]
    return Listing(rows=rows, total=found.total, page=found.number, size=found.size)


@router.get("/api/v1/areas", summary="区域警示", response_model=Listing[AreaAnswer])
def list_areas(session: Reading, scope: InScope, wanted: AreaFilter, page: Paging) -> Listing[AreaAnswer]:
    """辖区内的黄色警示、红色警情和当日解除的。"""
    found = areas.listing(session, scope, wanted, page)
    rows = [AreaAnswer.model_validate(row.state) for row in found.rows]
    return Listing(rows=rows, total=found.total, page=found.number, size=found.size)


@router.get("/api/v1/areas/{area_id}", summary="一项区域警示", response_model=AreaDetail)
def get_area(session: Reading, scope: InScope, area_id: Id) -> AreaDetail:
    """区域 × 产品的状态及所计入的每一批次。"""
    file = areas.one(session, scope, area_id)
    if file is None:
        raise not_found()
    return AreaDetail.model_validate(file.row.state)


@router.get("/api/v1/whatif/{trial_id}", summary="一次政策试算", response_model=TrialAnswer)
def get_trial(
    session: Reading, scope: InScope, trial_id: Id, page: Paging, level: Level = "", then: Level = ""
) -> TrialAnswer:
    """试算的政策改了什么，辖区内哪些企业会变动。"""
    file = trials.one(session, scope, trial_id, page, level=level, level_then=then)
    if file is None:
        raise not_found()
    trial = file.row.trial
    rows = [
        MoveAnswer(
            enterprise_id=row.move.enterprise_id,
            enterprise_name=row.enterprise_name,
            role=row.move.role,
            level=row.move.level,
            level_then=row.move.level_then,
            score=row.move.score,
            score_then=row.move.score_then,
            cause=row.move.cause,
        )
        for row in file.moves.rows
    ]
    return TrialAnswer(
        id=trial.id,
        version=trial.version,
        hash=trial.hash,
        against_version=trial.against_version,
        against_hash=trial.against_hash,
        as_of=trial.as_of,
        finished_at=trial.finished_at,
        differences=[[str(value) for value in one] for one in trial.differences],
        counts={f"{now}>{then}": count for (now, then), count in file.counts.items()},
        moves=Listing(rows=rows, total=file.moves.total, page=file.moves.number, size=file.moves.size),
    )
