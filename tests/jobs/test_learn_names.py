from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from jobs import learn_names, resolve
from jobs.settings import Settings
from nlp.enterprises.policy import load_name_policy
from store import links
from store.tables import Link, Mention
from tests.factories import NOW, TODAY, make_account
from tests.jobs.test_resolve import firm, mention

BRANDS = [a + b for a in "海山川云星林泉鹏" for b in "达兴隆泰顺"]
LATER = TODAY + timedelta(days=60)


def people_decide(sessions: sessionmaker[Session], settings: Settings, brands: list[str]) -> None:
    """Firms named 宁波…电器有限公司, records that say …电器厂, and a person who says each is that firm."""
    with sessions.begin() as session:
        firms = {brand: firm(session, f"宁波{brand}电器有限公司").id for brand in brands}
        for brand in brands:
            mention(session, f"宁波{brand}电器厂", role="text")
    resolve.run(sessions, settings, TODAY)
    with sessions.begin() as session:
        person = make_account(session, "reviewer").id
        rows = session.scalars(select(Mention).order_by(Mention.id)).all()
        for minute, row in enumerate(rows):
            chosen = firms[row.text[2:4]]
            at = NOW + timedelta(minutes=minute)
            links.decide(session, row.id, "link", enterprise_id=chosen, account_id=person, at=at)


def test_decisions_become_a_proposal_that_changes_nothing_until_put_in_force(
    sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    settings = Settings(var=tmp_path)
    people_decide(sessions, settings, BRANDS)
    with sessions() as session:
        before = session.execute(select(Link.mention_id, Link.enterprise_id, Link.score)).all()
    in_force = load_name_policy(settings.name_policy)

    result = learn_names.run(sessions, settings, LATER, tmp_path / "proposed.yml")

    assert (result["decisions"], result["held_back"]) == (40, 12)
    assert (result["old"]["missed"], result["new"]["missed"]) == (12, 0)
    assert result["changed"]["form_conflict"]["new"] < 0.3
    with sessions() as session:
        assert session.execute(select(Link.mention_id, Link.enterprise_id, Link.score)).all() == before
    assert load_name_policy(settings.name_policy) is in_force

    chosen = Settings(var=tmp_path, name_policy=tmp_path / "proposed.yml")
    with sessions.begin() as session:
        firm(session, "宁波金禾电器有限公司")
        mention(session, "宁波金禾电器厂", role="text")
    resolve.run(sessions, chosen, TODAY)
    with sessions() as session:
        newest = session.scalars(select(Link).order_by(Link.mention_id.desc())).first()
        assert newest is not None
        assert (newest.guess_decision, newest.version) == ("link", load_name_policy(chosen.name_policy).version)


def test_too_few_decisions_are_refused(sessions: sessionmaker[Session], tmp_path: Path) -> None:
    settings = Settings(var=tmp_path)
    people_decide(sessions, settings, BRANDS[:5])
    with pytest.raises(learn_names.TooFewDecisionsError, match="只有 5 条"):
        learn_names.run(sessions, settings, LATER, tmp_path / "proposed.yml")
    assert not (tmp_path / "proposed.yml").exists()
