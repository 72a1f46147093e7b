"""Announcement prose -> counts."""

from typing import Any

import pytest

from nlp.announcements import check_against_table, parse_number, read_counts
from nlp.normalize import normalize


@pytest.mark.parametrize(
    ("prose", "said"),
    [
        (
            "本次共抽查检验电动自行车产品53批次，发现5批次产品不合格，不合格发现率为9.4%。",
            {"batches": 53, "failed": 5, "fail_rate": 0.094},
        ),
        (
            "抽查了120家企业生产的一百五十批次产品，检出不合格产品12批次，抽查不合格率8.0%",
            {"batches": 150, "failed": 12, "fail_rate": 0.08, "enterprises": 120},
        ),
        (
            "对全省16个市236家企业的312批次产品进行了监督抽查，其中合格300批次，不合格12批次，批次合格率96.2%",
            {"batches": 312, "failed": 12, "passed": 300, "pass_rate": 0.962, "enterprises": 236},
        ),
        ("本次抽查未发现不合格产品，共抽取样品20批次，全部合格。", {"batches": 20, "failed": 0}),
        (
            "监督抽查产品1,204批次，问题发现率11.2%，检出135批次不合格",
            {"batches": 1204, "failed": 135, "fail_rate": 0.112},
        ),
        ("不合格产品检出率为5%，抽样合格率为95%", {"fail_rate": 0.05, "pass_rate": 0.95}),
        ("监督抽查不合格率为12.5%", {"fail_rate": 0.125}),
        ("实物质量抽样合格率为91.7%", {"pass_rate": 0.917}),
        ("经检验，10批次样品中有3批次不符合标准要求", {"batches": 10, "failed": 3}),
        ("共抽检20组，不合格3组", {"batches": 20, "failed": 3}),
        ("会议强调要加强监督抽查工作。", {}),
    ],
)
def test_what_is_said(prose: str, said: dict[str, Any]) -> None:
    found = read_counts(normalize(prose).text)
    names = ("batches", "failed", "passed", "fail_rate", "pass_rate", "enterprises")
    assert {name: getattr(found, name) for name in names if getattr(found, name) is not None} == said
    assert found.contradictions == ()


@pytest.mark.parametrize(
    ("prose", "contradictions"),
    [
        ("其他行业共有53家单位，其中加油站4家、商店43家、工厂5家、其他2家。", 1),  # lists 54
        ("共抽查1000批次，不合格60批次，抽查不合格率为7.0%。", 1),
        ("共抽查10批次，不合格12批次。", 1),
        ("共抽查312批次，其中合格300批次，不合格11批次。", 1),
        ("批次合格率96.2%，抽查不合格率4.8%", 1),
        ("共抽查53家企业，其中甲县4家、乙县43家、丙县6家。", 0),
        ("共有300家企业，其中规模以上4家、微型12家、小型30家。", 0),  # a list that stops short on purpose
        ("共抽查100批次，3批次未检验即移送，不合格4批次，不合格发现率4.1%。", 0),
    ],
)
def test_what_does_not_add_up(prose: str, contradictions: int) -> None:
    assert len(read_counts(normalize(prose).text).contradictions) == contradictions


def test_the_table_is_counted_too() -> None:
    said = read_counts("共抽查53批次,发现5批次不合格。")
    assert check_against_table(said, failed_rows=5) == ()
    assert len(check_against_table(said, failed_rows=6)) == 1
    assert len(check_against_table(said, failed_rows=5, all_rows=54)) == 1


def test_facts_only_prose_has() -> None:
    said = read_counts("3家企业无正当理由拒绝接受监督抽查,2批次涉嫌假冒,跟踪抽查中1批次仍不合格。")
    assert (said.refused, said.counterfeit, said.recheck_failed) == (True, True, True)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,204", 1204),
        ("五十三", 53),
        ("一百二十", 120),
        ("两千零五", 2005),
        ("三万一千", 31000),
        ("二〇二六", 2026),
        ("十", 10),
        ("家", None),
    ],
)
def test_numbers(text: str, number: int | None) -> None:
    assert parse_number(text) == number
