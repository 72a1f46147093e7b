"""Crawling as a job: each source its own run, one site's trouble its own, switches kept."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from typer.testing import CliRunner

from jobs import crawl
from jobs.cli import app
from jobs.settings import Settings
from store.session import make_sessions
from store.tables import Run, Signal, Source
from tests.ingest.loopback import Site, notice, notice_list, serve

TODAY = date(2026, 3, 10)
YML = """
title: 某市市场监督管理局 · {name}
platform: listing_notice
base: http://{name}.example
url: "{{base}}/{name}/index.html"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "sources"
    path.mkdir()
    for name in ("good", "broken", "resting"):
        (path / f"{name}.yml").write_text(YML.format(name=name), encoding="utf-8")
    return path


def test_one_site_s_trouble_is_its_own(sqlite_engine: Engine, folder: Path, tmp_path: Path) -> None:
    sessions = make_sessions(sqlite_engine)
    settings = Settings(var=tmp_path, outbound_allow=["127.0.0.1"])
    with sessions.begin() as session:
        session.add(
            Source(
                id="resting",
                title="停用",
                channel="notice",
                trust="official",
                platform="listing_notice",
                active=False,
            )
        )
    with serve(Site()) as site:
        site.pages["/good/index.html"] = notice_list([5])
        site.pages["/good/art_202603_5.html"] = notice(5)
        outcome = crawl.run(sessions, settings, TODAY, folder=folder, base_url=site.base())
    assert {name: counts["verdict"] for name, counts in outcome.items()} == {"good": "ok", "broken": "failed"}
    with sessions() as session:
        runs = session.execute(select(Run.source_id, Run.status).order_by(Run.source_id)).all()
        assert [tuple(row) for row in runs] == [("broken", "failed"), ("good", "ok")]
        assert session.scalars(select(Signal.url)).all() == ["http://good.example/good/art_202603_5.html"]
        assert session.get_one(Source, "resting").active is False


def test_the_command_names_a_mistake_and_lists_sources(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZHIAN_VAR", str(tmp_path))
    runner = CliRunner()
    listed = runner.invoke(app, ["sources", "--sources", str(folder)])
    assert listed.exit_code == 0
    assert [line.split("\t")[0] for line in listed.stdout.splitlines()] == ["broken", "good", "resting"]
    unknown = runner.invoke(app, ["crawl", "nowhere", "--sources", str(folder)])
    assert unknown.exit_code == 2
    (folder / "typo.yml").write_text("title: 某局\nplatfrom: feed\n", encoding="utf-8")
    assert runner.invoke(app, ["sources", "--sources", str(folder)]).exit_code == 2
