"""Take the pictures of the README from a running demonstration.

Usage: python -m tests.browser.take_pictures http://127.0.0.1:8420 USERNAME PASSWORD
"""

import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import chromium

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "images"
WIDE = {"width": 1280, "height": 860}
NARROW = {"width": 390, "height": 844}


def take(page: Page, name: str) -> None:
    """Save what the window shows."""
    page.wait_for_load_state("networkidle")
    page.screenshot(path=FOLDER / f"{name}.png")


def main(address: str, username: str, password: str) -> None:
    """Take overview, enterprise, plan, signal, and one page as a phone shows it in the dark."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        for suffix, window, scheme in (("", WIDE, "light"), ("-phone", NARROW, "dark")):
            page = browser.new_page(viewport=window, color_scheme=scheme, locale="zh-CN")
            page.goto(f"{address}/sign-in")
            page.fill("[name=username]", username)
            page.fill("[name=password]", password)
            page.click(".gate button")
            page.wait_for_url(f"{address}/")
            if not suffix:
                take(page, "overview")
                page.goto(f"{address}/plans")
                page.click("table.cards a")
                take(page, "plan")
            page.goto(f"{address}/enterprises?level=D")
            page.click("table.cards a[href^='/enterprises/']")
            take(page, f"enterprise{suffix}")
            if not suffix:
                page.click("#why a.evidence")
                take(page, "signal")
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:4])
