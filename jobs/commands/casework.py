"""`zhian calendar`: days the State Council moved."""

from datetime import datetime
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("calendar", help="日历：登记国务院公布的调休日，用于推算工作日时限")
    def calendar(
        day: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="日期")],
        working: Annotated[bool, typer.Option("--working/--off", help="上班或放假")],
        note: Annotated[str, typer.Option(help="依据，例如通知文号")] = "",
    ) -> None:
        from jobs.opening import open_store
        from jobs.settings import Settings
        from store.dialect import upsert
        from store.tables import CalendarDay

        row = {"day": day.date(), "working": working, "note": note}
        with open_store(Settings()).begin() as session:
            upsert(session, CalendarDay.__table__, [row], key=["day"], update=["working", "note"])  # type: ignore[arg-type]
        typer.echo(f"已登记 {day:%Y-%m-%d}：{'上班' if working else '放假'}")
