"""Every page in a real browser: wide and narrow, light and dark, offline, by keyboard and in print."""

import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pypdfium2
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from tests.api.conftest import Province
from tests.browser.conftest import chromium
from tests.factories import PASSWORD

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(chromium() is None, reason="没有可用的 Chromium（No Chromium here）"),
]

PAGES = (
    "/",
    "/enterprises",
    "/enterprises/{enterprise}",
    "/enterprises/{enterprise}/dossier",
    "/unknown",
    "/areas",
    "/areas/{area}",
    "/overrides",
    "/inherent?product=ebike_charger&severity=3&steps=0.1+0.05&items=600000",
    "/whatif",
    "/whatif/{trial}",
    "/signals",
    "/signals/{signal}",
    "/plans",
    "/plans/{plan}",
    "/alerts",
    "/alerts/{alert}",
    "/cases",
    "/cases/{case}",
    "/sources",
    "/sources/office",
    "/imports",
    "/imports/{file}",
    "/runs",
    "/review",
    "/merges",
    "/labelling",
    "/policy",
    "/backtest",
    "/help",
    "/account",
    "/accounts",
    "/audit",
    "/search?q=明烛",
    "/api/docs",
    "/nothing-here",
)


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    """A running Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield browser
        browser.close()


def enter(context: BrowserContext, address: str, username: str = "admin") -> Page:
    """Sign in through the form."""
    page = context.new_page()
    page.goto(f"{address}/sign-in")
    page.fill("[name=username]", username)
    page.fill("[name=password]", PASSWORD)
    page.click("text=登录 >> visible=true")
    page.wait_for_url(f"{address}/")
    return page


# What a reader with weak eyes or a screen reader needs: names for controls, contrast of every text, one heading.
CHECK = (Path(__file__).parent / "look.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_and_stays_at_home(
    chrome: Browser, site: tuple[str, Province], width: int, scheme: str
) -> None:
    address, province = site
    context = chrome.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, locale="zh-CN")
    trouble: list[str] = []

    def asked(request: Request) -> None:
        if not request.url.startswith((address + "/", "data:")):
            trouble.append(f"left home: {request.url}")

    def said(message: ConsoleMessage) -> None:
        if message.type == "error":
            trouble.append(f"console: {message.text}")

    context.on("request", asked)
    context.on("console", said)
    context.on("weberror", lambda error: trouble.append(f"error: {error.error}"))
    page = enter(context, address)
    found: dict[str, list[str]] = {}
    for path in PAGES:
        url = address + path.format(**asdict(province))
        page.goto(url)
        page.wait_for_load_state("networkidle")
        problems = list(page.evaluate(CHECK))
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            problems.append(f"{wide} px wider than the window")
        if path == "/nothing-here":
            trouble = [one for one in trouble if "404" not in one]
        if problems or trouble:
            found[path] = problems + trouble
        trouble.clear()
    context.close()
    assert found == {}


def test_why_leads_by_clicks_to_the_marked_text(chrome: Browser, site: tuple[str, Province]) -> None:
    address, _ = site
    context = chrome.new_context(locale="zh-CN")
    page = enter(context, address, "near")
    page.click("a.figure:has-text('企业') >> nth=-1")
    page.click("table a:has-text('明烛')")
    page.click("#why a.evidence")
    assert page.locator(".original mark.hazard").inner_text() == "蹿火苗"
    assert "13812345678" not in page.content()
    context.close()


def test_an_alert_is_acknowledged_in_the_page(chrome: Browser, site: tuple[str, Province]) -> None:
    address, province = site
    context = chrome.new_context(locale="zh-CN")
    page = enter(context, address, "near")
    page.goto(f"{address}/alerts/{province.alert}")
    page.click("button:has-text('签收')")
    page.wait_for_load_state()
    assert page.locator(".head .chip:has-text('已签收')").count() == 1
    assert "账号near" in page.locator(".timeline").inner_text()
    context.close()


def test_an_unknown_header_is_explained_in_the_page(
    chrome: Browser, site: tuple[str, Province], tmp_path: Path
) -> None:
    address, _ = site
    file = tmp_path / "市局报表.csv"
    header = "产品名称,标称生产企业名称,抽样日期,抽查结果,在哪儿买的,谁经手"
    file.write_text(f"{header}\n充电器,甲公司,2026-03-05,合格,乙商场,张三\n插座,甲公司,2026-03-05,不成,丙商场,李四\n")
    context = chrome.new_context(viewport={"width": 1280, "height": 900}, locale="zh-CN")
    page = enter(context, address, "analyst")
    page.goto(f"{address}/imports")
    page.set_input_files("[name=file]", file)
    page.click("button:has-text('只检查')")
    assert "没有入库" in page.locator(".head").inner_text()
    page.goto(f"{address}/imports")
    page.set_input_files("[name=file]", file)
    page.click("button:has-text('上传并核对')")
    page.wait_for_selector("#headers")
    if pictures := os.environ.get("PICTURES"):
        page.screenshot(path=f"{pictures}/headers.png", full_page=True)
    assert "张三" not in page.content()
    assert page.evaluate(CHECK) == []
    page.select_option("[name=field-0]", "sampled_entity_name")
    page.click("button:has-text('记住这些表头')")
    page.click("button:has-text('重新读取这份文件')")
    page.wait_for_selector("#headers")
    assert "在哪儿买的" not in page.locator("#headers").inner_text()
    page.click("a.figure:has-text('有效')")
    page.click("table.cards a[href^='/signals/'] >> nth=0")
    assert "被抽样单位乙商场" in page.locator(".original").inner_text()
    context.close()


def test_filters_live_in_the_address_and_empty_ones_do_not(chrome: Browser, site: tuple[str, Province]) -> None:
    address, _ = site
    context = chrome.new_context(locale="zh-CN")
    page = enter(context, address)
    page.goto(f"{address}/enterprises")
    page.select_option("[name=level]", "C")
    page.wait_for_url("**/enterprises?**")
    assert page.url.startswith(f"{address}/enterprises?level=C")
    assert "product=" not in page.url
    with page.expect_download() as download:
        page.click("text=导出 1 / 共 1")
    assert download.value.suggested_filename.startswith("企业清单")
    context.close()


def test_the_review_queue_works_by_keyboard(chrome: Browser, site: tuple[str, Province]) -> None:
    address, province = site
    context = chrome.new_context(locale="zh-CN")
    page = enter(context, address, "analyst")
    page.goto(f"{address}/review?mention={province.mention}")
    page.keyboard.press("1")
    page.wait_for_url("**/review?at=**")
    assert "已关联" in page.locator("table.cards").inner_text()
    page.keyboard.press("u")
    page.wait_for_url(f"**/review?mention={province.mention}")
    assert page.locator("button:has-text('是这家')").count() >= 1
    context.close()


def test_labels_are_given_and_taken_back_by_keyboard(chrome: Browser, site: tuple[str, Province]) -> None:
    address, province = site
    context = chrome.new_context(locale="zh-CN")
    page = enter(context, address, "analyst")
    page.goto(f"{address}/labelling?signal={province.signal}")
    page.keyboard.press("1")
    page.keyboard.press("r")
    page.keyboard.press("r")
    page.keyboard.press("s")
    page.wait_for_url(f"{address}/labelling")
    assert "1 条信号、2 个判断" in page.locator(".head").inner_text()
    page.keyboard.press("u")
    page.wait_for_url("**/labelling?signal=**")
    assert "0 条信号、0 个判断" in page.locator(".head").inner_text()
    context.close()


def test_enter_while_composing_submits_nothing(chrome: Browser, site: tuple[str, Province]) -> None:
    address, _ = site
    context = chrome.new_context(locale="zh-CN")
    page = enter(context, address)
    page.goto(f"{address}/enterprises")
    page.evaluate("addEventListener('submit', () => (window.submitted = (window.submitted || 0) + 1))")
    page.focus(".filters [name=q]")
    keyboard = context.new_cdp_session(page)
    keyboard.send("Input.imeSetComposition", {"text": "mingzhu", "selectionStart": 7, "selectionEnd": 7})
    page.keyboard.press("Enter")
    assert page.evaluate("window.submitted || 0") == 0
    assert page.url == f"{address}/enterprises"
    keyboard.send("Input.insertText", {"text": "明烛"})
    page.keyboard.press("Enter")
    page.wait_for_url("**/enterprises?q=*")
    context.close()


def test_the_theme_switch_is_remembered(chrome: Browser, site: tuple[str, Province]) -> None:
    address, _ = site
    context = chrome.new_context(color_scheme="light", locale="zh-CN")
    page = enter(context, address)
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.click("[data-theme-switch]")
    dark = page.evaluate(ground)
    assert dark != light
    page.goto(f"{address}/signals")
    assert page.evaluate(ground) == dark
    context.close()


def test_a_printed_page_leaves_the_menus_out(chrome: Browser, site: tuple[str, Province]) -> None:
    address, province = site
    context = chrome.new_context(locale="zh-CN")
    page = enter(context, address)
    page.goto(f"{address}/enterprises/{province.enterprise}")
    page.emulate_media(media="print")
    assert not page.locator(".side").is_visible()
    assert page.locator("#why").is_visible()
    assert len(page.pdf()) > 10_000
    context.close()


def test_a_dossier_is_one_sheet(chrome: Browser, site: tuple[str, Province]) -> None:
    """A firm with something under every indicator, three lines, an override and a statement still fits an A4 page."""
    address, _ = site
    context = chrome.new_context(locale="zh-CN")
    page = enter(context, address, "analyst")
    page.goto(f"{address}/enterprises?q=全项")
    page.click("table a:has-text('全项')")
    page.click("text=风险档案（一页）")
    printed = pypdfium2.PdfDocument(page.pdf(prefer_css_page_size=True))
    context.close()
    assert [tuple(round(side) for side in sheet.get_size()) for sheet in printed] == [(595, 842)]
    text = "".join(printed[0].get_textpage().get_text_range().split())
    for told in (
        "海岳省全项电器有限公司",
        "合计（其余指标0分）55.0",
        "人工调整：系统分级C",
        "陈述申辩",
        "复核意见：",
        "缺少：",
    ):
        assert told in text, told


def test_a_grade_is_set_aside_by_two_people_in_the_page(chrome: Browser, site: tuple[str, Province]) -> None:
    address, province = site
    context = chrome.new_context(locale="zh-CN")
    page = enter(context, address, "near")
    page.goto(f"{address}/enterprises/{province.enterprise}")
    assert page.locator("#overrides button[value=approve]").count() == 0  # not for a bureau
    page.goto(f"{address}/overrides")
    context.close()
    context = chrome.new_context(locale="zh-CN")
    page = enter(context, address, "analyst")
    page.goto(f"{address}/overrides?state=waiting")
    page.fill("[name=remark]", "证据不足")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**#overrides")
    assert "未批准" in page.locator("#overrides").inner_text()
    context.close()
