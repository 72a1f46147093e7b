import pytest

from nlp.enterprises import Firm, Query, Register

FIRMS = [
    Firm("1", "宁波华盛电器有限公司", None, short_names=("华盛",), region_code="330225"),
    Firm("2", "温州华盛电器有限公司", region_code="330302"),
    Firm("3", "象山县新达阀门厂", former_names=("象山县新大阀门厂",), brands=("飞凤",), region_code="330225"),
    Firm("4", "杭州大发食品有限公司", region_code="330106"),
    Firm("5", "浙江大发食品股份有限公司", region_code="330106"),
]


@pytest.fixture(scope="module")
def register() -> Register:
    return Register(FIRMS)


@pytest.mark.parametrize(
    ("text", "decision", "ids"),
    [
        ("寧波華盛電器有限責任公司", "link", ("1",)),
        ("宁 波华盛电器有限公司", "link", ("1",)),
        ("华盛（宁波）电器有限公司", "link", ("1",)),
        ("宁波华胜电器有限公司", "link", ("1",)),  # same sound
        ("宁波华盛电器", "link", ("1",)),
        ("宁波电器华盛有限公司", "link", ("1",)),
        ("宁波华盛电器有限公司象山县工业路12号", "link", ("1",)),
        ("象山县新达阀门厂（张三）", "link", ("3",)),
        ("象山县新大阀门厂", "link", ("3",)),  # its former name
        ("飞凤", "link", ("3",)),
        ("宁波华达电器有限公司", "none", ()),  # one character apart
        ("宁波华盛达电器有限公司", "none", ()),  # one more
        ("余姚华盛电器有限公司", "none", ()),  # the next county
        ("宁波华盛电器厂", "none", ()),
        ("华盛电器", "ambiguous", ()),
        ("大发食品", "ambiguous", ()),
        ("Ningbo Huasheng Electric Appliance Co., Ltd.", "link", ("1",)),
        ("飞凤官方旗舰店", "link", ("3",)),
        ("飞凤牌球阀", "link", ("3",)),
        ("宁波华盛电器有限公司、象山县新达阀门厂", "link", ("1", "3")),
        ("宁波华盛电器有限公司（标称）", "link", ("1",)),
        ("宁波华盛电器有限公司温州分公司", "link", ("1",)),
        ("宁波盛华电器有限公司", "none", ()),  # another 字号, for a person to look at
        ("无", "none", ()),
        ("", "none", ()),
    ],
)
def test_whose_name_it_is(register: Register, text: str, decision: str, ids: tuple[str, ...]) -> None:
    answer = register.resolve(Query(text))
    assert (answer.decision, answer.ids) == (decision, ids)


def test_the_region_of_the_record_settles_what_the_name_leaves_open(register: Register) -> None:
    assert register.resolve(Query("华盛电器", region="330302")).ids == ("2",)
    assert register.resolve(Query("华盛电器", region="温州市")).ids == ("2",)


def test_a_valid_code_decides_alone() -> None:
    register = Register([Firm("1", "宁波华盛电器有限公司", "91370000MA00000158"), *FIRMS[1:]])
    answer = register.resolve(Query("写错了的名字", uscc="91370000ma00000158"))
    assert (answer.ids, answer.method) == (("1",), "uscc")


def test_an_invalid_code_is_flagged_and_not_used(register: Register) -> None:
    answer = register.resolve(Query("宁波华盛电器有限公司", uscc="91330200MA0000001X"))
    assert answer.flags == ("uscc_invalid",)
    assert (answer.decision, answer.method) == ("link", "exact_name")


def test_a_new_firm_is_found_without_a_rebuild(register: Register) -> None:
    own = Register(FIRMS)
    assert own.resolve(Query("丽水金禾木玩有限公司")).decision == "none"
    own.add(Firm("6", "丽水金禾木玩有限公司", region_code="331125"))
    assert own.resolve(Query("丽水金禾木玩有限责任公司")).ids == ("6",)
    assert own.resolve(Query("丽水金和木玩有限公司")).ids == ("6",)
    assert [m.firm_id for m in own.mentions("丽水金禾木玩有限公司的积木")] == ["6"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("消费者反映在宁波华盛电器有限公司购买的充电器起火", [("宁波华盛电器有限公司", "1")]),
        (
            "新华盛电器有限公司与宁波华盛电器有限公司象山分公司无关",
            [("新华盛电器有限公司", None), ("宁波华盛电器有限公司象山分公司", "1")],
        ),
        ("使用（宁波）华盛电器有限公司生产的插座", [("（宁波）华盛电器有限公司", "1")]),
        ("咸阳德和消防器材有限公司的灭火器", [("咸阳德和消防器材有限公司", None)]),
        ("在象山县新达阀门买的", [("象山县新达阀门", "3")]),
        ("招行东直门支行转账到花旗集团", [("招行东直门支行", None), ("花旗集团", None)]),
        ("银行业和各家银行都说不知道", []),
        ("慈溪市飞腾电子有限公司召回充电器", [("慈溪市飞腾电子有限公司", None)]),
        ("这家公司不行，找别的公司", []),
    ],
)
def test_names_in_text(register: Register, text: str, found: list[tuple[str, str | None]]) -> None:
    mentions = register.mentions(text)
    assert [(m.text, m.firm_id) for m in mentions] == found
    assert all(text[m.start : m.end] == m.text for m in mentions)


