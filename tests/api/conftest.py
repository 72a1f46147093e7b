"""A small province and somebody of each role to ask for its pages."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker

from api.app import create_app
from api.auth import open_session
from api.deps import COOKIE
from jobs.settings import Settings
from store.session import make_sessions
from store.tables import Account
from tests import factories
from tests.factories import PASSWORD

ACCOUNTS = {
    "reader": ("reader", "99"),
    "near": ("bureau", "9901"),
    "far": ("bureau", "9902"),
    "analyst": ("analyst", ""),
    "admin": ("admin", ""),
}


@dataclass(frozen=True, slots=True)
class Province:
    """Ids of what the small province holds: one of each thing, all of city 9901."""

    enterprise: int
    signal: int
    plan: int
    alert: int
    case: int
    file: int
    run: int
    mention: int
    account: int
    override: int
    statement: int
    area: int
    trial: int


def fill(session: Session) -> Province:
    """Put one of each thing into the store."""
    for code in ("990000", "990100", "990101", "990200", "990201"):
        factories.make_region(session, code)
    for username, (role, region) in ACCOUNTS.items():
        factories.make_account(session, username, role, region)
    enterprise = factories.make_enterprise(session, name="海岳省明烛充电器有限公司", uscc="91990101MA00000000")
    factories.make_role(session, enterprise)
    file = factories.make_import(session, region_code="990101")
    text = "张三（电话 13812345678）反映：充电器充电时蹿火苗，明烛公司没有处理。"
    signal = factories.make_signal(session, text=text, channel="sampling", file_id=file.id)
    factories.make_sample(session, enterprise, signal=signal)
    factories.make_tag(session, signal, evidence=[[text.index("蹿火苗"), text.index("蹿火苗") + 3]])
    waiting = factories.make_link(
        session, signal, None, candidates=[{"enterprise_id": enterprise.id, "score": 0.7, "reasons": ["名称相近"]}]
    )
    factories.make_grade(session, enterprise, evidence=[signal.id])
    plan = factories.make_plan(session, status="issued")
    factories.make_plan_line(session, plan, enterprise)
    alert = factories.make_alert(session, enterprise_id=enterprise.id, evidence=[signal.id])
    case = factories.make_case(session, signal, enterprise_id=enterprise.id)
    run = factories.make_run(session)
    account = factories.make_account(session, "other", "reader")
    asked = factories.make_override(session, enterprise)
    said = factories.make_statement(session, enterprise)
    area = factories.make_area(session, counted=[signal.id])
    trial = factories.make_trial(session, enterprise)
    return Province(
        enterprise.id, signal.id, plan.id, alert.id, case.id, file.id, run.id, waiting.mention_id, account.id,
        asked.id, said.id, area.id, trial.id,
    )  # fmt: skip


@pytest.fixture
def store(sqlite_engine: Engine) -> sessionmaker[Session]:
    """Sessions on the store that the application serves."""
    return make_sessions(sqlite_engine)


@pytest.fixture
def province(store: sessionmaker[Session]) -> Province:
    """The small province."""
    with store.begin() as session:
        return fill(session)


@pytest.fixture
def settings(sqlite_engine: Engine, tmp_path: Path) -> Settings:
    """Settings over the store of the test."""
    return Settings(
        var=tmp_path, database_url=str(sqlite_engine.url), province_code="99", synthetic=True, secret="of the test"
    )


@pytest.fixture
def app(settings: Settings, province: Province) -> Iterator[FastAPI]:
    """The application over the small province."""
    made = create_app(settings)
    yield made
    made.state.sessions.kw["bind"].dispose()


class Browser(TestClient):
    """A client that signs in and sends the CSRF token of its session with every form."""

    def __init__(self, app: FastAPI) -> None:
        super().__init__(app, follow_redirects=False, raise_server_exceptions=False)
        self.csrf = ""

    def enter(self, username: str, password: str = PASSWORD) -> "Browser":
        """Sign in through the page and remember the token that forms carry."""
        answer = self.post("/sign-in", data={"username": username, "password": password})
        assert answer.status_code == 303, answer.text
        page = self.get("/account").text
        self.csrf = page.split('name="csrf" value="', 1)[1].split('"', 1)[0]
        return self

    def submit(self, path: str, **fields: object):  # type: ignore[no-untyped-def]
        """Send a form as the page would."""
        return self.post(path, data={"csrf": self.csrf, **fields})


@pytest.fixture
def browser(app: FastAPI) -> Callable[[str], Browser]:
    """Return a browser of the named account that is signed in already."""

    def signed_in(username: str) -> Browser:
        with app.state.sessions.begin() as session:
            account_id = session.scalar(select(Account.id).where(Account.username == username))
            assert account_id is not None
            token, row = open_session(session, account_id, ip="test", now=datetime.now(UTC), life=timedelta(hours=8))
        made = Browser(app)
        made.cookies.set(COOKIE, token)
        made.csrf = row.csrf
        return made

    return signed_in


@pytest.fixture
def stranger(app: FastAPI) -> Browser:
    """A browser that has not signed in."""
    return Browser(app)
