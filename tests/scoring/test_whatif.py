"""What would change a grade, what did, and whom another policy would move."""

from scoring.grade import grade
from scoring.policy import load_policy, parse_policy
from scoring.whatif import changes, compare, outlooks
from tests.scoring.facts_factories import AS_OF, make_complaint, make_facts, make_sample

POLICY = load_policy()


def test_outlooks_say_what_the_next_batch_would_do():
    facts = make_facts().adding(make_sample())
    found = {one.event: one.level for one in outlooks(facts, POLICY, AS_OF)}
    assert found == {
        "再有一批次一般项目不合格": "B",
        "再有一批次安全项目不合格": "C",
        "再有一批次合格": "A",
        "一年内没有新的不利记录且抽查合格": "A",
    }


def test_changes_name_the_records_that_came():
    old = make_facts().adding(make_sample())
    complaint = make_complaint(verified=True)
    before, now = grade(old, POLICY, AS_OF), grade(old.adding(complaint), POLICY, AS_OF)
    stored = [[part.as_json() for part in result.contributions] for result in (before, now)]
    found = changes(*stored)
    assert [(one.indicator, one.came, one.went) for one in found] == [("q5_complaint", (complaint.signal_id,), ())]
    assert found[0].points_now > found[0].points_before == 0


def test_nothing_changed_is_an_empty_list():
    parts = [part.as_json() for part in grade(make_facts(), POLICY, AS_OF).contributions]
    assert changes(parts, parts) == []


def test_a_stricter_policy_names_whom_it_moves():
    strict = parse_policy(POLICY.body.replace("thresholds: {B: 15, C: 35, D: 60}", "thresholds: {B: 5, C: 15, D: 60}"))
    fair = make_facts(enterprise_id=1).adding(make_sample())
    failed = make_facts(enterprise_id=2).adding(make_sample("fail"))
    found = compare([fair, failed], POLICY, strict, AS_OF)
    assert [(move.line[0], move.level, move.level_then, move.worse) for move in found.moves] == [(2, "B", "C", True)]
    assert found.matrix == {("A", "A"): 1, ("B", "C"): 1}
    assert found.policy != found.policy_then


def test_a_clean_year_is_told_from_the_day_it_ends():
    facts = make_facts().adding(make_sample("fail", safety_failed=True), make_sample("fail", 10))
    later = next(one for one in outlooks(facts, POLICY, AS_OF) if one.event.startswith("一年内"))
    assert later.score < grade(facts, POLICY, AS_OF).score
