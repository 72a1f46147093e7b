"""What a request may bring and what an answer must carry."""

from collections.abc import Callable
from io import BytesIO
from itertools import product
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from lxml import html
from openpyxl import load_workbook
from sqlalchemy.orm import Session

from api.access import ROUTES, Act
from api.exports import attachment
from api.middleware import HEADERS
from store.tables import Plan
from tests import factories
from tests.api.conftest import Browser, Province
from tests.api.test_access import path_of

Enter = Callable[[str], Browser]


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ({}, None),
        ({}, ""),
        ({}, "another"),
        ({"Origin": "https://evil.example"}, "own"),
        ({"Origin": "null"}, "own"),
        ({"Sec-Fetch-Site": "cross-site"}, "own"),
        ({"Sec-Fetch-Site": "same-site"}, "own"),
    ],
)
def test_no_change_is_made_for_another_site(
    browser: Enter, province: Province, headers: dict[str, str], token: str | None
) -> None:
    admin = browser("admin")
    for (method, path), act in sorted(ROUTES.items()):
        if method == "GET" or act is Act.OPEN:
            continue
        data = {} if token is None else {"csrf": admin.csrf if token == "own" else token}
        answer = admin.post(path_of(path, province), data=data, headers=headers)
        assert answer.status_code == 403, (path, answer.status_code)


