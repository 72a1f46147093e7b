"""Whose record is it: tie each mention to an enterprise, or ask a person, or say that nobody is known by that name.

Only machine columns of `link` are written here; what a person decided stays and stays in force.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Table, delete, func, insert, select, update
from sqlalchemy.orm import Session, aliased, sessionmaker

from jobs.roles import roles_from_records
from jobs.runs import recorded_run
from jobs.settings import Settings
from nlp.enterprises import Firm, Query, Register, Resolution, is_uscc, name_key, normalise_uscc
from nlp.enterprises.names import is_person
from nlp.enterprises.policy import NamePolicy, load_name_policy
from nlp.regions import RegionIndex, shipped_regions
from store import tables
from store.china_time import end_of
from store.dialect import chunked, serialise

# Roles that make a firm of a name nobody has registered; a name in a free text alone does not.
_TABLE_ROLES = ("producer", "sampled", "holder", "consigner", "respondent")
_TEXT_CHANNELS = ("opinion", "notice", "complaint", "monitoring", "feed")
# What a record weighs in the review queue (P): a failed batch or an injury first, a passed batch last.
_STAKES = {"fail": 4.0, "injury": 4.0, "recall": 4.0, "case": 3.0, "complaint": 2.0, "opinion": 1.5, "sampling": 0.5}
_LEVEL_STAKES = {"D": 2.0, "C": 1.5, "U": 1.2, "B": 1.2, "A": 1.0}
_MERGE_DEPTH = 20
_BATCH = 2000


@dataclass(slots=True)
class _Waiting:
    """One mention to be tied, with what its record says beside the name."""

    id: int
    role: str
    text: str
    uscc: str | None
    region_code: str | None
    address: str | None
    known_at: datetime
    product: str | None
    stake: str  # channel of the record, or "fail" for a batch that failed


def run(sessions: sessionmaker[Session], settings: Settings, as_of: date, *, rebuild: bool = False) -> dict[str, Any]:
    """Tie every mention known by the end of `as_of` that has no link yet; return counts.

    `rebuild` drops and remakes what the machine guessed, never what a person decided.
    """
    policy = load_name_policy(settings.name_policy)
    with recorded_run(sessions, "resolve", as_of=as_of, policy_hash=policy.version) as (run_id, counts):
        before = end_of(as_of)
        with sessions.begin() as session:
            serialise(session, "resolve")
            counts["absorbed"] = _absorb_provisional(session)
            if rebuild:
                session.execute(delete(tables.Link).where(tables.Link.decided.is_(None)))
            resolver = _Resolver(session, run_id, policy)
            counts["asked_again"] = _ask_again(session, resolver.register, before)
            resolver.tie_waiting(before)
            # Only now: the tables may have brought firms that texts name too, and a text must not have to wait for
            # the next run to find them.
            counts["text_mentions"] = _find_in_text(session, resolver.register, before)
            resolver.tie_waiting(before)
            counts |= resolver.counts
            counts["roles"] = roles_from_records(session)
            counts["branches"] = _tie_branches(session)
            counts["enterprises"] = len(resolver.register)
    return dict(counts)


def build_register(session: Session, policy: NamePolicy) -> Register:
    """The register of every enterprise in the store that has not been merged into another."""
    return Register(_firms(session), region_index(session), policy)


def region_index(session: Session) -> RegionIndex:
    """The shipped division table with the store's own regions over it."""
    return RegionIndex([*shipped_regions(), *session.scalars(select(tables.Region))])


