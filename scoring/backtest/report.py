"""The back-test as files: scores for other programs, one HTML page for people."""

from html import escape

import numpy as np
import pandas as pd

from scoring.backtest.engine import Ablation, BackTest, Figure
from scoring.backtest.rolling import described
from scoring.backtest.table import TableMap

STYLE = """
body{font:15px/1.6 "PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;max-width:60rem;margin:2rem auto;
padding:0 1rem;color:#1c2430;background:#fff}h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem;
border-bottom:1px solid #d6dce4}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:.2rem .5rem;border-bottom:1px solid #e8ecf1}
th:first-child,td:first-child{text-align:left}
.bad{background:#fdeaea;border-left:4px solid #b3261e;padding:.5rem 1rem}.head{font-size:1.2rem;background:#eef4fb;
padding:.8rem 1rem;border-left:4px solid #1f5fa8}code{background:#f2f4f7;padding:.1rem .3rem;word-break:break-all}
tr.chosen{font-weight:700;background:#eef4fb}small{color:#5b6673}@media print{body{margin:0;max-width:none}}
"""


def scores_frame(result: BackTest) -> pd.DataFrame:
    """Return one row per evaluated inspection and ranking: row (0-based place in the table), ranking, score."""
    return pd.concat(
        [
            pd.DataFrame({"row": result.rows, "ranking": one.name, "score": one.scores[result.rows]})
            for one in result.ranked
        ],
        ignore_index=True,
    )


def html_report(result: BackTest, table_map: TableMap, *, title: str, command: str) -> str:
    """Return one self-contained page. Its first sentence is a figure that survives its own ablations."""
    parts = [
        "<!doctype html><html lang=zh-CN><meta charset=utf-8><meta name=viewport content='width=device-width'>",
        f"<title>回测报告：{escape(title)}</title><style>{STYLE}</style>",
        f"<h1>回测报告：{escape(title)}</h1>",
        f"<p class=head>{escape(headline(result))}</p>",
        _warnings(result),
        "<h2>各种排序（全部评估期合计）</h2>",
        _rankings(result),
        "<p><small>同分者按随机次序取，数字为各种次序的平均；区间为按周整块重抽样的 95% 区间。"
        "前 10% 即只有一成抽查预算时的选择。</small></p>",
        "<h2>逐期</h2>",
        _by_period(result),
        "<h2>校准（重新校准后的概率，由低到高十等分）</h2>",
        _calibration(result),
        _coverage(result),
        "<h2>与训练时相比变了什么</h2>",
        _moved(result),
        "<h2>去除对照：不许看某些列时还剩多少</h2>",
        _ablations(result),
        "<h2>分组</h2>",
        _subgroups(result),
        "<h2>地雷</h2>",
        _landmines(result),
        "<h2>说明</h2><ul>" + "".join(f"<li>{escape(note)}</li>" for note in result.notes) + "</ul>",
        f"<p>从未使用的列：{escape('、'.join(table_map.exclude) or '无')}。"
        f"结果可知日期：{escape(table_map.known_at or '检查日期')}，另加 {table_map.embargo_days} 天静默期。</p>",
        f"<p>重新生成本页：<code>{escape(command)}</code></p></html>",
    ]
    return "\n".join(parts)


def headline(result: BackTest) -> str:
    """Return the one sentence that may be quoted."""
    qualifier, shown = result.headline
    one = shown.measures
    # A ranking without some columns is held against rivals without them.
    name, rival, wins = (
        (shown.best_rival, shown.rival, shown.beats_rivals)
        if isinstance(shown, Ablation)
        else (result.best_rival, result.figure(result.best_rival).measures, result.beats_rivals)
    )
    low, high = shown.interval.get("hit@10%", [float("nan"), float("nan")])
    verdict = "多于最好的简单排序，且超出偶然" if wins else "与最好的简单排序相比没有超出偶然，不应启用模型"
    return (
        f"{qualifier}前 10% 的命中率为 {_percent(one.hit_10)}（区间 {_percent(low)}–{_percent(high)}），"
        f"随机为 {_percent(one.base_rate)}，同样条件下最好的简单排序（{RANKING_ZH.get(name, name)}）"
        f"为 {_percent(rival.hit_10)}：{verdict}。"
    )


RANKING_ZH = {
    "random": "随机",
    "failed_before": "曾经不合格次数",
    "recent_failures": "近 90 天不合格",
    "last_years_list": "去年的名单",
    "entity_rate": "单位历史不合格率",
    "policy": "评分卡式排序",
    "product_of_rates": "各项不合格率之积",
    "chosen": "本系统所选",
    "challenger:trees": "学习模型：树",
    "challenger:linear": "学习模型：线性",
    "challenger:words": "学习模型：文字",
}


def _warnings(result: BackTest) -> str:
    lines = [f"“{name}”列疑似泄漏答案：日期多在检查之后不久，已剔除" for name in result.late]
    lines += [one.sentence() + ("，已剔除" if one.certain else "，保留并作对照") for one in result.suspects]
    if result.shuffled is not None and not result.shuffled.clean:
        lines.append("打乱最后一期结果之后仍有提升：回测有泄漏，以下数字不可信")
    return f"<div class=bad>{'<br>'.join(escape(line) for line in lines)}</div>" if lines else ""


