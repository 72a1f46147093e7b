"""Deciding names in the queue: by itself, with the same name elsewhere, with other spellings of the same firm."""

from collections.abc import Callable

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from store.tables import Link, Mention
from tests.api.conftest import Browser, Province
from tests.factories import make_account, make_enterprise, make_link, make_signal

Enter = Callable[[str], Browser]


def wait_for(app: FastAPI, firm_id: int, text: str, region: str = "990101") -> int:
    """A name that waits, with one candidate."""
    with app.state.sessions.begin() as session:
        signal = make_signal(session, region_code=region)
        found = [{"enterprise_id": firm_id, "score": 0.6, "reasons": ["名称相近"]}]
        return make_link(session, signal, None, text=text, candidates=found).mention_id


def city_analyst(app: FastAPI, browser: Enter) -> Browser:
    """Somebody who decides names in city 9901 alone."""
    with app.state.sessions.begin() as session:
        make_account(session, "decider", "analyst", "9901")
    return browser("decider")


def decided(app: FastAPI) -> dict[str, tuple[str | None, int | None]]:
    with app.state.sessions() as session:
        rows = session.execute(select(Mention.text, Link.decided, Link.enterprise_id).join(Link))
        return {text: (decision, firm) for text, decision, firm in rows}


def test_other_spellings_of_the_firm_are_decided_with_it(app: FastAPI, browser: Enter, province: Province) -> None:
    firm = province.enterprise
    with app.state.sessions.begin() as session:
        other = make_enterprise(session).id
    ticked = wait_for(app, firm, "明烛充电器")
    wait_for(app, firm, "明独充电器厂")
    wait_for(app, other, "别的厂")
    far = wait_for(app, firm, "外市的写法", region="990201")
    near = city_analyst(app, browser)
    page = near.get(f"/review?mention={province.mention}").text
    assert all(text in page for text in ("明烛充电器", "明独充电器厂"))
    assert not any(f'name="also" value="{number}"' in page for number in (far, province.mention))

    form = {"decision": f"link:{firm}", "also": [str(ticked), str(far)]}
    assert near.submit(f"/review/{province.mention}", **form).status_code == 303

    found = decided(app)
    assert found["某某电器厂"] == found["明烛充电器"] == ("link", firm)
    assert found["明独充电器厂"] == found["别的厂"] == found["外市的写法"] == (None, None)


def test_none_and_unsure_touch_the_name_on_the_page_alone(app: FastAPI, browser: Enter, province: Province) -> None:
    ticked = wait_for(app, province.enterprise, "明烛充电器")
    form = {"decision": "none", "also": str(ticked)}
    assert browser("analyst").submit(f"/review/{province.mention}", **form).status_code == 303
    found = decided(app)
    assert (found["某某电器厂"][0], found["明烛充电器"][0]) == ("none", None)


def test_the_same_name_in_another_city_is_not_decided_from_here(
    app: FastAPI, browser: Enter, province: Province
) -> None:
    far = wait_for(app, province.enterprise, "某某电器厂", region="990201")
    near = city_analyst(app, browser)
    assert near.submit(f"/review/{province.mention}", decision="none", alike="true").status_code == 303
    with app.state.sessions() as session:
        assert session.get_one(Link, province.mention).decided == "none"
        assert session.get_one(Link, far).decided is None


@pytest.mark.parametrize("number", ["9" * 19, "9" * 28, "１", "-1", "1e9"])
def test_odd_numbers_decide_nothing(browser: Enter, province: Province, number: str) -> None:
    analyst = browser("analyst")
    assert analyst.submit(f"/review/{province.mention}", decision=f"link:{number}"[:30]).status_code in (404, 409)
    form = {"decision": f"link:{province.enterprise}", "also": [number, "9" * 5000]}
    assert analyst.submit(f"/review/{province.mention}", **form).status_code == 303
