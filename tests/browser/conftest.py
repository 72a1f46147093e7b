"""A real server on loopback and a real Chromium."""

import shutil
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import uvicorn
from sqlalchemy.orm import Session

from api.app import create_app
from jobs.settings import Settings
from scoring.policy import load_policy
from store.migrations import upgrade
from store.session import make_sessions, open_engine
from store.tables import PolicyVersion
from tests import factories
from tests.api.conftest import Province, fill


def chromium() -> str | None:
    """Where Chromium is, or None."""
    return next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )


def fill_dossier(session: Session) -> None:
    """Add a firm that makes and sells three products, with something to say under every indicator."""
    policy = load_policy()
    used = "p" * 64  # what the other grades of the small province were made under
    kept = {"hash": used, "name": "grade", "body": policy.body, "first_used_at": factories.NOW}
    session.add(PolicyVersion(**kept))
    firm = factories.make_enterprise(session, name="海岳省全项电器有限公司", region_code="990201")
    samples = [factories.make_sample(session, firm).signal_id for _ in range(12)]
    parts = [
        {
            "indicator": name, "zh": rule.zh, "points": 5.0, "weight": rule.weight, "value": 0.5, "evidence": samples,
            "sentence": "近 36 个月抽查 12 批次，不合格 12 批次（安全项目 1 批次），折算 6.1 批次。",
            "cap": "未核实投诉单独最多计 60%",
        }
        for name, rule in policy.indicators.items()
    ]  # fmt: skip
    approved = {"value": "D", "approved_at": factories.NOW, "approver_id": 1, "reason": "停产整顿期间仍在生产" * 8}
    override = factories.make_override(session, firm, **approved)
    for product_id in ("", "ebike_charger", "cable", "paint_wall"):
        for day, score in ((factories.TODAY - timedelta(days=90), 40.0), (factories.TODAY, 55.0)):
            factories.make_grade(
                session, firm, product_id=product_id, as_of=day, score=score, level="D", machine_level="C",
                override_id=override.id, contributions=parts, policy_hash=used, interval=[40.0, 70.0], tier=4,
                measure="严管", valid_to=factories.TODAY, missing=["信用风险分类：没有有效的信用风险分类"] * 3,
            )  # fmt: skip
    factories.make_statement(
        session,
        firm,
        text="样品系展会样机，并非出厂产品。" * 12,
        reply="抽样地点为成品库，不予采纳。" * 6,
        replied_at=factories.NOW,
    )


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Province]]:
    """The address of a server over the small province, and the ids of what it holds."""
    folder: Path = tmp_path_factory.mktemp("site")
    settings = Settings(var=folder, province_code="99", synthetic=True, secret="of the test")
    engine = open_engine(settings.store_url)
    upgrade(engine)
    with make_sessions(engine).begin() as session:
        province = fill(session)
        fill_dossier(session)
    engine.dispose()
    listener = socket.create_server(("127.0.0.1", 0))
    app = create_app(settings)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}", province
    server.should_exit = True
    thread.join(timeout=20)
    listener.close()
    app.state.sessions.kw["bind"].dispose()
