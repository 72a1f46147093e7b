"""`zhian backtest`: the engine on any table of inspections, or the grade of record on the store."""

import json
import shlex
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from jobs.options import day_of


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("backtest", help="回测：在任意检查记录表上滚动评估各种排序；不给 --table 则回测本库的分级")
    def backtest(
        table: Annotated[
            Path | None, typer.Option("--table", help="检查记录表（Parquet 或 CSV），不需要数据库")
        ] = None,
        table_map: Annotated[Path | None, typer.Option("--map", help="列含义说明 MAP.yml")] = None,
        evaluate_from: Annotated[
            datetime | None, typer.Option("--evaluate-from", formats=["%Y-%m-%d"], help="自该日起评估")
        ] = None,
        as_of: Annotated[
            datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="回测本库：截至日期，默认今天")
        ] = None,
        as_json: Annotated[bool, typer.Option("--json", help="每行一个 JSON")] = False,
        scores: Annotated[Path | None, typer.Option("--scores", help="另存每行得分（Parquet）")] = None,
        report: Annotated[Path | None, typer.Option("--report", help="另存一页 HTML 报告")] = None,
        ablate: Annotated[bool, typer.Option("--ablate/--no-ablate", help="是否做去除检查人员等列的对照")] = True,
        keep_suspects: Annotated[bool, typer.Option("--keep-suspects", help="保留疑似泄漏的列（数字不可信）")] = False,
    ) -> None:
        if table is None:
            _of_store(day_of(as_of), as_json=as_json)
            return
        if table_map is None or evaluate_from is None:
            typer.echo("用 --table 时须同时给 --map 和 --evaluate-from", err=True)
            raise typer.Exit(2)
        _of_table(
            table,
            table_map,
            evaluate_from.date(),
            as_json=as_json,
            scores=scores,
            report=report,
            ablate=ablate,
            keep_suspects=keep_suspects,
        )


def _of_table(
    table: Path,
    table_map: Path,
    evaluate_from: date,
    *,
    as_json: bool,
    scores: Path | None,
    report: Path | None,
    ablate: bool,
    keep_suspects: bool,
) -> None:
    from scoring.backtest.engine import back_test
    from scoring.backtest.report import RANKING_ZH, headline, html_report, scores_frame
    from scoring.backtest.table import TableError, inspections, load_map, read_table

    def say(line: str) -> None:
        typer.echo(line, err=True)

    try:
        meaning = load_map(table_map)
        rows = inspections(read_table(table), meaning)
        result = back_test(rows, meaning, evaluate_from, ablate=ablate, keep_suspects=keep_suspects, progress=say)
        if scores is not None:
            scores_frame(result).to_parquet(scores, index=False)
        if report is not None:
            command = shlex.join(["zhian", *sys.argv[1:]])
            report.write_text(html_report(result, meaning, title=table.name, command=command), encoding="utf-8")
    except TableError as error:
        say(str(error))
        raise typer.Exit(2) from error
    except OSError as error:
        say(f"写不了 {Path(str(error.filename)).name}：{error.strerror}")
        raise typer.Exit(2) from error
    if as_json:
        for warning in result.warnings():
            say(json.dumps(warning, ensure_ascii=False))
        for line in result.lines():
            typer.echo(json.dumps(line, ensure_ascii=False))
    else:
        typer.echo(headline(result))
        for figure in result.figures:
            if figure.period == "all":
                one = figure.measures
                name = RANKING_ZH.get(figure.ranking, figure.ranking)
                typer.echo(f"{name}\tAUC {one.auc or 0:.3f}\t前 10% 命中率 {one.hit_10 or 0:.1%}")
    for note in result.notes:
        say(note)


def _of_store(as_of: date, *, as_json: bool) -> None:
    from jobs import backtest as job
    from jobs.opening import open_store
    from jobs.settings import Settings
    from scoring.policy import PolicyError

    settings = Settings()
    try:
        found = job.run(open_store(settings), settings, as_of)
    except PolicyError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    typer.echo(found["note"])
    for row in found.get("by_level", []):
        rate = "—" if row["rate"] is None else f"{row['rate']:.1%}"
        typer.echo(f"{row['level']} 级：定级之后检验 {row['batches']} 批次，不合格率 {rate}")
    for row in found.get("rankings", []):
        typer.echo(f"{row['zh']}\tAUC {row['auc'] or 0:.3f}\t前 10% 命中率 {row['hit@10%'] or 0:.1%}")