def test_signing_in_from_another_site_is_refused(stranger: Browser) -> None:
    answer = stranger.post(
        "/sign-in", data={"username": "a", "password": "b"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403


def test_every_answer_is_dressed(browser: Enter, stranger: Browser, province: Province) -> None:
    admin = browser("admin")
    for path in ("/", "/enterprises", "/nothing-here", "/api/v1/signals", "/enterprises.xlsx", "/sign-in", "/health"):
        for one in (admin, stranger):
            answer = one.get(path)
            assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, path
            assert answer.headers["cache-control"] == "no-store", path


def test_the_policy_lets_nothing_inline_and_nothing_foreign(browser: Enter) -> None:
    policy = browser("reader").get("/").headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "frame-ancestors 'none'" in policy


PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "</textarea><svg onload=alert(1)>",
    "{{7*7}}",
    "{% raw %}<b>x</b>",
    "javascript:alert(1)",
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "\u202e<b>x</b>",
]


def test_text_from_outside_stays_text(app: FastAPI, browser: Enter) -> None:
    """With a payload in every free text, no page gains a script, a handler or a link that runs."""
    admin = browser("admin")
    pages = ["/", "/enterprises", "/signals", "/alerts", "/imports", "/sources", "/merges", "/review"]
    with app.state.sessions.begin() as session:
        for number, payload in enumerate(PAYLOADS):
            pages += hostile_rows(session, f"hostile{number}", payload)
    pages += [f"{path}?q={quote(payload)}" for payload in PAYLOADS for path in ("/search", "/enterprises", "/signals")]
    for path in pages:
        page = admin.get(path)
        assert page.status_code == 200, path
        for element in html.fromstring(page.text).iter():
            if not isinstance(element.tag, str):
                raise AssertionError(f"{path}: a comment or instruction was born: {element}")
            src, href = element.get("src", ""), element.get("href", "")
            assert not [name for name in element.attrib if name.startswith("on")], (path, element.attrib)
            assert not href.lower().strip().startswith("javascript:"), (path, href)
            assert element.tag != "svg", path
            if element.tag == "script":
                assert src.startswith("/static/") or element.get("type") == "application/json", path
            if element.tag == "img":
                assert src.startswith("/static/"), path


def hostile_rows(session: Session, source_id: str, payload: str) -> list[str]:
    """Put the payload into every free text of a story and return the story's own pages."""
    factories.make_source(session, source_id, title=payload)
    signal = factories.make_signal(
        session, source_id=source_id, title=payload, text=payload * 3, url=payload, payload={payload: payload}
    )
    firm = factories.make_enterprise(session, name=payload, address=payload)
    factories.make_sample(session, firm, signal=signal, product_raw=payload, spec_model=payload)
    factories.make_tag(session, signal, code=payload, evidence=[[0, 3]])
    factories.make_grade(session, firm, evidence=[signal.id], forced_rule=payload, score=99.0, level="D")
    alert = factories.make_alert(session, title=payload, body=payload, reasons=[payload], enterprise_id=firm.id)
    file = factories.make_import(session, name=payload)
    return [f"/enterprises/{firm.id}", f"/signals/{signal.id}", f"/alerts/{alert.id}", f"/imports/{file.id}"]


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1+1", '=HYPERLINK("http://x")']


def test_no_export_holds_a_live_formula(app: FastAPI, browser: Enter, province: Province) -> None:
    admin = browser("admin")
    with app.state.sessions.begin() as session:
        plan = session.get_one(Plan, province.plan)
        for name in FORMULAS:
            firm = factories.make_enterprise(session, name=name)
            factories.make_sample(session, firm, product_raw=name)
            factories.make_plan_line(session, plan, firm, why=name)
            factories.make_alert(session, title=name, enterprise_id=firm.id)
            factories.make_import(session, name=name)
    exports = [path_of(path, province) for method, path in sorted(ROUTES) if method == "GET" and path.endswith(".xlsx")]
    assert len(exports) >= 13
    found = 0
    for path in exports:
        answer = admin.get(path)
        assert answer.status_code == 200, path
        for sheet in load_workbook(BytesIO(answer.content)):
            for cell in (cell for row in sheet.iter_rows() for cell in row):
                text = str(cell.value or "")
                found += text.lstrip("'") in FORMULAS
                assert cell.data_type != "f", (path, cell.coordinate)
                assert not text.startswith(("=", "+", "-", "@", "＝", "\t")), (path, text)
    assert found >= 4 * len(FORMULAS)


def test_an_export_is_what_was_filtered_and_says_how_much(app: FastAPI, browser: Enter, province: Province) -> None:
    with app.state.sessions.begin() as session:
        factories.make_enterprise(session, name="海岳省无关五金厂")
    answer = browser("near").get("/enterprises.xlsx?q=明烛")
    sheet = load_workbook(BytesIO(answer.content)).worksheets[0]
    rows = list(sheet.iter_rows(values_only=True))
    assert "导出 1 / 共 1" in str(rows[0][0])
    header = next(index for index, row in enumerate(rows) if row[0] == "企业编号")
    assert [row[1:3] for row in rows[header + 1 :]] == [("海岳省明烛充电器有限公司", "91990101MA00000000")]
    assert any("虚构" in str(row[0]) for row in rows[:header])


def test_a_file_name_cannot_carry_another_header() -> None:
    value = attachment('a"\r\nSet-Cookie: x=1/../计划.xlsx')
    assert "\r" not in value
    assert "\n" not in value
    assert value.startswith("attachment; filename=\"download\"; filename*=UTF-8''")


HOSTILE_NUMBERS = ["9" * 400, "-1", "0", "1e999", "NaN", "١", "9223372036854775808", "%00", "1;drop", "null"]


def test_odd_numbers_are_refused_not_fatal(browser: Enter) -> None:
    admin = browser("admin")
    for value in HOSTILE_NUMBERS:
        for path in (f"/enterprises/{value}", f"/enterprises?page={value}", f"/api/v1/signals?size={value}"):
            assert admin.get(path).status_code in (404, 422), path


@pytest.mark.parametrize(
    "body",
    [b'{"kind": NaN}', b'{"kind": 1e999}', b'{"kind":"acknowledge","remark":"\\ud800"}', b"[" * 3000, b"{", b"\xff"],
)
def test_odd_bodies_are_refused_not_fatal(browser: Enter, province: Province, body: bytes) -> None:
    admin = browser("admin")
    answer = admin.post(
        f"/api/v1/alerts/{province.alert}/answers",
        content=body,
        headers={"X-CSRF-Token": admin.csrf, "Content-Type": "application/json"},
    )
    assert answer.status_code in (400, 422), answer.text
    assert set(answer.json()) == {"error"}


def test_search_words_are_words(browser: Enter) -> None:
    admin = browser("admin")
    words = ["'", "' OR 1=1--", "%", "_", "\\", "%' ESCAPE '", "\x00", "🙂" * 50, "\u202e"]
    paths = ["/api/v1/enterprises", "/api/v1/signals", "/api/v1/alerts", "/api/v1/cases"]
    for path, text in product(paths, words):
        answer = admin.get(path, params={"q": text})
        assert answer.status_code in (200, 422), path
        if answer.status_code == 200:
            assert answer.json()["total"] == 0, (path, text)


def test_a_body_beyond_the_limit_is_refused(browser: Enter) -> None:
    admin = browser("admin")
    answer = admin.post("/sign-out", content=b"x" * (2 << 20), headers={"Content-Type": "text/plain"})
    assert answer.status_code == 413


def test_a_stranger_cannot_make_us_store_an_upload(stranger: Browser, settings: object) -> None:
    answer = stranger.post("/imports", files={"file": ("a.csv", b"x" * 1000)}, data={"kind": "sampling"})
    assert answer.status_code == 303
    assert not (settings.var / "uploads").exists()  # type: ignore[attr-defined]


CSV = """序号,产品名称,标称生产企业名称,抽样日期,抽查结果
1,充电器,海岳省新厂有限公司,2026-05-06,合格
2,充电器,海岳省新厂有限公司,2026/13/45,不合格
"""


def test_an_uploaded_file_is_reported_row_by_row(browser: Enter) -> None:
    near = browser("near")
    answer = near.post(
        "/imports",
        data={"csrf": near.csrf, "kind": "sampling"},
        files={"file": ("../../抽查.csv", CSV.encode("gb18030"))},
    )
    assert answer.status_code == 303, answer.text
    page = near.get(answer.headers["location"]).text
    assert "抽查.csv" in page
    assert "2026/13/45" in page
    rejected = near.get(answer.headers["location"] + "/rejected.xlsx")
    rows = list(load_workbook(BytesIO(rejected.content)).worksheets[0].iter_rows(values_only=True))
    assert any("2026/13/45" in [str(cell) for cell in row] for row in rows)
