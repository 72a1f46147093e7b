"""One event in other words: what two tellings have to share."""

from nlp.reposts import repost_key
from nlp.retellings import ALIKE, ALIKE_ON_ONE_PRODUCT, _vectors, retold

NEWS = (
    "昨晚一小区楼道里一辆电动自行车充电时突然起火，浓烟灌进楼梯间，消防员破门救出三名被困老人，"
    "邻居说充电器是网上买的便宜货。"
)
NEIGHBOUR = (
    "电动自行车在楼道充电又出事了！今早路过看墙都熏黑，老人是被消防员背下来的，听说充电器便宜，物业说以后不让推上楼。"
)
OTHER_GOODS = "燃气灶又出事了，早上看墙都熏黑，浓烟灌进楼梯间，老人是被消防员背下来的，社区让大家检查灶具和软管。"


def found(one: str, other: str, days: int = 1) -> list[float]:
    return [overlap for _, _, overlap in retold([repost_key(one), repost_key(other)], [1, 1 + days])]


def retold_overlap(one: str, other: str) -> float:
    vectors = _vectors([repost_key(one), repost_key(other)])
    return float((vectors @ vectors.T).toarray()[0, 1])


def test_little_overlap_is_enough_when_both_name_one_product() -> None:
    [overlap] = found(NEWS, NEIGHBOUR)
    assert ALIKE_ON_ONE_PRODUCT <= overlap < ALIKE  # not enough alone, and no city is named


def test_other_goods_or_other_days_are_another_event() -> None:
    overlap = retold_overlap(NEWS, OTHER_GOODS)
    assert ALIKE_ON_ONE_PRODUCT <= overlap < ALIKE
    assert found(NEWS, OTHER_GOODS) == []
    assert found(NEWS, NEIGHBOUR, days=9) == []
