"""Is this source still telling us what it used to? A pure verdict on one run.

A risk system fails first, and silently, at its intake: fewer signals look like less risk. So every run is judged,
a doubtful one is held back and the last good data stay, and silence is a finding, not good news.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from statistics import median
from typing import Any

from ingest.source import Expect

MIN_RUNS_FOR_HISTORY = 4
MIN_ROWS_FOR_SHARES = 5
MIN_CHARACTERS_FOR_SHARES = 200


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What one run saw. `listed` is None when every list answered "not modified"."""

    pages: int = 0
    failed: int = 0
    walls: Mapping[str, int] = field(default_factory=dict)
    listed: int | None = None
    start_failed: str = ""
    new_items: int = 0
    new_rows: int = 0
    newest_on: date | None = None
    characters: int = 0
    damaged_characters: int = 0
    rows_read: int = 0
    rows_quarantined: int = 0
    columns: frozenset[str] = frozenset()
    surplus: frozenset[str] = frozenset()
    skipped: Mapping[str, int] = field(default_factory=dict)
    contradictions: int = 0
    stopped: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """What earlier good runs of the source brought, oldest first."""

    listed: Sequence[int] = ()
    new_items: Sequence[int] = ()
    columns: frozenset[str] = frozenset()
    newest_on: date | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One check that did not pass. A grave one holds the run back."""

    check: str
    message: str
    value: Any = None
    limit: Any = None
    grave: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the finding as the store keeps it."""
        return {
            "check": self.check,
            "message": self.message,
            "value": self.value,
            "limit": self.limit,
            "grave": self.grave,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """ok; silent: fine, but nothing new for too long; suspect: held back; failed: the site was not read at all."""

    verdict: str
    newest_on: date | None
    findings: tuple[Finding, ...]

    @property
    def holds_back(self) -> bool:
        """True when nothing of the run may be stored."""
        return self.verdict in ("suspect", "failed")


def judge(facts: RunFacts, expect: Expect, history: History, today: date) -> Verdict:
    """Return the verdict on one run, with every check that did not pass."""
    findings: list[Finding] = []
    newest_on = max((day for day in (facts.newest_on, history.newest_on) if day), default=None)
    if facts.start_failed:
        findings.append(Finding("start", f"起始页未能读取：{facts.start_failed}", grave=True))
        return Verdict("failed", newest_on, tuple(findings))
    findings += _volume(facts, expect, history)
    findings += _content(facts, expect, history)
    verdict = "suspect" if any(finding.grave for finding in findings) else "ok"
    silence = quiet_for(newest_on, expect, today)
    if silence is not None:
        findings.append(silence)
        verdict = "silent" if verdict == "ok" else verdict
    return Verdict(verdict, newest_on, tuple(findings))


def quiet_for(newest_on: date | None, expect: Expect, today: date) -> Finding | None:
    """Return a finding when the source's newest item is older than it should ever be."""
    if expect.within_days is None:
        return None
    if newest_on is None:
        return Finding("silence", "该信源尚无任何带日期的条目", None, expect.within_days)
    age = (today - newest_on).days
    if age <= expect.within_days:
        return None
    message = f"最近一条为 {newest_on.isoformat()}，已 {age} 天没有新内容（应在 {expect.within_days} 天内）"
    return Finding("silence", message, age, expect.within_days)


def _volume(facts: RunFacts, expect: Expect, history: History) -> list[Finding]:
    findings = []
    if facts.listed is not None and facts.listed < expect.at_least:
        message = f"列表只有 {facts.listed} 条，少于下限 {expect.at_least} 条，版式可能已改或站点异常"
        findings.append(Finding("floor", message, facts.listed, expect.at_least, grave=True))
    first = not history.new_items
    if not first and facts.new_items > expect.at_most:
        message = f"本次新增 {facts.new_items} 条，超过上限 {expect.at_most} 条，请先核对"
        findings.append(Finding("ceiling", message, facts.new_items, expect.at_most, grave=True))
    usual = [count for count in history.listed if count > 0]
    if facts.listed is not None and len(usual) >= MIN_RUNS_FOR_HISTORY:
        limit = round(median(usual[-20:]) * (1 - expect.volume_drop), 1)
        if facts.listed < limit:
            message = f"列表 {facts.listed} 条，而以往中位数为 {median(usual[-20:]):g} 条"
            findings.append(Finding("volume_drop", message, facts.listed, limit, grave=True))
    asked = facts.pages + facts.failed
    if asked >= 4 and facts.failed * 2 > asked:
        message = f"{asked} 个页面中有 {facts.failed} 个没有取到"
        findings.append(Finding("unreachable", message, facts.failed, asked // 2, grave=True))
    elif facts.failed:
        findings.append(Finding("unreachable", f"有 {facts.failed} 个页面没有取到，下次再取", facts.failed, 0))
    if facts.stopped:
        names = {"pages": "页数", "bytes": "流量", "seconds": "时间"}
        findings.append(Finding("cap", f"到达单次运行的{names.get(facts.stopped, facts.stopped)}上限，余下的下次继续"))
    return findings


_WALLS = {
    "login": "登录页",
    "captcha": "验证码页",
    "error_page": "出错页",
    "empty": "空白页",
    "wrong_type": "类型不符的内容",
    "layout": "版式不符的页面",
}

_CLOSED = {"closed": "页面", "closed_file": "附件"}
"""What our own rules kept us from: one bad link to a file must not hold back a whole site."""


def _content(facts: RunFacts, expect: Expect, history: History) -> list[Finding]:
    findings = []
    for wall, count in sorted(facts.walls.items()):
        grave = wall in ("login", "captcha") or (wall != "closed_file" and count * 5 > max(facts.pages, 1))
        message = f"{count} 个地址返回的是{_WALLS.get(wall, wall)}，未当作内容读取"
        if wall in _CLOSED:
            message = f"{count} 个{_CLOSED[wall]}不允许访问（内网、外站或 robots.txt），没有取"
        findings.append(Finding(f"wall_{wall}", message, count, 0, grave=grave))
    if facts.characters >= MIN_CHARACTERS_FOR_SHARES:
        share = facts.damaged_characters / facts.characters
        if share > expect.damaged_share:
            findings.append(
                Finding("damaged", f"乱码占 {share:.0%}", round(share, 4), expect.damaged_share, grave=True)
            )
    if facts.rows_read >= MIN_ROWS_FOR_SHARES:
        share = facts.rows_quarantined / facts.rows_read
        if share > expect.quarantined_share:
            message = f"附件和表格中 {share:.0%} 的行被隔离"
            findings.append(Finding("quarantined", message, round(share, 4), expect.quarantined_share, grave=True))
    wanted = frozenset(expect.columns) | history.columns
    if facts.columns:
        vanished = sorted(wanted - facts.columns)
        if vanished:
            required = sorted(frozenset(expect.columns) - facts.columns)
            findings.append(
                Finding("vanished_columns", f"以往有的列不见了：{'、'.join(vanished)}", vanished, grave=bool(required))
            )
        added = sorted(facts.surplus | (facts.columns - wanted if history.columns else frozenset()))
        if added:
            findings.append(Finding("new_columns", f"出现了没有见过的列：{'、'.join(added)}", added))
    odd = sum(count for reason, count in facts.skipped.items() if reason != "off_topic")
    if odd:
        findings.append(Finding("skipped", f"有 {odd} 条记录写法异常，已略过", dict(facts.skipped), 0))
    if facts.contradictions:
        message = f"有 {facts.contradictions} 篇通告的文字与其附表数目不一致，已作标记"
        findings.append(Finding("contradiction", message, facts.contradictions, 0))
    return findings
