"""An invented register with many look-alikes, and messy queries whose answer is known.

Everything is 虚构: 字号 are drawn from a pool of characters that differs by `vocabulary`, so that thresholds chosen on
one vocabulary can be tried on another. The truth of a query is worked out from the register: a name that fits two
firms equally is ambiguous, whatever kind of noise made it.
"""

import random
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import opencc
import yaml
from pypinyin import Style, lazy_pinyin

from nlp.enterprises.codes import uscc_check_digit
from nlp.enterprises.types import Firm
from nlp.regions import RegionRow, shipped_index, shipped_regions

WORDS = yaml.safe_load(Path(__file__).with_suffix(".yml").read_text(encoding="utf-8"))
FORMS = (
    ["有限公司"] * 12 + ["有限责任公司"] * 3 + ["股份有限公司"] * 2 + ["厂"] * 3 + ["经营部", "商行", "集团有限公司"]
)
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚"
FORM_SWAPS = {
    "有限公司": ("有限责任公司", "公司"),
    "有限责任公司": ("有限公司", "公司"),
    "股份有限公司": ("股份公司", "有限公司"),
    "厂": ("工厂",),
    "集团有限公司": ("集团公司", "集团"),
}
NAME_ALONE = (
    "exact",
    "brackets",
    "width",
    "form",
    "region_moved",
    "former",
    "homophone",
    "look_alike",
    "ocr_spaces",
    "traditional",
    "word_order",
    "truncated",
    "address_glued",
    "person_suffix",
    "branch",
    "combined",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One query of the benchmark with its answer: `ids` empty and `decision` none or ambiguous, or the firm(s)."""

    kind: str
    query: str
    decision: str
    ids: tuple[str, ...]
    context: str = ""
    region: str = ""
    product: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """A firm with the parts its name was put together from."""

    firm: Firm
    place: str  # as written in the name, '' none
    bracketed: bool
    brand: str
    industry: str
    form: str
    county: RegionRow
    town: str


class Province:
    """An invented register over the real divisions, and the queries to it."""

    def __init__(self, firms: int, seed: int, vocabulary: str = "a") -> None:
        self.random = random.Random(seed)
        self._pool = WORDS["pools"][vocabulary]
        self._industries = WORDS["industries"][vocabulary]
        self._counties = [r for r in shipped_regions() if r.level == "county" and not r.successor_code]
        self._index = shipped_index()
        self._pairs = [a + b for a in self._pool for b in self._pool if a != b]
        self.made: list[Made] = []
        self._names: set[str] = set()
        while len(self.made) < firms:
            self._make_family(firms)
        self._by_name = {m.firm.name: m for m in self.made}
        self._by_body: dict[str, list[Made]] = defaultdict(list)
        self._by_alias: dict[str, list[Made]] = defaultdict(list)
        self._formers = {name for made in self.made for name in made.firm.former_names}
        for made in self.made:
            self._by_body[made.brand + made.industry].append(made)
            for alias in (*made.firm.short_names, *made.firm.brands):
                self._by_alias[alias].append(made)
            for former in made.firm.former_names:
                self._by_name.setdefault(former, made)

    @property
    def firms(self) -> list[Firm]:
        """The register."""
        return [made.firm for made in self.made]

    # Firms

    def _new_brand(self) -> str:
        chance = self.random.random()
        pair = self.random.choice(self._pairs)
        if chance < 0.72:
            return pair
        return pair + self.random.choice(self._pool) if chance < 0.92 else pair + self.random.choice(self._pairs)

    def _make_family(self, limit: int) -> None:
        """A firm and, often, others that look like it."""
        r = self.random
        county, brand, industry = r.choice(self._counties), self._new_brand(), r.choice(self._industries)
        self._make(county, brand, industry)
        while r.random() < 0.55 and len(self.made) < limit:
            twist = r.random()
            if twist < 0.35:
                self._make(r.choice(self._counties), brand, industry)
            elif twist < 0.5:
                siblings = [c for c in self._counties if c.code[:4] == county.code[:4]]
                self._make(r.choice(siblings), brand, industry)
            elif twist < 0.7:
                self._make(county, brand, r.choice(self._industries))
            elif twist < 0.9:
                at = r.randrange(len(brand))
                self._make(county, brand[:at] + r.choice(self._pool) + brand[at + 1 :], industry)
            else:
                self._make(county, brand + r.choice(self._pool), industry)

    def _make(self, county: RegionRow, brand: str, industry: str) -> None:
        r = self.random
        form = r.choice(FORMS)
        chain = self._index.ancestors(county.code)
        rows = [self._index.row(code) for code in chain]
        names = [row for row in rows if row is not None and row.level != "virtual"]
        chosen = names[0] if r.random() < 0.45 else names[1] if len(names) > 2 and r.random() < 0.75 else names[-1]
        place = chosen.name if r.random() < 0.4 else chosen.short_name
        pattern = r.random()
        bracketed = pattern > 0.85 and chosen.level != "county"
        if pattern < 0.06:
            place = ""
        if form in ("经营部", "商行") and not place:
            place = county.name
        name = f"{brand}({place}){industry}{form}" if bracketed and place else f"{place}{brand}{industry}{form}"
        if bracketed and r.random() < 0.5:
            name = name.replace("(", "（").replace(")", "）")
        if name in self._names:
            return
        self._names.add(name)
        number = len(self.made)
        town = r.choice(WORDS["towns"])
        code = "91" + county.code + "".join(r.choices("0123456789ABCDEFGHJKLMNPQRTUWXY", k=9))
        former: tuple[str, ...] = ()
        if r.random() < 0.1:
            old = f"{place}{self._new_brand()}{r.choice(self._industries)}{form}"
            if old not in self._names:
                self._names.add(old)
                former = (old,)
        short = ()
        if r.random() < 0.35:
            short = (r.choice([brand + industry[:2], brand + industry, brand]),)
        brands = (self._new_brand() + r.choice(["", "", "牌"]),) if r.random() < 0.25 else ()
        firm = Firm(
            id=f"E{number:07d}",
            name=name,
            uscc=code + uscc_check_digit(code) if r.random() < 0.9 else None,
            former_names=former,
            short_names=short,
            brands=brands,
            region_code=county.code,
            address=f"{self._index.full_name(county.code)}{town}镇工业路{r.randint(1, 400)}号",
            role="producer",
            status="active",
        )
        self.made.append(Made(firm, place, bracketed and bool(place), brand, industry, form, county, town))

    # Queries

    def queries(self, count: int, seed: int) -> Iterator[Asked]:
        """About `count` queries over all kinds; a kind that does not fit a firm is skipped."""
        r = self.random = random.Random(seed)
        noise = [*NAME_ALONE, "region_missing", "short", "brand", "shop", "pinyin", "english", "context", "product"]
        others = ["none_one_char", "none_more", "none_less", "none_county", "none_other", "ambiguous", "two_firms"]
        weights = [1.0] * len(noise) + [2.0, 1.0, 1.0, 1.5, 1.5, 3.0, 1.5]
        asked = 0
        while asked < count:
            made = r.choice(self.made)
            kind = r.choices([*noise, *others], weights)[0]
            query = getattr(self, f"_{kind}")(made)
            if query is not None:
                asked += 1
                yield query

    def _is(self, kind: str, text: str, made: Made, **more: str) -> Asked | None:
        """The query, unless the noise produced the very name of another firm."""
        other = self._by_name.get(text)
        if other is not None and other is not made:
            return None
        return Asked(kind, text, "link", (made.firm.id,), **more)

    def _exact(self, made: Made) -> Asked | None:
        return self._is("exact", made.firm.name, made)

    def _brackets(self, made: Made) -> Asked | None:
        if not made.place:
            return None
        name = made.firm.name
        if made.bracketed:
            changed = self.random.choice([name.replace("(", "（").replace(")", "）"), re.sub("[()（）]", "", name)])
        else:
            changed = self.random.choice(["（{}）", "({})", "【{}】"]).format(made.place) + name[len(made.place) :]
        return self._is("brackets", changed, made)

    def _width(self, made: Made) -> Asked | None:
        wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in made.firm.name)
        return self._is("width", self.random.choice([wide + "　", "　" + wide, wide[:4] + " " + wide[4:]]), made)

    def _form(self, made: Made) -> Asked | None:
        forms = FORM_SWAPS.get(made.form)
        if not forms:
            return None
        return self._is("form", made.firm.name.removesuffix(made.form) + self.random.choice(forms), made)

    def _region_missing(self, made: Made) -> Asked | None:
        if not made.place:
            return None
        text = made.brand + made.industry + made.form
        return self._fits("region_missing", text, made, self._bearers(made, made.form))

    def _region_moved(self, made: Made) -> Asked | None:
        if not made.place:
            return None
        rest = made.brand + made.industry + made.form
        forms = [
            f"{made.brand}({made.place}){made.industry}{made.form}",
            f"{rest}({made.place})",
            f"{made.place}{rest}",
        ]
        forms.append(f"{made.brand}{made.place}{made.industry}{made.form}")
        return self._is("region_moved", self.random.choice(forms[: 4 if made.bracketed else 2] + forms[3:]), made)

    def _former(self, made: Made) -> Asked | None:
        return self._is("former", made.firm.former_names[0], made) if made.firm.former_names else None

    def _short(self, made: Made) -> Asked | None:
        if not made.firm.short_names:
            return None
        text = made.firm.short_names[0]
        return self._fits("short", text, made, self._owners(text))

    def _fits(self, kind: str, text: str, made: Made, owners: list[Made], **more: str) -> Asked | None:
        """Link when one firm fits, else ambiguous."""
        if text in self._by_name:
            return None
        different = {owner.firm.id for owner in owners}
        if len(different) == 1:
            return self._is(kind, text, made, **more)
        return Asked("ambiguous", text, "ambiguous", (), **more)

    def _bearers(self, made: Made, form: str) -> list[Made]:
        return [m for m in self._by_body[made.brand + made.industry] if not form or _like(m.form, form)]

    def _homophone(self, made: Made, kind: str = "homophone") -> Asked | None:
        at = self.random.randrange(len(made.brand))
        others = [c for c in _homophones().get(_sound(made.brand[at]), "") if c != made.brand[at]]
        return self._changed_brand(made, at, others, kind)

    def _look_alike(self, made: Made) -> Asked | None:
        at = self.random.randrange(len(made.brand))
        return self._changed_brand(made, at, list(_alike().get(made.brand[at], "")), "look_alike")

    def _changed_brand(self, made: Made, at: int, others: list[str], kind: str) -> Asked | None:
        if not others:
            return None
        brand = made.brand[:at] + self.random.choice(others) + made.brand[at + 1 :]
        text = made.firm.name.replace(made.brand, brand, 1)
        if any(_close(m.brand, brand) and m is not made and _place_fits(m, made) for m in self._near(made)):
            return None
        return self._is(kind, text, made)

    def _near(self, made: Made) -> list[Made]:
        """Firms of the same trade and form whose name has the same place."""
        if not hasattr(self, "_by_trade"):
            self._by_trade: dict[tuple[str, str], list[Made]] = defaultdict(list)
            for m in self.made:
                self._by_trade[m.industry, m.county.code[:4]].append(m)
        return self._by_trade[made.industry, made.county.code[:4]]

    def _ocr_spaces(self, made: Made) -> Asked | None:
        text = "".join(c + (" " if self.random.random() < 0.3 else "") for c in made.firm.name)
        return self._is("ocr_spaces", text, made)

    def _traditional(self, made: Made) -> Asked | None:
        return self._is("traditional", _to_traditional().convert(made.firm.name), made)

    def _word_order(self, made: Made) -> Asked | None:
        if not made.place:
            return None
        orders = [
            made.place + made.industry + made.brand + made.form,
            made.brand + made.industry + made.form + made.place,
            made.brand + made.place + made.industry + made.form,
        ]
        return self._is("word_order", self.random.choice(orders), made)

    def _branch(self, made: Made) -> Asked | None:
        if made.form not in ("有限公司", "有限责任公司", "股份有限公司"):
            return None
        where = self.random.choice(self._counties).short_name
        return self._is("branch", f"{made.firm.name}{self.random.choice([where, '第二', '第一'])}分公司", made)

    def _shop(self, made: Made) -> Asked | None:
        if not made.firm.brands and not made.firm.short_names:
            return None
        alias = (made.firm.brands or made.firm.short_names)[0]
        suffix = self.random.choice(["官方旗舰店", "旗舰店", "专卖店", "(天猫旗舰店)", "企业店"])
        return self._fits("shop", alias.removesuffix("牌") + suffix, made, self._owners(alias.removesuffix("牌")))

    def _brand(self, made: Made) -> Asked | None:
        if not made.firm.brands:
            return None
        alias = made.firm.brands[0]
        return self._fits("brand", alias, made, self._owners(alias.removesuffix("牌")))

    def _owners(self, alias: str) -> list[Made]:
        return [*self._by_alias[alias], *self._by_alias[alias + "牌"], *self._by_body[alias]]

    def _truncated(self, made: Made) -> Asked | None:
        cut = self.random.randint(1, min(5, len(made.form) + 1))
        text = made.firm.name[:-cut]
        if len(made.firm.name) - len(text) > len(made.form) + 1 or len(made.form) < 3 or made.bracketed:
            return None
        same = [m for m in self._by_body[made.brand + made.industry] if m.firm.name.startswith(text)]
        return self._fits("truncated", text, made, same)

    def _pinyin(self, made: Made) -> Asked | None:
        words = [_latin(made.place), _latin(made.brand), _latin(made.industry)]
        text = " ".join(w.capitalize() for w in words if w) + self.random.choice(
            ["", " Co., Ltd.", " Youxian Gongsi" if made.form.endswith("有限公司") else " Co., Ltd."]
        )
        return self._fits("pinyin", text, made, self._sounding(made)) if made.place else None

    def _english(self, made: Made) -> Asked | None:
        if made.industry not in WORDS["english"] or not made.place:
            return None
        text = f"{_latin(made.place).capitalize()} {_latin(made.brand).capitalize()} {WORDS['english'][made.industry]}"
        tail = self.random.choice([" Co., Ltd.", " Co.,Ltd", " Company Limited"])
        return self._fits("english", text + tail, made, self._sounding(made))

    def _sounding(self, made: Made) -> list[Made]:
        """Firms whose names have the same letters: the same place in them, or none and a seat there."""
        alike = [m for m in self._near(made) if _latin(m.brand) == _latin(made.brand)]
        same = [m for m in alike if _latin(m.place).removesuffix("shi") == _latin(made.place).removesuffix("shi")]
        return same + [m for m in alike if not m.place and m.county.code == made.county.code]

    def _address_glued(self, made: Made) -> Asked | None:
        address = made.firm.address or ""
        return self._is("address_glued", self.random.choice([made.firm.name + address, address + made.firm.name]), made)

    def _person_suffix(self, made: Made) -> Asked | None:
        r = self.random
        person = r.choice(SURNAMES) + "".join(r.choices(GIVEN, k=r.choice([1, 2])))
        return self._is(
            "person_suffix",
            made.firm.name + r.choice([person, f"（{person}）", f" {person}", f"（法人：{person}）"]),
            made,
        )

    def _combined(self, made: Made) -> Asked | None:
        first = self._homophone(made, "combined") or self._look_alike(made)
        if first is None:
            return None
        text = first.query
        r = self.random
        if made.form == "有限公司" and r.random() < 0.5:
            text = text.replace("有限公司", "有限责任公司")
        if r.random() < 0.5:
            text = _to_traditional().convert(text)
        text = "".join(c + (" " if r.random() < 0.15 else "") for c in text)
        return self._is("combined", text, made)

    def _context(self, made: Made) -> Asked | None:
        """Only the sentence around it or the region of the record tells which."""
        text = made.brand + made.industry + (made.form if self.random.random() < 0.5 else "")
        form = made.form if text.endswith(made.form) else ""
        owners = self._bearers(made, form)
        inside = [m for m in owners if m.county.code == made.county.code]
        if len(owners) < 2 or len(inside) != 1:
            return None
        county = self._index.full_name(made.county.code)
        if self.random.random() < 0.5:
            return self._is("context", text, made, region=made.county.code)
        return self._is("context", text, made, context=f"消费者在{county}{made.town}镇反映{text}的产品有问题")

    def _product(self, made: Made) -> Asked | None:
        """A short name several firms share; the product tells which."""
        owners = [m for m in self.made_by_brand(made.brand) if _place_fits(m, made)]
        trades = {m.industry[:2] for m in owners}
        if len(owners) < 2 or len(trades) != len(owners) or not made.place:
            return None
        return self._is("product", made.place + made.brand, made, product=made.industry[:2])

    def made_by_brand(self, brand: str) -> list[Made]:
        """Every firm of this 字号."""
        if not hasattr(self, "_brands"):
            self._brands: dict[str, list[Made]] = defaultdict(list)
            for m in self.made:
                self._brands[m.brand].append(m)
        return self._brands[brand]

    def _nobody(self, kind: str, text: str) -> Asked | None:
        return None if text in self._by_name else Asked(kind, text, "none", ())

    def _none_one_char(self, made: Made) -> Asked | None:
        at = self.random.randrange(len(made.brand))
        other = self.random.choice(self._pool if self.random.random() < 0.5 else _common())
        if (
            other == made.brand[at]
            or _sound(other) == _sound(made.brand[at])
            or other in _alike().get(made.brand[at], "")
        ):
            return None
        brand = made.brand[:at] + other + made.brand[at + 1 :]
        return self._other_brand("none_one_char", made, brand)

    def _none_more(self, made: Made) -> Asked | None:
        at = self.random.randint(1, len(made.brand))
        return self._other_brand("none_more", made, made.brand[:at] + self.random.choice(self._pool) + made.brand[at:])

    def _none_less(self, made: Made) -> Asked | None:
        if len(made.brand) < 3:
            return None
        at = self.random.randrange(len(made.brand))
        return self._other_brand("none_less", made, made.brand[:at] + made.brand[at + 1 :])

    def _other_brand(self, kind: str, made: Made, brand: str) -> Asked | None:
        if any(_close(m.brand, brand) and _place_fits(m, made) for m in self._near(made)):
            return None
        if any(_place_fits(m, made) for m in self._by_body.get(brand + made.industry, ())):
            return None
        if any(brand + made.industry in name for name in self._formers):
            return None
        return self._nobody(kind, made.firm.name.replace(made.brand, brand, 1))

    def _none_county(self, made: Made) -> Asked | None:
        if not made.place or made.place not in (made.county.name, made.county.short_name):
            return None
        others = [c for c in self._counties if c.code[:4] == made.county.code[:4] and c is not made.county]
        if not others:
            return None
        other = self.random.choice(others)
        if any(
            other.short_name in (r.short_name if r else "")
            for r in map(self._index.row, self._index.ancestors(other.code)[1:])
        ):
            return None
        if any(self._index.compatible(m.county.code, other.code) or not m.place for m in self._bearers(made, "")):
            return None
        place = other.name if made.place == made.county.name else other.short_name
        return self._nobody("none_county", made.firm.name.replace(made.place, place, 1))

    def _none_other(self, made: Made) -> Asked | None:
        brand, industry = self._new_brand(), self.random.choice(self._industries)
        county = self.random.choice(self._counties)
        if self.made_by_brand(brand):
            return None
        return self._nobody("none_other", county.short_name + brand + industry + self.random.choice(FORMS))

    def _ambiguous(self, made: Made) -> Asked | None:
        form = made.form if self.random.random() < 0.4 else ""
        owners = self._bearers(made, form)
        if len({m.firm.id for m in owners}) < 2 or any(not m.place for m in owners):
            return None
        text = made.brand + made.industry + form
        aliased = {m.firm.id for m in self._by_alias.get(text, ())}
        if len(aliased) == 1 or text in self._by_name:
            return None
        return Asked("ambiguous", text, "ambiguous", ())

    def _two_firms(self, made: Made) -> Asked | None:
        other = self.random.choice(self.made)
        if other is made:
            return None
        joint = self.random.choice(["、", "，", "；", "/", " ", "委托"])
        return Asked("two_firms", made.firm.name + joint + other.firm.name, "link", (made.firm.id, other.firm.id))


def _like(one: str, other: str) -> bool:
    return one.replace("有限责任", "有限") == other.replace("有限责任", "有限")


def _place_fits(one: Made, other: Made) -> bool:
    """True when a name with the place of `other` could also mean `one`."""
    index = shipped_index()
    return (
        not one.place
        or not other.place
        or index.compatible(one.county.code, other.county.code)
        or one.place == other.place
        or (
            any(index.compatible(a, other.county.code) for a in index.lookup(one.place))
            or any(index.compatible(a, one.county.code) for a in index.lookup(other.place))
        )
    )


def _close(one: str, other: str) -> bool:
    return len(one) == len(other) and all(
        a == b or _sound(a) == _sound(b) or b in _alike().get(a, "") for a, b in zip(one, other, strict=True)
    )


@cache
def _sound(char: str) -> str:
    return lazy_pinyin(char, style=Style.NORMAL)[0]


def _latin(text: str) -> str:
    return "".join(lazy_pinyin(text, style=Style.NORMAL)).replace("ü", "v")


@cache
def _common() -> str:
    raw = (bytes((row, cell)) for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF))
    return "".join(r.decode("gb2312", errors="ignore") for r in raw)


@cache
def _homophones() -> dict[str, str]:
    found: dict[str, str] = defaultdict(str)
    for char in _common():
        found[_sound(char)] += char
    return found


@cache
def _alike() -> dict[str, str]:
    """Typical confusions, typed apart from the product's table."""
    found: dict[str, str] = defaultdict(str)
    for group in WORDS["look_alikes"]:
        for char in group:
            found[char] += group.replace(char, "")
    return found


@cache
def _to_traditional() -> opencc.OpenCC:
    return opencc.OpenCC("s2t")
