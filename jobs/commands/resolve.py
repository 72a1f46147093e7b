"""`zhian resolve` and `zhian mentions`: whose name it is, for the store or for a stream of queries."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.options import AsJson, AsOf, day_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from nlp.enterprises import NameSpan, Register

_HALF_CHARACTER = re.compile("[\ud800-\udfff]")  # half a surrogate pair; what replaces it keeps the offsets


def register(app: typer.Typer) -> None:
    """Add the commands."""

    @app.command("resolve", help="归属：把记录中的企业名称对应到企业；带 --register 时解析标准输入")
    def resolve(
        register_file: Annotated[
            Path | None, typer.Option("--register", help="企业名册 CSV（可为 .gz）；不给则处理库中记录")
        ] = None,
        as_of: AsOf = None,
        rebuild: Annotated[bool, typer.Option("--rebuild", help="重做机器归属，人工决定不动")] = False,
        as_json: AsJson = False,
    ) -> None:
        if register_file is not None:
            firms = _open_register(register_file)
            _answer("query_id", lambda item: _resolve(firms, item))
            return

        from jobs import resolve as job
        from jobs.opening import open_store
        from jobs.settings import Settings

        settings = Settings()
        day = day_of(as_of)
        counts = job.run(open_store(settings), settings, day, rebuild=rebuild)
        if as_json:
            typer.echo(json.dumps({"as_of": day.isoformat(), **counts}, ensure_ascii=False))
            return
        typer.echo(
            f"截至 {day}：归属 {counts['link']} 条，待人工 {counts['review']} 条，无对应 {counts['none']} 条；"
            f"新立暂存企业 {counts['provisional']} 家，正文中找到名称 {counts['text_mentions']} 处"
        )

    @app.command("mentions", help="找名称：在标准输入的正文中找企业名称，每行一个 JSON")
    def mentions(
        register_file: Annotated[Path, typer.Option("--register", help="企业名册 CSV（可为 .gz）")],
        as_json: Annotated[bool, typer.Option("--json", help="输出 JSON（总是如此）")] = True,
    ) -> None:
        firms = _open_register(register_file)
        _answer(
            "id",
            lambda item: {"mentions": [_mention(span) for span in firms.mentions(_text(item, "text") or "")]},
            needs_text=True,
        )


def _mention(span: "NameSpan") -> dict[str, Any]:
    return {
        "start": span.start,
        "end": span.end,
        "text": span.text,
        "decision": span.decision,
        "enterprise": span.firm_id,
        "score": span.score,
    }


def _open_register(path: Path) -> "Register":
    from nlp.enterprises import Register
    from nlp.enterprises.register_file import RegisterFileError, read_register

    try:
        return Register(read_register(path))
    except RegisterFileError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error


def _resolve(firms: "Register", item: dict[str, Any]) -> dict[str, Any]:
    from nlp.enterprises import Query

    answer = firms.resolve(
        Query(
            _text(item, "query") or "",
            uscc=_text(item, "uscc"),
            region=_text(item, "region"),
            product=_text(item, "product"),
            address=_text(item, "address"),
            context=_text(item, "context"),
        )
    )
    return {
        "decision": answer.decision,
        "ids": list(answer.ids),
        "candidates": [candidate.id for candidate in answer.candidates],
        "score": answer.score,
        "reasons": [*answer.reasons, *answer.flags],
    }


def _answer(key: str, reply: "Callable[[dict[str, Any]], dict[str, Any]]", *, needs_text: bool = False) -> None:
    """Answer each line of standard input under its own identity, at once; a line that cannot be used is told so."""
    from jobs.streams import read_lines, write_lines

    def wrong_with(item: dict[str, Any]) -> str | None:
        if key not in item:
            return f"缺少 {key}"
        return "缺少文本 text" if needs_text and not isinstance(item.get("text"), str) else None

    for line in read_lines(wrong_with):
        write_lines([line.refused(key) if line.error else {key: line.value[key], **reply(line.value)}])


def _text(item: dict[str, Any], key: str) -> str | None:
    value = item.get(key)
    return _HALF_CHARACTER.sub("\ufffd", str(value)) if value else None
