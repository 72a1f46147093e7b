"""Every page answers, and leads back to the source."""

from collections.abc import Callable
from dataclasses import asdict

import pytest

from tests.api.conftest import Browser, Province

Enter = Callable[[str], Browser]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/enterprises",
        "/enterprises?level=C&region=9901&product=charger&worsened=true&sort=changed&q=明烛",
        "/signals",
        "/signals?channel=sampling&since=2026-01-01&hazard=fire&origins=true",
        "/plans",
        "/plans/{plan}",
        "/alerts",
        "/alerts?state=active&overdue=true",
        "/alerts/{alert}",
        "/cases",
        "/cases?overdue=true",
        "/cases/{case}",
        "/sources",
        "/sources/office",
        "/imports",
        "/imports/{file}",
        "/imports/{file}?rejected=true",
        "/runs",
        "/review",
        "/review?mention={mention}&q=明烛",
        "/merges",
        "/merges?kept={enterprise}",
        "/labelling",
        "/labelling?signal={signal}",
        "/policy",
        "/backtest",
        "/help",
        "/api/docs",
        "/account",
        "/search?q=明烛",
        "/search/suggest?q=明烛",
        "/accounts",
        "/audit",
    ],
)
def test_pages_answer(browser: Enter, province: Province, path: str) -> None:
    answer = browser("admin").get(path.format(**asdict(province)))
    assert answer.status_code == 200, answer.text[-3000:]
    assert "虚构" in answer.text or path.startswith("/search/suggest")


def test_a_grade_leads_to_the_text_it_came_from(browser: Enter, province: Province) -> None:
    page = browser("analyst").get(f"/enterprises/{province.enterprise}").text
    assert "近三年监督抽查不合格 1 批。" in page
    assert f'href="/signals/{province.signal}"' in page
    text = browser("analyst").get(f"/signals/{province.signal}").text
    assert '<mark class="hazard"' in text
    assert "蹿火苗</mark>" in text
    assert "13812345678" not in text
