"""Accounts: no weak password, no default one, nothing in clear, and a reset ends every session."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from jobs.accounts import AccountError, create, listed, reset
from store.audit import verify
from store.passwords import hash_password, verify_password, weakness
from store.tables import Account, AuditEntry, LoginSession
from tests.factories import NOW

Sessions = sessionmaker[Session]
GOOD = "Quiet-River-48"


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("Ab1-x", "至少 10 个"),
        ("A1-" + "x" * 200, "至多 128 个"),
        ("onlylowercase", "三种"),
        ("lowercase and blank", "三种"),
        ("Analyst-2026-x", "账号名"),
        ("MyPassword-77", "常见"),
        ("Zhian-Radar-77", "常见"),
        ("Aaaaa-bcdef-7", "连续四个"),
        (GOOD, None),
        ("安静的河水-River-4", None),
    ],
)
def test_weak_passwords_are_refused_with_a_reason(password: str, said: str | None) -> None:
    found = weakness(password, "analyst")
    assert (found is None) == (said is None)
    assert said is None or said in (found or "")


def test_a_password_is_kept_as_argon2_and_checked() -> None:
    stored = hash_password(GOOD)
    assert stored.startswith("$argon2id$")
    assert hash_password(GOOD) != stored
    assert verify_password(GOOD, stored) == (True, None)
    assert verify_password(GOOD + "x", stored) == (False, None)
    assert verify_password(GOOD, None) == (False, None)
    assert verify_password("x" * 10_000, stored) == (False, None)


def test_an_account_is_made_and_the_act_recorded_without_the_password(sessions: Sessions) -> None:
    create(sessions, "li", GOOD, role="bureau", region_code="3701", display_name="济南")
    assert [(row.username, row.role, row.region_code, row.active) for row in listed(sessions)] == [
        ("li", "bureau", "3701", True)
    ]
    with sessions() as session:
        entry = session.scalars(select(AuditEntry)).one()
        assert (entry.act, entry.target_kind, entry.region_code) == ("account.create", "account", "3701")
        assert GOOD not in str(entry.detail)
        assert GOOD not in session.scalars(select(Account.password_hash)).one()
        assert verify(session).holds


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"role": "king"}, "角色"),
        ({"role": "bureau", "region_code": ""}, "地区代码"),
        ({"region_code": "济南"}, "行政区划"),
        ({"password": "weak"}, "至少"),
        ({"username": " "}, "不能为空"),
        ({"username": "li"}, "已存在"),
    ],
)
def test_a_wrong_account_is_refused_and_leaves_nothing(sessions: Sessions, changes: dict[str, str], said: str) -> None:
    create(sessions, "li", GOOD, role="reader")
    values = {"username": "wang", "password": GOOD, "role": "reader", "region_code": ""} | changes
    with pytest.raises(AccountError, match=said):
        create(sessions, **values)
    assert [row.username for row in listed(sessions)] == ["li"]
    with sessions() as session:
        assert len(session.scalars(select(AuditEntry)).all()) == 1


def test_a_reset_ends_every_session(sessions: Sessions) -> None:
    account_id = create(sessions, "li", GOOD, role="reader")
    with sessions.begin() as session:
        session.add(
            LoginSession(token_hash="t", account_id=account_id, csrf="c", created_at=NOW, seen_at=NOW,
                         expires_at=NOW + timedelta(hours=8))
        )  # fmt: skip
    reset(sessions, "li", "Other-River-49")
    with sessions() as session:
        assert session.scalars(select(LoginSession)).all() == []
        stored = session.scalars(select(Account.password_hash)).one()
    assert verify_password("Other-River-49", stored)[0]
    assert not verify_password(GOOD, stored)[0]
    with pytest.raises(AccountError, match="没有账号"):
        reset(sessions, "nobody", GOOD)
    with pytest.raises(AccountError, match="至少"):
        reset(sessions, "li", "short")
