"""`zhian resolve` and `zhian mentions`: whose name it is, for the store or for a stream of queries."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.options import AsJson, AsOf, day_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nlp.enterprises import Register


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
            _resolve_stream(_open_register(register_file))
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
        for line in _lines("id", "text"):
            spans = [
                {
                    "start": span.start,
                    "end": span.end,
                    "text": span.text,
                    "decision": span.decision,
                    "enterprise": span.firm_id,
                    "score": span.score,
                }
                for span in firms.mentions(line["text"])
            ]
            typer.echo(json.dumps({"id": line["id"], "mentions": spans}, ensure_ascii=False))


def _open_register(path: Path) -> "Register":
    from nlp.enterprises import Register
    from nlp.enterprises.register_file import RegisterFileError, read_register

    try:
        return Register(read_register(path))
    except RegisterFileError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error


def _resolve_stream(firms: "Register") -> None:
    from nlp.enterprises import Query

    for line in _lines("query_id", "query"):
        answer = firms.resolve(
            Query(
                line["query"],
                uscc=_text(line, "uscc"),
                region=_text(line, "region"),
                product=_text(line, "product"),
                address=_text(line, "address"),
                context=_text(line, "context"),
            )
        )
        typer.echo(
            json.dumps(
                {
                    "query_id": line["query_id"],
                    "decision": answer.decision,
                    "ids": list(answer.ids),
                    "candidates": [candidate.id for candidate in answer.candidates],
                    "score": answer.score,
                    "reasons": [*answer.reasons, *answer.flags],
                },
                ensure_ascii=False,
            )
        )


def _lines(key: str, text: str) -> "Iterator[dict[str, Any]]":
    """The objects of standard input; one that cannot be used ends the command with one clear line."""
    import sys

    for number, raw in enumerate(sys.stdin.buffer, 1):
        if not raw.strip():
            continue
        try:
            line = json.loads(raw)
            if not isinstance(line, dict) or key not in line:
                raise ValueError(f"需要 {key}")
            line[text] = "" if line.get(text) is None else str(line[text])
        except (ValueError, TypeError) as error:
            typer.echo(f"标准输入第 {number} 行无法使用：{error}", err=True)
            raise typer.Exit(2) from error
        yield line


def _text(line: dict[str, Any], key: str) -> str | None:
    value = line.get(key)
    return str(value) if value else None
