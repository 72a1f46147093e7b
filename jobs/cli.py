"""The `zhian` command."""

import importlib
import os
import pkgutil

# More than one OpenMP pool on a busy two-core machine slows training fifty-fold.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import typer

from jobs import commands

app = typer.Typer(
    name="zhian",
    help="质安雷达：重点工业产品质量安全风险监测与预警",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def _root() -> None:
    """质安雷达：重点工业产品质量安全风险监测与预警。"""


for _module in sorted(module.name for module in pkgutil.iter_modules(commands.__path__)):
    importlib.import_module(f"jobs.commands.{_module}").register(app)


def main() -> None:
    """Run the command line. What goes wrong is one line and exit code 1; `ZHIAN_DEBUG=1` shows where."""
    try:
        app()
    except Exception as failure:
        if os.environ.get("ZHIAN_DEBUG"):
            raise
        said = str(failure).strip().splitlines() or [""]
        typer.echo(f"未能完成（{type(failure).__name__}）：{said[0][:300]}", err=True)
        raise SystemExit(1) from None
