"""One back-test from table to verdict: rivals, challenger, ablations, landmines, calibration, subgroups."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.backtest.history import history
from scoring.backtest.leaks import ShuffledFold, Suspect, shuffled_fold, suspects
from scoring.backtest.measures import (
    REPLICATES,
    Bin,
    Bootstrap,
    Measures,
    auc,
    calibration,
    days_earlier,
    mean_interval,
    measure,
)
from scoring.backtest.promises import Coverage, Moved, coverage, moved
from scoring.backtest.rolling import (
    MOST_PERIODS_BEFORE,
    Period,
    Ranked,
    day_number,
    measures_by_period,
    periods,
    rivals,
    roll,
)
from scoring.backtest.table import Inspections, TableMap
from scoring.features import Floats

ABLATED_ROLES = ("inspector", "laboratory", "bureau", "region")
LARGEST_SUBGROUPS = 8
# A lift keeps its headline while the ablation keeps at least this share of it.
KEPT_LIFT = 0.8
SUSPICIOUSLY_GOOD = 0.97
MANY_ROWS = 50_000  # evaluated rows above which the intervals over all periods take fewer replicates


@dataclass(frozen=True, slots=True)
class Figure:
    """One ranking in one period ('all' for the whole evaluation)."""

    ranking: str
    period: str
    measures: Measures
    interval: dict[str, list[float]]

    def as_json(self) -> dict[str, Any]:
        """Return the line other programs read."""
        one = self.measures
        return {
            "ranking": self.ranking,
            "period": self.period,
            "n": one.n,
            "failures": one.failures,
            "base_rate": _rounded(one.base_rate),
            "auc": _rounded(one.auc),
            "hit@2%": _rounded(one.hit_2),
            "hit@10%": _rounded(one.hit_10),
            "recall@10%": _rounded(one.recall_10),
            "interval": self.interval,
        }


@dataclass(frozen=True, slots=True)
class Ablation:
    """The challenger again, without some columns, beside the best rival that may not see them either."""

    without: str
    columns: tuple[str, ...]
    measures: Measures
    interval: dict[str, list[float]]
    days_earlier: tuple[float, float, float]
    best_rival: str
    rival: Measures
    gain: list[float]

    @property
    def beats_rivals(self) -> bool:
        """Without the columns too it finds more than the best simple rival, beyond chance."""
        return bool(self.gain) and self.gain[0] > 0


@dataclass(frozen=True, slots=True)
class Subgroup:
    """How the chosen ranking does inside one kind of one role."""

    role: str
    name: str
    n: int
    base_rate: float
    auc: float | None
    promised: float


@dataclass(frozen=True)
class BackTest:
    """Everything a reader needs to believe, or not to believe, the chosen ranking."""

    evaluate_from: date
    periods: tuple[Period, ...]
    figures: tuple[Figure, ...]
    ranked: tuple[Ranked, ...]
    weights: dict[str, Mapping[str, float]]
    rows: NDArray[np.int64]
    best_rival: str
    gain: list[float]
    calibration: tuple[Bin, ...]
    ablations: tuple[Ablation, ...]
    subgroups: tuple[Subgroup, ...]
    days_earlier: tuple[float, float, float]
    suspects: tuple[Suspect, ...]
    late: tuple[str, ...]
    coverage: tuple[Coverage, ...]
    moved: Moved | None
    shuffled: ShuffledFold | None
    severity_weighted: dict[str, float]
    notes: tuple[str, ...]

    def figure(self, ranking: str, period: str = "all") -> Figure:
        """Return one figure."""
        return next(one for one in self.figures if one.ranking == ranking and one.period == period)

    def lines(self) -> list[dict[str, Any]]:
        """Return the lines other programs read: every ranking and period, then the ablations."""
        found = [figure.as_json() for figure in self.figures]
        for one in self.ablations:
            figure = Figure(f"chosen-without:{'+'.join(one.columns)}", "all", one.measures, one.interval)
            rival = {"ranking": one.best_rival, "auc": _rounded(one.rival.auc), "hit@10%": _rounded(one.rival.hit_10)}
            found.append({**figure.as_json(), "days_earlier": _earlier_json(one.days_earlier), "best_rival": rival})
        chosen = next(line for line in found if line["ranking"] == "chosen" and line["period"] == "all")
        chosen["days_earlier"] = _earlier_json(self.days_earlier)
        return found

    def warnings(self) -> list[dict[str, Any]]:
        """Return what other programs should be told aloud: columns that peek, a landmine that went off."""
        found: list[dict[str, Any]] = [
            {"warning": "leak", "column": name, "how": "日期多在检查之后不久", "action": "excluded"}
            for name in self.late
        ]
        found += [one.as_json() for one in self.suspects]
        if self.shuffled is not None and not self.shuffled.clean:
            found.append({"warning": "landmine", "period": self.shuffled.period, "hit@10%": self.shuffled.hit_10})
        return found

    @property
    def headline(self) -> tuple[str, Figure | Ablation]:
        """Return what may be said first: the chosen ranking's figure, or the ablated one if the lift lives there.

        A lift that leans on who inspected, who tested or who published is not a property of the firms.
        """
        chosen = self.figure("chosen")
        kept = _lift(chosen.measures)
        worst = min(self.ablations, key=lambda one: _lift(one.measures), default=None)
        if worst is not None and kept > 1 and _lift(worst.measures) - 1 < KEPT_LIFT * (kept - 1):
            return f"去掉{worst.without}之后", worst
        return "", chosen

    @property
    def beats_rivals(self) -> bool:
        """The challenger may be used: it finds more than the best simple rival, beyond chance."""
        return bool(self.gain) and self.gain[0] > 0


def back_test(
    table: Inspections,
    table_map: TableMap,
    evaluate_from: date,
    *,
    ablate: bool = True,
    landmines: bool = True,
    keep_suspects: bool = False,
    periods_before: int = MOST_PERIODS_BEFORE,
    progress: Callable[[str], None] = lambda _: None,
) -> BackTest:
    """Run the whole back-test. Deterministic: the same table and MAP give the same figures.

    `periods_before` is how many periods before the evaluation help to weigh the learners.
    """
    before, after = periods(table, evaluate_from, table_map.period)
    before = before[-periods_before:]
    past = history(table, progress=progress)
    peeking = tuple(suspects(past, table, day_number(evaluate_from)))
    for one in peeking:
        progress(f"！！{one.sentence()}")
    barred = frozenset() if keep_suspects else frozenset(one.column for one in peeking if one.certain)
    doubted = tuple(one.column for one in peeking if one.column not in barred)
    clean = table.without(list(barred))
    if barred:
        past = history(clean, progress=progress)
    rolled = roll(past, clean, before, after, progress=progress)
    ranked = [
        *rivals(past, clean),
        *(Ranked(f"challenger:{name}", scores) for name, scores in rolled.members.items() if name != "product"),
        Ranked("chosen", rolled.chosen),
    ]
    rows = np.concatenate([period.rows for period in after])
    boots = {period.name: Bootstrap.weeks(clean.days[period.rows]) for period in after}
    whole = Bootstrap.weeks(clean.days[rows], replicates=REPLICATES if len(rows) < MANY_ROWS else REPLICATES // 2)
    figures = [figure for one in ranked for figure in _figures(one, clean, after, rows, boots, whole)]
    best = _best_rival(figures)
    best_scores = next(one.scores for one in ranked if one.name == best)
    ablations = (
        _ablations(past, clean, table_map, doubted, before, after, rolled.weights, rows, whole) if ablate else []
    )
    notes = [*table.notes, *_notes(figures, rolled.probability[rows], clean.failed[rows], peeking, barred)]
    return BackTest(
        evaluate_from=evaluate_from,
        periods=tuple(after),
        figures=tuple(figures),
        ranked=(*ranked, Ranked("chosen_probability", rolled.probability)),
        weights=rolled.weights,
        rows=rows,
        best_rival=best,
        gain=whole.difference(rolled.chosen[rows], best_scores[rows], clean.failed[rows]),
        calibration=tuple(calibration(rolled.probability[rows], clean.failed[rows])),
        ablations=tuple(ablations),
        subgroups=tuple(_subgroups(clean, rolled.chosen, rolled.probability, rows)),
        days_earlier=_days_earlier(rolled.chosen, clean, after),
        suspects=peeking,
        late=table.late,
        coverage=tuple(coverage(rolled, clean, rows)),
        moved=moved(clean, after),
        shuffled=shuffled_fold(clean, before, after) if landmines else None,
        severity_weighted=_severity_weighted(ranked, clean, rows),
        notes=tuple(notes),
    )


def _figures(
    one: Ranked,
    table: Inspections,
    after: Sequence[Period],
    rows: NDArray[np.int64],
    boots: dict[str, Bootstrap],
    whole: Bootstrap,
) -> list[Figure]:
    by_period = {period.name: period.rows for period in after}
    found = []
    for name, figures in measures_by_period(one.scores, table, after):
        part, boot = (rows, whole) if name == "all" else (by_period[name], boots[name])
        found.append(Figure(one.name, name, figures, boot.interval(one.scores[part], table.failed[part])))
    return found


def _best_rival(figures: Sequence[Figure]) -> str:
    """Return the simple ranking that finds most at the budget; of equals, the one with the higher AUC."""
    simple = [
        one
        for one in figures
        if one.period == "all" and not one.ranking.startswith("challenger:") and one.ranking != "chosen"
    ]
    return max(simple, key=lambda one: _found_most(one.measures)).ranking


def _found_most(measures: Measures) -> tuple[float, float]:
    return measures.hit_10 or 0.0, measures.auc or 0.0


def _ablations(
    past: Any,
    table: Inspections,
    table_map: TableMap,
    doubted: tuple[str, ...],
    before: Sequence[Period],
    after: Sequence[Period],
    weights: Mapping[str, Mapping[str, float]],
    rows: NDArray[np.int64],
    whole: Bootstrap,
) -> list[Ablation]:
    roles = {role: column for role, column in table.roles.items() if role in ABLATED_ROLES}
    wanted: list[tuple[str, tuple[str, ...]]] = [(_ROLE_ZH[role], (column,)) for role, column in roles.items()]
    listed = [(one,) if isinstance(one, str) else tuple(one) for one in table_map.ablate]
    wanted += [("、".join(columns), columns) for columns in listed]
    if doubted and doubted not in listed:
        wanted.append((f"疑似泄漏的{'、'.join(doubted)}", doubted))
    judges = tuple(column for role, column in roles.items() if role != "region")
    if len(judges) > 1:
        wanted.append(("检查人员、实验室与发布机构", judges))
    found = []
    for name, columns in wanted:
        gone = frozenset(columns)
        scores = roll(past, table, before[-1:], after, without=gone, weights=weights).chosen
        failed = table.failed[rows]
        simple = [(one, measure(one.scores[rows], failed)) for one in rivals(past, table, without=gone)]
        best, best_measures = max(simple, key=lambda one: _found_most(one[1]))
        found.append(
            Ablation(
                name,
                columns,
                measure(scores[rows], failed),
                whole.interval(scores[rows], failed),
                _days_earlier(scores, table, after),
                best.name,
                best_measures,
                whole.difference(scores[rows], best.scores[rows], failed),
            )
        )
    return found


def _days_earlier(scores: Floats, table: Inspections, after: Sequence[Period]) -> tuple[float, float, float]:
    gains = [days_earlier(scores[p.rows], table.days[p.rows], table.failed[p.rows]) for p in after]
    return mean_interval(np.concatenate(gains))


def _subgroups(table: Inspections, scores: Floats, probability: Floats, rows: NDArray[np.int64]) -> list[Subgroup]:
    found = []
    for role in ("size", "region", "channel", "product"):
        column = table.roles.get(role)
        if column is None or column not in table.kinds:
            continue
        codes = table.kinds[column][rows]
        counts = np.bincount(codes[codes >= 0])
        for code in np.argsort(-counts, kind="stable")[:LARGEST_SUBGROUPS]:
            part = rows[codes == code]
            if not len(part):
                continue
            found.append(
                Subgroup(
                    _ROLE_ZH[role],
                    table.names[column][code],
                    len(part),
                    float(table.failed[part].mean()),
                    auc(scores[part], table.failed[part]),
                    float(probability[part].mean()),
                )
            )
    return found


def _severity_weighted(ranked: Sequence[Ranked], table: Inspections, rows: NDArray[np.int64]) -> dict[str, float]:
    """Return each ranking's share of all severity found in its top tenth, where the table has a severity."""
    if table.severity is None:
        return {}
    severity = np.nan_to_num(table.severity[rows]) * table.failed[rows]
    if severity.sum() <= 0:
        return {}
    budget = max(1, round(0.1 * len(rows)))
    return {
        one.name: round(
            float(severity[np.argsort(-one.scores[rows], kind="stable")[:budget]].sum() / severity.sum()), 4
        )
        for one in ranked
    }


