"""`make demo`: the whole path on the fictional province, told in Chinese, then the pages to look at it."""

import argparse
import contextlib
import logging
import os
import socket
import sys
import threading
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import Session, sessionmaker

from demo.province import Province
from demo.receiver import receiving
from demo.report import tell
from demo.run import BUDGET_CNY, Demonstration
from jobs import logs


def main() -> int:
    """Run the demonstration and, unless told otherwise, serve its pages until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m demo", description="质安雷达演示：虚构·海岳省")
    parser.add_argument("--serve", choices=("0", "1"), default="1", help="1 打开页面；0 只跑不开")
    parser.add_argument("--var", type=Path, default=Path("var/demo"), help="演示数据目录")
    parser.add_argument("--scale", type=float, default=1.0, help="演示省的规模，1 为约 3000 家企业")
    parser.add_argument("--port", type=int, default=8420, help="页面端口；被占用时另取空闲端口")
    options = parser.parse_args()
    console = Console(highlight=False)
    # The progress bars tell what happens; log lines would tear them.
    logs.configure(logging.WARNING)
    console.print("[bold]质安雷达演示[/bold]  虚构·海岳省：以下单位、人员、数据均为虚构")
    try:
        demonstration = Demonstration(options.var, Province(scale=options.scale), console, BUDGET_CNY * options.scale)
        with receiving() as receiver:
            findings, sessions = demonstration.run(receiver)
            tell(console, findings)
            if options.serve == "0":
                console.print("演示运行完毕。查看页面：make demo")
                return 0
            _serve(console, demonstration, sessions, findings.logins, options.port)
    except KeyboardInterrupt:
        console.print("\n已停止。再次运行 make demo 会接着做，不会重复入库。")
        return 0 if options.serve == "1" else 130
    return 0


def _serve(
    console: Console,
    demonstration: Demonstration,
    sessions: sessionmaker[Session],
    logins: list[tuple[str, str, str]],
    port: int,
) -> None:
    """Serve the pages on loopback with the printed logins, and do what the pages ask for, until Ctrl-C."""
    import uvicorn

    from api.app import create_app
    from jobs import worker

    listener = _listener(port)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    table = Table(title="登录（密码每次启动重新生成）", title_justify="left", pad_edge=False)
    for heading in ("账号", "密码", "身份"):
        table.add_column(heading, no_wrap=True)
    for row in logins:
        table.add_row(*row)
    console.print(table)
    console.print(f"页面：[bold]{address}[/bold]  （仅本机可访问，Ctrl-C 停止）")
    sys.stdout.flush()
    config = uvicorn.Config(
        create_app(demonstration.settings), log_level="warning", access_log=False, timeout_graceful_shutdown=10
    )
    stop = threading.Event()
    behind = threading.Thread(
        target=worker.serve, args=(sessions, demonstration.settings, stop), name="worker", daemon=True
    )
    behind.start()
    try:
        # uvicorn raises the signal again once it has shut down; by then everything is closed.
        with listener, contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])
    finally:
        stop.set()
        behind.join(timeout=15)
    console.print("\n已停止。")


def _listener(port: int) -> socket.socket:
    """Bind the port, or a free one when somebody else has it."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        listener.bind(("127.0.0.1", 0))
    return listener


if __name__ == "__main__":
    raise SystemExit(main())
