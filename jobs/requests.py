"""What each request from a page runs, with the arguments the page wrote."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from ingest.intake import REASONS, Cancelled, import_again
from jobs import crawl, grade, health, notify, outcome, pipeline, plan, train, whatif
from jobs.imports import check_file, import_one, make_lookups
from jobs.opening import secret_key
from jobs.settings import Settings
from nlp.artifacts import ArtifactError
from store.china_time import CHINA
from store.session import read_only
from store.tables import ImportFile, JobRequest

Progress = Callable[[float, str], None]
Handler = Callable[[sessionmaker[Session], Settings, JobRequest, Progress], dict[str, Any]]


def day_of(request: JobRequest) -> date:
    """Return the date a request is for: its `as_of`, else today in China."""
    asked = request.arguments.get("as_of")
    return date.fromisoformat(str(asked)) if asked else datetime.now(CHINA).date()


class RequestCancelled(Exception):
    """The person who asked called the job off; nothing of it was kept."""


class RequestError(ValueError):
    """The request's arguments cannot be used; the message says why, in Chinese."""


def _import(
    sessions: sessionmaker[Session], settings: Settings, request: JobRequest, progress: Progress
) -> dict[str, Any]:
    def cancelled() -> bool:
        return settings.cancel_mark(request.id).exists()

    def told(share: float, rows: int) -> None:
        progress(share, f"已读 {rows} 行")

    if file_id := request.arguments.get("again"):
        return _import_again(sessions, settings, int(file_id), told, cancelled)
    path = Path(str(request.arguments["path"])).resolve()
    if not path.is_relative_to(settings.var.resolve()):
        raise RequestError("只能导入已上传到数据目录的文件")
    if not path.is_file():
        raise RequestError("上传的文件已不在；若任务曾中断，它可能已经导入，请先查看导入列表")
    kind, name = str(request.arguments["kind"]), request.arguments.get("name")
    try:
        if request.arguments.get("dry_run"):
            report = check_file(sessions, path, kind, name=name, progress=told, cancelled=cancelled)
            counts = {"有效": report.valid, "隔离": report.quarantined, "忽略": report.ignored}
            counts |= {REASONS.get(reason, reason): rows for reason, rows in report.reasons.items()}
            said = {"只检查": "没有入库"} if report.accepted else {"不能入库": report.message}
            path.unlink(missing_ok=True)
            return said | counts
        file = import_one(
            sessions, settings, path, kind,
            source_id=str(request.arguments.get("source_id") or ""),
            name=name,
            account_id=request.account_id,
            region_code=request.arguments.get("region_code"),
            progress=told,
            cancelled=cancelled,
        )  # fmt: skip
    except Cancelled as stopped:
        path.unlink(missing_ok=True)
        raise RequestCancelled from stopped
    path.unlink(missing_ok=True)  # what was taken in is kept under its hash
    return _counts(file)


def _import_again(
    sessions: sessionmaker[Session],
    settings: Settings,
    file_id: int,
    progress: Callable[[float, int], None],
    cancelled: Callable[[], bool],
) -> dict[str, Any]:
    with read_only(sessions) as session:
        file = session.get(ImportFile, file_id)
    if file is None:
        raise RequestError("没有这份文件")
    try:
        file = import_again(
            sessions, file, var=settings.var, key=secret_key(settings), lookups=make_lookups(sessions, settings),
            progress=progress, cancelled=cancelled,
        )  # fmt: skip
    except Cancelled as stopped:
        raise RequestCancelled from stopped
    return _counts(file)


def _counts(file: ImportFile) -> dict[str, Any]:
    return {"文件": file.id, "有效": file.valid, "隔离": file.quarantined, "忽略": file.ignored, "run_id": file.run_id}


def _plan(
    sessions: sessionmaker[Session], settings: Settings, request: JobRequest, progress: Progress
) -> dict[str, Any]:
    try:
        budget = float(request.arguments["budget_cny"])
    except (KeyError, TypeError, ValueError):
        raise RequestError("预算应是一个数字") from None
    counts = plan.run(
        sessions, settings, day_of(request),
        budget_cny=budget,
        title=request.arguments.get("title") or None,
        region_code=request.arguments.get("region_code") or None,
        account_id=request.account_id,
    )  # fmt: skip
    return {"plan_id": counts["plan_id"], "批次": counts["lines"]}


def _pipeline(
    sessions: sessionmaker[Session], settings: Settings, request: JobRequest, progress: Progress
) -> dict[str, Any]:
    counts = pipeline.run_all(
        sessions, settings, day_of(request), lambda zh, number, total: progress(number / total, zh)
    )
    return {"企业": counts["grade"]["enterprises"], "新预警": counts["notify"]["alerts"]}


def _whatif(
    sessions: sessionmaker[Session], settings: Settings, request: JobRequest, progress: Progress
) -> dict[str, Any]:
    counts = whatif.run(sessions, settings, int(request.arguments["trial_id"]), progress)
    return {"企业": counts["graded"], "变动": counts["moved"]}


def _train(
    sessions: sessionmaker[Session], settings: Settings, request: JobRequest, progress: Progress
) -> dict[str, Any]:
    counts = train.run(sessions, settings, day_of(request))
    return {"候选": counts["folder"], "标注": counts["reviewed"]}


def _accept_model(
    sessions: sessionmaker[Session], settings: Settings, request: JobRequest, progress: Progress
) -> dict[str, Any]:
    wanted = request.arguments.get("model_id")
    try:
        train.accept(
            sessions, settings, None if wanted is None else int(wanted),
            account_id=request.account_id, at=datetime.now(UTC),
        )  # fmt: skip
    except ArtifactError as error:
        raise RequestError(f"不能启用这个模型：{error}") from error
    return {"启用": "随程序发布的模型" if wanted is None else f"模型 {wanted}"}


def _simple(run: Callable[..., dict[str, Any]]) -> Handler:
    def handler(
        sessions: sessionmaker[Session], settings: Settings, request: JobRequest, progress: Progress
    ) -> dict[str, Any]:
        return run(sessions, settings, day_of(request))

    return handler


HANDLERS: dict[str, Handler] = {
    "import": _import,
    "plan": _plan,
    "pipeline": _pipeline,
    "train": _train,
    "accept_model": _accept_model,
    "grade": _simple(grade.run),
    "crawl": _simple(crawl.run),
    "notify": _simple(notify.run),
    "outcome": _simple(outcome.run),
    "health": _simple(health.run),
    "whatif": _whatif,
}
