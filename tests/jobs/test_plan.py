"""From the store to a plan and back: the same request is one plan, results fill its lines and its outcome."""

import io
from collections import Counter
from datetime import timedelta
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from jobs import outcome, plan
from store.plans import PlanStateError, issue, withdraw_line
from store.tables import Enterprise, Grade, Override, Plan, PlanLine, PolicyVersion
from tests.factories import make_account, make_run
from tests.jobs.office import NOON, TODAY, add_result, fill, make_settings, rows_of

Sessions = sessionmaker[Session]


def make(sessions: Sessions, folder: Path, **changes: object) -> int:
    values: dict[str, object] = {"budget_cny": 20_000.0, "seed": 7}
    counts = plan.run(sessions, make_settings(folder), TODAY, **(values | changes))  # type: ignore[arg-type]
    return int(counts["plan_id"])


def lines_of(sessions: Sessions, plan_id: int) -> list[PlanLine]:
    with sessions() as session:
        return list(session.scalars(select(PlanLine).where(PlanLine.plan_id == plan_id).order_by(PlanLine.number)))


def plan_of(sessions: Sessions, plan_id: int) -> Plan:
    with sessions() as session:
        return session.get_one(Plan, plan_id)


def test_a_plan_is_kept_with_all_that_is_needed_to_replay_it(sessions: Sessions, tmp_path: Path) -> None:
    fill(sessions)
    plan_id = make(sessions, tmp_path)
    lines = lines_of(sessions, plan_id)
    with sessions() as session:
        found = session.get_one(Plan, plan_id)
        assert session.get(PolicyVersion, found.policy_hash) is not None
    assert (found.status, found.seed, found.pool["size"]) == ("draft", 7, 30)
    assert sum(line.cost_cny for line in lines) <= 20_000
    assert Counter(line.rule for line in lines) == found.pool["counts"]
    assert len({line.code for line in lines}) == len(lines) > 10
    assert {line.enterprise_id for line in lines if line.rule in ("follow_up", "random")} >= {1, 11, 21}
    assert all(line.grade_id for line in lines)


def test_the_same_request_is_the_same_plan_and_new_facts_make_another(sessions: Sessions, tmp_path: Path) -> None:
    firms = fill(sessions)
    first = make(sessions, tmp_path)
    assert make(sessions, tmp_path) == first
    assert make(sessions, tmp_path, seed=8) != first
    with sessions.begin() as session:
        add_result(session, session.get_one(Enterprise, firms[5]), 60, "fail", product_id="paint_wall")
    assert make(sessions, tmp_path) != first
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Plan)) == 3


def test_without_a_seed_the_draw_follows_from_the_secret_alone(sessions: Sessions, tmp_path: Path) -> None:
    fill(sessions)
    one = make(sessions, tmp_path, seed=None)
    assert make(sessions, tmp_path, seed=None) == one
    other = plan.run(sessions, make_settings(tmp_path, secret="another"), TODAY, budget_cny=20_000.0)
    assert other["plan_id"] != one


def test_a_city_s_plan_takes_its_own_firms(sessions: Sessions, tmp_path: Path) -> None:
    fill(sessions)
    lines = lines_of(sessions, make(sessions, tmp_path, region_code="990102"))
    assert {line.region_code for line in lines} == {"990102"}


@pytest.mark.parametrize("promoted", [True, False, None])
def test_the_learned_model_ranks_only_while_its_back_test_says_so(
    sessions: Sessions, tmp_path: Path, promoted: bool | None
) -> None:
    fill(sessions)
    with sessions.begin() as session:
        session.execute(update(Grade).values(challenger=0.9))
        if promoted is not None:
            make_run(session, job="challenger", as_of=TODAY, counts={"promoted": promoted})
            make_run(
                session, job="challenger", as_of=NOON.date() + timedelta(days=1), counts={"promoted": not promoted}
            )
    plan_id = make(sessions, tmp_path)
    expected = {line.expected_fail for line in lines_of(sessions, plan_id)}
    assert (expected == {0.9}) == bool(promoted)
    with sessions() as session:
        assert session.get_one(Plan, plan_id).pool["challenger"] is bool(promoted)


def test_firms_that_closed_are_left_out(sessions: Sessions, tmp_path: Path) -> None:
    firms = fill(sessions, 6)
    with sessions.begin() as session:
        session.get_one(Enterprise, firms[0]).status = "revoked"
        session.get_one(Enterprise, firms[1]).merged_into_id = firms[2]
    lines = lines_of(sessions, make(sessions, tmp_path))
    assert {line.enterprise_id for line in lines} == set(firms[2:])


