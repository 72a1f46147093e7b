"""The engine on a history whose truth is known: it must find what is there, and nothing that is not."""

from datetime import date

import numpy as np
import pytest

from scoring.backtest.engine import back_test
from scoring.backtest.history import history
from scoring.backtest.leaks import shuffled_fold, suspects
from scoring.backtest.report import headline, html_report, scores_frame
from scoring.backtest.rolling import day_number, periods
from scoring.backtest.table import TableError, inspections, load_map
from tests.scoring.backtest.factories import MAP, START, make_table


@pytest.fixture(scope="module")
def table():
    return inspections(make_table(), MAP)


@pytest.fixture(scope="module")
def result(table):
    return back_test(table, MAP, START)


def test_the_chosen_ranking_finds_the_bad_firms(result):
    chosen, random = result.figure("chosen").measures, result.figure("random").measures
    assert chosen.hit_10 > 2 * random.base_rate
    assert chosen.auc > 0.7 > random.auc


def test_every_ranking_has_a_line_a_period_and_one_for_all(result):
    names = {period.name for period in result.periods} | {"all"}
    for one in result.ranked[:-1]:
        assert {figure.period for figure in result.figures if figure.ranking == one.name} == names


def test_features_of_a_row_do_not_change_with_later_results(table):
    past = history(table)
    later = table.failed.copy()
    turned = table.days >= day_number(START)
    later[turned] = ~later[turned]
    again = history(table.relabelled(later))
    same = ~turned | (table.days == table.days[turned].min())
    np.testing.assert_allclose(past.values[same], again.values[same], atol=1e-5)
    assert not np.allclose(past.values[~same], again.values[~same], atol=1e-5, equal_nan=True)


def test_the_same_table_gives_the_same_figures(table, result):
    again = back_test(table, MAP, START, ablate=False, landmines=False)
    assert [one.as_json() for one in again.figures] == [one.as_json() for one in result.figures]


def test_random_results_in_the_last_fold_give_no_lift(result):
    assert result.shuffled is not None
    assert result.shuffled.clean


def test_a_leaking_history_would_be_caught_by_the_shuffled_fold(table, monkeypatch):
    """Were a row's own result among its features, shuffling the results would still leave a lift."""
    from scoring.backtest import leaks

    def peeking(dealt):
        honest = history(dealt)
        values = honest.values.copy()
        values[:, 0] += 5 * dealt.failed
        return type(honest)(**{**honest.__dict__, "values": values})

    monkeypatch.setattr(leaks, "history", peeking)
    before, after = periods(table, START)
    assert not shuffled_fold(table, before, after).clean


@pytest.mark.parametrize("kind", ["code", "number", "text", "filled"])
def test_a_column_that_peeks_is_named_and_thrown_out(kind):
    frame = make_table()
    failed = frame["result"] == "不合格"
    rng = np.random.default_rng(0)
    noisy = failed ^ (rng.random(len(frame)) < 0.03)
    frame["planted"] = {
        "code": np.where(noisy, "甲", "乙"),
        "number": noisy + 0.1 * rng.random(len(frame)),
        "text": np.where(noisy, "现场检查时发现问题，", "现场检查时一切正常，")
        + np.array([f"单号{n}" for n in range(len(frame))], dtype=object),
        "filled": np.where(noisy, "有", None),
    }[kind]
    table = inspections(frame, MAP)
    found = suspects(history(table), table, day_number(START))
    assert [one.column for one in found] == ["planted"]
    result = back_test(table, MAP, START, ablate=False, landmines=False)
    assert any("planted" in note for note in result.notes)
    assert result.figure("chosen").measures.auc < 0.9


