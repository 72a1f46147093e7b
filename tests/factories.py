"""Valid objects to start from: a test states only what matters to it.

Every maker adds its row (and what the row needs to exist) to the session and flushes, so that ids are there.
"""

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from store.passwords import hash_password
from store.tables import (
    Account,
    Alert,
    AreaState,
    Base,
    Case,
    Enterprise,
    EnterpriseRole,
    Grade,
    ImportFile,
    Link,
    Mention,
    Override,
    Plan,
    PlanLine,
    PolicyTrial,
    PolicyTrialMove,
    Region,
    RowIssue,
    Run,
    SamplingResult,
    Signal,
    Source,
    Statement,
    Tag,
)

NOW = datetime(2026, 10, 31, 8, 0, tzinfo=UTC)
TODAY = date(2026, 10, 31)
PASSWORD = "Correct-Horse-7-Battery"

_numbers = itertools.count(1)


def _add(session: Session, row: Any) -> Any:
    session.add(row)
    session.flush()
    return row


def make_region(session: Session, code: str = "990100", **changes: Any) -> Region:
    """A city of the fictional province, unless said otherwise."""
    level = "province" if code.endswith("0000") else "city" if code.endswith("00") else "county"
    parent = None if level == "province" else code[:2] + "0000" if level == "city" else code[:4] + "00"
    values = {
        "code": code,
        "name": f"甲{code}市",
        "short_name": f"甲{code}",
        "level": level,
        "parent_code": parent,
        "synthetic": True,
    }
    return _add(session, Region(**(values | changes)))


def make_source(session: Session, id: str = "office", **changes: Any) -> Source:
    """A source of uploads."""
    if (found := session.get(Source, id)) is not None:
        return found
    values = {
        "id": id,
        "title": "省局抽查结果上报",
        "channel": "sampling",
        "trust": "official",
        "platform": "import",
        "synthetic": True,
    }
    return _add(session, Source(**(values | changes)))


def make_signal(session: Session, **changes: Any) -> Signal:
    """One item of risk information."""
    number = next(_numbers)
    source_id = changes.pop("source_id", "office")
    make_source(session, source_id)
    values = {
        "source_id": source_id,
        "external_id": f"N{number}",
        "content_hash": f"{number:064x}",
        "channel": "sampling",
        "trust": "official",
        "title": f"第 {number} 批抽查结果",
        "text": "样品经检验，绝缘电阻项目不合格。",
        "region_code": "990101",
        "occurred_on": TODAY - timedelta(days=30),
        "known_at": NOW - timedelta(days=20),
    }
    return _add(session, Signal(**(values | changes)))


def make_enterprise(session: Session, **changes: Any) -> Enterprise:
    """A small producer in a county of the fictional province."""
    number = next(_numbers)
    values = {
        "name": f"海岳省甲乙{number}电器有限公司",
        "name_key": f"甲乙{number}电器",
        "uscc": None,
        "region_code": "990101",
        "size": "small",
        "known_at": NOW - timedelta(days=900),
    }
    return _add(session, Enterprise(**(values | changes)))


def make_role(session: Session, enterprise: Enterprise, **changes: Any) -> EnterpriseRole:
    """What a firm does with a product."""
    values = {
        "enterprise_id": enterprise.id,
        "role": "producer",
        "product_id": "charger",
        "known_at": enterprise.known_at,
    }
    return _add(session, EnterpriseRole(**(values | changes)))


def make_link(session: Session, signal: Signal, enterprise: Enterprise | None, **changes: Any) -> Link:
    """A name in a signal, tied to a firm (or waiting for a person when there is none)."""
    mention_values = {
        "signal_id": signal.id,
        "role": changes.pop("role", "producer"),
        "text": changes.pop("text", enterprise.name if enterprise else "某某电器厂"),
        "start": changes.pop("start", -1),
        "end": changes.pop("end", -1),
    }
    mention = _add(session, Mention(**mention_values))
    values = {
        "mention_id": mention.id,
        "enterprise_id": enterprise.id if enterprise else None,
        "guess_decision": "link" if enterprise else "review",
        "guess_enterprise_id": enterprise.id if enterprise else None,
        "method": "exact_name" if enterprise else "fuzzy",
        "score": 1.0 if enterprise else 0.7,
        "reasons": ["名称一致"] if enterprise else ["名称相近"],
        "version": "test",
    }
    return _add(session, Link(**(values | changes)))