class _Resolver:
    """Ties mentions, batch by batch, growing the register with each enterprise it has to make."""

    def __init__(self, session: Session, run_id: int, policy: NamePolicy) -> None:
        self.session = session
        self.register = build_register(session, policy)
        self.counts = dict.fromkeys(("link", "review", "none", "provisional", "uscc_invalid"), 0)
        self._run_id = run_id
        self._version = policy.version
        self._answers: dict[tuple[str, str | None, str | None], Resolution] = {}
        self._level = _worst_levels(session)

    def tie_waiting(self, before: datetime) -> None:
        """Write a link for each mention known before that has none, and the enterprises that follow from it."""
        for batch in chunked(_waiting(self.session, before), _BATCH):
            links = [self._link(mention) for mention in batch]
            for link in links:
                self.counts[link["guess_decision"]] += 1
            self.session.execute(insert(tables.Link), links)

    def _link(self, mention: _Waiting) -> dict[str, Any]:
        key = (mention.text, mention.uscc, mention.region_code)
        answer = self._answers.get(key)
        if answer is None:
            answer = self.register.resolve(
                Query(
                    mention.text,
                    uscc=mention.uscc,
                    region=mention.region_code,
                    product=mention.product,
                    address=mention.address,
                )
            )
            if answer.decision == "link":
                # Kept although the register grows: a firm met later does not take earlier records away.
                self._answers[key] = answer
            self.counts["uscc_invalid"] += "uscc_invalid" in answer.flags
        decision, firm, method = "none", None, answer.method
        reasons = [*answer.reasons, *_explain(answer.flags)]
        if answer.decision == "link" and len(answer.ids) == 1:
            decision, firm = "link", int(answer.ids[0])
        elif answer.decision == "link" or answer.review or answer.decision == "ambiguous":
            decision = "review"
        elif self._makes_enterprise(mention):
            firm = self._make_enterprise(mention)
            decision, method = "link", "provisional"
            reasons = ["名册中没有，按记录中的名称暂立", *_explain(answer.flags)]
        return {
            "mention_id": mention.id,
            "enterprise_id": firm,
            "guess_decision": decision,
            "guess_enterprise_id": firm,
            "method": method,
            "score": answer.score if method != "provisional" else 1.0,
            "reasons": reasons,
            "candidates": [
                {"enterprise_id": int(c.id), "score": c.score, "reasons": list(c.reasons)} for c in answer.candidates
            ],
            "version": self._version,
            "priority": self._priority(mention, answer) if decision == "review" else 0.0,
        }

    def _priority(self, mention: _Waiting, answer: Resolution) -> float:
        """Risk at stake × uncertainty: what a wrong or missing tie would hide, times how open the question is."""
        scores = sorted((c.score for c in answer.candidates), reverse=True)
        uncertainty = 1.0 - (scores[0] - scores[1] if len(scores) > 1 else abs(2 * scores[0] - 1)) if scores else 0.0
        worst = max((self._level.get(int(c.id), 1.0) for c in answer.candidates), default=1.0)
        return round(_STAKES.get(mention.stake, 1.0) * worst * uncertainty, 4)

    def _makes_enterprise(self, mention: _Waiting) -> bool:
        key = name_key(mention.text)
        return mention.role in _TABLE_ROLES and len(key) >= 4 and not is_person(key) and not key.isascii()

    def _make_enterprise(self, mention: _Waiting) -> int:
        code = normalise_uscc(mention.uscc) if mention.uscc else ""
        region = mention.region_code or self.register.place_of(mention.text)
        enterprise = tables.Enterprise(
            uscc=code if code and is_uscc(code) else None,
            name=mention.text,
            name_key=name_key(mention.text),
            region_code=region,
            address=mention.address,
            provisional=True,
            known_at=mention.known_at,
            run_id=self._run_id,
        )
        self.session.add(enterprise)
        self.session.flush()
        self.register.add(
            Firm(str(enterprise.id), enterprise.name, enterprise.uscc, region_code=region, address=mention.address)
        )
        self.counts["provisional"] += 1
        return enterprise.id


def _explain(flags: Iterable[str]) -> list[str]:
    return ["统一社会信用代码校验不通过，未采用"] if "uscc_invalid" in flags else []


