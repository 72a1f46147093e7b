"""Tables as strangers keep them: the figures must not depend on how a date or a result is written."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from scoring.backtest.engine import back_test
from scoring.backtest.report import scores_frame
from scoring.backtest.rolling import periods
from scoring.backtest.table import Outcome, TableError, inspections, load_map, read_table
from tests.scoring.backtest.factories import MAP, START, make_table

DAYS = pd.to_datetime(pd.Series(["2023-01-31", "2023-02-05", "2024-12-13"]))


@pytest.mark.parametrize(
    "written",
    [
        DAYS,
        DAYS.dt.date,
        DAYS.dt.strftime("%Y/%m/%d"),
        DAYS.dt.strftime("%Y年%m月%d日"),
        DAYS.dt.strftime("%d/%m/%Y"),
        DAYS.dt.strftime("%m/%d/%Y"),
        DAYS.dt.strftime("%Y-%m-%dT00:30:00+08:00"),
        DAYS.dt.strftime("%Y-%m-%d 23:59:59"),
        DAYS.dt.tz_localize("America/Chicago"),
        DAYS.dt.strftime("%Y%m%d").astype(int),
        DAYS.dt.strftime("%Y%m%d"),
        DAYS.astype("int64") // (10**6 if DAYS.dtype == "datetime64[us]" else 10**9),
        DAYS.map(lambda day: day.timestamp() * 1000),
        (DAYS - pd.Timestamp("1899-12-30")).dt.days,
    ],
)
def test_a_date_is_the_day_written_however_it_is_written(written):
    frame = pd.DataFrame({"firm": ["甲", "乙", "丙"], "day": written, "result": ["合格", "不合格", "合格"]})
    found = inspections(
        frame, MAP.model_copy(update={"groups": (), "product": None, "inspector": None, "region": None})
    )
    assert found.days.tolist() == [19388, 19393, 20070]


@pytest.mark.parametrize(
    ("values", "fail"),
    [
        (["Fail", "Pass"], "FAIL"),
        ([" fail ", "pass"], "fail"),
        ([1, 0], 1),
        ([1.0, 0.0], "1"),
        (["1.0", "0.0"], 1),
        ([True, False], True),
        ([True, False], 1),
        (["True", "False"], True),
        (["yes", "no"], True),  # what YAML makes of a bare yes
        (["No", "Yes"], False),
        (["Ｆａｉｌ", "Pass"], "fail"),
        (["Out  of Business", "Pass"], ["out of business", "fail"]),
    ],
)
def test_a_result_means_the_same_however_it_is_written(values, fail):
    frame = pd.DataFrame({"firm": ["甲", "乙"], "day": ["2024-01-01", "2024-01-02"], "result": values})
    plain = MAP.model_copy(update={"groups": (), "product": None, "inspector": None, "region": None})
    found = inspections(frame, plain.model_copy(update={"outcome": Outcome(column="result", fail=fail)}))
    assert found.failed.tolist() == [True, False]


def test_the_order_and_spelling_of_a_table_change_nothing():
    frame = make_table(1500)
    plain = back_test(inspections(frame, MAP), MAP, START, ablate=False, landmines=False)
    odd = frame.assign(day=pd.to_datetime(frame["day"]).dt.strftime("%d/%m/%Y"), result=frame["result"] + " ")
    again = back_test(inspections(odd, MAP), MAP, START, ablate=False, landmines=False)
    assert [one.as_json() for one in again.figures] == [one.as_json() for one in plain.figures]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_in_any_usual_encoding_and_separator(tmp_path, encoding, separator):
    frame = make_table(50)
    path = tmp_path / "表.csv"
    frame.rename(columns={"firm": " firm "}).to_csv(path, index=False, encoding=encoding, sep=separator)
    assert read_table(path)["firm"].tolist() == frame["firm"].tolist()


def odd_columns(frame: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    return frame.assign(
        empty=None,
        constant="同",
        infinite=np.where(rng.random(len(frame)) < 0.1, np.inf, 1.5),
        flag=pd.array(rng.random(len(frame)) < 0.5, dtype="boolean"),
        counted=pd.array([None if n % 3 else n % 7 for n in range(len(frame))], dtype="Int64"),
        many=[f"单号{n}" for n in range(len(frame))],
        listed=[[n % 3] for n in range(len(frame))],
        when=pd.to_datetime(frame["day"]) - pd.to_timedelta(rng.integers(1, 3000, len(frame)), unit="D"),
    )


ODD = {
    "fifty rows": lambda: make_table(50),
    "odd columns": lambda: odd_columns(make_table(900)),
    "every row twice": lambda: pd.concat([make_table(600)] * 2, ignore_index=True),
    "one day": lambda: make_table(600).assign(
        day=lambda frame: np.where(pd.to_datetime(frame["day"]) < "2024-01-01", "2023-06-01", "2024-06-01")
    ),
    "a date far ahead": lambda: make_table(900).assign(
        day=lambda frame: frame["day"].where(frame.index != 5, "2099-01-01")
    ),
    "a date out of reach": lambda: make_table(900).assign(
        day=lambda frame: frame["day"].where(frame.index != 5, "9999-12-31")
    ),
    "nobody named in most rows": lambda: make_table(900).assign(
        firm=lambda frame: frame["firm"].where(frame.index % 5 == 0)
    ),
    "every firm once": lambda: make_table(900).assign(firm=lambda frame: [f"企业{n}" for n in frame.index]),
    "one firm": lambda: make_table(900).assign(firm="独家"),
    "hardly a failure": lambda: make_table(900).assign(
        result=lambda frame: np.where(frame.index % 100 == 99, "不合格", "合格")
    ),
    "hardly a pass": lambda: make_table(900).assign(
        result=lambda frame: np.where(frame.index % 100 == 99, "合格", "不合格")
    ),
}


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_table_is_ranked_all_the_same(kind):
    table = inspections(ODD[kind](), MAP)
    result = back_test(table, MAP, START, ablate=False)
    scores = scores_frame(result)
    evaluated = np.flatnonzero(table.days >= (START - date(1970, 1, 1)).days)
    for _, part in scores.groupby("ranking"):
        assert sorted(part["row"]) == evaluated.tolist()
        assert np.isfinite(part["score"]).all()
    assert result.shuffled is None or result.shuffled.clean
    chosen = result.figure("chosen")
    assert chosen.measures.n == len(evaluated)


def test_evaluation_before_all_records_and_after_all_records():
    table = inspections(make_table(600), MAP)
    result = back_test(table, MAP, date(2000, 1, 1), ablate=False)
    assert result.figure("chosen").measures.n == 600
    with pytest.raises(TableError, match="没有可评估的行"):
        periods(table, date(2030, 1, 1))


@pytest.mark.parametrize(
    "changes",
    [{"groups": ("nowhere",)}, {"known_at": "nowhere"}, {"severity": "nowhere"}, {"history": ("nowhere",)}],
)
def test_a_column_the_map_needs_and_the_table_lacks_is_named(changes):
    with pytest.raises(TableError, match="表中没有“nowhere”列") as refusal:
        inspections(make_table(50), MAP.model_copy(update=changes))
    assert "\n" not in str(refusal.value)


def test_an_excluded_column_the_table_lacks_is_only_pointed_out():
    found = inspections(make_table(50), MAP.model_copy(update={"exclude": ("nowhere",)}))
    assert any("nowhere" in note for note in found.notes)


def test_a_result_column_kept_for_history_helps_later_visits_and_never_its_own():
    """Points deducted show a bad firm at every visit; the result itself shows it one time in three."""
    frame = make_table(3000)
    rng = np.random.default_rng(4)
    bad = frame["firm"].str[2:].astype(int) % 5 == 0
    frame["points"] = np.where(bad, 20, 5) + rng.normal(0, 3, len(frame))
    without = back_test(
        inspections(frame, MAP.model_copy(update={"exclude": ("points",)})), MAP, START, ablate=False, landmines=False
    )
    table = inspections(frame, MAP.model_copy(update={"history": ("points",)}))
    assert "points" not in table.numbers
    given = back_test(table, MAP, START, ablate=False, landmines=False)
    assert given.figure("chosen").measures.auc > without.figure("chosen").measures.auc + 0.01
    both = inspections(frame, MAP.model_copy(update={"history": ("points",), "exclude": ("points",)}))
    assert not both.earlier


def test_a_map_in_windows_encoding_mark_and_a_list_instead_of_a_map(tmp_path):
    path = tmp_path / "m.yml"
    path.write_bytes(b"\xef\xbb\xbfentity: firm\ndate: day\noutcome: {column: result, fail: x}\n")
    assert load_map(path).entity == "firm"
    path.write_text("- firm\n", encoding="utf-8")
    with pytest.raises(TableError):
        load_map(path)
