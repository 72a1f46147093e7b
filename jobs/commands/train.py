"""`zhian train`, `zhian models`, `zhian new-words`, `zhian train-task`."""

import json
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from jobs.options import AsJson


def register(app: typer.Typer) -> None:
    """Add the commands."""

    @app.command("train", help="用语料与已审标注重新训练标签模型；--ship 写入随代码发布的模型，否则生成待采用的候选")
    def train(
        ship: Annotated[bool, typer.Option("--ship", help="只用语料，写入 nlp/models")] = False,
        as_json: AsJson = False,
        as_of: Annotated[str, typer.Option(help="只用此日前的标注 YYYY-MM-DD；默认今天")] = "",
    ) -> None:
        from jobs import train as job
        from jobs.opening import open_store
        from jobs.settings import Settings

        settings = Settings()
        if ship:
            result = job.train_shipped(settings.lexicon_dir)
        else:
            result = job.run(open_store(settings), settings, _day(as_of))
        if as_json:
            typer.echo(json.dumps(result, ensure_ascii=False))
            return
        typer.echo(f"已训练 {result['texts']} 条，版本 {result['version']}")
        for name in ("old", "new", "held_back"):
            if result.get(name):
                typer.echo(f"  {_TITLES[name]}：{json.dumps(result[name], ensure_ascii=False)}")

    @app.command("models", help="列出训练过的标签模型；--accept 启用一个，--restore 换回随程序发布的")
    def models(
        accept: Annotated[int | None, typer.Option(help="启用这个编号的模型")] = None,
        restore: Annotated[bool, typer.Option("--restore", help="换回随程序发布的模型")] = False,
        as_json: AsJson = False,
    ) -> None:
        from jobs import train as job
        from jobs.opening import open_store
        from jobs.settings import Settings
        from nlp.artifacts import ArtifactError
        from store.reads.labels import models as trained
        from store.session import read_only

        settings = Settings()
        sessions = open_store(settings)
        if accept is not None or restore:
            if accept is not None and restore:
                _stop("--accept 与 --restore 只能给一个")
            try:
                job.accept(sessions, settings, accept, account_id=None, at=datetime.now(UTC))
            except ArtifactError as error:
                _stop(str(error))
        with read_only(sessions) as session:
            rows = trained(session)
            for row in rows:
                if as_json:
                    typer.echo(json.dumps({"id": row.id, "status": row.status, "metrics": row.metrics}))
                else:
                    typer.echo(f"{row.id}  {_STATES.get(row.status, row.status)}  {row.path}")
                    for name in ("old", "new"):
                        typer.echo(f"  {_TITLES[name]}：{json.dumps(row.metrics.get(name, {}), ensure_ascii=False)}")
        if not rows and not as_json:
            typer.echo("还没有训练过，用的是随程序发布的模型。")

    @app.command("new-words", help="新词发现：列出与风险信号同现而词典没有的词，附例句，供人判断")
    def new_words(
        most: Annotated[int, typer.Option(min=1, max=1000, help="最多列出多少个")] = 50,
        as_of: Annotated[str, typer.Option(help="只看此日前的信号 YYYY-MM-DD；默认今天")] = "",
        as_json: AsJson = False,
    ) -> None:
        from jobs import new_words as job
        from jobs.opening import open_store
        from jobs.settings import Settings

        settings = Settings()
        rows = job.as_rows(job.run(open_store(settings), settings, _day(as_of), most))
        for row in rows:
            if as_json:
                typer.echo(json.dumps(row, ensure_ascii=False))
            else:
                typer.echo(f"{row['word']}  {row['texts']} 条，{row['lift']} 倍")
                for example in row["examples"]:
                    typer.echo(f"  {example}")
        if not rows and not as_json:
            typer.echo("没有可提出的新词：已打标的风险信号太少，或用词词典里都有。")

    @app.command("train-task", help="用通用配方在一张标注表上训练，在另一张上评分")
    def train_task(
        train_table: Annotated[Path, typer.Option("--train", help="训练表（Parquet 或 CSV）")],
        test_table: Annotated[Path, typer.Option("--test", help="测试表")],
        text: Annotated[str, typer.Option("--text", help="文本列")],
        label: Annotated[str, typer.Option("--label", help="标签列；--multi 时用 | 分隔")],
        multi: Annotated[bool, typer.Option("--multi", help="一条可有多个标签")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="输出一行 JSON")] = False,
        predictions: Annotated[Path | None, typer.Option(help="把预测写到此文件（Parquet 或 CSV）")] = None,
    ) -> None:
        from nlp.classifiers.table import TableRecipe, measure

        if predictions is not None and not predictions.absolute().parent.is_dir():
            _stop(f"没有文件夹 {predictions.parent}")
        seen, seen_labels = _labelled(*_read_table(train_table, text, label, multi), multi)
        unseen, unseen_labels = _read_table(test_table, text, label, multi)
        for table, labels in ((train_table, seen_labels), (test_table, unseen_labels)):
            if not any(labels):
                _stop(f"{table.name} 的 {label} 列没有标签")
        started = time.perf_counter()
        try:
            recipe = TableRecipe(multi).fit(seen, seen_labels)
        except ValueError as error:
            _stop(f"{train_table.name} 的 {text} 列没有可用的文本：{error}")
        fitted = time.perf_counter()
        found = recipe.predict(unseen)
        done = time.perf_counter()
        scored, true_labels = _labelled(found, unseen_labels, multi)
        result = {
            "task": label,
            "n_train": len(seen),
            "n_test": len(scored),
            **measure(true_labels, scored),
            "seconds_train": round(fitted - started, 3),
            "seconds_predict": round(done - fitted, 3),
        }
        if predictions is not None:
            _write_predictions(predictions, found)
        if as_json:
            typer.echo(json.dumps(result, ensure_ascii=False))
        else:
            typer.echo(
                f"训练 {len(seen)} 条，测试 {len(scored)} 条，"
                f"宏平均 F1 {result['macro_f1']}，准确率 {result['accuracy']}"
            )


