"""`zhian init` and `zhian run`: the store, and the whole path."""

import json

import typer

from jobs.options import AsJson, AsOf, day_of


def register(app: typer.Typer) -> None:
    """Add the commands."""

    @app.command("init", help="建库并升级到当前版本，载入行政区划与信源；可重复运行")
    def init() -> None:
        from jobs.opening import open_store
        from jobs.pipeline import seed
        from jobs.settings import Settings

        settings = Settings()
        counts = seed(open_store(settings), settings)
        typer.echo(f"数据库已就绪；新载入行政区划 {counts['regions']} 个，信源 {counts['sources']} 个")

    @app.command("migrate", help="把数据库升级到当前程序的版本（先自行备份）")
    def migrate() -> None:
        from jobs.opening import open_store
        from jobs.settings import Settings

        open_store(Settings())
        typer.echo("数据库已是当前版本")

    @app.command("run", help="跑完整链条：打标签、归并、关联、定级、台账、预警、信源健康")
    def run(
        as_of: AsOf = None,
        as_json: AsJson = False,
    ) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
        from rich.table import Table

        from jobs.opening import open_store
        from jobs.pipeline import run_all
        from jobs.settings import Settings

        settings = Settings()
        day = day_of(as_of)
        sessions = open_store(settings)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True)) as bars:
            task = bars.add_task("准备", total=None)
            counts = run_all(
                sessions, settings, day,
                lambda zh, number, total: bars.update(task, description=zh, completed=number, total=total),
            )  # fmt: skip
        if as_json:
            typer.echo(json.dumps({"as_of": day.isoformat(), "steps": counts}, ensure_ascii=False, default=str))
            return
        table = Table("步骤", "结果", title=f"截至 {day}")
        for name, result in counts.items():
            table.add_row(name, "，".join(f"{key} {value}" for key, value in result.items()) or "无")
        Console().print(table)