def _notes(
    figures: Sequence[Figure],
    probability: Floats,
    failed: NDArray[np.bool_],
    peeking: Sequence[Suspect],
    barred: frozenset[str],
) -> list[str]:
    notes = [one.sentence() for one in peeking]
    if barred:
        notes.append(f"已从全部排序中剔除：{'、'.join(sorted(barred))}")
    kept = [one.column for one in peeking if one.column not in barred]
    if kept:
        notes.append(f"仍在使用、须人工判断的疑似列：{'、'.join(kept)}；去掉它们的数字见对照，首句以对照为准")
    chosen = next(one for one in figures if one.ranking == "chosen" and one.period == "all")
    if (chosen.measures.auc or 0.0) > SUSPICIOUSLY_GOOD:
        notes.append(f"AUC {chosen.measures.auc:.3f} 好得不像真的：先查有没有检查之后才知道的列")
    top = np.argsort(-probability, kind="stable")[: max(1, len(probability) // 10)]
    error = abs(float(probability[top].mean() - failed[top].mean()))
    notes.append(f"最高十分之一的校准误差 {error:.3f}（重新校准后，目标 0.02 以内）")
    notes.append("受检单位是挑选出来的，不是随机抽取：各数字说明在这些被检单位中排序好不好，不能当作总体不合格率")
    return notes


def _earlier_json(values: tuple[float, float, float]) -> dict[str, float]:
    return dict(zip(("mean", "low", "high"), (round(value, 2) for value in values), strict=True))


def _lift(measures: Measures) -> float:
    return (measures.hit_10 or 0.0) / measures.base_rate if measures.base_rate else 0.0


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 5)


_ROLE_ZH = {
    "inspector": "检查人员",
    "laboratory": "实验室",
    "bureau": "发布机构",
    "region": "地区",
    "size": "规模",
    "channel": "环节",
    "product": "产品",
}
