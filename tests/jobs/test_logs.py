"""Log lines: where they go, and what they must not hold."""

import io
import json

import pytest
import structlog
from sqlalchemy import text

from jobs import logs
from store.session import open_engine


def test_a_logged_error_names_its_place_and_no_values(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    try:
        _fail("token" * 3)
    except ValueError as error:
        structlog.get_logger().error("request_failed", exc_info=error)
    finally:
        structlog.reset_defaults()
    said = capsys.readouterr()
    assert said.out == ""
    line = json.loads(said.err)
    assert (line["event"], line["level"]) == ("request_failed", "error")
    assert "in _fail" in line["exception"]
    assert "tokentoken" not in said.err


def test_lines_go_where_standard_error_is_now(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    passing = io.StringIO()
    with monkeypatch.context() as redirected:
        redirected.setattr("sys.stderr", passing)
        logs.configure()
        log = structlog.get_logger()
        log.info("first")
    passing.close()
    try:
        log.info("second")
    finally:
        structlog.reset_defaults()
    assert json.loads(capsys.readouterr().err)["event"] == "second"


def _fail(secret: str) -> None:
    raise ValueError(f"a word of {len(secret)} letters")


def test_an_error_of_the_store_does_not_repeat_the_values() -> None:
    engine = open_engine("sqlite://")
    with engine.connect() as connection, pytest.raises(Exception, match="no such table") as failure:
        connection.execute(text("INSERT INTO nowhere VALUES (:said)"), {"said": "张三反映充电器起火"})
    engine.dispose()
    assert "张三" not in str(failure.value)
