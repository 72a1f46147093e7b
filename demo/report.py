"""Telling in Chinese what the demonstration found."""

from rich.console import Console
from rich.table import Table

from demo.run import Findings

_CHANNELS = {
    "sampling": "监督抽查",
    "complaint": "投诉举报",
    "opinion": "舆情",
    "recall": "召回",
    "injury": "伤害监测",
    "licence": "许可认证",
    "case": "行政处罚",
    "inspection": "监督检查",
    "self_check": "企业自查",
    "monitoring": "风险监测",
    "credit": "信用",
    "notice": "通告",
}
_COLOURS = {"red": "红", "orange": "橙", "yellow": "黄", "blue": "蓝"}


def tell(console: Console, findings: Findings) -> None:
    """Print what was found."""
    table = Table(title="演示结果（虚构数据）", show_header=False, title_justify="left", pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    rows = findings.rows
    table.add_row(
        "导入文件",
        f"{findings.files} 个：读入 {rows['读入']} 行"
        f" = 有效 {rows['有效']} + 隔离 {rows['隔离']} + 忽略 {rows['忽略']}",
    )
    signals = "、".join(f"{_CHANNELS.get(name, name)} {count}" for name, count in findings.signals.items())
    table.add_row("风险信号", f"{sum(findings.signals.values())} 条：{signals}")
    table.add_row("企业", f"{findings.enterprises} 家，其中名录外、仅见于记录的 {findings.provisional} 家")
    levels = "　".join(f"{level} {count}" for level, count in findings.levels.items())
    table.add_row("等级（截至 2026-10-31）", f"{levels}　（U＝未知；阈值为建议值 P）")
    table.add_row("静默信源", "、".join(findings.silent_sources) or "无")
    plan = findings.plan
    table.add_row("抽检计划", f"{plan['lines']} 批次，预计费用 {plan['cost_cny']:,.0f} 元（费用为目录估值 P）")
    alerts = "、".join(f"{_COLOURS.get(colour, colour)} {count}" for colour, count in findings.alerts.items())
    table.add_row(
        "预警",
        f"{sum(findings.alerts.values())} 条（{alerts}）；"
        f"送达 {findings.delivered} 份，本机接收端本次收到 {findings.received} 份",
    )
    if (comparison := findings.comparison) is not None:
        low, high = comparison.plan_interval
        table.add_row(
            "计划成效",
            f"检验 {comparison.tested} 批次，发现不合格 {comparison.found} 批次，"
            f"发现率 {comparison.plan_rate:.1%}（95% 区间 {low:.1%}–{high:.1%}）",
        )
        low, high = comparison.random_interval
        table.add_row(
            "对照：随机抽样",
            f"同样批次平均发现 {comparison.random_found:.1f} 批次，发现率 {comparison.random_rate:.1%}"
            f"（95% 的随机计划在 {low:.1%}–{high:.1%}）",
        )
        low, high = comparison.ratio_interval
        verdict = "高于随机" if low > 1 else "低于随机" if high < 1 else "与随机差异不显著"
        table.add_row(
            "对照：倍数", f"计划是随机的 {comparison.ratio:.2f} 倍（95% 区间 {low:.2f}–{high:.2f}），{verdict}"
        )
        table.add_row("对照：全知上限", f"若事先知道真实不合格概率，同样批次发现率为 {comparison.oracle_rate:.1%}")
    table.add_row("结果回流", f"计划结果入库后重新定级，{findings.regraded} 家企业等级变化")
    console.print(table)
    stories = Table(title="预设的故事（在页面上可以看到）", title_justify="left", pad_edge=False)
    stories.add_column("故事", overflow="fold")
    stories.add_column("页面", no_wrap=True)
    for story, page in findings.stories:
        stories.add_row(story, page)
    console.print(stories)
