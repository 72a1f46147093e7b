"""The whole path on the demonstration province: files and pages in, grades, plan and alerts out, results back in."""

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from alerting.answers import answer
from demo.geography import BY_CODE, CITIES, PLACES
from demo.history import TODAY
from demo.province import Built, Province
from demo.receiver import Receiver
from demo.results import RESULTS_ON, Comparison, Line, compare, sample_plan, write_results
from demo.site import served
from jobs import notify
from jobs.opening import open_store, secret_key
from jobs.settings import Settings
from store.china_time import CHINA
from store.dialect import upsert
from store.session import read_only
from store.tables import Account, Alert, Contact, Delivery, Enterprise, Grade, Plan, PlanLine, Region, Signal, Source

BUDGET_CNY = 1_200_000.0
WATCHED_ON = date(2026, 8, 30)
PLAN_SEED = 20261031
PLAN_TITLE = "2026年第四季度产品质量监督抽检计划（虚构）"
_SOURCES = Path(__file__).parent / "sources"
_TITLES = {
    "demo_register": ("企业登记名录", "notice", "official"),
    "demo_licence": ("许可认证台账", "licence", "official"),
    "demo_complaint": ("12315 投诉举报导出", "complaint", "social"),
    "demo_opinion": ("舆情监测导出", "opinion", "social"),
    "demo_case": ("行政处罚公示", "case", "official"),
    "demo_inspection": ("监督检查记录", "inspection", "official"),
    "demo_self_check": ("企业自查填报", "self_check", "self"),
    "demo_injury": ("产品伤害监测", "injury", "verified"),
    "demo_monitoring": ("风险监测点报告", "monitoring", "verified"),
    "demo_credit": ("企业信用风险分类", "credit", "official"),
    "demo_recall": ("消费品召回公告", "recall", "official"),
    "demo_plan_results": ("省级计划抽检结果回传", "sampling", "official"),
    **{f"demo_sampling_{city.code[:4]}": (f"{city.name}监督抽查结果", "sampling", "official") for city in CITIES},
}


