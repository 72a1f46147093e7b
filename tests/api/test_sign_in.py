"""Signing in, staying in, and being put out."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy import select, update

from api.auth import ATTEMPTS_PER_NAME, safe_next
from api.deps import COOKIE
from store.tables import Account, AuditEntry, LoginSession
from tests.api.conftest import Browser
from tests.factories import PASSWORD

Enter = Callable[[str], Browser]


@pytest.mark.parametrize(
    ("target", "goes"),
    [
        ("/alerts?state=open", "/alerts?state=open"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nSet-Cookie: x=1", "/"),
        ("/sign-in?next=/", "/"),
        ("", "/"),
    ],
)
def test_signing_in_leads_nowhere_else(stranger: Browser, target: str, goes: str) -> None:
    assert safe_next(target) == goes
    sent = {"username": "reader", "password": PASSWORD, "next": target}
    assert stranger.post("/sign-in", data=sent).headers["location"] == goes


def test_wrong_password_unknown_name_and_closed_account_read_the_same(app: FastAPI, stranger: Browser) -> None:
    with app.state.sessions.begin() as session:
        session.execute(update(Account).where(Account.username == "near").values(active=False))
    pages = [
        stranger.post("/sign-in", data={"username": name, "password": password})
        for name, password in (("reader", "wrong"), ("nobody", "wrong"), ("near", PASSWORD))
    ]
    assert [page.status_code for page in pages] == [401, 401, 401]
    texts = {page.text.replace(name, "") for page, name in zip(pages, ("reader", "nobody", "near"), strict=True)}
    assert len(texts) == 1


def test_guessing_is_slowed_and_a_live_session_is_not(browser: Enter, stranger: Browser) -> None:
    mine = browser("reader")
    answers = [
        stranger.post("/sign-in", data={"username": "reader", "password": f"guess {n}"}).status_code
        for n in range(ATTEMPTS_PER_NAME + 2)
    ]
    assert answers == [401] * ATTEMPTS_PER_NAME + [429, 429]
    assert stranger.post("/sign-in", data={"username": "reader", "password": PASSWORD}).status_code == 429
    assert mine.get("/").status_code == 200


def test_the_session_id_changes_at_every_sign_in_and_the_old_one_ends(app: FastAPI, stranger: Browser) -> None:
    first = stranger.enter("reader").cookies[COOKIE]
    second = stranger.enter("reader").cookies[COOKIE]
    assert first != second
    old = Browser(app)
    old.cookies.set(COOKIE, first)
    assert old.get("/").status_code == 303


@pytest.mark.parametrize(
    "change",
    [
        {"seen_at": datetime.now(UTC) - timedelta(minutes=31)},
        {"expires_at": datetime.now(UTC) - timedelta(seconds=1)},
    ],
)
def test_a_session_ends_when_idle_or_old(app: FastAPI, browser: Enter, change: dict[str, datetime]) -> None:
    mine = browser("reader")
    with app.state.sessions.begin() as session:
        session.execute(update(LoginSession).values(**change))
    assert mine.get("/").status_code == 303


def test_closing_an_account_acts_on_its_next_request(app: FastAPI, browser: Enter) -> None:
    mine, admin = browser("reader"), browser("admin")
    with app.state.sessions() as session:
        account_id = session.scalar(select(Account.id).where(Account.username == "reader"))
    answer = admin.submit(f"/accounts/{account_id}", role="reader", region_code="99")
    assert answer.status_code == 303
    assert mine.get("/").status_code == 303


def test_signing_out_ends_the_session_on_the_server(app: FastAPI, browser: Enter) -> None:
    mine = browser("reader")
    cookie = mine.cookies[COOKIE]
    assert mine.submit("/sign-out").status_code == 303
    again = Browser(app)
    again.cookies.set(COOKIE, cookie)
    assert again.get("/").status_code == 303


def test_a_changed_password_ends_the_other_sessions(browser: Enter, stranger: Browser) -> None:
    mine, elsewhere = browser("reader"), browser("reader")
    answer = mine.submit("/account/password", old=PASSWORD, new="Another-Horse-8-Stable")
    assert answer.status_code == 303
    assert mine.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 303
    assert stranger.enter("reader", "Another-Horse-8-Stable").get("/").status_code == 200


def test_an_administrator_cannot_shut_out_themselves(app: FastAPI, browser: Enter) -> None:
    with app.state.sessions() as session:
        own = session.scalar(select(Account.id).where(Account.username == "admin"))
    assert browser("admin").submit(f"/accounts/{own}", role="reader", active="true").status_code == 409


def test_tokens_open_the_api_and_only_the_api(app: FastAPI, browser: Enter, stranger: Browser) -> None:
    mine = browser("near")
    page = mine.submit("/account/tokens").text
    token = page.split('<span class="code">', 1)[1].split("</span>", 1)[0]
    bearer = {"Authorization": f"Bearer {token}"}
    assert stranger.get("/api/v1/enterprises", headers=bearer).json()["total"] == 1
    assert stranger.get("/enterprises", headers=bearer).status_code == 303
    assert stranger.get("/api/v1/enterprises", headers={"Authorization": f"Bearer {token}x"}).status_code == 401
    with app.state.sessions() as session:
        row = session.scalar(select(LoginSession).where(LoginSession.kind == "api"))
        assert row is not None
        assert token not in (row.token_hash, row.csrf)
    assert mine.submit(f"/account/tokens/{row.token_hash[:12]}/revoke").status_code == 303
    assert stranger.get("/api/v1/enterprises", headers=bearer).status_code == 401


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(stranger: Browser) -> None:
    answer = stranger.post("/sign-in", data={"username": "reader", "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


def test_every_act_leaves_one_row_in_the_trail(app: FastAPI, stranger: Browser) -> None:
    mine = stranger.enter("near")
    mine.submit("/alerts/1/answers", kind="acknowledge")
    mine.get("/enterprises.xlsx")
    mine.get("/accounts")
    mine.submit("/sign-out")
    with app.state.sessions() as session:
        found = [(row.username, row.act, row.outcome, row.region_code) for row in session.scalars(select(AuditEntry))]
    assert found == [
        ("near", "sign_in", "done", "9901"),
        ("near", "acknowledge", "done", "990101"),
        ("near", "export", "done", "9901"),
        ("near", "GET /accounts", "refused", "9901"),
        ("near", "sign_out", "done", "9901"),
    ]
