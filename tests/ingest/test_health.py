"""Each check of a source's run, beside the finding it must give."""

from dataclasses import replace
from datetime import date

import pytest

from ingest.health import History, RunFacts, judge
from ingest.source import Expect

TODAY = date(2026, 3, 10)
EXPECT = Expect(at_least=5, at_most=40, within_days=14, columns=("id", "title"))
GOOD = RunFacts(
    pages=12,
    listed=20,
    new_items=6,
    newest_on=date(2026, 3, 9),
    characters=9000,
    rows_read=100,
    columns=frozenset({"id", "title", "more"}),
)
PAST = History(
    listed=(20, 21, 19, 20),
    new_items=(5, 4, 6, 5),
    columns=frozenset({"id", "title", "more"}),
    newest_on=date(2026, 3, 8),
)


def test_a_good_run_has_no_findings() -> None:
    verdict = judge(GOOD, EXPECT, PAST, TODAY)
    assert (verdict.verdict, verdict.findings, verdict.newest_on) == ("ok", (), date(2026, 3, 9))


@pytest.mark.parametrize(
    ("changes", "verdict", "checks"),
    [
        ({"start_failed": "HTTP 500"}, "failed", ["start"]),
        ({"listed": 4}, "suspect", ["floor", "volume_drop"]),
        ({"listed": 5}, "ok", []),  # a quarter of the usual 20 is 5, and 5 is not below it
        ({"listed": 6}, "ok", []),
        ({"new_items": 41}, "suspect", ["ceiling"]),
        ({"newest_on": date(2026, 2, 1)}, "ok", []),  # the newest known from before is younger
        ({"failed": 13}, "suspect", ["unreachable"]),
        ({"failed": 1}, "ok", ["unreachable"]),
        ({"walls": {"login": 1}}, "suspect", ["wall_login"]),
        ({"walls": {"captcha": 1}}, "suspect", ["wall_captcha"]),
        ({"walls": {"layout": 1}}, "ok", ["wall_layout"]),
        ({"walls": {"layout": 9}}, "suspect", ["wall_layout"]),
        ({"damaged_characters": 1800}, "ok", []),
        ({"damaged_characters": 1801}, "suspect", ["damaged"]),
        ({"rows_quarantined": 30}, "ok", []),
        ({"rows_quarantined": 31}, "suspect", ["quarantined"]),
        ({"rows_read": 4, "rows_quarantined": 4}, "ok", []),  # too few to judge
        ({"columns": frozenset({"id", "more"})}, "suspect", ["vanished_columns"]),
        ({"columns": frozenset({"id", "title"})}, "ok", ["vanished_columns"]),  # seen before, not required
        ({"columns": frozenset({"id", "title", "more", "new"})}, "ok", ["new_columns"]),
        ({"surplus": frozenset({"hazards:Glare"})}, "ok", ["new_columns"]),
        ({"skipped": {"no_key": 2}}, "ok", ["skipped"]),
        ({"skipped": {"off_topic": 9}}, "ok", []),
        ({"contradictions": 1}, "ok", ["contradiction"]),
        ({"stopped": "pages"}, "ok", ["cap"]),
        ({"listed": None, "new_items": 0}, "ok", []),  # every list answered "not modified"
    ],
)
def test_each_check(changes: dict[str, object], verdict: str, checks: list[str]) -> None:
    found = judge(replace(GOOD, **changes), EXPECT, PAST, TODAY)  # type: ignore[arg-type]
    assert [finding.check for finding in found.findings] == checks
    assert found.verdict == verdict
    assert found.holds_back == (found.verdict in ("suspect", "failed"))


@pytest.mark.parametrize(
    ("newest", "verdict"),
    [(date(2026, 2, 24), "ok"), (date(2026, 2, 23), "silent"), (None, "silent")],
)
def test_silence_counts_days(newest: date | None, verdict: str) -> None:
    past = replace(PAST, newest_on=None)
    assert judge(replace(GOOD, newest_on=newest), EXPECT, past, TODAY).verdict == verdict
    assert judge(replace(GOOD, newest_on=newest), replace_expect(within_days=None), past, TODAY).verdict == "ok"


def test_a_first_run_may_bring_everything() -> None:
    assert judge(replace(GOOD, new_items=4000), EXPECT, History(), TODAY).verdict == "ok"


def replace_expect(**changes: object) -> Expect:
    return EXPECT.model_copy(update=changes)
