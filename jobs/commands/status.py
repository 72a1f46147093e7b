"""`zhian status` and `zhian audit`."""

import json
from typing import Annotated

import typer

from jobs.options import AsJson, day_of
from store.china_time import CHINA


def register(app: typer.Typer) -> None:
    """Add the commands."""

    @app.command("status", help="状态：什么任务何时跑过、结果如何、什么已过期、什么在排队")
    def status(as_json: AsJson = False) -> None:
        from datetime import datetime

        from rich.console import Console
        from rich.table import Table

        from jobs.opening import open_store
        from jobs.settings import Settings
        from jobs.status import collect

        found = collect(open_store(Settings()))
        if as_json:
            typer.echo(json.dumps(found, ensure_ascii=False))
            return
        table = Table("任务", "最近一次", "结果", "截至", "状态")
        for job in found["jobs"]:
            last = job["last"]
            when = datetime.fromisoformat(last["started_at"]).astimezone(CHINA) if last else None
            table.add_row(
                job["job"],
                f"{when:%Y-%m-%d %H:%M}" if when else "从未",
                last["status"] if last else "",
                last["as_of"] or "" if last else "",
                "已过期" if job["stale"] else "正常",
            )
        console = Console()
        console.print(table)
        waiting = found["queues"]
        console.print(
            f"排队任务 {waiting['requests_waiting']}，运行中 {waiting['requests_running']}，"
            f"搁置 {waiting['requests_parked']}；待送消息 {waiting['deliveries_waiting']}，"
            f"送不到 {waiting['deliveries_dead']}"
        )

    @app.command("audit", help="审计链：核对每一条是否被改动、删除，链尾是否被截断")
    def audit(anchor: Annotated[bool, typer.Option("--anchor", help="先把链尾摘要存到库外")] = False) -> None:

        from jobs.anchor import check, run
        from jobs.opening import open_store
        from jobs.settings import Settings

        settings = Settings()
        sessions = open_store(settings)
        if anchor:
            run(sessions, settings, day_of(None))
        trail = check(sessions, settings)
        for line in trail.broken:
            typer.echo(line, err=True)
        typer.echo(f"审计记录 {trail.entries} 条，{'完好' if trail.holds else '链条已断'}")
        if not trail.holds:
            raise typer.Exit(1)
