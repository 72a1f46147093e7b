"""Reviewed decisions about names become a proposed name policy, which a person may put in force."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from jobs.resolve import build_register, merged_into
from jobs.settings import Settings
from nlp.enterprises import Query, Register
from nlp.enterprises.learning import LEAST_DECISIONS, Judged, fit, measure, proposal
from nlp.enterprises.policy import load_name_policy
from store import tables
from store.china_time import end_of

_HELD_BACK = 0.3  # the newest decisions, on which old and new are compared


class TooFewDecisionsError(ValueError):
    """There is not enough to learn from; the message says how much there is, in Chinese."""


def run(sessions: sessionmaker[Session], settings: Settings, as_of: date, out: Path) -> dict[str, Any]:
    """Fit the deductions on the older decisions, compare on the newest, write the proposal to `out`; return both.

    Decisions "unsure" say nothing. Raises TooFewDecisionsError below LEAST_DECISIONS. Writes nothing to the store.
    """
    policy_file = settings.name_policy
    policy = load_name_policy(policy_file)
    with sessions() as session:
        decisions = _judged(session, build_register(session, policy), as_of)
    if len(decisions) < LEAST_DECISIONS:
        raise TooFewDecisionsError(f"可用的人工决定只有 {len(decisions)} 条，至少要 {LEAST_DECISIONS} 条")
    cut = len(decisions) - max(1, round(len(decisions) * _HELD_BACK))
    seen = [example for decision in decisions[:cut] for example in decision]
    held = [example for decision in decisions[cut:] for example in decision]
    deductions = fit(seen, policy)
    old, new = measure(held, policy.deductions, policy), measure(held, deductions, policy)
    changed = {
        line: {"old": value, "new": deductions[line]}
        for line, value in policy.deductions.items()
        if abs(deductions[line] - value) >= 0.005
    }
    heading = (
        f"建议稿，未生效。依据截至 {as_of} 的 {cut} 条人工决定，在其后 {len(decisions) - cut} 条上比较：\n"
        f"现行 {policy.version}：误归属 {old.wrong}、漏 {old.missed}、对数损失 {old.log_loss}；"
        f"建议：误归属 {new.wrong}、漏 {new.missed}、对数损失 {new.log_loss}。\n"
        "审阅后由负责人用 ZHIAN_NAME_POLICY 指向本文件方生效，再运行 zhian resolve --rebuild。"
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(proposal(policy_file.read_text(encoding="utf-8"), deductions, heading), encoding="utf-8")
    return {
        "decisions": len(decisions),
        "held_back": len(decisions) - cut,
        "policy": policy.version,
        "old": asdict(old),
        "new": asdict(new),
        "changed": changed,
        "file": str(out),
    }


def _judged(session: Session, register: Register, as_of: date) -> list[list[Judged]]:
    """The candidates of each decision known by the end of `as_of`, oldest decision first."""
    link, mention = tables.Link, tables.Mention
    rows = session.execute(
        select(mention.text, mention.region_code, mention.address, link.decided, link.decided_enterprise_id)
        .join(link, link.mention_id == mention.id)
        .where(link.decided.in_(("link", "none")), link.decided_at < end_of(as_of).astimezone(UTC))
        .order_by(link.decided_at, mention.id)
    ).all()
    ends = merged_into(session)
    found: dict[tuple[str, str | None, int | None], list[Judged]] = {}
    for row in rows:
        meant = ends.get(row.decided_enterprise_id, row.decided_enterprise_id) if row.decided == "link" else None
        key = (row.text, row.region_code, meant)
        # The same name decided a hundred times in one batch is one decision.
        if key not in found:
            candidates = register.resolve(Query(row.text, region=row.region_code, address=row.address)).candidates
            found[key] = [Judged(c.taken, c.id == str(meant)) for c in candidates if c.taken]
    return [examples for examples in found.values() if examples]


def summary(result: dict[str, Any]) -> Sequence[str]:
    """The result for a person, in lines."""
    lines = [f"人工决定 {result['decisions']} 条，其中最新 {result['held_back']} 条只用于比较"]
    for name, title in (("old", "现行"), ("new", "建议")):
        m = result[name]
        lines.append(
            f"  {title}：达到自动归属 {m['linked']}，其中误归属 {m['wrong']}；"
            f"漏 {m['missed']}，对数损失 {m['log_loss']}"
        )
    lines += [f"  {line}：{change['old']} → {change['new']}" for line, change in result["changed"].items()]
    return [*lines, f"建议稿写入 {result['file']}，未生效"]
