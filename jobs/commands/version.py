"""`zhian version`."""

import json
from typing import Annotated

import typer

from jobs.runs import code_version


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("version", help="版本：代码、政策与模型")
    def version(as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False) -> None:
        facts = {"version": code_version(), "policies": {}, "models": {}}
        typer.echo(json.dumps(facts, ensure_ascii=False) if as_json else f"质安雷达 {facts['version']}")