def test_numbers_are_never_taken_for_one_another() -> None:
    register = Register([Firm("1", "象山县便民二店"), Firm("2", "宁波第一电器厂")])
    assert register.resolve(Query("象山县便民三店")).decision == "none"
    assert register.resolve(Query("宁波第二电器厂")).decision == "none"


def test_short_names_nobody_registered() -> None:
    register = Register(
        [
            Firm("1", "上海柴油机股份有限公司"),
            Firm("2", "上海汽车集团股份有限公司"),
            Firm("3", "郑州煤矿机械集团股份有限公司"),
        ]
    )
    assert [register.resolve(Query(short)).ids for short in ("上柴股份", "郑煤机")] == [("1",), ("3",)]


def test_a_trade_the_shipped_list_lacks_is_learnt_from_the_register() -> None:
    brands = ("海", "山", "川", "云", "星", "月", "日", "风", "雨", "雪", "林", "泉", "石", "金", "木", "水")
    firms = [Firm(str(n), f"宁波{brand}达盲盒周边有限公司") for n, brand in enumerate(brands)]
    assert Register(firms).resolve(Query("宁波云达")).ids == ("3",)


def test_errors_once_read_in_real_merges_stay_away() -> None:
    register = Register(
        [
            Firm("1", "上海捞派餐饮管理有限公司吴中路分公司", region_code="310112"),
            Firm("2", "山东鲁花生物科技有限公司", region_code="370682"),
            Firm("3", "阜宁县益林蔬菜酱醋加工厂", region_code="320923"),
            Firm("4", "加加食品集团股份有限公司", region_code="430182"),
            Firm("5", "加加食品集团（阆中）有限公司", region_code="511381"),
        ]
    )
    asked = [
        Query("上海捞派餐饮管理有限公司打浦路分公司", region="310101"),
        Query("山东鲁花集团有限公司"),
        Query("阜宁县益林酱园", region="320923"),
        Query("加加食品集团股份有限公司", region="511300"),
    ]
    assert [register.resolve(query).ids for query in asked] == [(), (), (), ()]


def test_an_ambiguous_name_lists_every_firm_that_fits() -> None:
    towns = (
        "象山县",
        "宁海县",
        "余姚市",
        "慈溪市",
        "奉化区",
        "桐庐县",
        "淳安县",
        "建德市",
        "嘉善县",
        "海盐县",
        "长兴县",
        "安吉县",
    )
    register = Register([Firm(town, f"{town}华盛电器有限公司") for town in towns])
    answer = register.resolve(Query("华盛电器有限公司"))
    assert (answer.decision, {c.id for c in answer.candidates}) == ("ambiguous", set(towns))


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("生产：宁波华盛电器有限公司 销售：象山县新达阀门厂", ("1", "3")),
        ("宁波华盛电器有限公司（委托象山县新达阀门厂生产）", ("1", "3")),
        ("宁波华盛电器有限公司(受象山县新达阀门厂委托)", ("1", "3")),
        ("宁波华盛电器有限公司和象山县新达阀门厂", ("1", "3")),
        ("当事人：宁波华盛电器有限公司", ("1",)),
        ("宁波华盛电器有根公司", ("1",)),  # misread form
        ("中国浙江省宁波市象山县新达阀门厂", ("3",)),
        ("关于象山县新达阀门厂的投诉", ("3",)),
        ("象山县新达阀门厂 张伟13800000000", ("3",)),
        ("象山县新达阀门厂（浙江省宁波市象山县工业路12号）", ("3",)),
        ("ning bo hua sheng dian qi you xian ze ren gong si", ("1",)),
        ("Ningboshihuashengdianqi Youxian Gongsi", ("1",)),
        ("飞凤（淘宝店）", ("3",)),
        ("宁波华盛电", ("1",)),  # cut short
    ],
)
def test_what_is_glued_to_a_name_is_taken_off(register: Register, text: str, ids: tuple[str, ...]) -> None:
    assert register.resolve(Query(text)).ids == ids


def test_a_trade_with_a_character_more_or_less_is_another_firm() -> None:
    register = Register([Firm("1", "宁波速尔快递消防科技有限公司"), Firm("2", "温州大发食品有限公司")])
    asked = ["宁波速尔快消防科技有限公司", "温州大发食品科技有限公司", "温州大发金食品有限公司"]
    assert [register.resolve(Query(text)).ids for text in asked] == [(), (), ()]


def test_a_misspelt_name_without_a_place_is_left_to_a_person() -> None:
    register = Register([Firm("1", "宁波华盛电器有限公司")])
    assert register.resolve(Query("宁波华胜电器有限公司")).ids == ("1",)
    answer = register.resolve(Query("华胜电器有限公司"))
    assert (answer.decision, answer.review) == ("none", True)


def test_a_short_name_that_is_also_the_middle_of_another_firms_name_is_ambiguous() -> None:
    register = Register(
        [Firm("1", "宁波华盛电器有限公司", short_names=("华盛电器",)), Firm("2", "温州华盛电器有限公司")]
    )
    assert register.resolve(Query("华盛电器")).decision == "ambiguous"
