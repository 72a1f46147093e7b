"""Reading what was known of every enterprise by the end of a day, as the facts the scorecard takes.

A record counts for an enterprise through its mention and the link in force; a mention the producer has denied
counts for nobody. Producers and sellers are kept apart: a shop does not answer for how its goods were made.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, or_, select, true
from sqlalchemy.orm import Session

from nlp.taxonomy import Taxonomy
from scoring.facts import (
    AnyFact,
    Complaint,
    Credit,
    Facts,
    Injury,
    Inspection,
    Licence,
    Opinion,
    Penalty,
    Recall,
    Role,
    Sample,
    SelfCheck,
)
from store import tables
from store.china_time import CHINA, end_of

PRODUCER_ROLES = frozenset({"producer", "licensed_producer", "ccc_holder"})
ONLINE_ROLES = frozenset({"online_shop", "platform"})
TEXT_CHANNELS = ("opinion", "monitoring")  # signals that say something in words alone
SURE_ENOUGH = 0.5  # a tag below this probability asserts nothing

Subject = tuple[int, Role]


@dataclass
class Known:
    """Everything known of the enterprises by the end of one day."""

    facts: dict[Subject, list[AnyFact]] = field(default_factory=lambda: defaultdict(list))
    enterprises: dict[int, "Standing"] = field(default_factory=dict)
    roles: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    lines: dict[Subject, set[str]] = field(default_factory=lambda: defaultdict(set))

    def subjects(self) -> list[Subject]:
        """Return every enterprise in every role it has, in a stable order.

        A producer that the register also calls a seller is graded as one only once a record shows it selling.
        """
        listed = {
            (enterprise_id, role)
            for enterprise_id, role in self.lines
            if role == "producer" or not self.roles[enterprise_id] & PRODUCER_ROLES
        }
        return sorted({*self.facts, *listed})


@dataclass(frozen=True, slots=True)
class Standing:
    """What the register says of an enterprise."""

    size: str | None
    established_on: date | None
    region_code: str | None
    known_on: date = date.min


@dataclass
class Records:
    """Everything known by the end of one day, from which any earlier day can be seen without reading again."""

    named: list[tuple[int, str, AnyFact]] = field(default_factory=list)  # enterprise, role in the record, fact
    standings: dict[int, Standing] = field(default_factory=dict)
    listed: list[tuple[int, str, str, date]] = field(default_factory=list)  # enterprise, role, product, known on
    tellings: dict[int, list[tuple[date, str]]] = field(default_factory=dict)  # cluster -> known on, source

    def by(self, day: date) -> Known:
        """Return what was known by the end of `day`."""
        known = Known()
        known.enterprises = {key: one for key, one in self.standings.items() if one.known_on <= day}
        for enterprise_id, role, product_id, known_on in self.listed:
            if known_on > day:
                continue
            known.roles[enterprise_id].add(role)
            side: Role = "producer" if role in PRODUCER_ROLES else "seller"
            lines = known.lines[enterprise_id, side]
            if product_id:
                lines.add(product_id)
        for enterprise_id, mention_role, fact in self.named:
            if fact.known_on <= day and fact.occurred_on <= day:
                side = _side(mention_role, fact, known.roles.get(enterprise_id, set()))
                if isinstance(fact, Opinion) and fact.cluster_id is not None:
                    fact = replace(fact, independent_sources=self._sources(fact.cluster_id, day))
                known.facts[enterprise_id, side].append(fact if fact.role == side else replace(fact, role=side))
        return known

    def _sources(self, cluster_id: int, day: date) -> int:
        """Count the sources that had told a story by a day: who repeats it later corroborates nothing yet."""
        return len({source for known_on, source in self.tellings.get(cluster_id, []) if known_on <= day})


def _side(mention_role: str, fact: AnyFact, roles: set[str]) -> Role:
    """Return whether a firm answers for a record as producer or as seller."""
    if mention_role in ("producer", "holder", "consigner"):
        return "producer"
    if mention_role == "sampled":
        return "producer" if isinstance(fact, Sample) and fact.channel == "production" else "seller"
    return "seller" if roles and not roles & PRODUCER_ROLES else "producer"


@dataclass(frozen=True, slots=True)
class Said:
    """What the tags of one signal assert."""

    products: tuple[str, ...] = ()
    severity: int = 0  # of the gravest hazard or violation asserted; 0 none
    probability: float = 0.0


def known_by(session: Session, as_of: date, taxonomy: Taxonomy) -> Known:
    """Return the facts known by the end of `as_of` in China, of every enterprise."""
    return read_records(session, as_of, taxonomy).by(as_of)


def read_records(session: Session, as_of: date, taxonomy: Taxonomy, entries: Sequence[int] | None = None) -> Records:
    """Read everything known by the end of `as_of`, to be looked at as of that day or any earlier one.

    `entries`, one enterprise with those merged into it, leaves out the records of all others.
    """
    records = Records()
    theirs = _signals_of(entries)
    merged = _read_register(session, end_of(as_of), records, entries)
    said = _read_tags(session, as_of, taxonomy, theirs)
    member, signal = tables.ClusterMember, tables.Signal
    clusters: dict[int, int] = {}
    for telling in session.execute(
        select(member.signal_id, member.cluster_id, signal.source_id, signal.known_at)
        .join(signal, signal.id == member.signal_id)
        .where(signal.known_at < end_of(as_of), _stories_of(theirs))
    ):
        clusters[telling.signal_id] = telling.cluster_id
        told = records.tellings.setdefault(telling.cluster_id, [])
        told.append((telling.known_at.astimezone(CHINA).date(), telling.source_id))
    reader = _Reader(records, merged, said, clusters, taxonomy)
    for table, build in reader.builders().items():
        for row in session.execute(_linked(table, as_of).where(_among(signal.id, theirs))):
            reader.take(row, build)
    for row in session.execute(_linked_texts(as_of).where(_among(signal.id, theirs))):
        reader.take(row, reader.opinion)
    return records


def facts_of(known: Known, subject: Subject, taxonomy: Taxonomy) -> Iterator[Facts]:
    """Yield an enterprise's facts over all its product lines, then line by line."""
    enterprise_id, role = subject
    standing = known.enterprises.get(enterprise_id, Standing(None, None, None))
    records = known.facts.get(subject, [])
    lines = sorted(known.lines.get(subject, set()) | {fact.product_id for fact in records if fact.product_id})
    tiers = {line: taxonomy.products[line].tier for line in lines if line in taxonomy.products}
    licensed = {line for line in tiers if needs_licence(taxonomy, line)}
    whole = Facts(
        enterprise_id=enterprise_id,
        role=role,
        tier=max(tiers.values(), default=None),
        size=standing.size,
        established_on=standing.established_on,
        sells_online=bool(known.roles.get(enterprise_id, set()) & ONLINE_ROLES),
        licence_required=role == "producer" and bool(licensed),
        products=tuple(lines),
    ).adding(*records)
    yield whole
    for line in lines:
        yield whole.for_product(line, tiers.get(line), licence_required=role == "producer" and line in licensed)


