"""`zhian tag`: tag texts from standard input, or the store's signals."""

import json
import sys
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

STREAM_CHUNK = 256


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


def _stream(settings: Any, native: bool) -> None:
    from jobs.tag import tagger_for

    tagger = tagger_for(settings, native=native)
    lines = (line for line in sys.stdin if line.strip())
    while chunk := list(islice(lines, STREAM_CHUNK)):
        items = []
        for line in chunk:
            items.append(_read_item(line))
        tagged = tagger.tag_many((text, channel, on) for _, text, channel, on in items)
        for (identity, *_), tags in zip(items, tagged, strict=True):
            sys.stdout.write(json.dumps({"id": identity, **tags.as_json()}, ensure_ascii=False) + "\n")
        sys.stdout.flush()


def _read_item(line: str) -> tuple[Any, str, str | None, date | None]:
    """Read one line; a line that is no object with a text stops the command, because silence would shift ids."""
    try:
        item = json.loads(line)
        text = item["text"]
        if not isinstance(text, str):
            raise TypeError("text")
    except (ValueError, KeyError, TypeError):
        typer.echo(f"这一行不是含 text 的 JSON 对象：{line.strip()[:60]}", err=True)
        raise typer.Exit(2) from None
    try:
        on = date.fromisoformat(str(item["date"])[:10]) if item.get("date") else None
    except ValueError:
        on = None
    return item.get("id"), text, item.get("channel"), on
