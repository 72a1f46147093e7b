"""A site on loopback into the store: once, resumed, held back, and only what is new."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session, sessionmaker

from ingest.crawl import crawl
from ingest.source import SourceSpec
from store.session import make_sessions
from store.tables import FrontierPage, SamplingResult, Signal, SourceCheck
from tests.ingest.loopback import Site, failing_list, notice, notice_list, serve

NOW = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)
SPEC = SourceSpec.model_validate(
    {
        "id": "some_city",
        "title": "某市市场监督管理局 · 抽查通告",
        "platform": "listing_notice",
        "region": "990100",
        "base": "http://some-city.example",
        "url": "{base}/notices/index.html",
        "expect": {"at_least": 1, "at_most": 40, "within_days": 30},
        "attachments": {"kind": "sampling"},
    }
)


@pytest.fixture
def site() -> Iterator[Site]:
    with serve(Site()) as site:
        site.etags = True
        site.pages["/notices/index.html"] = notice_list([5, 4], "index_1.html")
        site.pages["/notices/index_1.html"] = notice_list([3])
        for number in (5, 4, 3):
            site.pages[f"/notices/art_202603_{number}.html"] = notice(
                number, extra=f'<p>附件：<a href="annex_{number}.csv">不合格产品名单</a></p>'
            )
            site.pages[f"/notices/annex_{number}.csv"] = (
                200,
                {"Content-Type": "text/csv"},
                failing_list(number).replace("CC-", f"CC-{number}-").encode("gb18030"),
            )
        yield site


def run(sessions: sessionmaker[Session], site: Site, var: Path, **changes: Any) -> dict[str, Any]:
    spec = SPEC.model_copy(update=changes.pop("spec", {}))
    return crawl(
        sessions,
        spec.id,
        var=var,
        now=changes.pop("now", NOW),
        spec=spec,
        base_url=site.base(),
        allow=["127.0.0.1"],
        key=b"test",
    )


def test_a_site_becomes_signals_once(sessions: sessionmaker[Session], site: Site, tmp_path: Path) -> None:
    first = run(sessions, site, tmp_path)
    assert (first["verdict"], first["stored"], first["files"], first["rows"]) == ("ok", 3, 3, 12)
    with sessions() as session:
        notices = session.scalars(select(Signal).where(Signal.channel == "notice").order_by(Signal.occurred_on)).all()
        assert [signal.url for signal in notices] == [
            f"http://some-city.example/notices/art_202603_{number}.html" for number in (3, 4, 5)
        ]
        assert notices[0].payload["counts"] == {"batches": 53, "failed": 3}
        assert notices[0].flags == []
        saved = tmp_path / str(notices[0].archive_path)
        assert "TRS_Editor" in saved.read_text(encoding="utf-8")
        assert session.scalar(select(func.count()).select_from(SamplingResult)) == 12

    site.asked.clear()
    second = run(sessions, site, tmp_path)
    assert (second["verdict"], second["stored"], second["items"]) == ("ok", 0, 0)
    assert [path for path in site.asked if path != "/robots.txt"] == ["/notices/index.html"]
    assert site.conditional == ["/notices/index.html"]


def test_only_the_new_notice_is_fetched(sqlite_engine: Engine, site: Site, tmp_path: Path) -> None:
    sessions = make_sessions(sqlite_engine)
    run(sessions, site, tmp_path)
    site.asked.clear()
    site.pages["/notices/index.html"] = notice_list([6, 5, 4], "index_1.html")
    site.pages["/notices/art_202603_6.html"] = notice(6)
    assert run(sessions, site, tmp_path)["stored"] == 1
    fetched = [path for path in site.asked if path != "/robots.txt"]
    assert "/notices/art_202603_6.html" in fetched
    assert not any(path.endswith(("_5.html", "_4.html", "_3.html")) for path in fetched)


def test_a_notice_that_contradicts_its_annex_is_flagged(sqlite_engine: Engine, site: Site, tmp_path: Path) -> None:
    sessions = make_sessions(sqlite_engine)
    site.pages["/notices/annex_5.csv"] = failing_list(6)  # the prose says 5
    run(sessions, site, tmp_path)
    with sessions() as session:
        flags = session.scalars(select(Signal.flags).where(Signal.url.endswith("art_202603_5.html"))).one()
        check = session.scalars(select(SourceCheck)).one()
    assert flags == ["counts:文字称不合格 5 批次，附表列出 6 批次"]
    assert [finding["check"] for finding in check.findings] == ["contradiction"]


def test_a_table_in_the_text_says_only_what_failed_and_the_notice_the_rest(
    sqlite_engine: Engine, site: Site, tmp_path: Path
) -> None:
    sessions = make_sessions(sqlite_engine)
    table = (
        "<table><tr><td>序号</td><td>产品名称</td><td>标称生产企业</td><td>不合格项目</td></tr>"
        "<tr><td rowspan='2'>1</td><td rowspan='2'>移动电源</td>"
        "<td rowspan='2'>虚构电子有限公司</td><td>过充保护</td></tr>"
        "<tr><td>标志</td></tr></table>"
    )
    site.pages["/notices/index.html"] = notice_list([6])
    site.pages["/notices/art_202603_6.html"] = notice(6, extra=table)
    run(sessions, site, tmp_path)
    with sessions() as session:
        rows = session.scalars(select(SamplingResult)).all()
        parents = {session.get_one(Signal, row.signal_id).parent_id for row in rows}
        notices = set(session.scalars(select(Signal.id).where(Signal.channel == "notice")))
    assert {(row.outcome, row.product_raw, row.occurred_on.isoformat()) for row in rows} == {
        ("fail", "移动电源", "2026-03-06")
    }
    assert parents == notices


@pytest.mark.parametrize(
    ("page", "finding"),
    [
        ("<html><title>用户登录</title><form><input type='password'></form></html>", "start"),
        ("<html><title>安全验证</title><p>请输入验证码</p></html>", "start"),
        ("<html><title>通告</title><p>系统维护中</p></html>", "start"),
        ("<html><title>通告公告</title><div class='new-layout'>换了版式</div></html>", "start"),
        (notice_list([5]), "floor"),
    ],
)
def test_a_broken_site_is_held_back_and_the_last_good_data_stay(
    sqlite_engine: Engine, site: Site, tmp_path: Path, page: str, finding: str
) -> None:
    sessions = make_sessions(sqlite_engine)
    good = {"expect": SPEC.expect.model_copy(update={"at_least": 2})}
    run(sessions, site, tmp_path, spec=good)
    site.pages["/notices/index.html"] = page
    site.pages["/notices/art_202603_7.html"] = notice(7)
    outcome = run(sessions, site, tmp_path, spec=good)
    assert outcome["verdict"] in ("failed", "suspect")
    assert outcome["stored"] == 0
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Signal).where(Signal.channel == "notice")) == 3
        last = session.scalars(select(SourceCheck).order_by(SourceCheck.id.desc())).first()
        assert last is not None
        assert [one["check"] for one in last.findings if one["grave"]] == [finding]


def test_what_was_held_back_is_stored_once_the_site_is_well_again(
    sqlite_engine: Engine, site: Site, tmp_path: Path
) -> None:
    sessions = make_sessions(sqlite_engine)
    strict = {"expect": SPEC.expect.model_copy(update={"at_least": 4})}
    assert run(sessions, site, tmp_path, spec=strict)["verdict"] == "suspect"
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Signal)) == 0
        assert set(session.scalars(select(FrontierPage.state))) == {"held"}
    again = run(sessions, site, tmp_path)
    assert (again["verdict"], again["stored"], again["rows"]) == ("ok", 3, 12)


def test_an_edited_notice_becomes_a_revision_beside_the_first(
    sqlite_engine: Engine, site: Site, tmp_path: Path
) -> None:
    sessions = make_sessions(sqlite_engine)
    watching = {"revisit_days": 30}
    run(sessions, site, tmp_path, spec=watching)
    site.pages["/notices/art_202603_5.html"] = notice(5, prose="更正：共抽查55批次，发现6批次不合格。")
    assert run(sessions, site, tmp_path, spec=watching)["stored"] == 1
    with sessions() as session:
        texts = session.scalars(
            select(Signal).where(Signal.url.endswith("art_202603_5.html")).order_by(Signal.id)
        ).all()
    assert [("revised" in signal.flags) for signal in texts] == [False, True]
    assert texts[1].parent_id == texts[0].id
    assert texts[1].text.startswith("更正")


def test_a_file_torn_in_the_archive_is_fetched_again(sqlite_engine: Engine, site: Site, tmp_path: Path) -> None:
    sessions = make_sessions(sqlite_engine)
    strict = {"expect": SPEC.expect.model_copy(update={"at_least": 4})}
    run(sessions, site, tmp_path, spec=strict)  # held back, so nothing was imported yet
    with sessions.begin() as session:
        for row in session.scalars(select(FrontierPage)):
            row.state = "fetched" if row.kind == "attachment" else "done"
            if row.url.endswith("annex_5.csv"):
                (tmp_path / "archive" / str(row.archive_path)).write_bytes(b"")
    assert run(sessions, site, tmp_path)["rows"] == 7  # of the two whole ones
    assert run(sessions, site, tmp_path)["rows"] == 5


def test_robots_are_obeyed_and_a_failing_robots_txt_means_stay_away(
    sqlite_engine: Engine, site: Site, tmp_path: Path
) -> None:
    sessions = make_sessions(sqlite_engine)
    site.pages["/robots.txt"] = (200, {"Content-Type": "text/plain"}, b"User-agent: *\nDisallow: /notices/art_202603_4")
    run(sessions, site, tmp_path)
    assert not any("art_202603_4" in path for path in site.asked)
    site.asked.clear()
    site.pages["/robots.txt"] = (503, {}, b"")
    assert run(sessions, site, tmp_path)["verdict"] == "failed"
    assert set(site.asked) == {"/robots.txt"}


def test_silence_is_seen(sqlite_engine: Engine, site: Site, tmp_path: Path) -> None:
    sessions = make_sessions(sqlite_engine)
    assert run(sessions, site, tmp_path)["verdict"] == "ok"
    later = run(sessions, site, tmp_path, now=datetime(2026, 5, 1, tzinfo=UTC))
    assert later["verdict"] == "silent"


def test_a_killed_crawl_goes_on_where_it_was(sqlite_engine: Engine, site: Site, tmp_path: Path) -> None:
    numbers = list(range(1, 29))
    site.pages["/notices/index.html"] = notice_list(numbers)
    for number in numbers:
        page = notice(number)

        def slow(request: Any, page: bytes = page.encode()) -> None:
            time.sleep(0.15)
            request.send_response(200)
            request.send_header("Content-Type", "text/html; charset=utf-8")
            request.send_header("Content-Length", str(len(page)))
            request.end_headers()
            request.wfile.write(page)

        site.pages[f"/notices/art_202603_{number}.html"] = slow
    script = textwrap.dedent(
        f"""
        from datetime import datetime, UTC
        from pathlib import Path
        from ingest.crawl import crawl
        from store.session import make_sessions, open_engine
        from tests.ingest.test_crawl import NOW, SPEC
        sessions = make_sessions(open_engine("{sqlite_engine.url}"))
        crawl(sessions, SPEC.id, var=Path("{tmp_path}"), now=NOW, spec=SPEC, base_url="{site.base()}",
              allow=["127.0.0.1"], key=b"test")
        """
    )
    sessions = make_sessions(sqlite_engine)
    process = subprocess.Popen([sys.executable, "-c", script], start_new_session=True)
    for _ in range(200):
        with sessions() as session:
            if session.scalar(select(func.count()).select_from(FrontierPage).where(FrontierPage.state == "fetched")):
                break
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Signal)) == 0
        kept = session.scalar(select(func.count()).select_from(FrontierPage).where(FrontierPage.state == "fetched"))
    assert kept
    site.asked.clear()
    assert run(sessions, site, tmp_path)["stored"] == len(numbers)
    details = [path for path in site.asked if "art_" in path]
    assert 0 < len(details) <= len(numbers) - kept + 1
    assert len(set(details)) == len(details)
