"""One small demonstration for all flow tests: the real path, from files and pages to alerts and results."""

import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from api.app import create_app
from demo.province import Built, Province
from demo.receiver import receiving
from demo.run import BUDGET_CNY, Demonstration, Findings, fresh_accounts
from store.session import read_only
from store.tables import Enterprise, Grade, Link, Mention, PlanLine, SamplingResult, Signal, Tag
from tests.api.conftest import Browser

SCALE = 0.06


@dataclass(frozen=True)
class Shown:
    """A finished demonstration."""

    demonstration: Demonstration
    findings: Findings
    sessions: sessionmaker[Session]

    @property
    def province(self) -> Province:
        """The province it ran on."""
        return self.demonstration.province

    @property
    def built(self) -> Built:
        """Its files."""
        return self.province.build(self.demonstration.var / "province")

    def enterprise(self, number: int) -> Enterprise:
        """The store's entry of one of the province's firms."""
        with read_only(self.sessions) as session:
            found = session.scalars(select(Enterprise).where(Enterprise.uscc == self.province.firms[number].uscc)).one()
            session.expunge(found)
            return found


def run_demonstration(var: Path, scale: float = SCALE) -> Shown:
    """Run the whole path on a small province."""
    demonstration = Demonstration(
        var, Province(seed=7, scale=scale), Console(file=io.StringIO(), force_terminal=False), BUDGET_CNY * scale * 2
    )
    with receiving() as receiver:
        findings, sessions = demonstration.run(receiver)
    return Shown(demonstration, findings, sessions)


def digest(sessions: sessionmaker[Session]) -> dict[str, str]:
    """What the store says, by table, in words that do not depend on row numbers or on when it was written."""
    firm = Enterprise.name
    queries = {
        "signal": select(Signal.source_id, Signal.external_id, Signal.content_hash, Signal.occurred_on),
        "sampling": select(Signal.external_id, SamplingResult.outcome, SamplingResult.plan_line_id.is_not(None)).join(
            Signal, Signal.id == SamplingResult.signal_id
        ),
        "tag": select(Signal.external_id, Tag.kind, Tag.code, Tag.status, Tag.evidence).join(
            Signal, Signal.id == Tag.signal_id
        ),
        "link": select(Signal.external_id, Mention.role, Mention.text, Link.guess_decision, firm)
        .join(Mention, Mention.id == Link.mention_id)
        .join(Signal, Signal.id == Mention.signal_id)
        .outerjoin(Enterprise, Enterprise.id == Link.enterprise_id),
        "grade": select(firm, Grade.product_id, Grade.role, Grade.as_of, Grade.level, Grade.score).join(
            Enterprise, Enterprise.id == Grade.enterprise_id
        ),
        "plan": select(PlanLine.code, firm, PlanLine.product_id, PlanLine.rule, PlanLine.status, PlanLine.outcome).join(
            Enterprise, Enterprise.id == PlanLine.enterprise_id
        ),
    }
    found = {}
    with read_only(sessions) as session:
        for name, query in queries.items():
            rows = sorted(json.dumps([str(cell) for cell in row], ensure_ascii=False) for row in session.execute(query))
            found[name] = f"{len(rows)}:{hashlib.sha256(chr(10).join(rows).encode()).hexdigest()[:12]}"
    return found


@pytest.fixture(scope="session")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """The demonstration, run once."""
    made = run_demonstration(tmp_path_factory.mktemp("demo"))
    yield made
    made.sessions.kw["bind"].dispose()


@pytest.fixture
def analyst(shown: Shown) -> Iterator[Browser]:
    """A browser in which the provincial analyst has signed in, with a password no other run has replaced."""
    logins = {name: password for name, password, _ in fresh_accounts(shown.sessions)}
    app = create_app(shown.demonstration.settings)
    yield Browser(app).enter("analyst", logins["analyst"])
    app.state.sessions.kw["bind"].dispose()
