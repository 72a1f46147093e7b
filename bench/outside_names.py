"""A second benchmark of names, made without looking at the first: real 字号, other trades, other noise.

The 字号 come from a file of brand words (`cn_company_short_names`) or the whole names from published results
(`cn_sampling` producers); firms, regions, trades and noise are put together here, so no line is a real firm's record.
What a query means is worked out from the register by rules of this file alone. A query that any other firm's name
fits as well in letters is left out, or counts as ambiguous where the name leaves something out.
"""

import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import opencc
import yaml
from enterprise_names import Asked
from pypinyin import Style, lazy_pinyin
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from nlp.enterprises.codes import uscc_check_digit
from nlp.enterprises.types import Firm
from nlp.regions import RegionRow, shipped_index, shipped_regions

WORDS = yaml.safe_load(Path(__file__).with_suffix(".yml").read_text(encoding="utf-8"))
_CHINESE = re.compile("[\u4e00-\u9fff]{2,4}")
BESIDE_THE_NAME = frozenset(WORDS["beside_the_name"])
_FULL_FORMS = ("有限公司", "有限责任公司", "股份有限公司", "集团有限公司")


@dataclass(frozen=True, slots=True)
class Written:
    """A firm and the parts its name was put together from."""

    firm: Firm
    place: str
    brand: str
    trade: str
    form: str
    county: RegionRow
    bracketed: bool = False

    @property
    def core(self) -> str:
        """字号 + 行业."""
        return self.brand + self.trade


