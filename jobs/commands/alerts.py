"""`zhian notify`, `zhian deliver`, `zhian contact`: what is worth telling, sending it, and to whom."""

import json
from typing import Annotated

import typer

from jobs.options import AsJson, AsOf, day_of


def register(app: typer.Typer) -> None:
    """Add the commands."""

    @app.command("notify", help="预警：找出值得通报的变化，写入预警和待送消息")
    def notify(
        as_of: AsOf = None,
        as_json: AsJson = False,
    ) -> None:
        from jobs.notify import run
        from jobs.opening import open_store
        from jobs.settings import Settings

        settings = Settings()
        day = day_of(as_of)
        counts = run(open_store(settings), settings, day)
        if as_json:
            typer.echo(json.dumps({"as_of": day.isoformat(), **counts}, ensure_ascii=False))
            return
        typer.echo(f"新预警 {counts['alerts']} 条，待送 {counts['deliveries']} 条，无联系人 {counts['unrouted']} 条")

    @app.command("deliver", help="送达：发送到期的消息，超时未签收的逐级上报")
    def deliver(as_json: AsJson = False) -> None:
        from jobs.notify import deliver as job
        from jobs.opening import open_store
        from jobs.settings import Settings

        settings = Settings()
        counts = job(open_store(settings), settings)
        if as_json:
            typer.echo(json.dumps(counts, ensure_ascii=False))
            return
        typer.echo(
            f"已送 {counts['sent']} 条，稍后再试 {counts['put_off']} 条，放弃 {counts['dead']} 条，"
            f"渠道未配置 {counts['no_channel']} 条；逐级上报 {counts['escalated']} 条"
        )

    @app.command("contact", help="联系人：登记某地区某级的接收人")
    def contact(
        region: Annotated[str, typer.Argument(help="地区代码，例如 370100；全省写 0")],
        address: Annotated[str, typer.Argument(help="网址或邮箱")],
        channel: Annotated[str, typer.Option(help="webhook｜email")] = "webhook",
        name: Annotated[str, typer.Option(help="名称")] = "值班",
        tier: Annotated[int, typer.Option(min=1, max=3, help="1 联系人 2 负责人 3 省级")] = 1,
        secret: Annotated[str | None, typer.Option(envvar="ZHIAN_CONTACT_SECRET", help="签名密钥")] = None,
    ) -> None:
        from jobs.opening import open_store
        from jobs.settings import Settings
        from store.dialect import upsert
        from store.tables import Contact

        if channel not in ("webhook", "email"):
            typer.echo("渠道应为 webhook 或 email", err=True)
            raise typer.Exit(2)
        row = {
            "region_code": "" if region == "0" else region,
            "name": name,
            "channel": channel,
            "address": address,
            "secret": secret,
            "tier": tier,
            "active": True,
        }
        with open_store(Settings()).begin() as session:
            upsert(
                session, Contact.__table__, [row],  # type: ignore[arg-type]
                key=["region_code", "channel", "address", "tier"], update=["name", "secret", "active"],
            )  # fmt: skip
        typer.echo("已登记联系人")
