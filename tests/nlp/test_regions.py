import pytest

from nlp.regions import RegionIndex, RegionRow, shipped_index, shipped_regions

INDEX = shipped_index()


def row(code: str, name: str, level: str, parent: str | None) -> RegionRow:
    return RegionRow(code, name, name[:-1], level, parent, None, None, None)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("浙江省宁波市象山县工业路12号", [("浙江省宁波市象山县", ("330225",))]),
        ("朝阳区某厂", [("朝阳区", ("110105", "220104"))]),
        ("长春市一家店在朝阳区", [("长春市", ("220100",)), ("朝阳区", ("220104",))]),
        ("原莱芜市钢城区", [("莱芜市钢城区", ("370117",))]),
        ("在中山路的中山大厦", []),
        ("东莞长安镇", [("东莞", ("441900",))]),
        ("象山华盛", []),
        ("吉林吉林市", [("吉林吉林市", ("220200",))]),
        ("重庆市江津区", [("重庆市江津区", ("500116",))]),
    ],
)
def test_places_in_text(text: str, places: list[tuple[str, tuple[str, ...]]]) -> None:
    found = INDEX.locate(text)
    assert [(p.text, p.codes) for p in found] == places
    assert all(text[p.start : p.end] == p.text for p in found)


@pytest.mark.parametrize(
    ("code", "canonical"),
    [
        ("370176", "370100"),  # a statistical zone lies in its city
        ("330101", "330100"),  # 市辖区 is a heading
        ("330225001000", "330225"),
        ("419001", "419001"),
        ("999999", None),
    ],
)
def test_canonical_codes(code: str, canonical: str | None) -> None:
    assert INDEX.canonical(code) == canonical


def test_withdrawn_codes_lead_to_their_successors() -> None:
    assert INDEX.current("371202") == "370116"
    assert INDEX.covers("370100", "371202")
    assert not INDEX.covers("370100", "330225")


@pytest.mark.parametrize("code", ["441900", "442000", "460400", "620200"])
def test_cities_without_counties(code: str) -> None:
    assert [r.code for r in shipped_regions() if r.parent_code == code] == []


@pytest.mark.parametrize(
    ("code", "since"),
    [("370116", "2019-01-01"), ("330383", "2019-08-16"), ("330113", "2021-04-01"), ("659012", "2023-01-01")],
)
def test_changes_carry_their_date(code: str, since: str) -> None:
    row = INDEX.row(code)
    assert isinstance(row, RegionRow)
    assert row.valid_from == since


def test_every_parent_is_a_row() -> None:
    codes = {r.code for r in shipped_regions()}
    assert [r.code for r in shipped_regions() if r.parent_code and r.parent_code not in codes] == []


def test_rows_of_another_province_join_in() -> None:
    extra = [
        row("990000", "海岳省", "province", None),
        row("990100", "云港市", "city", "990000"),
        row("990101", "滨江区", "county", "990100"),
    ]
    index = RegionIndex([*shipped_regions(), *extra])
    assert [p.codes for p in index.locate("海岳省云港市滨江区")] == [("990101",)]
    assert index.code_of("滨江区") is None  # Hangzhou has one as well
    assert index.full_name("990101") == "海岳省云港市滨江区"
