"""`zhian crawl` and `zhian sources`."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from jobs.options import day_of


def register(app: typer.Typer) -> None:
    """Add the commands."""

    @app.command("crawl", help="抓取已声明的信源；不给名称则抓取全部启用的信源")
    def crawl(
        sources: Annotated[list[str] | None, typer.Argument(help="信源名（yml 文件名去掉 .yml）")] = None,
        folder: Annotated[Path | None, typer.Option("--sources", help="信源 yml 所在目录")] = None,
        base_url: Annotated[str | None, typer.Option("--base-url", help="改从此地址取同样的页面（镜像、演示）")] = None,
        as_of: Annotated[datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="按哪一天判断")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="每个信源输出一行 JSON")] = False,
    ) -> None:

        from ingest.source import SOURCES, BadSource
        from jobs.crawl import run
        from jobs.opening import open_store
        from jobs.settings import Settings

        settings = Settings()
        day = day_of(as_of)
        try:
            results = run(
                open_store(settings),
                settings,
                day,
                source_ids=sources or (),
                folder=folder or SOURCES,
                base_url=base_url,
            )
        except BadSource as problem:
            typer.echo(str(problem), err=True)
            raise typer.Exit(2) from problem
        for source_id, counts in results.items():
            if as_json:
                typer.echo(json.dumps({"source": source_id, **counts}, ensure_ascii=False))
                continue
            verdict = {"ok": "正常", "silent": "静默", "suspect": "可疑，已暂扣", "failed": "失败"}
            state = verdict.get(str(counts.get("verdict", counts["status"])), "失败")
            typer.echo(
                f"{source_id}：{state}；页面 {counts.get('pages', 0)}，条目 {counts.get('items', 0)}，"
                f"新存 {counts.get('stored', 0)}，附表行 {counts.get('rows', 0)}"
            )

    @app.command("sources", help="检查信源 yml 的写法并列出")
    def list_sources(
        folder: Annotated[Path | None, typer.Option("--sources", help="信源 yml 所在目录")] = None,
    ) -> None:
        from ingest.source import SOURCES, BadSource, load_sources

        try:
            specs = load_sources(folder or SOURCES)
        except BadSource as problem:
            typer.echo(str(problem), err=True)
            raise typer.Exit(2) from problem
        for spec in specs.values():
            typer.echo(f"{spec.id}\t{spec.platform}\t{spec.title}")
