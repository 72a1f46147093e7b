"""The browser files of others are exactly those that were taken in, with their licences, and small."""

import hashlib
from pathlib import Path

from api.access import ROUTES
from api.rendering import WEB

VENDOR = WEB / "static" / "vendor"


def test_vendored_files_are_those_that_were_listed() -> None:
    listed = dict(reversed(line.split("  ", 1)) for line in (VENDOR / "SHA256SUMS").read_text("utf-8").splitlines())
    found = {
        path.relative_to(VENDOR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != "SHA256SUMS"
    }
    assert found == listed
    assert all((folder / "LICENSE").is_file() for folder in VENDOR.iterdir() if folder.is_dir())
    assert sum(path.stat().st_size for path in VENDOR.rglob("*")) < 4 << 20


def test_own_pages_ask_for_nothing_inline_or_foreign() -> None:
    for path in (WEB / "templates").glob("*.html"):
        text = path.read_text(encoding="utf-8")
        for forbidden in (" style=", "<style", " onclick=", " onload=", "//cdn", "https://", "|safe"):
            assert forbidden not in text, (path.name, forbidden)


def test_the_pages_document_names_every_page() -> None:

    text = (Path(__file__).resolve().parents[2] / "docs" / "pages.md").read_text(encoding="utf-8")
    unnamed = [
        path
        for method, path in ROUTES
        if method == "GET"
        and "{" not in path
        and not path.startswith(("/api/v1", "/search", "/sign", "/health", "/help"))
        and not path.endswith(".xlsx")
        and f"`{path}`" not in text
    ]
    assert unnamed == []
