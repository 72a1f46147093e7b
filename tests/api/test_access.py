"""No route escapes sign-in, roles and region scope."""

from collections.abc import Callable, Iterator
from dataclasses import asdict

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from api.access import ROLES, ROUTES, Act, may
from tests.api.conftest import ACCOUNTS, Browser, Province

Enter = Callable[[str], Browser]

# A route whose object belongs to city 9901: the path parameter's value comes from the small province.
OF_ONE_CITY = {
    "enterprise_id": "enterprise",
    "signal_id": "signal",
    "alert_id": "alert",
    "case_id": "case",
    "file_id": "file",
    "mention_id": "mention",
    "plan_id": "plan",
    "override_id": "override",
    "statement_id": "statement",
    "area_id": "area",
    "trial_id": "trial",
}
OTHERS = {
    "token_id": "abcdefabcdef",
    "request_id": "1",
    "merge_id": "1",
    "label_id": "1",
    "line_id": "1",
    "source_id": "office",
}


def routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Every method and path the application answers, however deep its router."""
    waiting = list(app.routes)
    while waiting:
        route = waiting.pop()
        if isinstance(route, APIRoute):
            yield from ((method, route.path) for method in route.methods if method != "HEAD")
        waiting.extend(getattr(getattr(route, "original_router", None), "routes", []))


def path_of(path: str, province: Province) -> str:
    values = asdict(province)
    filled = path
    for name, key in OF_ONE_CITY.items():
        filled = filled.replace("{" + name + "}", str(values[key]))
    filled = filled.replace("{account_id}", str(province.account))
    for name, value in OTHERS.items():
        filled = filled.replace("{" + name + "}", value)
    assert "{" not in filled, filled
    return filled


def test_the_table_of_routes_is_exactly_the_routes(app: FastAPI) -> None:
    assert sorted(routes(app)) == sorted(ROUTES)


def test_nothing_answers_a_stranger_but_the_open_routes(app: FastAPI, stranger: Browser, province: Province) -> None:
    for (method, path), act in sorted(ROUTES.items()):
        answer = stranger.request(method, path_of(path, province))
        if act is Act.OPEN:
            assert answer.status_code < 500, (method, path)
        elif path.startswith("/api/") and path != "/api/docs":
            assert answer.status_code == 401, (method, path, answer.status_code)
            assert set(answer.json()) == {"error"}
        elif path != "/api/docs":
            assert answer.status_code == 303, (method, path, answer.status_code)
            assert answer.headers["location"].startswith("/sign-in"), (method, path)


@pytest.mark.parametrize("username", ["reader", "near", "analyst"])
def test_a_role_gets_no_further_than_its_acts(browser: Enter, province: Province, username: str) -> None:
    asking = browser(username)
    role = ACCOUNTS[username][0]
    for (method, path), act in sorted(ROUTES.items()):
        if act is Act.OPEN or path == "/sign-out" or may(role, act):
            continue
        answer = asking.request(
            method, path_of(path, province), data={"csrf": asking.csrf} if method != "GET" else None
        )
        assert answer.status_code == 403, (method, path, answer.status_code)


def test_another_citys_objects_are_not_there(browser: Enter, province: Province) -> None:
    """Each route on an object of city 9901 answers its own bureau, and says 404 to the bureau of city 9902."""
    far, near = browser("far"), browser("near")
    for (method, path), act in sorted(ROUTES.items()):
        if not any("{" + name + "}" in path for name in OF_ONE_CITY) or act not in ROLES["bureau"]:
            continue
        url = path_of(path, province)
        if method == "GET":
            assert near.get(url).status_code in (200, 404 if path.endswith(("/copy", "/file")) else 200), url
            answer = far.get(url)
        elif path.startswith("/api/"):
            answer = far.post(url, json={"kind": "acknowledge"}, headers={"X-CSRF-Token": far.csrf})
        else:
            answer = far.submit(url, kind="acknowledge", step="notified", done_on="2026-10-31", reason="x")
        assert answer.status_code == (403 if path.endswith("/unmask") else 404), (method, url, answer.status_code)


CANARIES = ("明烛", "91990101MA00000000", "蹿火苗", "抽查结果.xlsx", "同一企业连续两批不合格", "充电器不合格后处理")


def test_another_citys_lists_searches_exports_and_figures_hold_nothing_of_it(
    browser: Enter, province: Province
) -> None:
    """The words of city 9901's objects stand in none of the answers to city 9902."""
    far = browser("far")
    for method, path in sorted(ROUTES):
        if method != "GET" or "{" in path or ROUTES[method, path] not in ROLES["bureau"] or path.endswith(".xlsx"):
            continue
        for query in ("", "?region=9901", "?q=a"):
            text = far.get(path + query).text
            assert not [word for word in CANARIES if word in text], path + query


def test_a_bureau_without_region_sees_nothing(app: FastAPI, browser: Enter) -> None:
    from store.session import transaction
    from tests.factories import make_account

    with transaction(app.state.sessions) as session:
        make_account(session, "nowhere", "bureau", "")
    assert browser("nowhere").get("/api/v1/enterprises").json()["total"] == 0


@pytest.mark.parametrize("role", ["", "root", "ADMIN"])
def test_an_unknown_role_may_nothing(role: str) -> None:
    assert not any(may(role, act) for act in Act if act is not Act.OPEN)
