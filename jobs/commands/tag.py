"""`zhian tag`: tag texts from standard input, or the store's signals."""

from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from jobs.settings import Settings

STREAM_CHUNK = 1024


def register(app: typer.Typer) -> None:
    """Add the commands."""

    @app.command("tag", help="打标签：--json 从标准输入逐行读文本，否则处理库中尚未打标签的信息")
    def tag(
        as_json: Annotated[
            bool, typer.Option("--json", help="标准输入每行一个 {id, text}，标准输出每行一个结果")
        ] = False,
        lexicon: Annotated[Path | None, typer.Option(help="词典目录；默认取设置")] = None,
        as_of: Annotated[str, typer.Option(help="截至日期 YYYY-MM-DD；默认今天")] = "",
        native: Annotated[bool, typer.Option(help="用已安装的原生分词")] = False,
    ) -> None:
        from jobs.settings import Settings

        settings = Settings()
        if lexicon is not None:
            if not lexicon.is_dir():
                typer.echo(f"没有这个词典目录：{lexicon}", err=True)
                raise typer.Exit(2)
            settings = settings.model_copy(update={"lexicon_dir": lexicon})
        if as_json:
            _stream(settings, native)
            return
        from jobs import tag as job
        from jobs.opening import open_store

        try:
            day = date.fromisoformat(as_of) if as_of else datetime.now().astimezone().date()
        except ValueError:
            typer.echo(f"日期应写作 YYYY-MM-DD：{as_of}", err=True)
            raise typer.Exit(2) from None
        counts = job.run(open_store(settings), settings, day)
        typer.echo(f"已打标签 {counts['signals']} 条，其中风险信息 {counts['relevant']} 条，标签 {counts['tags']} 个")


def _stream(settings: "Settings", native: bool) -> None:
    from jobs.streams import read_lines, write_lines
    from jobs.tag import tagger_for

    tagger = tagger_for(settings, native=native)
    lines = read_lines(lambda value: None if isinstance(value.get("text"), str) else "缺少文本 text")
    while chunk := list(islice(lines, STREAM_CHUNK)):
        usable = [line.value for line in chunk if line.error is None]
        tagged = iter(tagger.tag_many((item["text"], item.get("channel"), _day_of(item)) for item in usable))
        write_lines(
            {"id": line.value.get("id"), **next(tagged).as_json()} if line.error is None else line.refused("id")
            for line in chunk
        )


def _day_of(item: dict[str, Any]) -> date | None:
    try:
        return date.fromisoformat(str(item["date"])[:10]) if item.get("date") else None
    except ValueError:
        return None
