"""`zhian backtest`: the engine on any table of inspections; it needs no store."""

import json
import shlex
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("backtest", help="回测：在任意检查记录表上滚动评估各种排序")
    def backtest(
        table: Annotated[Path, typer.Option("--table", help="检查记录表（Parquet 或 CSV）")],
        table_map: Annotated[Path, typer.Option("--map", help="列含义说明 MAP.yml")],
        evaluate_from: Annotated[datetime, typer.Option("--evaluate-from", formats=["%Y-%m-%d"], help="自该日起评估")],
        as_json: Annotated[bool, typer.Option("--json", help="每行一个 JSON")] = False,
        scores: Annotated[Path | None, typer.Option("--scores", help="另存每行得分（Parquet）")] = None,
        report: Annotated[Path | None, typer.Option("--report", help="另存一页 HTML 报告")] = None,
        ablate: Annotated[bool, typer.Option("--ablate/--no-ablate", help="是否做去除检查人员等列的对照")] = True,
        keep_suspects: Annotated[bool, typer.Option("--keep-suspects", help="保留疑似泄漏的列（数字不可信）")] = False,
    ) -> None:
        from scoring.backtest.engine import back_test
        from scoring.backtest.report import html_report, scores_frame
        from scoring.backtest.table import TableError, inspections, load_map, read_table

        def say(line: str) -> None:
            typer.echo(line, err=True)

        try:
            meaning = load_map(table_map)
            rows = inspections(read_table(table), meaning)
            result = back_test(
                rows, meaning, evaluate_from.date(), ablate=ablate, keep_suspects=keep_suspects, progress=say
            )
        except TableError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(2) from error
        if scores is not None:
            scores_frame(result).to_parquet(scores, index=False)
        if report is not None:
            command = shlex.join(["zhian", *sys.argv[1:]])
            report.write_text(html_report(result, meaning, title=table.name, command=command), encoding="utf-8")
        for figure in result.figures:
            if as_json:
                typer.echo(json.dumps(figure.as_json(), ensure_ascii=False))
            elif figure.period == "all":
                one = figure.measures
                typer.echo(f"{figure.ranking:24s} AUC {one.auc or 0:.3f}  前 10% 命中率 {one.hit_10 or 0:.3f}")
        for ablation in result.ablations if as_json else ():
            from scoring.backtest.engine import Figure

            line = Figure(f"chosen-without:{'+'.join(ablation.columns)}", "all", ablation.measures, ablation.interval)
            earlier = dict(zip(("mean", "low", "high"), (round(v, 2) for v in ablation.days_earlier), strict=True))
            typer.echo(json.dumps({**line.as_json(), "days_earlier": earlier}, ensure_ascii=False))
        for note in result.notes:
            say(note)
