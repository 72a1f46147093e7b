import yaml

from nlp.enterprises.learning import Judged, fit, measure, proposal
from nlp.enterprises.policy import POLICY_FILE, load_name_policy

POLICY = load_name_policy()
FORM = (("form_conflict", 1.0),)
SOUND = (("brand_homophone", 1.0),)


def test_lines_move_towards_what_people_decided_and_others_stay() -> None:
    examples = [Judged(FORM, True)] * 30 + [Judged(SOUND, False)] * 30 + [Judged((("truncated", 1.0),), False)]
    found = fit(examples, POLICY)
    moved = {line for line, value in found.items() if value != POLICY.deductions[line]}
    assert moved == {"form_conflict", "brand_homophone"}  # one decision does not move `truncated`
    assert found["form_conflict"] < 0.3  # a pair that differs in this alone is linked now
    assert found["brand_homophone"] > 0.3  # and one that differs in this alone is not


def test_decisions_that_agree_with_the_policy_hardly_move_it() -> None:
    found = fit([Judged(FORM, False)] * 10 + [Judged(SOUND, True)] * 10, POLICY)
    assert all(abs(found[line] - value) <= 0.1 for line, value in POLICY.deductions.items())


def test_measure_counts_links_wrong_links_and_misses() -> None:
    examples = [Judged(SOUND, True), Judged(SOUND, False), Judged(FORM, True), Judged(FORM, False)]
    found = measure(examples, POLICY.deductions, POLICY)
    assert (found.judged, found.linked, found.wrong, found.missed) == (4, 2, 1, 1)


def test_a_proposal_keeps_the_comments_and_changes_only_numbers() -> None:
    text = POLICY_FILE.read_text(encoding="utf-8")
    written = proposal(text, POLICY.deductions | {"form_conflict": 0.25}, "建议稿")
    old, new = yaml.safe_load(text), yaml.safe_load(written)
    assert new["deductions"] == old["deductions"] | {"form_conflict": 0.25}
    assert {key: new[key] for key in new if key != "deductions"} == {k: old[k] for k in old if k != "deductions"}
    assert written.startswith("# 建议稿\n")
    assert written.count("#") == text.count("#") + 1
