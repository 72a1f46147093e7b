"""`zhian evaluate nlp`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from jobs.options import AsJson


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="评估：标签质量报告", no_args_is_help=True)
    app.add_typer(group, name="evaluate")

    @group.callback()
    def _group() -> None:
        """评估。"""

    @group.command("nlp", help="标签质量：自建语料交叉验证，另可给出外部标注文本；写出 nlp.html 与 nlp.json")
    def nlp(
        texts: Annotated[Path | None, typer.Option(help="外部标注文本（JSONL）")] = None,
        kinds: Annotated[Path | None, typer.Option(help="外部文本类型（CSV：id,kind）")] = None,
        headlines: Annotated[
            Path | None, typer.Option(help="无关新闻标题（Parquet 的 sentence 列，或每行一条）")
        ] = None,
        out: Annotated[Path | None, typer.Option(help="报告目录；默认在数据目录下")] = None,
        in_force: Annotated[
            bool, typer.Option("--in-force", help="只用现用模型评外部文本：不训练，不写报告，一分钟之内")
        ] = False,
        as_json: AsJson = False,
    ) -> None:
        from jobs.evaluate import evaluate_nlp, measure_in_force
        from jobs.settings import Settings

        for path in (texts, kinds, headlines):
            if path is not None and not path.exists():
                typer.echo(f"没有这个文件：{path}", err=True)
                raise typer.Exit(2)
        settings = Settings()
        folder = out or settings.var / "evaluation"
        lines = _headlines(headlines) if headlines else []
        if in_force:
            figures = measure_in_force(settings, texts=texts, kinds=kinds, headlines=lines)
            typer.echo(json.dumps(figures, ensure_ascii=False, indent=None if as_json else 1))
            return
        if texts is None:
            typer.echo("未给出外部标注文本，只评自建语料", err=True)
        result = evaluate_nlp(settings, folder, texts=texts, kinds=kinds, headlines=lines)
        if as_json:
            typer.echo(json.dumps(result, ensure_ascii=False))
            return
        for title, figures in result.items():
            typer.echo(f"{title}：{json.dumps(figures, ensure_ascii=False)}")
        typer.echo(f"报告：{folder / 'nlp.html'}")


def _headlines(path: Path) -> list[str]:
    if path.suffix == ".parquet":
        import pandas as pd

        return [str(line) for line in pd.read_parquet(path)["sentence"]]
    return path.read_text(encoding="utf-8").splitlines()
