from sqlalchemy.orm import Session, sessionmaker

from store.reads.linked import shared_models, ties
from store.reads.scope import NOTHING, PROVINCE, Scope
from store.tables import Enterprise, EnterpriseName, Link, Mention, SamplingResult
from tests.factories import NOW, TODAY, make_enterprise, make_signal


def batch(
    session: Session, maker: Enterprise, seller: Enterprise, region: str, outcome: str = "fail", model: str = "KC-88"
) -> int:
    """A batch of one model, made by one firm and drawn from another."""
    signal = make_signal(session, region_code=region)
    for role, firm in (("producer", maker), ("sampled", seller)):
        mention = Mention(signal_id=signal.id, role=role, text=firm.name)
        session.add(mention)
        session.flush()
        session.add(
            Link(
                mention_id=mention.id,
                enterprise_id=firm.id,
                guess_decision="link",
                guess_enterprise_id=firm.id,
                method="exact_name",
                score=1.0,
                version="test",
            )
        )
    session.add(
        SamplingResult(
            signal_id=signal.id,
            occurred_on=TODAY,
            known_at=signal.known_at,
            region_code=region,
            product_id="charger",
            brand="飞凤",
            spec_model=model,
            outcome=outcome,
        )
    )
    session.flush()
    return signal.id


def test_ties_of_a_firm(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        maker = make_enterprise(session, name="甲厂", region_code="990101")
        other = make_enterprise(session, name="乙厂", region_code="990201")
        shop = make_enterprise(session, name="丙店", region_code="990101")
        branch = make_enterprise(session, name="甲厂分厂", region_code="990102", parent_id=maker.id)
        for firm in (maker, other):
            session.add(EnterpriseName(enterprise_id=firm.id, name="飞凤", name_key="飞凤", kind="brand", known_at=NOW))
        first, second = batch(session, maker, shop, "990101"), batch(session, other, shop, "990201")
        found = {(tie.enterprise.name, tie.kind, tie.what, tie.signals) for tie in ties(session, PROVINCE, maker.id)}
        assert found == {
            ("甲厂分厂", "branch", "", ()),
            ("乙厂", "brand", "飞凤", ()),
            ("乙厂", "model", "KC-88", (second,)),
            ("丙店", "seller", "", (first,)),
        }
        assert [tie.enterprise.name for tie in ties(session, Scope("9902"), maker.id)] == ["乙厂", "乙厂"]
        assert ties(session, NOTHING, maker.id) == []
        assert [tie.kind for tie in ties(session, PROVINCE, branch.id)] == ["parent"]


def test_a_model_that_fails_in_two_counties_shows_before_either_county_sees_it(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        maker, shop = make_enterprise(session), make_enterprise(session)
        one, two = batch(session, maker, shop, "990101"), batch(session, maker, shop, "990201")
        batch(session, maker, shop, "990301", outcome="pass")
        batch(session, maker, shop, "990101", model="KC-99")
        (row,) = shared_models(session, PROVINCE)
        assert (row.spec_model, row.failures, row.regions, row.signals) == (
            "KC-88",
            2,
            ("990101", "990201"),
            (one, two),
        )
        assert [r.spec_model for r in shared_models(session, Scope("9902"))] == ["KC-88"]
        assert shared_models(session, Scope("9903")) == []


def test_the_firms_own_brands_and_models_across_counties_and_what_merged_into_it(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        maker, shop = make_enterprise(session, name="甲厂", region_code="990101"), make_enterprise(session)
        other, stranger = make_enterprise(session), make_enterprise(session)
        entry = make_enterprise(session, name="甲厂（老名册）", region_code="990101", merged_into_id=maker.id)
        batch(session, entry, shop, "990101")  # a record of the merged entry counts for the firm
        two = batch(session, other, shop, "990201")
        three = batch(session, other, shop, "990301", model="KC-99")
        (model, brand) = shared_models(session, Scope("9902"), enterprise_id=maker.id)
        assert (model.spec_model, model.failures, model.regions, model.in_reach) == (
            "KC-88",
            2,
            ("990101", "990201"),
            (two,),
        )
        assert (brand.spec_model, brand.failures, brand.signals[-1]) == ("", 3, three)
        assert shared_models(session, PROVINCE, enterprise_id=stranger.id) == []
        merged = [tie.enterprise.name for tie in ties(session, PROVINCE, maker.id) if tie.kind == "merged"]
        assert merged == ["甲厂（老名册）"]