def _firms(session: Session) -> Iterator[Firm]:
    names: dict[int, dict[str, list[str]]] = {}
    for firm_id, kind, name in session.execute(
        select(tables.EnterpriseName.enterprise_id, tables.EnterpriseName.kind, tables.EnterpriseName.name)
    ):
        names.setdefault(firm_id, {}).setdefault(kind, []).append(name)
    merged = merged_into(session)
    also: dict[int, list[str]] = {}
    rows = session.execute(
        select(
            tables.Enterprise.id,
            tables.Enterprise.name,
            tables.Enterprise.uscc,
            tables.Enterprise.region_code,
            tables.Enterprise.address,
            tables.Enterprise.status,
        ).order_by(tables.Enterprise.id)
    ).all()
    for row in rows:
        if row.id in merged:
            # A merged entry's name keeps leading to the enterprise that was kept.
            also.setdefault(merged[row.id], []).append(row.name)
    for row in rows:
        if row.id not in merged:
            other = names.get(row.id, {})
            yield Firm(
                id=str(row.id),
                name=row.name,
                uscc=row.uscc,
                former_names=(*other.get("former", ()), *also.get(row.id, ())),
                short_names=tuple(other.get("short", ())),
                brands=(*other.get("brand", ()), *other.get("shop", ())),
                region_code=row.region_code,
                address=row.address,
                status=row.status,
            )


def _worst_levels(session: Session) -> dict[int, float]:
    """How much each graded enterprise's newest grade raises the stake."""
    newest = select(func.max(tables.Grade.as_of)).scalar_subquery()
    return {
        firm: _LEVEL_STAKES.get(level, 1.0)
        for firm, level in session.execute(
            select(tables.Grade.enterprise_id, tables.Grade.level).where(
                tables.Grade.as_of == newest, tables.Grade.product_id == ""
            )
        )
    }


def merged_into(session: Session) -> dict[int, int]:
    """Each merged enterprise -> the one in force at the end of its chain."""
    step = dict(
        session.execute(
            select(tables.Enterprise.id, tables.Enterprise.merged_into_id).where(
                tables.Enterprise.merged_into_id.is_not(None)
            )
        ).all()
    )
    ends: dict[int, int] = {}
    for start in step:
        at, depth = start, 0
        while step.get(at) is not None and depth < _MERGE_DEPTH:
            at, depth = step[at], depth + 1  # type: ignore[assignment]
        ends[start] = at
    return ends


def _absorb_provisional(session: Session) -> int:
    """Let provisional entries whose very name is now registered once go into that entry; their links are remade."""
    known, met = aliased(tables.Enterprise), aliased(tables.Enterprise)
    pairs = session.execute(
        select(met.id, func.min(known.id))
        .join(known, known.name_key == met.name_key)
        .where(
            met.provisional.is_(True),
            met.merged_into_id.is_(None),
            known.provisional.is_(False),
            known.merged_into_id.is_(None),
            (met.region_code.is_(None))
            | (known.region_code.is_(None))
            | (func.substr(met.region_code, 1, 4) == func.substr(known.region_code, 1, 4)),
        )
        .group_by(met.id)
        .having(func.count(known.id) == 1)
    ).all()
    for met_id, known_id in pairs:
        session.execute(update(tables.Enterprise).where(tables.Enterprise.id == met_id).values(merged_into_id=known_id))
        session.execute(
            delete(tables.Link).where(tables.Link.guess_enterprise_id == met_id, tables.Link.decided.is_(None))
        )
    return len(pairs)


def _ask_again(session: Session, register: Register, before: datetime) -> int:
    """Drop the machine's "none" and open questions about names that are registered by now; return how many.

    They are tied anew in the same run, which ties what was known before a moment; later ones are left alone. What a
    person decided, "unsure" included, stays.
    """
    link, mention, signal = tables.Link, tables.Mention, tables.Signal
    open_names = session.execute(
        select(mention.id, mention.text)
        .join(link, link.mention_id == mention.id)
        .join(signal, signal.id == mention.signal_id)
        .where(
            signal.known_at < before.astimezone(UTC),
            link.guess_decision.in_(("none", "review")),
            link.decided.is_(None),
        )
    ).all()
    known = {text for text in {row.text for row in open_names} if register.knows(text)}
    again = [row.id for row in open_names if row.text in known]
    for chunk in chunked(again, _BATCH):
        session.execute(delete(link).where(link.mention_id.in_(chunk)))
    return len(again)


