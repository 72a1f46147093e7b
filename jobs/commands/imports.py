"""`zhian import`, and the watched folder."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("import", help="导入文件：监督抽查、投诉举报、订阅、许可、召回、企业名录等")
    def import_files(
        files: Annotated[list[Path], typer.Argument(help="一个或多个文件", metavar="FILE…")],
        kind: Annotated[str, typer.Option(help="文件种类，见 docs/import.md")],
        source: Annotated[str, typer.Option(help="来源编号；空则用“upload-种类”")] = "",
        dry_run: Annotated[bool, typer.Option("--dry-run", help="只检查，不入库")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="每个文件输出一行 JSON")] = False,
        rows: Annotated[bool, typer.Option("--rows", help="报告中列出有效行")] = False,
        known: Annotated[str, typer.Option(help="record：按记录自身日期；now：按收到日期")] = "record",
        rejected: Annotated[
            Path | None, typer.Option(help="把未通过的行连同原因写成此 XLSX，改好后可再导入（仅限一个文件）")
        ] = None,
    ) -> None:
        from ingest.importers import kind_names

        if kind not in kind_names():
            _refuse(f"没有这种文件种类：{kind}（可用：{'、'.join(kind_names())}）")
        if known not in ("record", "now"):
            _refuse("--known 只能是 record 或 now")
        missing = [str(path) for path in files if not path.is_file()]
        if missing:
            _refuse(f"找不到文件：{'、'.join(missing)}")
        if rejected is not None:
            if len(files) != 1:
                _refuse("--rejected 一次只能用于一个文件")
            from ingest.rejected import rejected_rows

            rejected.write_bytes(rejected_rows(files[0], kind).as_workbook("未入库行"))
        if dry_run:
            outcomes: Iterator[dict[str, Any]] = (_check(path, kind, with_rows=rows) for path in files)
        else:
            from jobs.imports import import_paths

            outcomes = import_paths(files, kind, source_id=source, known=known, with_rows=rows)
        for outcome in outcomes:
            typer.echo(_json_line(outcome) if as_json else _sentence(outcome))

    @app.command("watch", help="监视文件夹：按种类分子目录投放的文件，放稳后自动导入")
    def watch(
        folder: Annotated[Path, typer.Argument(help="其下每个子目录以文件种类命名")],
        seconds: Annotated[float, typer.Option(min=0.1, help="两次查看的间隔；大小不再变化才导入")] = 10.0,
        looks: Annotated[int, typer.Option(min=0, help="查看多少次后结束；0 为一直进行")] = 0,
    ) -> None:
        import time

        from jobs.imports import WatchedFolder, import_settled
        from jobs.opening import open_store
        from jobs.settings import Settings

        if not folder.is_dir():
            _refuse(f"没有这个文件夹：{folder}")
        settings = Settings()
        sessions = open_store(settings)
        watched = WatchedFolder(folder)
        look = 0
        while looks == 0 or look < looks:
            if look:
                time.sleep(seconds)
            look += 1
            for path, file in import_settled(sessions, settings, watched):
                told = (
                    f"有效 {file.valid}，隔离 {file.quarantined}" if file.reason is None else f"拒收（{file.reason}）"
                )
                typer.echo(f"{path.name}：{told}")


def _check(path: Path, kind: str, *, with_rows: bool) -> dict[str, Any]:
    from ingest.importers import read_file
    from jobs.imports import as_report

    return as_report(read_file(path, kind, keep_rows=with_rows), file=str(path), with_rows=with_rows)


def _refuse(line: str) -> None:
    typer.echo(line, err=True)
    raise typer.Exit(2)


def _sentence(outcome: dict[str, Any]) -> str:
    if outcome["status"] == "rejected":
        return f"✗ {outcome['file']}：拒收（{outcome['reason']}）{outcome.get('message', '')}"
    reasons = "、".join(f"{reason} {count}" for reason, count in outcome["reasons"].items())
    detail = f"（{reasons}）" if reasons else ""
    added = f"，新增 {outcome['added']}" if "added" in outcome else ""
    return (
        f"✓ {outcome['file']}：有效 {outcome['valid']}{added}，隔离 {outcome['quarantined']}{detail}，"
        f"略过 {outcome['ignored']}，用时 {outcome['seconds']:.1f} 秒"
    )


def _json_line(outcome: object) -> str:
    """Return the object as one line, whatever a reader takes for the end of a line."""
    line = json.dumps(outcome, ensure_ascii=False)
    return line.translate({0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"})
