"""`zhian grade`: the grade of record; `zhian challenger`: the learned probability beside it."""

import json

import typer

from jobs.options import AsJson, AsOf, day_of


def register(app: typer.Typer) -> None:
    """Add the commands."""

    @app.command("grade", help="定级：按评分政策给全部企业和产品线定级")
    def grade(
        as_of: AsOf = None,
        as_json: AsJson = False,
    ) -> None:
        from jobs import grade as job
        from jobs.opening import open_store
        from jobs.settings import Settings
        from scoring.policy import PolicyError

        settings = Settings()
        day = day_of(as_of)
        try:
            counts = job.run(open_store(settings), settings, day)
        except PolicyError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(2) from error
        if as_json:
            typer.echo(json.dumps({"as_of": day.isoformat(), **counts}, ensure_ascii=False))
            return
        typer.echo(f"截至 {day}：{counts['enterprises']} 家企业，{counts['grades']} 条分级")
        for role, word in (("producer", "生产者"), ("seller", "销售者")):
            levels = "，".join(f"{level} {count}" for level, count in counts["levels"][role].items())
            typer.echo(f"  {word}：{levels or '无'}")

    @app.command("challenger", help="学习模型：回测、训练，给各产品线算下一批不合格的概率（只作参考）")
    def challenger(
        as_of: AsOf = None,
        as_json: AsJson = False,
    ) -> None:
        from jobs import challenger as job
        from jobs.opening import open_store
        from jobs.settings import Settings

        settings = Settings()
        day = day_of(as_of)
        found = job.run(open_store(settings), settings, day)
        if as_json:
            typer.echo(json.dumps({"as_of": day.isoformat(), **found}, ensure_ascii=False))
        elif "note" in found:
            typer.echo(found["note"])
        else:
            verdict = "胜过最好的简单排序，可在计划中排序" if found["promoted"] else "没有胜过最好的简单排序，只作参考"
            typer.echo(
                f"回测 AUC {found['auc']:.3f}，前 10% 命中率 {found['hit@10%']:.1%}"
                f"（最好的简单排序 {found['rival_hit@10%']:.1%}）：{verdict}。已给 {found['scored']} 条产品线算出概率"
            )