def test_a_doubtful_column_is_kept_named_and_ablated():
    """A column that is often right is a matter for people: the figures without it stand beside, and lead."""
    frame = make_table()
    rng = np.random.default_rng(0)
    frame["hint"] = np.where((frame["result"] == "不合格") ^ (rng.random(len(frame)) < 0.14), "甲", "乙")
    table = inspections(frame, MAP)
    found = suspects(history(table), table, day_number(START))
    assert [(one.column, one.certain) for one in found] == [("hint", False)]
    result = back_test(table, MAP, START, landmines=False)
    assert any(ablation.columns == ("hint",) for ablation in result.ablations)
    assert headline(result).startswith("去掉疑似泄漏的hint之后")


def test_nothing_is_suspected_in_an_honest_table(result):
    assert result.suspects == ()


def test_the_headline_is_the_ablated_figure_when_the_lift_lives_in_the_inspector():
    frame = make_table()
    strict = frame["inspector"] == "组0"
    rng = np.random.default_rng(0)
    frame["result"] = np.where(rng.random(len(frame)) < np.where(strict, 0.4, 0.05), "不合格", "合格")
    result = back_test(inspections(frame, MAP), MAP, START, landmines=False)
    assert headline(result).startswith("去掉检查人员之后")
    # The rival it is held against may not see the inspector either, and there is nothing left to find.
    ablated = next(one for one in result.ablations if one.columns == ("inspector",))
    assert ablated.rival.hit_10 < result.figure("rate:inspector").measures.hit_10
    assert "不应启用模型" in headline(result)


def test_scores_name_every_evaluated_row_once_a_ranking(table, result):
    frame = scores_frame(result)
    chosen = frame[frame["ranking"] == "chosen"]
    assert sorted(chosen["row"]) == np.flatnonzero(table.days >= day_number(START)).tolist()
    assert frame["score"].notna().all()


def test_the_report_stands_alone_and_names_its_command(result):
    page = html_report(result, MAP, title="试<验>", command="zhian backtest --table T")
    assert "zhian backtest --table T" in page
    assert "试&lt;验&gt;" in page
    assert "http" not in page
    assert "<script" not in page


def test_embargo_and_late_knowledge_delay_what_a_row_knows():
    frame = make_table(600)
    soon = history(inspections(frame, MAP)).entity_batches.sum()
    late = history(inspections(frame, MAP.model_copy(update={"embargo_days": 60}))).entity_batches.sum()
    assert late < soon


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"entity": "nobody"}, "没有“nobody”列"),
        ({"outcome": MAP.outcome.model_copy(update={"fail": "坏"})}, "没有一行等于"),
        ({"date": "result"}, "没有一个能识别的日期"),
    ],
)
def test_an_unusable_table_is_refused_with_one_line(changes, complaint):
    with pytest.raises(TableError, match=complaint):
        inspections(make_table(50), MAP.model_copy(update=changes))


def test_nothing_to_evaluate_is_said_plainly(table):
    with pytest.raises(TableError, match="没有可评估的行"):
        periods(table, date(2030, 1, 1))


def test_columns_that_are_missing_or_odd_do_no_harm():
    frame = make_table(800)
    frame.loc[::7, "product"] = None
    frame.loc[::11, "day"] = "不详"
    frame["empty"] = None
    frame["flag"] = True
    found = inspections(frame, MAP)
    result = back_test(found, MAP, START, ablate=False, landmines=False)
    assert result.figure("chosen").measures.auc > 0.55
    assert any("没有日期" in note for note in result.notes)


def test_a_map_with_an_unknown_word_is_refused(tmp_path):
    path = tmp_path / "map.yml"
    path.write_text("entity: a\ndate: b\noutcome: {column: c}\ngruops: [d]\n", encoding="utf-8")
    with pytest.raises(TableError, match="gruops"):
        load_map(path)


def test_a_table_without_any_earlier_history_is_still_evaluated():
    result = back_test(inspections(make_table(900), MAP), MAP, date(2020, 1, 1))
    assert result.figure("chosen").measures.n == 900
    assert not np.isnan(result.ranked[-1].scores[result.rows]).any()
