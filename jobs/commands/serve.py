"""`zhian serve` and `zhian worker`: the pages, and what works behind them."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the commands."""

    @app.command("serve", help="提供页面与接口，并在后台处理任务和定时表；Ctrl-C 停止")
    def serve(
        host: Annotated[str | None, typer.Option(help="监听地址，默认取设置")] = None,
        port: Annotated[int | None, typer.Option(help="监听端口，默认取设置")] = None,
        worker: Annotated[bool, typer.Option(help="同时在后台处理任务和定时表")] = True,
    ) -> None:
        from jobs.opening import open_store
        from jobs.serving import PortTaken, serve_pages
        from jobs.settings import Settings

        settings = Settings()
        sessions = open_store(settings)
        where, at = host or settings.host, port or settings.port
        try:
            serve_pages(
                sessions, settings, where, at,
                with_worker=worker, on_ready=lambda: typer.echo(f"质安雷达：http://{where}:{at}/  （Ctrl-C 停止）"),
            )  # fmt: skip
        except PortTaken as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from None

    @app.command("worker", help="只处理任务和定时表，不提供页面；Ctrl-C 停止")
    def worker() -> None:
        import signal
        import threading

        from jobs.opening import open_store
        from jobs.settings import Settings
        from jobs.worker import serve as work

        settings = Settings()
        sessions = open_store(settings)
        stop = threading.Event()
        for sign in (signal.SIGINT, signal.SIGTERM):
            signal.signal(sign, lambda *_: stop.set())
        typer.echo("开始处理任务（Ctrl-C 停止）")
        work(sessions, settings, stop)
