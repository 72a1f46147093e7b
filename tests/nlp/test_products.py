"""Products: longest name first, parts apart from wholes, doubtful names by context, names that are no goods."""

from pathlib import Path

import pytest

from nlp.products import ProductFinder
from nlp.rules import fold
from nlp.taxonomy import load_taxonomy


@pytest.fixture(scope="module")
def finder() -> ProductFinder:
    return ProductFinder(load_taxonomy(Path(__file__).parents[2] / "nlp" / "lexicon"))


@pytest.mark.parametrize(
    ("text", "products"),
    [
        ("电动自行车充电器发烫", {"ebike_charger"}),
        ("电瓶车和头盔一起买的", {"ebike", "ebike_helmet"}),
        ("安全帽一砸就碎", {"safety_helmet"}),
        ("饭店后厨的猛火灶", {"gas_stove_commercial"}),
        ("家里的猛火灶打不着", {"gas_stove"}),
        ("热水器漏电,洗澡麻手", {"water_heater_elec"}),
        ("热水器排烟管掉了", {"gas_water_heater"}),
        ("某某电缆有限公司搬家了", set()),
        ("他就是个行走的充电宝", set()),
        ("电动汽车销量上涨", set()),
    ],
)
def test_products(finder: ProductFinder, text: str, products: set[str]) -> None:
    assert {hit.code for hit in finder.find(fold(text)) if hit.certain} == products


def test_spans_are_offsets_into_the_text(finder: ProductFinder) -> None:
    text = "新买的電熱毯糊了"
    assert [text[hit.start : hit.end] for hit in finder.find(fold(text))] == ["電熱毯"]
