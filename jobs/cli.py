"""The `zhian` command."""

import importlib
import os
import pkgutil
import sys
from collections.abc import Sequence
from typing import Any

# More than one OpenMP pool on a busy two-core machine slows training fifty-fold.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from jobs import commands, logs


class _Commands(TyperGroup):
    """For people typer draws a box round unusable arguments; a program that asked for JSON gets one line."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        one_line = standalone_mode and "--json" in (sys.argv[1:] if args is None else args)
        try:
            code = super().main(
                args, prog_name, complete_var, standalone_mode and not one_line, windows_expand_args, **extra
            )
        except TyperException as unusable:
            if not one_line:
                raise
            typer.echo(f"参数无法使用：{' '.join(unusable.format_message().split())}", err=True)
            raise SystemExit(unusable.exit_code) from None
        if one_line:
            raise SystemExit(code)
        return code


app = typer.Typer(
    name="zhian",
    cls=_Commands,
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
    logs.configure()
    try:
        app()
    except Exception as failure:
        if os.environ.get("ZHIAN_DEBUG"):
            raise
        said = str(failure).strip().splitlines() or [""]
        typer.echo(f"未能完成（{type(failure).__name__}）：{said[0][:300]}", err=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