class Outside:
    """A register of `firms` firms and the queries to it."""

    def __init__(self, firms: int, seed: int, brands: list[str]) -> None:
        self.random = random.Random(seed)
        self._index = shipped_index()
        self._counties = [r for r in shipped_regions() if r.level == "county" and not r.successor_code]
        self._by_city: dict[str, list[RegionRow]] = defaultdict(list)
        for county in self._counties:
            self._by_city[county.code[:4]].append(county)
        places = {row.short_name for row in shipped_regions()} | {row.name for row in shipped_regions()}
        bad = (*WORDS["trades"], "公司", "集团", "厂", "店")
        self._brands = [b for b in brands if _CHINESE.fullmatch(b) and b not in places and not b.endswith(bad)]
        self.made: list[Written] = []
        self._names: dict[str, Written] = {}
        while len(self.made) < firms:
            self._family(firms)
        self._by_core: dict[str, list[Written]] = defaultdict(list)
        self._by_brand: dict[str, list[Written]] = defaultdict(list)
        self._by_alias: dict[str, list[Written]] = defaultdict(list)
        for made in self.made:
            self._by_core[made.core].append(made)
            self._by_brand[made.brand].append(made)
            for alias in {*made.firm.short_names, *made.firm.brands}:
                self._by_alias[alias].append(made)
        self.all_names = [(name, made) for name, made in self._names.items()]

    @property
    def firms(self) -> list[Firm]:
        """The register."""
        return [made.firm for made in self.made]

    # The register

    def _family(self, limit: int) -> None:
        r = self.random
        county, brand, trade = r.choice(self._counties), r.choice(self._brands), r.choice(WORDS["trades"])
        form = r.choices(list(WORDS["forms"]), list(WORDS["forms"].values()))[0]
        self._put(county, brand, trade, form)
        while r.random() < 0.5 and len(self.made) < limit:
            twist, at = r.random(), r.randrange(len(brand))
            if twist < 0.25:
                self._put(r.choice(self._counties), brand, trade, form)
            elif twist < 0.4:
                self._put(r.choice(self._by_city[county.code[:4]]), brand, trade, form)
            elif twist < 0.55:
                self._put(county, brand, r.choice(WORDS["trades"]), form)
            elif twist < 0.65:
                self._put(county, brand, trade, r.choice(list(WORDS["forms"])))
            elif twist < 0.75:
                self._put(county, brand[:at] + r.choice(_sounds_like(brand[at])) + brand[at + 1 :], trade, form)
            elif twist < 0.9:
                self._put(county, brand[:at] + r.choice(_common()) + brand[at + 1 :], trade, form)
            else:
                self._put(county, brand + r.choice(WORDS["lucky"]), trade, form)

    def _put(self, county: RegionRow, brand: str, trade: str, form: str) -> None:
        r = self.random
        rows = [self._index.row(code) for code in self._index.ancestors(county.code)]
        above = [row for row in rows if row is not None and row.level != "virtual"]
        small = form in WORDS["small_forms"]
        pick = above[0] if small or r.random() < 0.4 else r.choice(above)
        style = r.random()
        if style < 0.1 and len(above) > 1:
            place = above[-1].name + "".join(row.name for row in reversed(above[:-1]))
        elif small:
            place = "".join(row.name for row in reversed(above[:2])) if r.random() < 0.4 else pick.name
        else:
            place = pick.name if r.random() < 0.4 else pick.short_name
        bracketed = not small and style > 0.88 and place == pick.short_name
        if not small and 0.1 < style < 0.16:
            place = ""
        name = f"{brand}（{place}）{trade}{form}" if bracketed and place else f"{place}{brand}{trade}{form}"
        if name in self._names:
            return
        former: tuple[str, ...] = ()
        if r.random() < 0.12:
            old = f"{place}{r.choice(self._brands)}{trade}{form}"
            if old not in self._names:
                former = (old,)
        short = (r.choice([brand + trade[:2], brand, brand + trade]),) if r.random() < 0.4 else ()
        brands = tuple(dict.fromkeys(r.choices(self._brands, k=r.choice([1, 1, 2])))) if r.random() < 0.3 else ()
        code = "91" + county.code + "".join(r.choices("0123456789ABCDEFGHJKLMNPQRTUWXY", k=9))
        address = f"{self._index.full_name(county.code)}{r.choice(WORDS['streets'])}{r.randint(1, 999)}号"
        if r.random() < 0.3:
            address += f"{r.randint(1, 30)}幢{r.randint(101, 2500)}室"
        firm = Firm(
            id=f"F{len(self.made):07d}",
            name=name,
            uscc=code + uscc_check_digit(code),
            former_names=former,
            short_names=short,
            brands=brands,
            region_code=county.code,
            address=address,
            role=r.choice(["producer", "seller"]),
            status="active",
        )
        made = Written(firm, place, brand, trade, form, county, bracketed and bool(place))
        self.made.append(made)
        self._names[name] = made
        for old in former:
            self._names[old] = made

    # Queries

    def queries(self, count: int, seed: int) -> Iterator[Asked]:
        """About `count` queries; a kind that does not fit a firm is passed over."""
        r = self.random = random.Random(seed)
        kinds = list(WORDS["kinds"])
        weights = list(WORDS["kinds"].values())
        pending: list[tuple[Asked, Written]] = []
        made_so_far = 0
        while made_so_far < count:
            made, kind = r.choice(self.made), r.choices(kinds, weights)[0]
            asked = getattr(self, f"_{kind}")(made)
            if asked is None or (asked.decision == "none" and asked.query in self._names):
                continue
            made_so_far += 1
            if kind in WORDS["checked"]:
                pending.append((asked, made))
            else:
                yield asked
        yield from self._alone_in_letters(pending)

    def _alone_in_letters(self, pending: list[tuple[Asked, Written]]) -> Iterator[Asked]:
        """Those whose firm is nearest in letters, sounds counted half; the others have no certain answer."""
        names = [name for name, _ in self.all_names]
        for start in range(0, len(pending), 200):
            part = pending[start : start + 200]
            table = cdist([a.query for a, _ in part], names, scorer=Levenshtein.distance, workers=1)
            for (asked, made), row in zip(part, table, strict=True):
                least = min(int(d) for d, (_, owner) in zip(row, self.all_names, strict=True) if owner is made)
                rivals = [self.all_names[i][1] for i in (row <= least).nonzero()[0] if self.all_names[i][1] is not made]
                if not rivals:
                    yield asked

    def _link(self, kind: str, text: str, made: Written, **more: str) -> Asked | None:
        other = self._names.get(text)
        if other is not None and other is not made:
            return None
        return Asked(kind, text, "link", (made.firm.id,), **more)

    def _shared(self, kind: str, text: str, made: Written, owners: list[Written], **more: str) -> Asked | None:
        """Linked when `made` alone owns the text, ambiguous when others do as well."""
        if text in self._names:
            return None
        ids = tuple(sorted({owner.firm.id for owner in owners}))
        if len(ids) > 1:
            return Asked("ambiguous", text, "ambiguous", ids, **more)
        return self._link(kind, text, made, **more)

    def _exact(self, made: Written) -> Asked | None:
        return self._link("exact", made.firm.name, made)

    def _brackets(self, made: Written) -> Asked | None:
        if not made.place:
            return None
        name = made.firm.name
        if made.bracketed:
            return self._link("brackets", name.replace("（", "").replace("）", ""), made)
        style = self.random.choice(["（{}）", "({})", "[{}]", "【{}】", "〔{}〕", "「{}」"])
        return self._link("brackets", style.format(made.place) + name.removeprefix(made.place), made)

    def _width(self, made: Written) -> Asked | None:
        name = made.firm.name.replace("（", "(").replace("）", ")")
        return self._link("width", self.random.choice([" ", "\u3000", "\t", "\u200b"]).join([name[:3], name[3:]]), made)

    def _form(self, made: Written) -> Asked | None:
        swaps = WORDS["form_swaps"].get(made.form)
        if not swaps:
            return None
        form = self.random.choice(swaps)
        text = made.firm.name.removesuffix(made.form) + form
        rivals = [m for m in self._by_core[made.core] if m.place == made.place and m is not made]
        if any(_same_letters(m, made.place + made.core) for m in rivals):
            return None
        return self._link("form", text, made)

    def _region_dropped(self, made: Written) -> Asked | None:
        if not made.place:
            return None
        owners = [m for m in self._by_core[made.core] if _form_key(m.form) == _form_key(made.form)]
        return self._shared("region_dropped", made.core + made.form, made, owners)

    def _region_moved(self, made: Written) -> Asked | None:
        if not made.place or len(made.place) > 6:
            return None
        if made.bracketed:
            text = made.place + made.core + made.form
        else:
            text = self.random.choice(
                [f"{made.brand}({made.place}){made.trade}{made.form}", f"{made.core}（{made.place}）{made.form}"]
            )
        return self._link("region_moved", text, made)

    def _region_level(self, made: Written) -> Asked | None:
        """The same place, told more or less fully."""
        if made.bracketed or not made.place:
            return None
        rows = [self._index.row(code) for code in self._index.ancestors(made.county.code)]
        above = [row for row in rows if row is not None and row.level != "virtual"]
        ways = {
            above[-1].name + made.place,
            self._index.full_name(made.county.code),
            above[0].name,
            above[0].short_name,
        }
        if len(above) > 1:
            ways |= {above[1].name, above[1].short_name, above[1].name + above[0].name}
        ways = {way for way in ways if way != made.place and way.count(above[-1].short_name) < 2}
        place = self.random.choice(sorted(ways))
        rivals = [m for m in self._by_core[made.core] if m is not made]
        if rivals:
            return None
        return self._link("region_level", place + made.core + made.form, made)

    def _former(self, made: Written) -> Asked | None:
        return self._link("former", made.firm.former_names[0], made) if made.firm.former_names else None

    def _alias(self, kind: str, alias: str, text: str, made: Written) -> Asked | None:
        owners = [*self._by_alias[alias], *self._by_core[alias]]
        return self._shared(kind, text, made, owners)

    def _short(self, made: Written) -> Asked | None:
        return (
            self._alias("short", made.firm.short_names[0], made.firm.short_names[0], made)
            if made.firm.short_names
            else None
        )

    def _brand(self, made: Written) -> Asked | None:
        if not made.firm.brands:
            return None
        brand = self.random.choice(made.firm.brands)
        return self._alias("brand", brand, brand + self.random.choice(["", "牌", "®"]), made)

    def _shop(self, made: Written) -> Asked | None:
        alias = (*made.firm.brands, *made.firm.short_names)
        if not alias:
            return None
        stem = self.random.choice(alias)
        return self._alias("shop", stem, self.random.choice(WORDS["shops"]).format(stem), made)

    def _changed(self, kind: str, made: Written, others: str, at: int) -> Asked | None:
        others = others.replace(made.core[at], "")
        if not others:
            return None
        core = made.core[:at] + self.random.choice(others) + made.core[at + 1 :]
        return (
            self._link(kind, made.firm.name.replace(made.core, core, 1), made) if made.core in made.firm.name else None
        )

    def _homophone(self, made: Written) -> Asked | None:
        at = self.random.randrange(len(made.brand))
        return self._changed("homophone", made, _sounds_like(made.core[at]), at)

    def _trade_homophone(self, made: Written) -> Asked | None:
        at = self.random.randrange(len(made.brand), len(made.core))
        return self._changed("trade_homophone", made, _sounds_like(made.core[at]), at)

    def _look_alike(self, made: Written) -> Asked | None:
        at = self.random.randrange(len(made.brand))
        return self._changed("look_alike", made, _alike().get(made.core[at], ""), at)

    def _ocr_wrong(self, made: Written) -> Asked | None:
        """One character of trade or form misread."""
        name = made.firm.name
        places = [at for at in range(len(name) - len(made.form) - len(made.trade), len(name)) if name[at] in _alike()]
        if not places:
            return None
        at = self.random.choice(places)
        return self._link("ocr_wrong", name[:at] + self.random.choice(_alike()[name[at]]) + name[at + 1 :], made)

    def _ocr_signs(self, made: Written) -> Asked | None:
        name, r = made.firm.name, self.random
        text = "".join(
            c + (r.choice([" ", "  ", "·", ".", "、", "'", "\n"]) if r.random() < 0.12 else "") for c in name
        )
        return self._link("ocr_signs", text, made)

    def _ocr_spaces(self, made: Written) -> Asked | None:
        return self._link("ocr_spaces", " ".join(made.firm.name), made)

    def _traditional(self, made: Written) -> Asked | None:
        return self._link(
            "traditional", _converter(self.random.choice(["s2t", "s2tw", "s2hk"])).convert(made.firm.name), made
        )

    def _word_order(self, made: Written) -> Asked | None:
        if not made.place or made.bracketed:
            return None
        order = self.random.choice(["{p}{t}{b}{f}", "{b}{t}{p}{f}", "{b}{t}{f}{p}", "{b}{p}{t}{f}"])
        text = order.format(p=made.place, b=made.brand, t=made.trade, f=made.form)
        return self._link("word_order", text, made)

    def _branch(self, made: Written) -> Asked | None:
        if made.form not in _FULL_FORMS:
            return None
        where = self.random.choice(self._by_city[made.county.code[:4]]).short_name
        tail = self.random.choice(
            ["{}分公司", "{}分店", "{}店", "第一分公司", "{}分厂", "{}门市部", "({}分公司)", "{}配送中心"]
        )
        return self._link("branch", made.firm.name + tail.format(where), made)

    def _truncated(self, made: Written) -> Asked | None:
        if len(made.form) < 3:
            return None
        text = made.firm.name[: -self.random.randint(1, len(made.form))]
        others = [m for m in self._by_core[made.core] if _same_letters(m, text) and m is not made]
        text += self.random.choice(["", "", "…", "...", "*"])
        return None if others else self._link("truncated", text, made)

    def _trade_truncated(self, made: Written) -> Asked | None:
        """Cut in the trade: only for firms whose beginning nobody shares."""
        if len(made.trade) < 3 or made.bracketed or not made.place:
            return None
        text = made.place + made.brand + made.trade[: self.random.randint(1, len(made.trade) - 1)]
        others = [m for m in self._by_brand[made.brand] if _same_letters(m, text) and m is not made]
        return None if others else self._link("trade_truncated", text, made)

    def _latin_owners(self, made: Written) -> list[Written]:
        return [
            m for m in self._sounding()[_latin(made.brand)] if m.county.code[:4] == made.county.code[:4] or not m.place
        ]

    def _pinyin(self, made: Written) -> Asked | None:
        if not made.place or len(made.place) > 6 or len(self._latin_owners(made)) > 1:
            return None
        style = self.random.choice(["joined", "words", "syllables", "upper"])
        parts = [made.place, made.brand, made.trade, made.form]
        if style == "joined":
            text = "".join(map(_latin, parts))
        elif style == "syllables":
            text = " ".join(lazy_pinyin("".join(parts)))
        else:
            text = " ".join(_latin(part).capitalize() for part in parts)
        return self._link("pinyin", text.upper() if style == "upper" else text, made)

    def _english(self, made: Written) -> Asked | None:
        trade = WORDS["english"].get(made.trade)
        if trade is None or not made.place or len(made.place) > 6 or len(self._latin_owners(made)) > 1:
            return None
        short = made.place.rstrip("省市县区") if len(made.place) > 2 else made.place
        tail = self.random.choice(["Co., Ltd.", "Co.,Ltd", "CO LTD", "Company Limited", "Corporation"])
        return self._link("english", f"{_latin(short).title()} {_latin(made.brand).title()} {trade} {tail}", made)

    def _address(self, made: Written) -> Asked | None:
        name, where = made.firm.name, made.firm.address or ""
        ways = [f"{name}{where}", f"{where}{name}", f"{name}（{where}）", f"{name} 地址：{where}", f"{name},{where}"]
        return self._link("address", self.random.choice(ways), made)

    def _person(self, made: Written) -> Asked | None:
        r = self.random
        who = r.choice("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭") + "".join(
            r.choices("伟芳娜敏静丽强磊军洋勇艳建国秀英", k=r.choice([1, 2]))
        )
        return self._link("person", made.firm.name + r.choice(WORDS["persons"]).format(who), made)

    def _label(self, made: Written) -> Asked | None:
        before, after = self.random.choice(WORDS["labels"])
        return self._link("label", before + made.firm.name + after, made)

    def _combined(self, made: Written) -> Asked | None:
        """Two or three kinds of noise at once."""
        first = (self._homophone if self.random.random() < 0.5 else self._look_alike)(made)
        if first is None:
            return None
        text = first.query
        if self.random.random() < 0.5 and made.form in WORDS["form_swaps"]:
            text = text.removesuffix(made.form) + WORDS["form_swaps"][made.form][0]
        if self.random.random() < 0.5:
            text = _converter("s2t").convert(text)
        if self.random.random() < 0.4:
            text = self.random.choice(WORDS["labels"])[0] + text
        if self.random.random() < 0.4:
            text = " ".join([text[:2], text[2:5], text[5:]])
        return self._link("combined", text, made)

    # Where something beside the name decides

    def _beside(self, kind: str, made: Written, make: Callable[[str], dict[str, str]]) -> Asked | None:
        owners = [m for m in self._by_core[made.core] if _form_key(m.form) == _form_key(made.form)]
        if len(owners) < 2 or any(not m.place for m in owners):
            return None
        if sum(m.county.code[:4] == made.county.code[:4] for m in owners) != 1:
            return None
        text = made.core + made.form
        return None if text in self._names else self._link(kind, text, made, **make(text))

    def _by_region(self, made: Written) -> Asked | None:
        names = [made.county.code, self._index.full_name(made.county.code), made.county.code[:4] + "00"]
        return self._beside("by_region", made, lambda _: {"region": self.random.choice(names)})

    def _by_context(self, made: Written) -> Asked | None:
        where = self._index.full_name(made.county.code)
        sentence = self.random.choice(WORDS["sentences"])
        return self._beside("by_context", made, lambda text: {"context": sentence.format(name=text, place=where)})

    def _by_address(self, made: Written) -> Asked | None:
        return self._beside("by_address", made, lambda text: {"context": f"{text}，地址：{made.firm.address}"})

    def _by_product(self, made: Written) -> Asked | None:
        owners = [m for m in self._by_brand[made.brand] if m.place == made.place]
        if not made.place or made.bracketed or len(owners) < 2 or len({m.trade[:2] for m in owners}) < len(owners):
            return None
        if len(self._by_brand[made.brand]) != len(owners) or made.place + made.brand in self._names:
            return None
        return self._link("by_product", made.place + made.brand, made, product=made.trade)

    # Nobody

    def _none(self, kind: str, made: Written, brand: str) -> Asked | None:
        """`made` with another 字号, when nobody's 字号 there is that or sounds like it."""
        for other in self._sounding()[_latin(brand)]:
            if other.trade == made.trade:
                return None
        text = made.firm.name.replace(made.brand, brand, 1)
        return None if text in self._names else Asked(kind, text, "none", ())

    def _none_char(self, made: Written) -> Asked | None:
        at = self.random.randrange(len(made.brand))
        other = self.random.choice(_common())
        if other in _sounds_like(made.brand[at]) + _alike().get(made.brand[at], "") + made.brand[at]:
            return None
        return self._none("none_char", made, made.brand[:at] + other + made.brand[at + 1 :])

    def _none_more(self, made: Written) -> Asked | None:
        at = self.random.randint(0, len(made.brand))
        return self._none("none_more", made, made.brand[:at] + self.random.choice(WORDS["lucky"]) + made.brand[at:])

    def _none_less(self, made: Written) -> Asked | None:
        if len(made.brand) < 3:
            return None
        at = self.random.randrange(len(made.brand))
        return self._none("none_less", made, made.brand[:at] + made.brand[at + 1 :])

    def _none_county(self, made: Written) -> Asked | None:
        others = [c for c in self._by_city[made.county.code[:4]] if c is not made.county]
        if made.place != made.county.name or not others or len(self._by_core[made.core]) > 1:
            return None
        text = made.firm.name.replace(made.place, self.random.choice(others).name, 1)
        return None if text in self._names else Asked("none_county", text, "none", ())

    def _none_trade(self, made: Written) -> Asked | None:
        trade = self.random.choice(WORDS["trades"])
        if trade[:2] == made.trade[:2] or trade[-2:] == made.trade[-2:]:
            return None
        if any(m.trade == trade for m in self._sounding()[_latin(made.brand)]):
            return None
        text = made.firm.name.replace(made.core, made.brand + trade, 1)
        return None if text in self._names else Asked("none_trade", text, "none", ())

    def _none_new(self, made: Written) -> Asked | None:
        brand = self.random.choice(self._brands)
        if self._sounding()[_latin(brand)]:
            return None
        return Asked("none_new", made.firm.name.replace(made.brand, brand, 1), "none", ())

    # Several

    def _ambiguous(self, made: Written) -> Asked | None:
        owners = self._by_core[made.core]
        if len(owners) < 2 or any(not m.place for m in owners):
            return None
        form = made.form if all(m.form == made.form for m in owners) and self.random.random() < 0.6 else ""
        if made.core + form in self._names or made.core in self._by_alias:
            return None
        return Asked("ambiguous", made.core + form, "ambiguous", tuple(sorted(m.firm.id for m in owners)))

    def _two(self, made: Written) -> Asked | None:
        other = self.random.choice(self.made)
        if other is made:
            return None
        text = self.random.choice(WORDS["two"]).format(a=made.firm.name, b=other.firm.name)
        return Asked("two", text, "link", (made.firm.id, other.firm.id))

    def _sounding(self) -> dict[str, list[Written]]:
        if not hasattr(self, "_by_sound"):
            self._by_sound: dict[str, list[Written]] = defaultdict(list)
            for made in self.made:
                self._by_sound[_latin(made.brand)].append(made)
        return self._by_sound


