"""The cities and counties of 虚构·海岳省: invented names under adcodes 99xxxx, which no real division has."""

from collections.abc import Iterator
from dataclasses import dataclass

PROVINCE_CODE = "990000"
PROVINCE_NAME = "海岳省"

# None of these is the name, or the beginning of the name, of a division of China (checked against the 2023 table).
_CITY_NAMES = """
澜泽 云碣 栖浦 霁屿 沅湖 芷洲 檀川 鸢溪 岚洲 墨渡 渌源 荻湾 蘅川 朔坪 竺台 淇洲
"""
_COUNTY_NAMES = """
澜湖 聆浦 荻源 墨岗 槿台 雁坞 芷湖 碣湾 碣洲 檀洲 杉浦 棠湖 鸢泽 萝坞 汐陵 漱湾 墨坞 聆屿 荻屿 琅岭
竺川 漱汀 嵋泽 蘅岭 汐泽 鸢源 鹤堤 漱坪 隐岭 渌陵 琅汀 琅浦 雁湾 聆川 沅源 聆泽 汐源 荻渡 雁岗 荻洲
汐洲 檀源 琅陵 隐陵 杉泽 聆汀 霁岗 檀陵 岫堤 杉岗 漱台 棠岭 隐川 苇汀 澜汀 棠坞 槿湾 澜原 棠川 荻汀
墨川 岫源 枫堤 汐川 蘅泽 嵋桥 澜陵 霁堤 苇溪 槿坪 槿岭 栖泽 岚溪 棠岗 雁湖 萝堤 竺坞 杉陵 沅泽 隐桥
芷原 杉渡 碣桥 霁陵 芷桥 漱原 萝汀 苇陵 蘅渡 澹泽 琅源 栖原 隐岗 澹原 鹤汀 槿浦 芷渡 墨湾 苇渡 枫原
栖陵 朔台 竺湾 碣屿 朔汀 枫屿 蘅汀 渌渡 苇台 渌浦
"""
_COUNTIES_PER_CITY = (9, 8, 7, 7, 6, 8, 7, 6, 7, 9, 5, 6, 7, 6, 7, 5)


@dataclass(frozen=True, slots=True)
class Place:
    """One division: adcode, full name, short name, level and the adcode above it."""

    code: str
    name: str
    short_name: str
    level: str
    parent_code: str | None

    @property
    def city_code(self) -> str:
        """The adcode of the city this place is or lies in."""
        return self.code[:4] + "00"


def _places() -> Iterator[Place]:
    yield Place(PROVINCE_CODE, PROVINCE_NAME, "海岳", "province", None)
    names = iter(_COUNTY_NAMES.split())
    for number, (city, counties) in enumerate(zip(_CITY_NAMES.split(), _COUNTIES_PER_CITY, strict=True), start=1):
        code = f"99{number:02d}00"
        yield Place(code, f"{city}市", city, "city", PROVINCE_CODE)
        for place in range(1, counties + 1):
            name = next(names)
            # The first of each city is a town district, then districts and counties in turn, one county-level city.
            suffix = "区" if place <= 2 else "市" if place == counties else "县"
            yield Place(f"99{number:02d}{place:02d}", name + suffix, name, "county", code)


PLACES = tuple(_places())
BY_CODE = {place.code: place for place in PLACES}
CITIES = tuple(place for place in PLACES if place.level == "city")
COUNTIES = tuple(place for place in PLACES if place.level == "county")
