"""The rules file: readable, refused with one clear line when wrong, named by its numbers."""

from pathlib import Path

import pytest

from scoring.sampling import PlanRulesError, load_rules
from scoring.sampling.rules import DEFAULT_PATH


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = DEFAULT_PATH.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "rules.yml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def test_a_comment_changes_nothing_a_number_does(tmp_path: Path) -> None:
    shipped = load_rules()
    assert load_rules(changed(tmp_path, "# S 三年", "# 三年")).hash == shipped.hash
    assert load_rules(changed(tmp_path, "minimum: 0.30", "minimum: 0.35")).hash != shipped.hash


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("minimum: 0.30", "minimum: 1.3", "key_share.minimum"),
        ("share: 0.125", "share: 0.5", "lowest"),
        ("U: 1.5", "U: 0", "永远抽不到"),
        ("order: [follow_up, full_coverage, key_share, county_floor]", "order: [follow_up]", "各写一次"),
        ("per_enterprise: 2", "per_enterprice: 2", "per_enterprice"),
        ("order: [", "order: [[", "YAML"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(PlanRulesError, match=said):
        load_rules(changed(tmp_path, old, new))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanRulesError, match="读不到"):
        load_rules(tmp_path / "none.yml")


def test_every_value_says_where_it_comes_from() -> None:
    body = DEFAULT_PATH.read_text(encoding="utf-8")
    values = [line for line in body.splitlines() if line.startswith("  ") and ":" in line and "{}" not in line]
    unmarked = [line for line in values if not any(mark in line for mark in ("# S", "# K", "# P"))]
    # The bounds of the random share stand under the mark of the share itself; the switch is no number.
    assert [line.split(":")[0].strip() for line in unmarked] == ["lowest", "highest", "challenger"]
