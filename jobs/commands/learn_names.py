"""`zhian learn-names`: a proposed name policy from what people decided."""

import json
from pathlib import Path
from typing import Annotated

import typer

from jobs.options import AsJson, AsOf, day_of


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("learn-names", help="由人工归属决定拟出名称比对政策的建议稿，与现行政策对比；不自动生效")
    def learn_names(
        out: Annotated[
            Path | None, typer.Option("--out", help="建议稿路径；默认数据目录下 name_policy.proposed.yml")
        ] = None,
        as_of: AsOf = None,
        as_json: AsJson = False,
    ) -> None:
        from jobs import learn_names as job
        from jobs.opening import open_store
        from jobs.settings import Settings

        settings = Settings()
        target = out or settings.var / "name_policy.proposed.yml"
        try:
            result = job.run(open_store(settings), settings, day_of(as_of), target)
        except job.TooFewDecisionsError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(2) from error
        typer.echo(json.dumps(result, ensure_ascii=False) if as_json else "\n".join(job.summary(result)))
