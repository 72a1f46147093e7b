"""The province: invented throughout, the same from the same seed, and with its stories in the files."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import date
from email.utils import parsedate_to_datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest
from stdnum.cn import uscc

from demo.firms import trades, true_rate
from demo.geography import CITIES, COUNTIES, PLACES
from demo.history import TODAY
from demo.province import Built, Province
from demo.stories import MOULD, SILENT_SINCE
from demo.writing import identity_number

SMALL = Province(seed=7, scale=0.06)
FULL = Province()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return SMALL.build(tmp_path_factory.mktemp("province"))


def test_sixteen_cities_under_adcodes_nobody_has() -> None:
    assert len(CITIES) == 16
    assert {place.code[:2] for place in PLACES} == {"99"}
    per_city = Counter(county.parent_code for county in COUNTIES)
    assert min(per_city.values()) >= 5
    assert max(per_city.values()) <= 9
    assert len({place.name for place in PLACES}) == len(PLACES)


def test_every_code_is_valid_and_none_is_real() -> None:
    codes = [firm.uscc for firm in FULL.firms]
    assert all(uscc.is_valid(code) for code in codes)
    assert {code[2:4] for code in codes} == {"99"}
    assert len(set(codes)) == len(codes)


def test_identity_numbers_cannot_belong_to_anybody() -> None:
    import random

    from stdnum.cn import ric

    rng = random.Random(1)
    assert not any(ric.is_valid(identity_number(rng)) for _ in range(300))


def test_the_full_province_has_the_sizes_the_issue_asks_for() -> None:
    history = FULL.history
    tested = [sample for sample in history.samples if sample.outcome in ("合格", "不合格")]
    share_failed = sum(sample.outcome == "不合格" for sample in tested) / len(tested)
    assert 2900 <= len(FULL.firms) <= 3300
    assert 11_800 <= len(history.samples) <= 12_300
    assert 5_700 <= len(history.complaints) <= 6_300
    assert 3_700 <= len(history.posts) <= 4_300
    assert 0.03 <= share_failed <= 0.045
    assert 0.75 <= sum(firm.registered for firm in FULL.firms) / len(FULL.firms) <= 0.9
    assert min(sample.on for sample in history.samples) >= date(2023, 10, 28)
    assert max(complaint.on for complaint in history.complaints) <= TODAY


def test_the_truth_can_be_found_by_its_traces_but_not_read_off_them() -> None:
    firms, history = FULL.firms, FULL.history
    rates = {firm.number: max(true_rate(firm, p, firms) for p in firm.products) for firm in firms}
    complaints = Counter(complaint.respondent for complaint in history.complaints)
    worst = sorted(firms, key=lambda firm: -rates[firm.number])[:300]
    loud = [number for number, _ in complaints.most_common(300)]
    mean = sum(rates.values()) / len(rates)
    assert sum(rates[number] for number in loud) / 300 > 1.8 * mean
    assert len({firm.number for firm in worst} & set(loud)) < 200


def test_names_in_records_are_written_in_many_ways() -> None:
    by_number = {firm.number: firm for firm in FULL.firms}
    samples = FULL.history.samples
    exact = sum(sample.producer_written == by_number[sample.producer].name for sample in samples)
    assert 0.7 < exact / len(samples) < 0.95


def test_texts_are_varied() -> None:
    texts = [complaint.text for complaint in FULL.history.complaints if "-B" not in complaint.number]
    assert len(set(texts)) > 0.95 * (len(texts) - 60)


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    def digest(place: Path) -> dict[str, bytes]:
        return {str(p.relative_to(place)): p.read_bytes() for p in sorted(place.rglob("*")) if p.is_file()}

    first = Province(seed=7, scale=0.03).build(tmp_path / "a")
    second = Province(seed=7, scale=0.03).build(tmp_path / "b")
    assert digest(first.place) == digest(second.place)


def test_another_seed_is_another_province() -> None:
    assert Province(seed=8, scale=0.03).firms[0].name != Province(seed=7, scale=0.03).firms[0].name


def test_a_finished_build_is_not_written_again(built: Built) -> None:
    before = {path: path.stat().st_mtime_ns for path in built.place.rglob("*")}
    again = SMALL.build(built.place.parent)
    assert again.place == built.place
    assert {path: path.stat().st_mtime_ns for path in built.place.rglob("*")} == before


def test_a_build_killed_half_way_leaves_nothing_that_looks_finished(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from demo.province import Province; "
        "Province(seed=7, scale=0.3).build(Path(sys.argv[1]))"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    deadline = time.monotonic() + 60
    while not any(tmp_path.glob(".building-*/files/*.xlsx")) and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    province = Province(seed=7, scale=0.3)
    assert not (tmp_path / province.key).exists()
    whole = province.build(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [whole.place.name]
    assert all(delivery.path.exists() for delivery in whole.deliveries())


def test_every_delivery_exists_and_the_registers_come_first(built: Built) -> None:
    deliveries = list(built.deliveries())
    assert [delivery.kind for delivery in deliveries[:2]] == ["register", "licence"]
    assert all(delivery.path.stat().st_size > 0 for delivery in deliveries)
    assert {delivery.kind for delivery in deliveries} >= {
        "register", "licence", "sampling", "complaint", "opinion", "case", "inspection", "self_check", "injury",
        "monitoring", "credit",
    }  # fmt: skip


def test_the_truth_stands_apart_from_everything_delivered(built: Built) -> None:
    truth = json.loads(built.truth.read_text("utf-8"))
    assert truth["synthetic"] is True
    assert built.truth.parent.name == "truth"
    assert not any(built.truth.parent in delivery.path.parents for delivery in built.deliveries())
    assert built.site not in built.truth.parents


def test_the_complaint_export_holds_the_claimants_it_has_to_hide(built: Built) -> None:
    path = next(d.path for d in built.deliveries() if d.kind == "complaint" and d.path.suffix == ".csv")
    with path.open(encoding="gb18030", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert all(row["联系电话"].startswith("1990000") for row in rows)
    assert all(row["证件号码"].startswith("99") for row in rows)


class TestStories:
    """Each planted story is in the records; the flow tests look for it in the store."""

    def test_complaints_rise_weeks_before_the_first_failed_sample(self) -> None:
        maker = FULL.players.charger_maker
        failed = [s.on for s in FULL.history.samples if s.producer == maker and s.outcome == "不合格"]
        early = [c.on for c in FULL.history.complaints if c.respondent == maker and "A" in c.number]
        assert failed == [date(2026, 9, 22)]
        assert sum(day < date(2026, 8, 24) for day in early) < sum(day >= date(2026, 8, 24) for day in early)
        assert (failed[0] - min(early)).days > 50

    def test_sixty_copied_complaints_from_three_telephones(self) -> None:
        copied = [c for c in FULL.history.complaints if c.respondent == FULL.players.honest_firm and "B" in c.number]
        firm = FULL.firms[FULL.players.honest_firm]
        assert len(copied) == 60
        assert len({c.phone for c in copied}) == 3
        assert true_rate(firm, "food_paper", FULL.firms) < 0.01

    def test_one_article_and_forty_copies(self) -> None:
        story = [post for post in FULL.history.posts if post.number.startswith("S2")]
        assert len(story) == 41
        assert len({post.on for post in story}) == 3

    def test_a_feed_stops(self, built: Built) -> None:
        last = {
            name: max(
                parsedate_to_datetime(item.findtext("pubDate") or "").date()
                for item in ElementTree.parse(built.site / "feed" / f"{name}.xml").iter("item")
            )
            for name in ("daily", "evening", "social")
        }
        assert last["evening"] <= SILENT_SINCE
        assert min(last["daily"], last["social"]) > SILENT_SINCE

    def test_exactly_three_licensed_cable_makers_in_one_county(self) -> None:
        county = FULL.players.cable_county
        licensed = [
            firm.number
            for firm in FULL.firms
            if firm.county == county and firm.status == "存续"
            and any(paper.product_id == "cable" and paper.state == "有效" for paper in firm.licences)
        ]  # fmt: skip
        assert tuple(licensed) == FULL.players.cable_makers
        assert not {s.producer for s in FULL.history.samples} & set(licensed)

    def test_fails_rectifies_on_paper_and_fails_again(self) -> None:
        maker = FULL.players.repeat_failer
        failed = [s for s in FULL.history.samples if s.producer == maker and s.outcome == "不合格"]
        assert [s.on.year for s in failed] == [2025, 2026, 2026]
        assert all("防触电保护" in [item for item, _, _ in s.items] for s in failed)
        assert failed[0].handling == "已整改复查合格"

    def test_two_counties_fail_on_one_mould(self) -> None:
        failed = [s for s in FULL.history.samples if MOULD in s.spec]
        assert {s.producer for s in failed} == set(FULL.players.mould_makers)
        assert len({s.county[:4] for s in failed}) == 2
        assert {item for s in failed for item, _, _ in s.items} == {"佩戴装置强度"}


def test_every_trade_is_a_product_of_the_taxonomy() -> None:
    assert len(trades()) >= 50
    assert all(trade.items and trade.hazards for trade in trades().values())