@dataclass
class Findings:
    """What the demonstration found, for printing and for the tests."""

    files: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    signals: dict[str, int] = field(default_factory=dict)
    enterprises: int = 0
    provisional: int = 0
    levels: dict[str, int] = field(default_factory=dict)
    plan: dict[str, Any] = field(default_factory=dict)
    alerts: dict[str, int] = field(default_factory=dict)
    delivered: int = 0
    received: int = 0
    silent_sources: list[str] = field(default_factory=list)
    outcome: dict[str, Any] = field(default_factory=dict)
    comparison: Comparison | None = None
    regraded: int = 0
    stories: list[tuple[str, str]] = field(default_factory=list)
    logins: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Demonstration:
    """Where it runs and on which province."""

    var: Path
    province: Province
    console: Console
    budget_cny: float = BUDGET_CNY

    @property
    def settings(self) -> Settings:
        """The service's settings for the demonstration: its own store, marked synthetic, loopback receivers only."""
        return Settings(
            var=self.var,
            database_url="",
            synthetic=True,
            province_code="99",
            outbound_allow=["127.0.0.1"],
            secure_cookies=False,
        )

    def open(self) -> tuple[Built, sessionmaker[Session]]:
        """Write the province's files where they are missing and open the store that belongs to them.

        A store made from another version of the province is put aside, since its records would stand beside the new
        ones; nothing but this folder's own demonstration data is touched.
        """
        built = self.province.build(self.var / "province")
        stamp = self.var / "province.key"
        if stamp.exists() and stamp.read_text("utf-8") != self.province.key:
            for path in (*self.var.glob("zhian.db*"), stamp):
                path.unlink()
            for folder in ("archive", "files", "results", "statements"):
                shutil.rmtree(self.var / folder, ignore_errors=True)
        sessions = open_store(self.settings)
        draft = stamp.with_suffix(".new")
        draft.write_text(self.province.key, "utf-8")
        os.replace(draft, stamp)
        return built, sessions

    def run(self, receiver: Receiver) -> tuple[Findings, sessionmaker[Session]]:
        """Run the whole path, alerts going to the receiver; safe to stop anywhere and to run again."""
        findings = Findings()
        with self._progress() as progress:
            with _step(progress, "生成虚构·海岳省的文件与网页"):
                built, sessions = self.open()
            self._prepare(sessions, receiver)
            self._take_in(sessions, built, progress, findings)
            findings.logins = fresh_accounts(sessions)
            self._pipeline(sessions, TODAY, progress)
            with _step(progress, "送达预警并签收反馈"):
                self._warn(sessions)
            with _step(progress, "训练学习模型，与简单做法比"):
                self._learn(sessions, TODAY)
            with _step(progress, "编制抽检计划并下达"):
                findings.plan = self._plan(sessions)
            with _step(progress, "按计划抽样（由隐藏真值模拟）并回收结果"):
                findings.comparison = self._close_loop(sessions, findings)
            self._pipeline(sessions, RESULTS_ON, progress)
            with _step(progress, "用新结果重训学习模型"):
                self._learn(sessions, RESULTS_ON)
            with _step(progress, "送达新预警，逾期未签收的逐级上报"):
                notify.deliver(sessions, self.settings, now=_evening(RESULTS_ON))
            findings.received = len(receiver.messages)
        self._count(sessions, findings)
        return findings, sessions

    @contextmanager
    def _progress(self) -> Iterator[Progress]:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn(),
                   TimeElapsedColumn())  # fmt: skip
        with Progress(*columns, console=self.console) as progress:
            yield progress

    def _prepare(self, sessions: sessionmaker[Session], receiver: Receiver) -> None:
        """Enter the province's divisions, its sources, and whom to tell in each city."""
        regions = [
            {
                "code": place.code, "name": place.name, "short_name": place.short_name, "level": place.level,
                "parent_code": place.parent_code, "synthetic": True,
            }
            for place in PLACES
        ]  # fmt: skip
        sources = [
            {
                "id": source_id, "title": f"{title}（虚构）", "channel": channel, "trust": trust, "platform": "import",
                "region_code": source_id[-4:] + "00" if source_id.startswith("demo_sampling_") else "990000",
                "expect": {}, "active": True, "synthetic": True,
            }
            for source_id, (title, channel, trust) in _TITLES.items()
        ]  # fmt: skip
        with sessions.begin() as session:
            _upsert(session, Region, regions, "code")
            _upsert(session, Source, sources, "id")
            for place in PLACES:
                if place.level == "county":
                    continue
                tier = 3 if place.level == "province" else 1
                name = f"{place.name}风险监测值班（虚构）"
                contact = session.scalars(select(Contact).where(Contact.name == name)).first()
                if contact is None:
                    contact = Contact(region_code=place.code, name=name, channel="webhook", tier=tier, active=True)
                    contact.secret = None
                    session.add(contact)
                # The receiver's port changes from run to run; the contact stays the same person.
                contact.address = f"{receiver.address}/{place.code}"

    def _take_in(self, sessions: sessionmaker[Session], built: Built, progress: Progress, findings: Findings) -> None:
        """Import every file and crawl the site and the feeds."""

        from ingest.intake import import_file
        from ingest.source import load_sources
        from jobs.crawl import crawl_one
        from jobs.imports import make_lookups

        key, found = secret_key(self.settings), make_lookups(sessions, self.settings)
        deliveries = list(built.deliveries())
        task = progress.add_task("导入各单位报送的文件", total=len(deliveries))
        for delivery in deliveries:
            file = import_file(
                sessions, delivery.path, kind=delivery.kind, source_id=delivery.source_id,
                received_at=_evening(delivery.received_on), known="record", var=self.var, key=key, lookups=found,
            )  # fmt: skip
            if file.status != "accepted":
                raise RuntimeError(f"演示文件 {delivery.path.name} 未被接受：{file.reason}")
            _add(findings.rows, {"读入": file.read, "有效": file.valid, "隔离": file.quarantined, "忽略": file.ignored})
            findings.files += 1
            progress.advance(task)
        specs = load_sources(_SOURCES).values()
        task = progress.add_task("抓取公告网站与订阅源（本机）", total=len(specs))
        with served(built.site) as base:
            for spec in specs:
                counts = crawl_one(sessions, self.settings, TODAY, spec, base_url=base, lookups=found)
                if counts["status"] == "failed":
                    raise RuntimeError(f"演示站点 {spec.id} 抓取失败：{counts.get('error')}")
                if counts.get("verdict") == "silent":
                    findings.silent_sources.append(spec.title)
                progress.advance(task)

    def _pipeline(self, sessions: sessionmaker[Session], as_of: date, progress: Progress) -> None:
        """Run every step as of a day, showing which one is at work.

        The site and the feeds stand still after the demonstration's today, so their health is judged on that day only;
        and nothing that comes back later changes what was known at the ends of earlier quarters.
        """
        from jobs.pipeline import steps_of

        steps = [
            step
            for step in steps_of(sessions, self.settings, as_of, _evening(as_of))
            if as_of == TODAY or step.name not in ("health", "history")
        ]
        task = progress.add_task(f"截至 {as_of}", total=len(steps))
        for step in steps:
            progress.update(task, description=f"截至 {as_of}：{step.zh}")
            step.run()
            progress.advance(task)
        progress.update(task, description=f"截至 {as_of}：打标签、认企业、定等级、入台账、出预警")

    def _learn(self, sessions: sessionmaker[Session], as_of: date) -> None:
        """Train and judge the challenger on what is known; it ranks in the plan only where it earned that."""
        from jobs import challenger
        from jobs.basis import basis_of, unless_unchanged

        with read_only(sessions) as session:
            basis = basis_of(session, as_of)
        unless_unchanged(sessions, "challenger", as_of, basis, lambda: challenger.run(sessions, self.settings, as_of))

    def _plan(self, sessions: sessionmaker[Session]) -> dict[str, Any]:
        from jobs import plan
        from store.plans import issue

        with read_only(sessions) as session:
            standing = session.scalars(
                select(Plan).where(Plan.title == PLAN_TITLE, Plan.status.in_(("issued", "done"))).order_by(Plan.id)
            ).first()
            lines = select(func.count()).select_from(PlanLine)
            if standing is not None:  # an issued plan is a record; a second one would send inspectors out twice
                drawn = session.scalar(lines.where(PlanLine.plan_id == standing.id))
                return {"plan_id": standing.id, "lines": drawn, "made": 0}
        made = plan.run(sessions, self.settings, TODAY, budget_cny=self.budget_cny, seed=PLAN_SEED, title=PLAN_TITLE)
        with sessions.begin() as session:
            issue(session, made["plan_id"], at=_evening(TODAY))
        return dict(made)

    def _close_loop(self, sessions: sessionmaker[Session], findings: Findings) -> Comparison:
        """Sample the plan, send its results back as a file, import it, and fill the plan's outcome."""

        from ingest.intake import import_file
        from jobs import outcome
        from jobs.imports import make_lookups

        plan_id = findings.plan["plan_id"]
        with read_only(sessions) as session:
            rows = session.execute(
                select(PlanLine.code, Enterprise.uscc, Enterprise.name, PlanLine.product_id, PlanLine.cost_cny)
                .join(Enterprise, Enterprise.id == PlanLine.enterprise_id)
                .where(PlanLine.plan_id == plan_id)
                .order_by(PlanLine.number)
            ).all()
        samples = sample_plan(self.province, [Line(*row) for row in rows])
        path = self.var / "results" / f"计划抽检结果_{plan_id}.xlsx"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_results(path, self.province, samples)
        file = import_file(
            sessions, path, kind="sampling", source_id="demo_plan_results", received_at=_evening(RESULTS_ON),
            known="record", var=self.var, key=secret_key(self.settings),
            lookups=make_lookups(sessions, self.settings),
        )  # fmt: skip
        if file.status != "accepted":
            raise RuntimeError(f"计划结果文件未被接受：{file.reason}")
        outcome.run(sessions, self.settings, RESULTS_ON)
        with read_only(sessions) as session:
            findings.outcome = dict(session.get_one(Plan, plan_id).outcome)
        return compare(self.province, samples)

    def _warn(self, sessions: sessionmaker[Session]) -> None:
        """Deliver the alerts of an evening in August and of today; the duty officers answer four in five of them.

        August is told as it was known then, so that a wave of complaints is seen to come before the failed sample.
        """
        notify.run(sessions, self.settings, WATCHED_ON, now=_evening(WATCHED_ON))
        for day in (WATCHED_ON, TODAY):
            notify.deliver(sessions, self.settings, now=_evening(day))
            at = _evening(day) + timedelta(hours=1)
            with sessions.begin() as session:
                officer = session.scalars(select(Account.id).where(Account.username == "bureau")).one()
                for alert_id in session.scalars(
                    select(Alert.id).where(Alert.state == "open", Alert.raised_at <= at, Alert.id % 5 != 0)
                ).all():
                    for kind, remark in (("acknowledge", "已收到（演示）"), ("report", "已安排核查，情况属实（演示）")):
                        answer(session, alert_id, kind=kind, account_id=officer, remark=remark, at=at)

    def _count(self, sessions: sessionmaker[Session], findings: Findings) -> None:
        with read_only(sessions) as session:
            findings.signals = _counted(session, select(Signal.channel, func.count()).group_by(Signal.channel))
            findings.enterprises = session.scalar(select(func.count()).select_from(Enterprise)) or 0
            findings.provisional = (
                session.scalar(select(func.count()).select_from(Enterprise).where(Enterprise.provisional)) or 0
            )
            findings.levels = _counted(
                session,
                select(Grade.level, func.count())
                .where(Grade.as_of == TODAY, Grade.product_id == "")
                .group_by(Grade.level)
                .order_by(Grade.level),
            )
            findings.alerts = _counted(session, select(Alert.colour, func.count()).group_by(Alert.colour))
            findings.delivered = (
                session.scalar(select(func.count()).select_from(Delivery).where(Delivery.status == "sent")) or 0
            )
            findings.stories = self._stories(session)
            findings.plan["cost_cny"] = session.scalar(
                select(func.sum(PlanLine.cost_cny)).where(PlanLine.plan_id == findings.plan["plan_id"])
            )
            findings.regraded = (
                session.scalar(
                    select(func.count())
                    .select_from(Grade)
                    .where(Grade.as_of == RESULTS_ON, Grade.product_id == "", Grade.level != Grade.previous_level)
                )
                or 0
            )

    def _stories(self, session: Session) -> list[tuple[str, str]]:
        """Where each planted story can be seen."""
        players, firms = self.province.players, self.province.firms

        def page(number: int) -> str:
            found = session.scalar(select(Enterprise.id).where(Enterprise.uscc == firms[number].uscc))
            return f"/enterprises/{found}" if found else "（未入名录）"

        one, other = players.mould_makers
        county = BY_CODE[players.cable_county].name
        return [
            (
                f"投诉先行：{firms[players.charger_maker].name}首次抽检不合格前数周投诉已上升",
                page(players.charger_maker),
            ),
            (
                f"刷投诉：{firms[players.honest_firm].name}被三个号码投诉六十次，封顶后等级不变",
                page(players.honest_firm),
            ),
            (
                f"一稿多发：{firms[players.reposted_maker].name}的一篇报道被转发四十次，按一个声音计",
                page(players.reposted_maker),
            ),
            ("静默信源：澜泽晚报订阅自2026-09-12起无新内容", "/sources"),
            (f"全覆盖：{county}仅三家获证电线电缆企业，全部列入计划", f"/plans/{self._plan_of(session)}"),
            (
                f"纸面整改：{firms[players.repeat_failer].name}整改“合格”后同一项目再次不合格",
                page(players.repeat_failer),
            ),
            (f"同一模具：{firms[one].name}", page(one)),
            (f"同一模具：{firms[other].name}，另一城市，同一不合格项目", page(other)),
        ]

    def _plan_of(self, session: Session) -> int | None:
        return session.scalar(select(func.max(Plan.id)).where(Plan.as_of == TODAY))


