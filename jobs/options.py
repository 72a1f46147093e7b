"""Options that mean the same in every command: the day a command works as of, and how it answers."""

from datetime import date, datetime
from typing import Annotated

import typer

from store.china_time import CHINA

AsOf = Annotated[datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="截至日期，默认今天")]
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON")]


def day_of(as_of: datetime | None) -> date:
    """Return the day asked for, else today in China."""
    return as_of.date() if as_of else datetime.now(CHINA).date()