def needs_licence(taxonomy: Taxonomy, product_id: str) -> bool:
    """Whether making a product takes a production licence or a CCC certificate, as the taxonomy says."""
    product = taxonomy.products[product_id]
    return product.licence == "yes" or product.ccc == "certificate"


@dataclass
class _Reader:
    """Turns rows of linked records into facts."""

    records: Records
    merged: Mapping[int, int]
    said: Mapping[int, Said]
    clusters: Mapping[int, int]
    taxonomy: Taxonomy
    taken: set[tuple[int, int]] = field(default_factory=set)

    def take(self, row: Row[Any], build: Any) -> None:
        """Add the row's fact to its enterprise.

        One record counts once for an enterprise, however often it is named there: rows come with the producer
        before the sampled unit, so a firm that sells what it makes answers as its producer.
        """
        record = row[0]
        enterprise_id = self.merged.get(row.enterprise_id, row.enterprise_id)
        if (enterprise_id, row.signal_id) in self.taken or (fact := build(record, row)) is None:
            return
        self.taken.add((enterprise_id, row.signal_id))
        self.records.named.append((enterprise_id, row.mention_role, fact))

    def _common(self, record: Any, row: Row[Any]) -> dict[str, Any]:
        products = self.said.get(row.signal_id, Said()).products
        return {
            "signal_id": row.signal_id,
            "occurred_on": record.occurred_on,
            "known_on": record.known_at.astimezone(CHINA).date(),
            "product_id": getattr(record, "product_id", None) or (products[0] if products else ""),
            "trust": row.trust,
            "source_id": row.source_id,
        }

    def builders(self) -> dict[type[Any], Any]:
        """Return how each table's rows become facts."""
        return {
            tables.SamplingResult: self.sample,
            tables.Complaint: self.complaint,
            tables.EnforcementCase: self.penalty,
            tables.Inspection: self.inspection,
            tables.Recall: self.recall,
            tables.Injury: self.injury,
            tables.Licence: self.licence,
            tables.SelfCheck: self.self_check,
            tables.CreditClass: self.credit,
        }

    def sample(self, record: tables.SamplingResult, row: Row[Any]) -> Sample:
        """A sampled batch."""
        return Sample(
            **self._common(record, row),
            outcome=record.outcome,
            failed_items=tuple(str(item.get("item", "")) for item in record.failed_items if isinstance(item, dict)),
            safety_failed=record.safety_failed,
            recheck=record.recheck,
            rectification=record.rectification,
            channel=record.channel,
            level=record.level,
        )

    def complaint(self, record: tables.Complaint, row: Row[Any]) -> Complaint:
        """A complaint; what its text says decides how grave it is."""
        said = self.said.get(row.signal_id, Said())
        return Complaint(
            **self._common(record, row),
            quality=said.severity > 0 or record.issue is None or "质量" in record.issue or "安全" in record.issue,
            verified=record.verified,
            severity=max(1, said.severity),
            cluster_id=self.clusters.get(row.signal_id),
            claimant=record.claimant_hash,
            kind=record.kind,
        )

    def penalty(self, record: tables.EnforcementCase, row: Row[Any]) -> Penalty:
        """An administrative penalty."""
        violation = self.taxonomy.violations.get(record.violation_id or "")
        return Penalty(
            **self._common(record, row),
            violation_id=record.violation_id,
            violation_zh=violation.name if violation else (record.violation_raw or ""),
            weight=violation.weight if violation else 3,
            fine_cny=record.fine_cny,
        )

    def inspection(self, record: tables.Inspection, row: Row[Any]) -> Inspection:
        """A visit."""
        return Inspection(
            **self._common(record, row),
            findings=record.findings,
            serious_findings=record.serious_findings,
            passed=record.passed,
            kind=record.kind,
        )

    def recall(self, record: tables.Recall, row: Row[Any]) -> Recall:
        """A recall."""
        return Recall(**self._common(record, row), ordered=record.ordered)

    def injury(self, record: tables.Injury, row: Row[Any]) -> Injury:
        """An injury card."""
        return Injury(
            **self._common(record, row),
            severity=record.severity or "minor",
            injured=record.injured,
            deaths=record.deaths,
            followed_up=record.followed_up,
        )

    def licence(self, record: tables.Licence, row: Row[Any]) -> Licence:
        """One observation of a licence."""
        return Licence(
            **self._common(record, row),
            number=record.number,
            kind=record.kind,
            state=record.state,
            issued_on=record.issued_on,
            expires_on=record.expires_on,
        )

    def self_check(self, record: tables.SelfCheck, row: Row[Any]) -> SelfCheck:
        """A self-reported check; whatever its source says, it is the enterprise's own word."""
        common: dict[str, Any] = {**self._common(record, row), "trust": "self"}
        return SelfCheck(
            **common,
            kind=record.kind,
            problems=record.problems,
            rectified=record.rectified,
            officer_named=record.officer_named,
        )

    def credit(self, record: tables.CreditClass, row: Row[Any]) -> Credit:
        """An imported credit class or 失信 listing."""
        return Credit(
            **self._common(record, row), grade=record.grade, blacklisted=record.blacklisted, valid_to=record.valid_to
        )

    def opinion(self, _first: object, row: Row[Any]) -> Opinion | None:
        """A text that asserts something against the enterprise; None when it asserts nothing."""
        said = self.said.get(row.signal_id, Said())
        if not said.severity:
            return None
        return Opinion(
            **self._common(row, row),
            severity=said.severity,
            probability=said.probability,
            cluster_id=self.clusters.get(row.signal_id),
        )