def make_sample(session: Session, enterprise: Enterprise, **changes: Any) -> SamplingResult:
    """A sampled batch of a firm, failed unless said otherwise."""
    signal = changes.pop("signal", None) or make_signal(session, region_code=enterprise.region_code)
    make_link(session, signal, enterprise)
    values = {
        "signal_id": signal.id,
        "occurred_on": signal.occurred_on,
        "known_at": signal.known_at,
        "region_code": signal.region_code,
        "product_raw": "充电器",
        "product_id": "charger",
        "channel": "production",
        "level": "province",
        "outcome": "fail",
        "failed_items": [{"item": "绝缘电阻", "measured": "0.1 MΩ", "limit": "≥2 MΩ"}],
    }
    return _add(session, SamplingResult(**(values | changes)))


def make_tag(session: Session, signal: Signal, **changes: Any) -> Tag:
    """A hazard found in a signal's text."""
    values = {
        "signal_id": signal.id,
        "kind": "hazard",
        "code": "fire",
        "probability": 0.9,
        "evidence": [],
        "version": "test",
    }
    return _add(session, Tag(**(values | changes)))


def make_grade(session: Session, enterprise: Enterprise, **changes: Any) -> Grade:
    """A grade with one reason; `evidence` are the signals behind it."""
    evidence = changes.pop("evidence", [])
    values = {
        "enterprise_id": enterprise.id,
        "as_of": TODAY,
        "score": 42.0,
        "level": "C",
        "contributions": [
            {
                "indicator": "q1_sampling_fail",
                "zh": "近三年监督抽查不合格",
                "points": 20.0,
                "weight": 25,
                "value": 1,
                "sentence": "近三年监督抽查不合格 1 批。",
                "cap": None,
                "evidence": evidence,
            }
        ],
        "policy_hash": "p" * 64,
    }
    return _add(session, Grade(**(values | changes)))


def make_override(session: Session, enterprise: Enterprise, **changes: Any) -> Override:
    """A proposal to set a producer's C aside for D; its maker and an approver exist."""
    maker = changes.pop("maker", None) or make_account(session, f"maker{next(_numbers)}")
    values = {
        "target_kind": "grade",
        "target_id": 1,
        "enterprise_id": enterprise.id,
        "role": "producer",
        "set_aside": "C",
        "value": "D",
        "reason": "现场发现停产整顿期间仍在生产",
        "account_id": maker.id,
        "made_at": NOW,
        "expires_on": TODAY + timedelta(days=90),
    }
    return _add(session, Override(**(values | changes)))


def make_statement(session: Session, enterprise: Enterprise, **changes: Any) -> Statement:
    """A firm's statement that waits for an answer."""
    maker = changes.pop("maker", None) or make_account(session, f"clerk{next(_numbers)}")
    values = {
        "enterprise_id": enterprise.id,
        "about_as_of": TODAY,
        "about_level": "C",
        "text": "该批次系仿冒本公司产品。",
        "received_on": TODAY,
        "account_id": maker.id,
        "made_at": NOW,
    }
    return _add(session, Statement(**(values | changes)))


def make_area(session: Session, **changes: Any) -> AreaState:
    """A county's chargers under a yellow warning."""
    values = {
        "region_code": "990101",
        "product_id": "charger",
        "as_of": TODAY,
        "colour": "yellow",
        "batches": 20,
        "failures": 6,
        "failing_enterprises": 3,
        "low": 0.16,
        "high": 0.49,
        "provincial_rate": 0.05,
        "reasons": ["12 个月内 3 家企业同类产品不合格"],
        "counted": [],
        "started_on": TODAY,
        "review_on": TODAY + timedelta(days=91),
        "removal": "复核日前不再符合条件即解除",
        "policy_hash": "p" * 64,
    }
    return _add(session, AreaState(**(values | changes)))


def make_trial(session: Session, *moved: Enterprise, **changes: Any) -> PolicyTrial:
    """A finished trial of a policy that would make each of the firms a D instead of a C."""
    maker = changes.pop("maker", None) or make_account(session, f"expert{next(_numbers)}")
    values = {
        "body": "name: grade",
        "version": "2027-试算",
        "hash": "t" * 16,
        "against_version": "2026-1",
        "against_hash": "p" * 16,
        "differences": [["thresholds.D", "60.0", "40.0"]],
        "as_of": TODAY,
        "account_id": maker.id,
        "asked_at": NOW,
        "finished_at": NOW,
        "graded": 10,
    }
    trial = _add(session, PolicyTrial(**(values | changes)))
    for firm in moved:
        move = {"level": "C", "level_then": "D", "score": 42.0, "score_then": 42.0, "cause": "得分不变，分界改变"}
        _add(session, PolicyTrialMove(trial_id=trial.id, enterprise_id=firm.id, role="producer", **move))
    return trial