ACCOUNTS = (
    ("admin", "admin", "", "系统管理员（虚构）"),
    ("analyst", "analyst", "", "省局分析员（虚构）"),
    ("bureau", "bureau", CITIES[0].code[:4], f"{CITIES[0].name}市局（虚构）"),
    ("reader", "reader", "", "只读账号（虚构）"),
)


def fresh_accounts(sessions: sessionmaker[Session]) -> list[tuple[str, str, str]]:
    """Give each demonstration account a new random password; return name, password and who it is.

    No password outlives its run: the next one replaces it and ends every session made with it.
    """
    from jobs import accounts

    known = {row.username for row in accounts.listed(sessions)}
    made = []
    for username, role, region_code, title in ACCOUNTS:
        password = _password()
        if username in known:
            accounts.reset(sessions, username, password)
        else:
            accounts.create(sessions, username, password, role=role, region_code=region_code, display_name=title)
        made.append((username, password, title))
    return made


def _password() -> str:
    """Fourteen characters of four classes, without the ones that are misread."""
    alphabet = "abcdefghjkmnpqrstuvwxyz"
    body = "".join(secrets.choice(alphabet + "23456789") for _ in range(11))
    return f"{secrets.choice(alphabet.upper())}{body}{secrets.choice('23456789')}{secrets.choice('-_+=')}"


@contextmanager
def _step(progress: Progress, title: str) -> Iterator[None]:
    task = progress.add_task(title, total=1)
    yield
    progress.advance(task)


def _upsert(session: Session, table: type[Any], rows: list[dict[str, Any]], key: str) -> None:
    changing = [name for name in rows[0] if name not in (key, "active")]
    upsert(session, table.__table__, rows, key=[key], update=changing)


def _counted(session: Session, query: Any) -> dict[str, int]:
    return {str(name): int(count) for name, count in session.execute(query)}


def _add(total: dict[str, int], more: Mapping[str, int]) -> None:
    for name, count in more.items():
        total[name] = total.get(name, 0) + count


def _evening(day: date) -> datetime:
    """Nine in the evening of that day in China: after everything dated that day."""
    return datetime.combine(day, time(21), CHINA)