def _read_register(session: Session, end: datetime, records: Records, entries: Sequence[int] | None) -> dict[int, int]:
    """Fill standings and listed roles; return where the records of merged entries go."""
    enterprise = tables.Enterprise
    merged: dict[int, int] = {}
    for row in session.execute(
        select(
            enterprise.id,
            enterprise.merged_into_id,
            enterprise.size,
            enterprise.established_on,
            enterprise.region_code,
            enterprise.known_at,
        ).where(true() if entries is None else enterprise.id.in_(entries))
    ):
        if row.merged_into_id is not None:
            merged[row.id] = row.merged_into_id
        elif row.known_at < end:
            known_on = row.known_at.astimezone(CHINA).date()
            records.standings[row.id] = Standing(row.size, row.established_on, row.region_code, known_on)
    for gone in list(merged):
        seen = {gone}
        while merged[gone] in merged and merged[gone] not in seen:
            seen.add(merged[gone])
            merged[gone] = merged[merged[gone]]
    role = tables.EnterpriseRole
    for found in session.execute(
        select(role.enterprise_id, role.role, role.product_id, role.known_at).where(
            role.known_at < end, true() if entries is None else role.enterprise_id.in_(entries)
        )
    ):
        enterprise_id = merged.get(found.enterprise_id, found.enterprise_id)
        known_on = found.known_at.astimezone(CHINA).date()
        records.listed.append((enterprise_id, found.role, found.product_id, known_on))
    return merged


