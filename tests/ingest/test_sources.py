"""Every declared source: its yml, its recorded pages, its place in the documentation."""

import json
from pathlib import Path

import pytest

from ingest.source import SOURCES, BadSource, SourceSpec, load_source, load_sources
from tests.pages.reading import PAGES, read_recorded

SPECS = load_sources()
DOCS = Path(__file__).resolve().parents[2] / "docs" / "sources.md"


def test_there_are_twelve_sources_over_all_five_families() -> None:
    assert len(SPECS) >= 12
    assert {spec.platform for spec in SPECS.values()} == {
        "listing_notice",
        "json_api",
        "feed",
        "recall_centre",
        "news_list",
    }


@pytest.mark.parametrize("spec", SPECS.values(), ids=list(SPECS))
def test_recorded_pages_give_what_was_reviewed(spec: SourceSpec) -> None:
    expected = json.loads((PAGES / spec.id / "expected.json").read_text(encoding="utf-8"))
    assert read_recorded(spec) == expected


@pytest.mark.parametrize("spec", SPECS.values(), ids=list(SPECS))
def test_a_source_says_when_it_runs_and_what_it_should_bring(spec: SourceSpec) -> None:
    assert spec.schedule
    assert len(spec.schedule.split()) == 5
    assert spec.expect.at_least >= 1
    assert spec.expect.at_most >= spec.expect.at_least
    assert spec.lookups
    assert spec.start_url().startswith("http")
    assert spec.notes


def test_no_recorded_source_is_forgotten_and_every_one_is_documented() -> None:
    folders = {path.name for path in PAGES.iterdir() if (path / "pages.json").exists()}
    assert folders == set(SPECS) == {path.stem for path in SOURCES.glob("*.yml")}
    text = DOCS.read_text(encoding="utf-8")
    assert [name for name in SPECS if f"`{name}`" not in text] == []


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("title: [", "无法读取"),
        ("- a\n- b", "键: 值"),
        ("title: 某局\nplatform: listing_notice\n", "url"),
        ("title: 某局\nplatform: wiki\nurl: http://a.example/", "platform"),
        ("title: 某局\nplatform: feed\nurl: ftp://a.example/", "http"),
        ("title: 某局\nplatform: feed\nurl: http://a.example/{page}", "{base}"),
        ("title: 某局\nplatform: feed\nurl: http://a.example/\nshedule: daily", "shedule"),
        ("title: 某局\nplatform: feed\nurl: http://a.example/\nregion: 济南", "region"),
    ],
)
def test_a_mistake_in_a_yml_is_named(tmp_path: Path, content: str, complaint: str) -> None:
    path = tmp_path / "some_office.yml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(BadSource, match=complaint):
        load_source(path)