def make_plan(session: Session, **changes: Any) -> Plan:
    """A draft plan."""
    values = {
        "key": f"plan-{next(_numbers)}",
        "title": "2026 年第四季度抽查计划",
        "as_of": TODAY,
        "budget_cny": 100_000.0,
        "seed": 7,
        "rules": {},
        "pool": {"size": 10},
        "status": "draft",
        "policy_hash": "p" * 64,
        "created_at": NOW,
    }
    return _add(session, Plan(**(values | changes)))


def make_plan_line(session: Session, plan: Plan, enterprise: Enterprise, **changes: Any) -> PlanLine:
    """One batch of a plan."""
    number = next(_numbers)
    values = {
        "plan_id": plan.id,
        "number": number,
        "code": f"P{number:06d}",
        "enterprise_id": enterprise.id,
        "product_id": "charger",
        "region_code": enterprise.region_code,
        "channel": "production",
        "purpose": "find",
        "rule": "risk",
        "why": "C 级，近三年不合格 1 批",
        "grade_level": "C",
        "inclusion_probability": 0.4,
        "expected_fail": 0.3,
        "base_rate": 0.1,
        "cost_cny": 1200.0,
    }
    return _add(session, PlanLine(**(values | changes)))


def make_alert(session: Session, **changes: Any) -> Alert:
    """An open yellow alert."""
    number = next(_numbers)
    values = {
        "rule": "A06",
        "cause_key": f"A06:{number}",
        "colour": "yellow",
        "title": "同一企业连续两批不合格",
        "body": "连续两批监督抽查不合格。",
        "region_code": "990101",
        "evidence": [],
        "reasons": ["连续两批监督抽查不合格"],
        "state": "open",
        "raised_at": NOW,
        "acknowledge_by": NOW + timedelta(hours=24),
        "report_by": NOW + timedelta(hours=72),
        "policy_hash": "a" * 64,
    }
    return _add(session, Alert(**(values | changes)))


def make_case(session: Session, signal: Signal, **changes: Any) -> Case:
    """A case opened for a failed sample."""
    values = {
        "kind": "failed_sample",
        "signal_id": signal.id,
        "region_code": signal.region_code,
        "title": "充电器不合格后处理",
        "opened_on": TODAY,
        "state": "opened",
    }
    return _add(session, Case(**(values | changes)))


def make_run(session: Session, **changes: Any) -> Run:
    """A finished run."""
    values = {"job": "grade", "started_at": NOW, "finished_at": NOW, "status": "ok", "code_version": "test"}
    return _add(session, Run(**(values | changes)))


def make_import(session: Session, **changes: Any) -> ImportFile:
    """An accepted file with one rejected row."""
    number = next(_numbers)
    make_source(session)
    values = {
        "sha256": f"{number:064x}",
        "kind": "sampling",
        "source_id": "office",
        "name": "抽查结果.xlsx",
        "received_at": NOW,
        "status": "accepted",
        "read": 3,
        "valid": 1,
        "quarantined": 1,
        "ignored": 1,
        "added": 1,
    }
    file = _add(session, ImportFile(**(values | changes)))
    _add(
        session,
        RowIssue(
            file_id=file.id,
            sheet="Sheet1",
            row=5,
            column="抽样日期",
            reason="bad_date",
            message="日期无法识别：2026/13/45",
            rejected=True,
            cells={"产品名称": "充电器", "抽样日期": "2026/13/45"},
        ),
    )
    return file


def make_account(
    session: Session, username: str, role: str = "analyst", region_code: str = "", **changes: Any
) -> Account:
    """Someone who may sign in with PASSWORD."""
    values = {
        "username": username,
        "display_name": f"账号{username}",
        "password_hash": _password_hash(),
        "role": role,
        "region_code": region_code,
        "created_at": NOW,
        "password_changed_at": NOW,
    }
    return _add(session, Account(**(values | changes)))


_hash: list[str] = []


def _password_hash() -> str:
    if not _hash:
        _hash.append(hash_password(PASSWORD))
    return _hash[0]


def count(session: Session, table: type[Base]) -> int:
    """How many rows a table holds."""
    return session.query(table).count()
