"""The house documents keep what they promise: every dependency named, every folder mapped, every link whole."""

import re
from pathlib import Path

import pytest

from jobs.settings import PROJECT

DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "ARCHITECTURE.md",
    "docs/glossary.md",
    "demo/README.md",
    "docs/third_party.md",
)
_FOLDERS = """
ingest nlp scoring alerting casework store jobs api demo notebooks tests docs bench
"""


def locked() -> set[str]:
    """The packages of the runtime lock."""
    lines = (PROJECT / "requirements.lock").read_text("utf-8").splitlines()
    found = {match[1] for line in lines if (match := re.match(r"([A-Za-z0-9_.-]+)(?:\[.*\])?==", line))}
    assert len(found) > 50
    return found


def test_every_installed_package_is_named_with_its_licence() -> None:
    listed = dict(re.findall(r"^\| ([\w.-]+) \| (.+) \|$", (PROJECT / "docs/third_party.md").read_text("utf-8"), re.M))
    assert locked() - set(listed) == set()
    assert all(licence.strip() for licence in listed.values())


def test_copyleft_packages_are_pointed_out() -> None:
    text = (PROJECT / "docs/third_party.md").read_text("utf-8")
    head = text.split("## Installed")[0]
    for name, licence in re.findall(r"^\| ([\w.-]+) \| (.+) \|$", text.split("## Installed")[1], re.M):
        if re.search(r"\b(L?GPL|AGPL|MPL)", licence):
            assert f"`{name}`" in head, name


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name: str) -> None:
    document = PROJECT / name
    text = document.read_text("utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if not target.startswith(("http://", "https://")):
            assert (document.parent / target).exists(), f"{name}: {target}"


def test_the_readme_maps_every_folder() -> None:
    text = (PROJECT / "README.md").read_text("utf-8")
    assert [folder for folder in _FOLDERS.split() if f"`{folder}/`" not in text] == []


def test_no_document_names_a_machine() -> None:
    for path in (*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md"), PROJECT / "demo/README.md"):
        assert not re.search(r"(?<![\w.])/(?:home|root|work|tmp)/\w", path.read_text("utf-8")), path


def test_glossary_rows_have_three_cells() -> None:
    rows = [line for line in (PROJECT / "docs/glossary.md").read_text("utf-8").splitlines() if line.startswith("| ")]
    assert len(rows) > 60
    assert all(len(row.strip("|").split("|")) == 3 for row in rows)


def test_commands_of_the_readme_exist() -> None:
    text = (PROJECT / "README.md").read_text("utf-8")
    makefile = (PROJECT / "Makefile").read_text("utf-8")
    for target in re.findall(r"(?:^|`)make ([a-z-]+)", text, re.M):
        assert re.search(rf"^{target}:", makefile, re.M), target
    modules = {path.stem for path in Path(PROJECT / "jobs/commands").glob("*.py")}
    assert modules
