"""`zhian import`."""

import json
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
    ) -> None:
        from ingest.importers import kind_names

        if kind not in kind_names():
            _refuse(f"没有这种文件种类：{kind}（可用：{'、'.join(kind_names())}）")
        if known not in ("record", "now"):
            _refuse("--known 只能是 record 或 now")
        missing = [str(path) for path in files if not path.is_file()]
        if missing:
            _refuse(f"找不到文件：{'、'.join(missing)}")
        if dry_run:
            outcomes = (_check(path, kind, with_rows=rows) for path in files)
        else:
            from jobs.imports import import_paths

            outcomes = import_paths(files, kind, source_id=source, known=known, with_rows=rows)
        for outcome in outcomes:
            typer.echo(json.dumps(outcome, ensure_ascii=False) if as_json else _sentence(outcome))


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
