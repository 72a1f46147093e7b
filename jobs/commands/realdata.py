"""`zhian realdata`: published real tables through the whole intake, on a machine that has them."""

import json
from datetime import date
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("realdata", help="用真实公布数据核对导入：cn-sampling（2015 食品抽检）、cn-cqn（2019 不合格通报）")
    def realdata(
        table: Annotated[str, typer.Argument(help="cn-sampling 或 cn-cqn")],
        shared: Annotated[Path, typer.Option(help="数据所在目录（不随产品发布）")],
        out: Annotated[Path, typer.Option(help="写出的文件与数据库放在此目录")],
        database_url: Annotated[str, typer.Option(help="数据库地址；空则用 out/var 下的 SQLite")] = "",
        as_of: Annotated[list[str] | None, typer.Option(help="另在此日归户并评级，可多次给出（YYYY-MM-DD）")] = None,
        lexicon: Annotated[Path | None, typer.Option(help="产品词典目录；空则用随附的食品词典（如有）")] = None,
    ) -> None:
        from jobs.opening import open_store
        from jobs.realdata import WRITERS, NoData, carry_on, import_folder
        from jobs.settings import PROJECT, Settings

        if table not in WRITERS:
            _refuse(f"没有这份数据：{table}（可用：{'、'.join(WRITERS)}）")
        try:
            days = [date.fromisoformat(day) for day in as_of or []]
        except ValueError:
            _refuse("--as-of 应为 YYYY-MM-DD")
        food = PROJECT / "nlp" / "lexicon_food"
        changes: dict[str, object] = {"var": out / "var"}
        if database_url:
            changes["database_url"] = database_url
        if lexicon or food.is_dir():
            changes["lexicon_dir"] = lexicon or food
        settings = Settings(**changes)  # type: ignore[arg-type]
        folder = out / "files" / table
        try:
            written = WRITERS[table](shared, folder)
        except NoData as missing:
            typer.echo(str(missing), err=True)
            raise typer.Exit(0) from missing
        typer.echo(json.dumps({"table": table, "rows_written": written}, ensure_ascii=False))
        sessions = open_store(settings)
        for line in import_folder(sessions, settings, folder, source_id=f"real-{table}"):
            typer.echo(json.dumps(line, ensure_ascii=False))
        for day in days:
            for line in carry_on(sessions, settings, day):
                typer.echo(json.dumps(line, ensure_ascii=False))


def _refuse(line: str) -> None:
    typer.echo(line, err=True)
    raise typer.Exit(2)
