"""Retraining: a candidate beside what is in force, put in force and taken back by people alone."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker
from typer.testing import CliRunner

from jobs import new_words
from jobs.cli import app
from jobs.worker import work_once
from nlp import corpus
from nlp.artifacts import SHIPPED, accepted_model, load_model
from nlp.taxonomy import load_taxonomy
from store.tables import JobRequest, ModelVersion, Signal, Source, Tag
from tests.factories import NOW
from tests.jobs.office import make_settings

Sessions = sessionmaker[Session]


@pytest.fixture
def part_of_the_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the corpus, whole files, so that a fit takes seconds."""
    files = sorted(corpus.FOLDER.glob("*.txt"))[::10]
    part = corpus.load(files)
    monkeypatch.setattr(corpus, "load", lambda: part)


def _ask(sessions: Sessions, job: str, **arguments: object) -> JobRequest:
    with sessions.begin() as session:
        row = JobRequest(job=job, arguments=arguments, requested_at=datetime.now(UTC), status="waiting")
        session.add(row)
        session.flush()
        return row


def test_a_candidate_is_used_only_once_accepted_and_can_be_taken_back(
    sessions: Sessions, tmp_path: Path, part_of_the_corpus: None
) -> None:
    settings = make_settings(tmp_path)
    _ask(sessions, "train")
    assert work_once(sessions, settings, "a") == "done"
    with sessions() as session:
        candidate = session.scalars(select(ModelVersion)).one()
    assert candidate.status == "candidate"
    assert {"old", "new", "new_words"} <= candidate.metrics.keys()
    assert candidate.metrics["old"]["texts"] == candidate.metrics["new"]["texts"] > 0
    assert accepted_model(settings.var, settings.lexicon_dir) == SHIPPED

    _ask(sessions, "accept_model", model_id=candidate.id)
    assert work_once(sessions, settings, "a") == "done"
    folder = accepted_model(settings.var, settings.lexicon_dir)
    assert folder is not None
    assert folder.name == candidate.path
    assert load_model(folder, load_taxonomy(settings.lexicon_dir)).version != "unsaved"

    _ask(sessions, "accept_model", model_id=None)
    assert work_once(sessions, settings, "a") == "done"
    assert accepted_model(settings.var, settings.lexicon_dir) == SHIPPED
    with sessions() as session:
        assert session.get_one(ModelVersion, candidate.id).status == "retired"


def test_a_model_that_is_not_there_is_refused_in_words(sessions: Sessions, tmp_path: Path) -> None:
    request_id = _ask(sessions, "accept_model", model_id=77).id
    assert work_once(sessions, make_settings(tmp_path), "a") == "failed"
    with sessions() as session:
        message = session.get_one(JobRequest, request_id).message
    assert message is not None
    assert "不能启用这个模型" in message


def test_words_that_move_with_risk_are_proposed(sessions: Sessions, tmp_path: Path) -> None:
    risky = [
        "昨晚它鼓胖子了吓人",
        "邻居那块也鼓胖子,没敢用",
        "看见鼓胖子就扔了",
        "又一个鼓胖子!退货",
        "说鼓胖子正常现象",
    ]
    calm = ["颜色好看", "发货很快", "孩子喜欢", "客服态度好", "包装仔细", "价格便宜"]
    with sessions.begin() as session:
        session.add(Source(id="posts", title="帖子", channel="opinion", trust="social", platform="import"))
        session.flush()
        for at, text in enumerate([*risky, *calm]):
            signal = Signal(
                source_id="posts", external_id=str(at), content_hash=str(at), channel="opinion", trust="social",
                title="", text=text, occurred_on=NOW.date(), known_at=NOW,
            )  # fmt: skip
            session.add(signal)
            session.flush()
            session.add(
                Tag(
                    signal_id=signal.id, version="x", kind="relevance", code="relevant", status="asserted",
                    probability=0.9 if text in risky else 0.1, evidence=[], detail={},
                )
            )  # fmt: skip
    settings = make_settings(tmp_path)
    words = new_words.run(sessions, settings, NOW.date())
    assert [word.text for word in words][:1] == ["鼓胖子"]
    assert set(words[0].examples) <= set(risky)
    private = replace(words[0], examples=("机主王某13812345678：又鼓胖子",))
    assert "13812345678" not in str(new_words.as_rows([private]))


def test_the_commands_answer_on_an_empty_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHIAN_VAR", str(tmp_path))
    monkeypatch.delenv("ZHIAN_DATABASE_URL", raising=False)
    for arguments, said in ((["models"], "还没有训练过"), (["new-words"], "没有可提出的新词")):
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output
        assert said in result.stdout
    assert CliRunner().invoke(app, ["models", "--accept", "5"]).exit_code == 2