_STATES = {"candidate": "候选", "accepted": "使用中", "retired": "已换下"}
_TITLES = {"old": "现用数据", "new": "最新数据", "held_back": "留出部分"}


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text) if text else datetime.now().astimezone().date()
    except ValueError:
        _stop(f"日期应写作 YYYY-MM-DD：{text}")


def _stop(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(2)


def _read_table(path: Path, text: str, label: str, multi: bool) -> tuple[list[str], list[list[str]]]:
    """Texts and labels by row; a row without a label has none."""
    import pandas as pd

    try:
        table: Any = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except (OSError, ValueError) as error:
        _stop(f"读不了 {path}：{str(error).splitlines()[0] if str(error) else type(error).__name__}")
    missing = [column for column in dict.fromkeys((text, label)) if column not in table.columns]
    if missing:
        _stop(f"{path.name} 没有列 {'、'.join(missing)}")
    texts = ["" if pd.isna(value) else str(value) for value in table[text]]
    given = ["" if pd.isna(value) else _label(value) for value in table[label]]
    if multi:
        return texts, [[part for part in value.split("|") if part] for value in given]
    return texts, [[value] if value else [] for value in given]


def _label(value: Any) -> str:
    """A gap turns a column of whole numbers into fractions; 1.0 is the label 1."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _labelled(rows: list[Any], labels: list[list[str]], multi: bool) -> tuple[list[Any], list[list[str]]]:
    """The rows that say what they are; with several labels none is an answer too."""
    kept = [at for at, given in enumerate(labels) if multi or given]
    return [rows[at] for at in kept], [labels[at] for at in kept]


def _write_predictions(path: Path, found: list[list[str]]) -> None:
    import pandas as pd

    table = pd.DataFrame({"row": range(len(found)), "prediction": ["|".join(labels) for labels in found]})
    if path.suffix == ".parquet":
        table.to_parquet(path)
    else:
        table.to_csv(path, index=False)