def brand_words(path: Path) -> list[str]:
    """The brand words of a table with a column `short_name`."""
    import pandas as pd

    return sorted(set(pd.read_parquet(path)["short_name"]))


def _same_letters(made: Written, text: str) -> bool:
    return re.sub("[（）()]", "", made.firm.name).startswith(re.sub("[（）()]", "", text))


def _form_key(form: str) -> str:
    return form.replace("有限责任", "有限")


@cache
def _latin(text: str) -> str:
    return "".join(lazy_pinyin(text, style=Style.NORMAL)).replace("ü", "v")


@cache
def _common() -> str:
    """The 3,755 characters of level 1."""
    raw = (bytes((row, cell)) for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF))
    return "".join(r.decode("gb2312", errors="ignore") for r in raw)


@cache
def _by_syllable() -> dict[str, str]:
    found: dict[str, str] = defaultdict(str)
    for char in _common():
        found[_latin(char)] += char
    return found


def _sounds_like(char: str) -> str:
    return _by_syllable().get(_latin(char), char)


@cache
def _alike() -> dict[str, str]:
    found: dict[str, str] = defaultdict(str)
    for pair in WORDS["look_alikes"].split():
        for char in pair:
            found[char] += pair.replace(char, "")
    return found


@cache
def _converter(name: str) -> opencc.OpenCC:
    return opencc.OpenCC(name)