def _signals_of(entries: Sequence[int] | None) -> Select[Any] | None:
    """Return the query of the signals that name these entries; None for everybody's."""
    if entries is None:
        return None
    link, mention = tables.Link, tables.Mention
    return select(mention.signal_id).join(link, link.mention_id == mention.id).where(link.enterprise_id.in_(entries))


def _among(column: Any, signals: Select[Any] | None) -> ColumnElement[bool]:
    return true() if signals is None else column.in_(signals)


def _stories_of(signals: Select[Any] | None) -> ColumnElement[bool]:
    """Keep every telling of the stories that these signals tell, whoever is named in it."""
    member = tables.ClusterMember
    if signals is None:
        return true()
    return member.cluster_id.in_(select(member.cluster_id).where(member.signal_id.in_(signals)))


def _read_tags(session: Session, as_of: date, taxonomy: Taxonomy, theirs: Select[Any] | None) -> dict[int, Said]:
    """Return what the tags assert, with a person's decision above the machine's.

    A typed record's own product wins over these; hazards matter for complaints, reports and opinion only.
    """
    tag, label, signal = tables.Tag, tables.Label, tables.Signal
    votes: dict[tuple[int, str, str], float] = {}
    statement = (
        select(tag.signal_id, tag.kind, tag.code, tag.probability)
        .join(signal, signal.id == tag.signal_id)
        .where(
            signal.known_at < end_of(as_of),
            tag.status == "asserted",
            tag.kind.in_(("product", "hazard", "violation", "relevance")),
            _among(tag.signal_id, theirs),
        )
    )
    for found in session.execute(statement):
        votes[found.signal_id, found.kind, found.code] = found.probability
    for decided in session.execute(
        select(label.signal_id, label.kind, label.code, label.decision)
        .where(label.withdrawn_at.is_(None), label.decision.in_(("yes", "no")), _among(label.signal_id, theirs))
        .order_by(label.decided_at)
    ):
        votes[decided.signal_id, decided.kind, decided.code] = 1.0 if decided.decision == "yes" else 0.0
    said: dict[int, list[tuple[str, str, float]]] = defaultdict(list)
    for (signal_id, kind, code), probability in votes.items():
        said[signal_id].append((kind, code, probability))
    return {signal_id: _summary(tags, taxonomy) for signal_id, tags in said.items()}


def _summary(tags: Iterable[tuple[str, str, float]], taxonomy: Taxonomy) -> Said:
    products, severity, probability, relevant = [], 0, 0.0, True
    for kind, code, chance in tags:
        if kind == "relevance":
            relevant = chance >= SURE_ENOUGH
            continue
        if chance < SURE_ENOUGH:
            continue
        if kind == "product":
            products.append((chance, code))
        else:
            hazard = taxonomy.hazards.get(code)
            grave = hazard.severity if hazard else 2
            if (grave, chance) > (severity, probability):
                severity, probability = grave, chance
    ordered = tuple(code for _, code in sorted(products, key=lambda pair: (-pair[0], pair[1])))
    return Said(products=ordered, severity=severity if relevant else 0, probability=probability)


def _in_force() -> Any:
    link = tables.Link
    return and_(
        link.enterprise_id.is_not(None),
        or_(link.decided == "link", and_(link.decided.is_(None), link.guess_decision == "link")),
        tables.Mention.denied.is_(False),
    )


def _linked(table: type[Any], as_of: date) -> Select[Any]:
    """Select a record table with the enterprise each mention stands for."""
    signal, mention, link = tables.Signal, tables.Mention, tables.Link
    return (
        select(
            table,
            signal.id.label("signal_id"),
            signal.trust,
            signal.source_id,
            mention.role.label("mention_role"),
            link.enterprise_id,
        )
        .join(signal, signal.id == table.signal_id)
        .join(mention, mention.signal_id == signal.id)
        .join(link, link.mention_id == mention.id)
        .where(table.known_at < end_of(as_of), table.occurred_on <= as_of, _in_force())
        .order_by(signal.id, mention.role)
    )


def _linked_texts(as_of: date) -> Any:
    """Select linked signals that have no typed record of their own: news, posts, bulletins, reports."""
    signal, mention, link = tables.Signal, tables.Mention, tables.Link
    statement: Any = (
        select(
            signal.id.label("signal_id"),
            signal.occurred_on,
            signal.known_at,
            signal.trust,
            signal.source_id,
            mention.role.label("mention_role"),
            link.enterprise_id,
        )
        .join(mention, mention.signal_id == signal.id)
        .join(link, link.mention_id == mention.id)
        .where(
            signal.known_at < end_of(as_of),
            signal.occurred_on <= as_of,
            signal.channel.in_(TEXT_CHANNELS),
            _in_force(),
        )
        .order_by(signal.id, mention.role)
    )
    return statement
