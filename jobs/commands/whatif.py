"""`zhian whatif`: whom another policy would move, before it is adopted."""

import json
from pathlib import Path
from typing import Annotated

import typer

from jobs.options import AsOf, day_of


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("whatif", help="试算：换一份评分政策，哪些企业会变动（不改任何分级）")
    def whatif(
        policy: Annotated[Path, typer.Option("--policy", help="拟用的政策文件")],
        as_of: AsOf = None,
        as_json: Annotated[bool, typer.Option("--json", help="每行一个 JSON")] = False,
    ) -> None:
        from jobs.opening import open_store
        from jobs.settings import Settings
        from jobs.whatif import tried
        from scoring.policy import PolicyError, load_policies, load_policy, policy_in_force
        from scoring.whatif import rehearse
        from store.session import read_only
        from store.tables import Enterprise

        settings = Settings()
        day = day_of(as_of)
        try:
            now = policy_in_force(load_policies(settings.policy_dir), day)
            then = load_policy(policy)
            rehearse(then, day)
        except PolicyError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(2) from error
        with read_only(open_store(settings)) as session:
            result = tried(session, settings, now, then, day)
            names = {
                move.line[0]: firm.name for move in result.moves if (firm := session.get(Enterprise, move.line[0]))
            }
        moved = [
            {
                "enterprise_id": move.line[0],
                "name": names.get(move.line[0], ""),
                "role": move.line[2],
                "level": move.level,
                "level_then": move.level_then,
                "score": move.score,
                "score_then": move.score_then,
                "cause": move.cause,
            }
            for move in result.moves
        ]
        if as_json:
            for row in moved:
                typer.echo(json.dumps(row, ensure_ascii=False))
            return
        worse = sum(move.worse for move in result.moves)
        typer.echo(f"{now.version} → {then.version}：{result.graded} 家中 {len(moved)} 家变动，变差 {worse} 家")
        for row in moved[:50]:
            points = f"{row['score']} → {row['score_then']} 分"
            typer.echo(f"{row['level']} → {row['level_then']}  {row['name']}（{points}；{row['cause']}）")
        if len(moved) > 50:
            typer.echo(f"另有 {len(moved) - 50} 家，用 --json 看全部")
