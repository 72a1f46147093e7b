"""The web application: pages, exports and the JSON API."""

from functools import partial
from pathlib import Path

from fastapi import Depends, FastAPI
from fastapi.staticfiles import StaticFiles
from sqlalchemy import Engine, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from api import errors
from api.deps import protect
from api.middleware import BodyLimit, SecureHeaders
from api.rendering import WEB, make_environment
from api.routers import ROUTERS
from api.vocabulary import load_vocabulary
from ingest.lookups import office_lookups
from jobs.settings import Settings
from store.migrations import is_current
from store.session import make_sessions, open_engine


class StartRefused(SystemExit):
    """The service cannot start; the one line says what to do. No traceback reaches the person who started it."""


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the application over the store of `settings`, by default those of the environment.

    Raises StartRefused when the store is missing, out of reach or of another schema than this code.
    """
    settings = settings or Settings()
    engine = _checked_engine(settings)
    app = FastAPI(
        title="质安雷达 API",
        version="1",
        description="与页面相同的读数，以 JSON 提供。每个数字都带着依据：记录编号可逐级追到原文。",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(protect)],
        redirect_slashes=False,
    )
    app.state.settings = settings
    app.state.sessions = make_sessions(engine)
    app.state.lookups = partial(office_lookups, app.state.sessions, settings.lexicon_dir)
    app.state.vocabulary = load_vocabulary(settings.lexicon_dir)
    app.state.templates = make_environment(settings.lexicon_dir)
    for router in ROUTERS:
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=WEB / "static"), name="static")
    errors.install(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(SecureHeaders, secure=settings.secure_cookies)
    return app


def _checked_engine(settings: Settings) -> Engine:
    url = make_url(settings.store_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise StartRefused("没有找到数据库：请先运行 zhian init（或 make demo）。")
    engine = open_engine(settings.store_url)
    try:
        if not inspect(engine).has_table("account") or not is_current(engine):
            raise StartRefused("数据库版本与程序不符：请先备份，再运行 zhian migrate。")
    except SQLAlchemyError as error:
        raise StartRefused(f"数据库无法打开（{type(error).__name__}）：请检查 ZHIAN_DATABASE_URL。") from None
    return engine
