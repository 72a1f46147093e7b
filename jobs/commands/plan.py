"""`zhian plan`, `zhian plan-issue`, `zhian plan-outcome`: what to sample, putting it in force, what came of it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from jobs.options import AsJson, AsOf, day_of


def register(app: typer.Typer) -> None:
    """Add the commands."""

    @app.command("plan", help="抽检计划：在预算内选出要抽的企业和产品，每一行写明理由")
    def plan(
        budget: Annotated[float, typer.Option(help="预算（元）")],
        as_of: AsOf = None,
        region: Annotated[str | None, typer.Option(help="地区代码；空为全省")] = None,
        title: Annotated[str | None, typer.Option(help="计划名称")] = None,
        seed: Annotated[int | None, typer.Option(help="随机种子；不写则由本机密钥导出，外人无法预测")] = None,
        export: Annotated[Path | None, typer.Option(help="导出 XLSX 到此文件")] = None,
        as_json: AsJson = False,
    ) -> None:
        from jobs.opening import open_store
        from jobs.plan import export_plan, run
        from jobs.settings import Settings
        from scoring.sampling import PlanRulesError

        settings = Settings()
        sessions = open_store(settings)
        day = day_of(as_of)
        try:
            counts = run(
                sessions, settings, day,
                budget_cny=budget, title=title, region_code=region, seed=seed,
            )  # fmt: skip
        except (PlanRulesError, ValueError) as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(2) from None
        if export:
            export.write_bytes(export_plan(sessions, settings, counts["plan_id"]))
        if as_json:
            typer.echo(json.dumps({"as_of": day.isoformat(), **counts}, ensure_ascii=False))
            return
        made = (
            "已有相同的计划"
            if not counts["made"]
            else f"可抽对象 {counts['pool']} 个，费用 {counts['cost_cny']:,.0f} 元"
        )
        typer.echo(f"计划 {counts['plan_id']}：{counts['lines']} 批；{made}")
        if counts.get("shortfalls"):
            typer.echo(f"有 {counts['shortfalls']} 条规则未能全部满足，详见计划页面或导出文件")
        if export:
            typer.echo(f"已导出 {export}")

    @app.command("plan-issue", help="下达计划；此后按行编号回传结果")
    def plan_issue(plan_id: Annotated[int, typer.Argument(help="计划编号")]) -> None:
        from sqlalchemy.exc import NoResultFound

        from jobs.opening import open_store
        from jobs.settings import Settings
        from store.plans import PlanStateError, issue

        sessions = open_store(Settings())
        try:
            with sessions.begin() as session:
                title = issue(session, plan_id, at=datetime.now(UTC)).title
        except (PlanStateError, NoResultFound) as error:
            typer.echo(str(error) if isinstance(error, PlanStateError) else f"没有编号为 {plan_id} 的计划", err=True)
            raise typer.Exit(2) from None
        typer.echo(f"已下达：{title}")

    @app.command("plan-outcome", help="计划成效：由已回传的结果计算发现数、预期数和区间")
    def plan_outcome(
        as_of: AsOf = None,
        as_json: AsJson = False,
    ) -> None:
        from sqlalchemy import select

        from jobs.opening import open_store
        from jobs.outcome import run, sentence
        from jobs.settings import Settings
        from store.session import read_only
        from store.tables import Plan

        settings = Settings()
        sessions = open_store(settings)
        day = day_of(as_of)
        run(sessions, settings, day)
        with read_only(sessions) as session:
            plans = session.scalars(select(Plan).where(Plan.status.in_(("issued", "done"))).order_by(Plan.id)).all()
        for row in plans:
            if as_json:
                typer.echo(json.dumps({"plan_id": row.id, "title": row.title, **row.outcome}, ensure_ascii=False))
            else:
                typer.echo(f"{row.id} {row.title}：{sentence(row.outcome)}")
