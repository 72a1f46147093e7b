"""The tagging job: every signal once, again when the tagger changes, never twice the same."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker
from typer.testing import CliRunner

from jobs import tag, train
from jobs.cli import app
from jobs.settings import Settings
from store.tables import Account, Label, SamplingResult, Signal, Source, Tag

DAY = date(2025, 3, 1)
KNOWN = datetime(2025, 3, 1, 2, tzinfo=UTC)


def _signal(number: int, text: str, known_at: datetime = KNOWN) -> Signal:
    return Signal(
        source_id="posts", external_id=str(number), content_hash=str(number), channel="opinion", trust="social",
        title="", text=text, occurred_on=DAY, known_at=known_at,
    )  # fmt: skip


@pytest.fixture
def filled(sessions: sessionmaker[Session]) -> sessionmaker[Session]:
    with sessions.begin() as session:
        session.add(Source(id="posts", title="帖子", channel="opinion", trust="social", platform="import"))
        session.flush()
        session.add_all(
            [
                _signal(1, "插排一插就冒火星,墙都熏黑了"),
                _signal(2, "消防演练,模拟楼道起火"),
                _signal(3, "还不知道的事:充电宝炸了", datetime(2025, 3, 2, tzinfo=UTC)),
                _signal(4, "电线电缆 导体电阻 不合格"),
            ]
        )
        session.flush()
        cell = session.scalars(select(Signal).where(Signal.external_id == "4")).one()
        session.add(
            SamplingResult(
                signal_id=cell.id, occurred_on=DAY, known_at=KNOWN, product_id="cable", outcome="fail",
                failed_items=[{"item": "导体电阻"}], safety_failed=True,
            )
        )  # fmt: skip
    return sessions


def _codes(sessions: sessionmaker[Session], external_id: str, kind: str) -> set[str]:
    with sessions() as session:
        query = select(Tag.code).join(Signal, Signal.id == Tag.signal_id)
        return set(session.scalars(query.where(Signal.external_id == external_id, Tag.kind == kind)))


def test_signals_known_by_the_day_are_tagged_once(filled: sessionmaker[Session], tmp_path: Path) -> None:
    settings = Settings(var=tmp_path)
    assert tag.run(filled, settings, DAY)["signals"] == 3
    assert "fire" in _codes(filled, "1", "hazard")
    assert "socket" in _codes(filled, "1", "product")
    assert _codes(filled, "3", "relevance") == set()
    assert _codes(filled, "4", "hazard") == {"electric_shock"}
    assert _codes(filled, "4", "violation") == {"safety_standard_violation"}
    with filled() as session:
        before = session.scalar(select(func.count()).select_from(Tag))
    assert tag.run(filled, settings, DAY)["signals"] == 0
    with filled() as session:
        assert session.scalar(select(func.count()).select_from(Tag)) == before


def test_another_version_replaces_the_tags(filled: sessionmaker[Session], tmp_path: Path) -> None:
    tag.run(filled, Settings(var=tmp_path), DAY)
    food = Path(tag.__file__).parent.parent / "nlp" / "lexicon_food"
    assert tag.run(filled, Settings(var=tmp_path, lexicon_dir=food), DAY)["signals"] == 3
    assert _codes(filled, "1", "hazard") == set()


def test_labels_become_examples_and_unsure_teaches_nothing(filled: sessionmaker[Session]) -> None:
    with filled.begin() as session:
        account = Account(
            username="a",
            display_name="a",
            password_hash="x",
            role="analyst",
            created_at=KNOWN,
            password_changed_at=KNOWN,
        )
        session.add(account)
        session.flush()
        first = session.scalars(select(Signal.id).order_by(Signal.id)).first()
        for kind, code, decision in (
            ("relevance", "relevant", "yes"),
            ("hazard", "fire", "yes"),
            ("hazard", "explosion", "unsure"),
            ("violation", "three_nos", "no"),
        ):
            session.add(
                Label(signal_id=first, kind=kind, code=code, decision=decision, account_id=account.id, decided_at=KNOWN)
            )
    with filled() as session:
        [(example, _)] = train.reviewed_examples(session, datetime(2025, 4, 1, tzinfo=UTC))
        assert train.reviewed_examples(session, datetime(2025, 1, 1, tzinfo=UTC)) == []
    assert example.relevant
    assert example.hazards() == {"fire"}
    assert example.violations == frozenset()


def _stream(given: str | bytes) -> list[dict[str, object]]:
    result = CliRunner().invoke(app, ["tag", "--json"], input=given)
    assert result.exit_code == 0
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_the_stream_writes_one_object_a_line() -> None:
    first, second = _stream('{"id": 7, "text": "插排冒火星"}\n\n{"id": 8, "text": ""}\n')
    assert (first["id"], second["id"]) == (7, 8)
    assert "fire" in first["hazards"]  # type: ignore[operator]


@pytest.mark.parametrize(
    ("line", "identity", "said"),
    [
        (b"not json", None, "JSON"),
        (b"[1]", None, "JSON"),
        (b'{"text": "\xff"}', None, "JSON"),
        (b'{"id": 1}', 1, "text"),
        (b'{"id": "b", "text": 5}', "b", "text"),
    ],
)
def test_a_line_that_cannot_be_used_is_told_so_in_its_place(line: bytes, identity: object, said: str) -> None:
    before, refused, after = _stream(b'{"id": 0, "text": ""}\n' + line + b'\n{"id": 2, "text": ""}\n')
    assert (before["id"], refused["id"], after["id"]) == (0, identity, 2)
    assert refused["line"] == 2
    assert said in str(refused["error"])


def test_half_a_surrogate_pair_is_read_and_written_back() -> None:
    [line] = _stream(b'{"id": "\\ud800", "text": "\\ud800"}\n')
    assert line["id"] == "\ud800"
    assert "error" not in line
