"""`zhian version`."""

import json

import typer

from jobs.options import AsJson, day_of


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("version", help="版本：代码、政策与模型")
    def version(as_json: AsJson = False) -> None:

        from jobs.settings import Settings
        from jobs.versions import collect

        facts = collect(Settings(), day_of(None))
        if as_json:
            typer.echo(json.dumps(facts, ensure_ascii=False))
            return
        typer.echo(f"质安雷达 {facts['version']}")
        for name, policy in facts["policies"].items():
            typer.echo(f"  政策 {name}：{policy['version']} {policy['hash'] or ''}".rstrip())
        for name, model in facts["models"].items():
            typer.echo(f"  模型 {name}：{model or '未启用'}")
