"""docs/operations.md names every command and every setting, and nothing that is not there."""

import re

import click
import pytest
import typer.main

from jobs.cli import app
from jobs.schedule import TIMETABLE
from jobs.settings import PROJECT, Settings

TEXT = (PROJECT / "docs/operations.md").read_text("utf-8")


def commands() -> dict[str, click.Command]:
    """Every command by the words that call it."""
    group = typer.main.get_command(app)
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        found[name] = command
    return found


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_is_in_the_table(name: str) -> None:
    assert re.search(rf"`zhian {re.escape(name)}\b", TEXT), name


def test_no_command_is_named_that_does_not_exist() -> None:
    named = set(re.findall(r"`(?:\.venv/bin/)?zhian ([a-z-]+)", TEXT)) | set(re.findall(r"bin/zhian ([a-z-]+)", TEXT))
    assert named - commands().keys() == set()


@pytest.mark.parametrize("field", sorted(Settings.model_fields))
def test_every_setting_is_in_the_table(field: str) -> None:
    assert f"`ZHIAN_{field.upper()}`" in TEXT


def test_no_setting_is_named_that_does_not_exist() -> None:
    known = {f"ZHIAN_{field.upper()}" for field in Settings.model_fields}
    one_command = {"ZHIAN_NEW_PASSWORD", "ZHIAN_CONTACT_SECRET", "ZHIAN_DEBUG"}
    assert set(re.findall(r"`(ZHIAN_[A-Z_]+)", TEXT)) - known - one_command == set()


def test_the_timetable_is_the_one_that_runs() -> None:
    table = TEXT.split("## What runs by itself")[1].split("##")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.M) == [entry.job for entry in TIMETABLE]