def _tie_branches(session: Session) -> int:
    """Set the parent of each branch whose name is its parent's with the branch behind it; return how many."""
    branch = tables.Enterprise
    waiting = session.execute(
        select(branch.id, branch.name).where(
            branch.parent_id.is_(None),
            branch.name.like("%公司%分公司") | branch.name.like("%公司%分店") | branch.name.like("%公司%分厂"),
        )
    ).all()
    keys = {row.id: name_key(row.name[: row.name.index("公司") + 2]) for row in waiting}
    parents: dict[str, list[int]] = {}
    for chunk in chunked(sorted(set(keys.values())), 500):
        for firm, key in session.execute(
            select(branch.id, branch.name_key).where(branch.name_key.in_(chunk), branch.merged_into_id.is_(None))
        ):
            parents.setdefault(key, []).append(firm)
    tied = [(child, parents[key][0]) for child, key in keys.items() if len(parents.get(key, ())) == 1]
    for child, parent in tied:
        session.execute(update(branch).where(branch.id == child, branch.id != parent).values(parent_id=parent))
    return len(tied)


def _waiting(session: Session, before: datetime) -> list[_Waiting]:
    mention, signal, link = tables.Mention, tables.Signal, tables.Link
    product: dict[int, str] = {}
    for record in (tables.SamplingResult, tables.Complaint, tables.Recall, tables.Licence):
        for signal_id, name in session.execute(
            select(record.signal_id, record.product_raw)
            .join(mention, mention.signal_id == record.signal_id)
            .outerjoin(link, link.mention_id == mention.id)
            .where(link.mention_id.is_(None), record.product_raw.is_not(None))
        ):
            product[signal_id] = str(name)
    rows = session.execute(
        select(
            mention.id,
            mention.role,
            mention.text,
            mention.uscc,
            mention.region_code,
            mention.address,
            mention.signal_id,
            signal.known_at,
            signal.channel,
            tables.SamplingResult.outcome,
        )
        .outerjoin(tables.SamplingResult, tables.SamplingResult.signal_id == mention.signal_id)
        .join(signal, signal.id == mention.signal_id)
        .outerjoin(link, link.mention_id == mention.id)
        .where(link.mention_id.is_(None), signal.known_at < before.astimezone(UTC))
        .order_by(signal.known_at, mention.id)
    )
    return [
        _Waiting(
            id=row.id,
            role=row.role,
            text=row.text,
            uscc=row.uscc,
            region_code=row.region_code,
            address=row.address,
            known_at=row.known_at,
            product=product.get(row.signal_id),
            stake="fail" if row.outcome == "fail" else row.channel,
        )
        for row in rows
    ]


def _find_in_text(session: Session, register: Register, before: datetime) -> int:
    """Write a mention for each firm's name in the free text of signals; those already written stay as they are."""
    signal, mention = tables.Signal, tables.Mention
    there = set(session.execute(select(mention.signal_id, mention.start).where(mention.role == "text")).all())
    rows = session.execute(
        select(signal.id, signal.text, signal.region_code)
        .where(signal.channel.in_(_TEXT_CHANNELS), signal.known_at < before.astimezone(UTC), signal.text != "")
        .order_by(signal.id)
    ).all()
    found = [
        {
            "signal_id": row.id,
            "role": "text",
            "text": span.text,
            "start": span.start,
            "end": span.end,
            "region_code": row.region_code,
            "denied": False,
        }
        for row in rows
        for span in register.mentions(row.text)
        if (row.id, span.start) not in there
    ]
    table: Table = tables.Mention.__table__  # type: ignore[assignment]
    for chunk in chunked(found, _BATCH):
        session.execute(insert(table), chunk)
    return len(found)