def _rankings(result: BackTest) -> str:
    rows = []
    shown = sorted(
        (one for one in result.figures if one.period == "all"),
        key=lambda one: -(one.measures.hit_10 or 0.0),
    )
    for one in shown:
        name = RANKING_ZH.get(one.ranking, one.ranking.replace("rate:", "不合格率："))
        severity = result.severity_weighted.get(one.ranking)
        cells = [*_cells(one), "" if severity is None else _percent(severity)]
        rows.append((name, cells, one.ranking == "chosen"))
    return _table(["排序", "AUC", "区间", "前 2%", "前 10%", "区间", "找到的比例", "按严重程度"], rows)


def _cells(one: Figure | Ablation) -> list[str]:
    figures = one.measures
    return [
        _number(figures.auc),
        _range(one.interval.get("auc")),
        _percent(figures.hit_2),
        _percent(figures.hit_10),
        _range(one.interval.get("hit@10%")),
        _percent(figures.recall_10),
    ]


def _by_period(result: BackTest) -> str:
    rows = []
    for period in result.periods:
        chosen = result.figure("chosen", period.name).measures
        rival = result.figure("product_of_rates", period.name).measures
        rows.append(
            (
                period.name,
                [
                    str(chosen.n),
                    _percent(chosen.base_rate),
                    _number(chosen.auc),
                    _number(rival.auc),
                    _percent(chosen.hit_10),
                    _percent(rival.hit_10),
                    described(result.weights[period.name]),
                ],
                False,
            )
        )
    return _table(["期", "检查数", "不合格率", "AUC", "比率之积 AUC", "前 10%", "比率之积", "各学习器权重"], rows)


def _calibration(result: BackTest) -> str:
    rows = [
        (f"第 {number} 组", [str(one.n), _percent(one.promised), _percent(one.observed)], False)
        for number, one in enumerate(result.calibration, start=1)
    ]
    return _table(["组", "检查数", "预测", "实际"], rows)


def _coverage(result: BackTest) -> str:
    if not result.coverage:
        return "<p><small>以前各期的合格或不合格不足 20 批次，不给“可能结果”的集合。</small></p>"
    rows = [
        (one.zh, [str(one.n), _percent(one.promised), _percent(one.covered), _percent(one.alone)], False)
        for one in result.coverage
    ]
    note = (
        "<p><small>可能结果的集合：分类别保证“实际结果在集合内”的比例；只含实际结果一种的越多，说得越准。</small></p>"
    )
    return _table(["实际结果", "检查数", "承诺覆盖", "实际覆盖", "且只含这一种"], rows) + note


def _moved(result: BackTest) -> str:
    if result.moved is None:
        return "<p>评估之前没有记录，无从比较。</p>"
    rate = result.moved.rate
    verdict = "已变动，概率要重新校准" if rate.moved else "没有明显变动"
    rows = [(one.name, [f"{one.index:.3f}", DRIFT_ZH[one.verdict]], False) for one in result.moved.inputs]
    said = (
        f"不合格率：评估之前 {_percent(rate.then)}，最后一期 {_percent(rate.now)}"
        f"（区间 {_percent(rate.now_low)}–{_percent(rate.now_high)}）：{verdict}。"
    )
    return f"<p>{escape(said)}</p>" + _table(["特征", "稳定指数", "判断"], rows)


DRIFT_ZH = {"stable": "稳定", "watch": "留意", "changed": "已变"}


def _ablations(result: BackTest) -> str:
    chosen = result.figure("chosen")
    rows = [("全部列", [*_cells(chosen), _days(result.days_earlier)], True)]
    rows[0][1].append(_percent(result.figure(result.best_rival).measures.hit_10))
    rows += [
        (f"去掉{one.without}", [*_cells(one), _days(one.days_earlier), _percent(one.rival.hit_10)], False)
        for one in result.ablations
    ]
    headers = ["对照", "AUC", "区间", "前 2%", "前 10%", "区间", "找到的比例", "平均提前天数", "同条件最好对手前 10%"]
    return _table(headers, rows)


def _days(values: tuple[float, float, float]) -> str:
    mean, low, high = values
    return f"{mean:.1f}（{low:.1f}–{high:.1f}）"


def _subgroups(result: BackTest) -> str:
    rows = [
        (
            f"{one.role}：{one.name}",
            [str(one.n), _percent(one.base_rate), _percent(one.promised), _number(one.auc)],
            False,
        )
        for one in result.subgroups
    ]
    return _table(["分组", "检查数", "实际不合格率", "预测", "AUC"], rows) if rows else "<p>MAP 没有说明分组列。</p>"


def _landmines(result: BackTest) -> str:
    lines = []
    if result.shuffled is not None:
        fold = result.shuffled
        verdict = "在偶然范围之内，通过" if fold.clean else "超出偶然，未通过"
        lines.append(
            f"把 {fold.period} 的结果随机打乱后，前 10% 命中率 {_percent(fold.hit_10)}，"
            f"随机 {_percent(fold.base_rate)}"
            f"（99% 范围 {_percent(fold.interval[0])}–{_percent(fold.interval[1])}）：{verdict}。"
        )
    lines.append(
        "没有发现疑似泄漏答案的列。" if not (result.suspects or result.late) else "发现疑似泄漏答案的列，见页首。"
    )
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def _table(headers: list[str], rows: list[tuple[str, list[str], bool]]) -> str:
    head = "".join(f"<th>{escape(one)}</th>" for one in headers)
    body = "".join(
        f"<tr{' class=chosen' if bold else ''}><td>{escape(name)}</td>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        + "</tr>"
        for name, cells, bold in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _percent(value: float | None) -> str:
    return "—" if value is None or np.isnan(value) else f"{value:.1%}"


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:.3f}"


def _range(bounds: list[float] | None) -> str:
    return "—" if not bounds else f"{bounds[0]:.3f}–{bounds[1]:.3f}"