def test_results_fill_the_lines_and_the_outcome(sessions: Sessions, tmp_path: Path) -> None:
    fill(sessions)
    settings = make_settings(tmp_path)
    plan_id = make(sessions, tmp_path)
    lines = lines_of(sessions, plan_id)
    with sessions.begin() as session:
        make_account(session, "analyst")
        issue(session, plan_id, at=NOON)
        withdraw_line(session, lines[-1].id, reason="企业已搬迁", account_id=1, at=NOON)
        for line, verdict in zip(lines, ["fail", "pass", "no_sample", "fail"], strict=False):
            firm = session.get_one(Enterprise, line.enterprise_id)
            add_result(session, firm, 5, verdict, plan_line_id=line.id, product_id=line.product_id)
        # A re-check of the first line's firm comes back under the same code and changes nothing.
        add_result(session, session.get_one(Enterprise, lines[0].enterprise_id), 2, "pass", plan_line_id=lines[0].id,
                   recheck=True)  # fmt: skip
    for _ in range(2):
        outcome.run(sessions, settings, TODAY)
        after = lines_of(sessions, plan_id)
        assert [(line.status, line.outcome) for line in after[:5]] == [
            ("sampled", "fail"), ("sampled", "pass"), ("no_sample", None), ("sampled", "fail"), ("planned", None),
        ]  # fmt: skip
        with sessions() as session:
            found = session.get_one(Plan, plan_id)
        assert found.status == "issued"
        overall = found.outcome["overall"]
        assert (overall["tested"], overall["found"]) == (3, 2)
        assert overall["expected"] == pytest.approx(sum(lines[n].base_rate for n in (0, 1, 3)))
        assert found.outcome["waiting"] == len(lines) - 5
        assert found.outcome["withdrawn"] == 1
    assert "发现不合格 2 批" in outcome.sentence(found.outcome)
    assert outcome.sentence({}) == "尚无结果"


def test_results_known_later_do_not_count_yet(sessions: Sessions, tmp_path: Path) -> None:
    fill(sessions)
    plan_id = make(sessions, tmp_path)
    lines = lines_of(sessions, plan_id)
    with sessions.begin() as session:
        issue(session, plan_id, at=NOON)
        add_result(session, session.get_one(Enterprise, lines[0].enterprise_id), -10, "fail", plan_line_id=lines[0].id)
    outcome.run(sessions, make_settings(tmp_path), TODAY)
    assert lines_of(sessions, plan_id)[0].status == "planned"


def test_a_plan_is_done_when_every_line_came_back(sessions: Sessions, tmp_path: Path) -> None:
    fill(sessions, 3)
    plan_id = make(sessions, tmp_path)
    lines = lines_of(sessions, plan_id)
    with sessions.begin() as session:
        issue(session, plan_id, at=NOON)
        for line in lines:
            firm = session.get_one(Enterprise, line.enterprise_id)
            add_result(session, firm, 3, "pass", plan_line_id=line.id, product_id=line.product_id)
    outcome.run(sessions, make_settings(tmp_path), TODAY)
    with sessions() as session:
        assert session.get_one(Plan, plan_id).status == "done"


def test_an_issued_plan_is_superseded_not_rewritten(sessions: Sessions, tmp_path: Path) -> None:
    fill(sessions)
    first, second = make(sessions, tmp_path), make(sessions, tmp_path, seed=8)
    with sessions.begin() as session:
        issue(session, first, at=NOON)
        issue(session, first, at=NOON)
        issue(session, second, at=NOON)
    with sessions() as session:
        assert [session.get_one(Plan, n).status for n in (first, second)] == ["superseded", "issued"]
        with pytest.raises(PlanStateError):
            issue(session, first, at=NOON)


def test_a_line_is_withdrawn_once_by_a_person_with_a_reason(sessions: Sessions, tmp_path: Path) -> None:
    fill(sessions)
    line = lines_of(sessions, make(sessions, tmp_path))[0]
    with sessions.begin() as session:
        make_account(session, "analyst")
    with sessions() as session, pytest.raises(PlanStateError, match="理由"):
        withdraw_line(session, line.id, reason=" ", account_id=1, at=NOON)
    with sessions.begin() as session:
        withdraw_line(session, line.id, reason="停产", account_id=1, at=NOON)
    with sessions() as session, pytest.raises(PlanStateError, match="不能撤销"):
        withdraw_line(session, line.id, reason="停产", account_id=1, at=NOON)
    with sessions() as session:
        assert session.scalars(select(Override.reason)).all() == ["停产"]


def test_the_workbook_hides_the_seed_until_the_plan_is_issued(sessions: Sessions, tmp_path: Path) -> None:
    fill(sessions)
    settings = make_settings(tmp_path)
    plan_id = make(sessions, tmp_path, seed=424242)
    first = lines_of(sessions, plan_id)[0]
    with sessions.begin() as session:
        session.get_one(Enterprise, first.enterprise_id).name = "=cmd|'/C calc'!A0"
    book = openpyxl.load_workbook(io.BytesIO(plan.export_plan(sessions, settings, plan_id)))
    cells = [cell.value for page in book for row in page.iter_rows() for cell in row]
    assert "演示数据，纯属虚构" in cells
    assert {"企业名称", "抽检理由", "入样概率"} <= set(cells)
    assert 424242 not in cells
    assert "'=cmd|'/C calc'!A0" in cells
    with sessions.begin() as session:
        issue(session, plan_id, at=NOON)
    book = openpyxl.load_workbook(io.BytesIO(plan.export_plan(sessions, settings, plan_id)))
    assert 424242 in [cell.value for row in book["规则与抽取"].iter_rows() for cell in row]


def test_two_stores_with_the_same_facts_make_the_same_plan(sessions: Sessions, tmp_path: Path) -> None:
    fill(sessions)
    plan_id = make(sessions, tmp_path)
    before = rows_of(plan_of(sessions, plan_id), lines_of(sessions, plan_id))
    with sessions.begin() as session:
        for line in session.scalars(select(PlanLine)):
            session.delete(line)
        session.flush()
        session.delete(session.get_one(Plan, plan_id))
    again = make(sessions, tmp_path)
    assert rows_of(plan_of(sessions, again), lines_of(sessions, again)) == before
