"""`zhian account`: make, reset and list accounts."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the commands."""
    accounts = typer.Typer(help="账号：新建、重设密码、列出", no_args_is_help=True)
    app.add_typer(accounts, name="account")

    password_option = typer.Option(
        "--password", prompt="密码", confirmation_prompt=True, hide_input=True, envvar="ZHIAN_NEW_PASSWORD",
        help="密码；不写则在终端输入，或由环境变量 ZHIAN_NEW_PASSWORD 给出",
    )  # fmt: skip

    @accounts.command("add", help="新建账号")
    def add(
        username: Annotated[str, typer.Argument(help="账号名")],
        password: Annotated[str, password_option],
        role: Annotated[
            str, typer.Option(help="admin 管理员｜analyst 省级分析员｜bureau 市县局｜reader 只读")
        ] = "reader",
        region: Annotated[str, typer.Option(help="地区代码前缀；空为全省")] = "",
        name: Annotated[str, typer.Option(help="显示名称")] = "",
        raw_text: Annotated[bool, typer.Option("--raw-text", help="允许查看未脱敏的投诉原文")] = False,
    ) -> None:
        from jobs.accounts import AccountError, create
        from jobs.opening import open_store
        from jobs.settings import Settings

        sessions = open_store(Settings())
        try:
            create(
                sessions, username, password,
                role=role, region_code=region, display_name=name or None, raw_text=raw_text,
            )  # fmt: skip
        except AccountError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(2) from None
        typer.echo(f"已新建账号 {username}")

    @accounts.command("reset", help="重设密码，并使该账号的全部登录失效")
    def reset_password(
        username: Annotated[str, typer.Argument(help="账号名")], password: Annotated[str, password_option]
    ) -> None:
        from jobs.accounts import AccountError, reset
        from jobs.opening import open_store
        from jobs.settings import Settings

        sessions = open_store(Settings())
        try:
            reset(sessions, username, password)
        except AccountError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(2) from None
        typer.echo(f"已重设账号 {username} 的密码，原有登录全部失效")

    @accounts.command("list", help="列出账号")
    def list_accounts() -> None:
        from rich.console import Console
        from rich.table import Table

        from jobs.accounts import ROLES, listed
        from jobs.opening import open_store
        from jobs.settings import Settings

        sessions = open_store(Settings())
        table = Table("账号", "名称", "角色", "地区", "状态")
        for row in listed(sessions):
            table.add_row(
                row.username, row.display_name, ROLES.get(row.role, row.role),
                row.region_code or "全省", "启用" if row.active else "停用",
            )  # fmt: skip
        Console().print(table)
