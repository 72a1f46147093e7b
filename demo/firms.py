"""The firms of the province: invented names, codes, sizes, licences, and how bad their goods really are.

`quality` and everything computed from it is the hidden truth. It shapes what the records say and is written only to
the truth folder, which no import reads.
"""

import csv
import math
import random
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from demo.codes import credit_code
from demo.geography import BY_CODE, COUNTIES, Place

FIRST = "瑞恒鑫泰华盛永昌宏宇腾飞金锐德信诚安康嘉禾卓越博远凯科隆润丰源汇通达晟皓澜岳岚霁栖沅淇蘅"
SECOND = "达盛泰昌源丰兴旺捷佳利华安宁和顺成隆祥荣辉耀阳光润泽峰岭航宇联创展鼎铭鸿屿岫汀浦陵"
SURNAMES = "周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕张孔曹严魏陶姜谢邹潘葛范彭鲁韦马苗方俞任袁柳鲍史唐费廉薛雷贺倪汤"
SOUND_ALIKE = {
    "恒": "衡",
    "泰": "太",
    "鑫": "新",
    "盛": "晟",
    "达": "大",
    "丰": "峰",
    "华": "骅",
    "永": "咏",
    "祥": "翔",
}
SIZES = ("large", "medium", "small", "micro")
SIZE_ZH = {"large": "大型", "medium": "中型", "small": "小型", "micro": "微型"}
# Logits: national figures of 2023 put large firms at 0.8 %, medium at 2.2 %, small at 13.2 % failing.
_SIZE_EFFECT = {"large": -1.7, "medium": -0.9, "small": 0.0, "micro": 0.35}
CHANNEL_EFFECT = {"production": 0.0, "circulation": 0.35, "online": 0.75}
# Enough cable makers for the county with three of them and for the shops, however small the province.
_FEWEST = {"cable": 12}
_NEVER_ONLINE = ("加油站", "烟花爆竹", "化工", "钢材", "农资")
_BASE = -4.45
_QUALITY_EFFECT = 1.35


@dataclass(frozen=True, slots=True)
class Trade:
    """A product of the seeds as this province makes and sells it."""

    product_id: str
    name: str
    category: str
    tier: int
    licensed: bool
    certified: bool
    industries: tuple[str, ...]
    written_as: tuple[str, ...]
    colloquial: tuple[str, ...]
    specs: tuple[str, ...]
    items: tuple[str, ...]
    hazards: tuple[str, ...]
    producers: int
    shops: tuple[str, ...]
    base: float
    price: float
    cost: tuple[int, int]


@cache
def trades() -> dict[str, Trade]:
    """Return the trades by product id: the taxonomy's facts with this province's writing."""
    lexicon = Path(__file__).resolve().parent.parent / "nlp" / "lexicon" / "product_taxonomy.yaml"
    taxonomy: dict[str, dict[str, Any]] = {
        product["id"]: {**product, "category": category["zh"]}
        for category in yaml.safe_load(lexicon.read_text("utf-8"))["categories"]
        for product in category["products"]
    }
    found = {}
    with (Path(__file__).parent / "trades.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            product = taxonomy[row["product_id"]]
            cost = product["cost_per_batch_cny"]
            found[row["product_id"]] = Trade(
                product_id=row["product_id"],
                name=product["zh"],
                category=product["category"],
                tier=int(product["inherent_tier"]),
                licensed=product["licence"] == "yes",
                certified=product["ccc"] in ("certificate", "part_of_range"),
                industries=tuple(row["industries"].split("、")),
                written_as=tuple(row["written_as"].split("、")),
                colloquial=tuple(word for word in product["colloquial"] if "(" not in word) or (product["zh"],),
                specs=tuple(row["specs"].split("、")),
                items=tuple(item for item in product["typical_nonconforming"] if "(" not in item),
                hazards=tuple(product["hazards"]),
                producers=int(row["producers"]),
                shops=tuple(row["shops"].split("、")),
                base=float(row["base"]),
                price=float(row["price"]),
                cost=(int(cost["low"]), int(cost["high"])),
            )
    return found


@dataclass(frozen=True, slots=True)
class Firm:
    """A producer or seller. `quality` is hidden: 0 is ordinary, +1 one spread worse."""

    number: int
    name: str
    uscc: str
    county: str
    region_text: str
    brand_name: str
    address: str
    kind: str  # producer | shop | online
    size: str
    products: tuple[str, ...]
    quality: float
    habit: float
    registered: bool
    established: date
    status: str = "存续"
    former: str = ""
    short: str = ""
    brands: tuple[str, ...] = ()
    shop_name: str = ""
    suppliers: dict[str, tuple[int, ...]] = field(default_factory=dict)
    licences: tuple["Paper", ...] = ()
    story: str = ""

    @property
    def is_producer(self) -> bool:
        """True for a firm that makes what it sells."""
        return self.kind == "producer"

    @property
    def city(self) -> str:
        """The adcode of its city."""
        return self.county[:4] + "00"


@dataclass(frozen=True, slots=True)
class Paper:
    """A licence or certificate as the register of licences shows it."""

    kind: str  # 生产许可证 | CCC证书
    number: str
    product_id: str
    issued: date
    expires: date
    state: str


def failure_probability(product_id: str, producer: Firm, seller: Firm | None, channel: str) -> float:
    """The hidden chance that one batch fails: what is made, by whom, and where it is bought."""
    bad = producer.quality if seller is None else 0.7 * producer.quality + 0.5 * seller.quality
    size = _SIZE_EFFECT[producer.size]
    logit = _BASE + trades()[product_id].base + size + CHANNEL_EFFECT[channel] + _QUALITY_EFFECT * bad
    return 1 / (1 + math.exp(-logit))


def true_rate(firm: Firm, product_id: str, firms: list[Firm]) -> float:
    """The hidden chance that a batch of this product taken at this firm fails, over the suppliers it has."""
    if firm.is_producer:
        return failure_probability(product_id, firm, None, "production")
    channel = "online" if firm.kind == "online" else "circulation"
    makers = makers_of(firm, product_id, firms)
    return sum(failure_probability(product_id, firms[maker], firm, channel) for maker in makers) / len(makers)


def makers_of(seller: Firm, product_id: str, firms: list[Firm]) -> list[int]:
    """Whose goods stand on this seller's shelf; firms with a story of their own sell only what the story says."""
    return [maker for maker in seller.suppliers[product_id] if not firms[maker].story] or list(
        seller.suppliers[product_id]
    )


def make_firms(rng: random.Random, scale: float, today: date) -> list[Firm]:
    """Return the province's firms, producers first, so that a seller's suppliers can be looked up by number."""
    names: set[str] = set()
    firms: list[Firm] = []
    clusters = {product: rng.sample(COUNTIES, k=max(3, min(18, trade.producers // 3)))
                for product, trade in trades().items()}  # fmt: skip
    for product, trade in trades().items():
        for _ in range(max(_FEWEST.get(product, 3), round(trade.producers * scale * 0.92))):
            county = rng.choice(clusters[product]) if rng.random() < 0.72 else rng.choice(COUNTIES)
            firms.append(_producer(len(firms), trade, county, rng, names, today))
    makers: dict[str, list[int]] = {product: [] for product in trades()}
    for firm in firms:
        for product in firm.products:
            makers[product].append(firm.number)
    firms += _look_alikes(firms, rng, names, today)
    for firm in firms[sum(map(len, makers.values())) :]:
        for product in firm.products:
            if firm.number not in makers[product]:
                makers[product].append(firm.number)
    kinds = sorted({kind for trade in trades().values() for kind in trade.shops})
    stock = {kind: [p for p, trade in trades().items() if kind in trade.shops] for kind in kinds}
    for _ in range(round(1560 * scale)):
        firms.append(_seller(len(firms), kinds, stock, makers, firms, rng, names, today))
    return firms


def _producer(
    number: int, trade: Trade, county: Place, rng: random.Random, names: set[str], today: date, style: str = ""
) -> Firm:
    size = rng.choices(SIZES, weights=(3, 13, 62, 22))[0]
    individual = size == "micro" and rng.random() < 0.35
    style = style or _style(rng)
    industry = rng.choice(trade.industries)
    region = _region_words(county, size, rng)
    form = (
        "厂"
        if individual
        else rng.choices(("有限公司", "有限责任公司", "股份有限公司", "厂"), weights=(80, 9, 5, 6))[0]
    )
    name = f"{region}{style}{industry}{form}"
    if form in ("有限公司", "有限责任公司") and rng.random() < 0.06:
        name = f"{style}{industry}（{BY_CODE[county.city_code].short_name}）{form}"
    while name in names:
        style = _style(rng)
        name = f"{region}{style}{industry}{form}"
    names.add(name)
    products = [trade.product_id]
    siblings = [other.product_id for other in trades().values() if set(other.industries) & set(trade.industries)]
    if rng.random() < 0.25 and len(siblings) > 1:
        products.append(rng.choice([product for product in siblings if product != trade.product_id]))
    founded = today - timedelta(days=rng.randint(250, 9000))
    former = ""
    if rng.random() < 0.09:
        former = f"{region}{_style(rng)}{industry}{rng.choice(('厂', '有限公司'))}"
    brands = (rng.choice((style, style + "牌", _style(rng))),) if rng.random() < 0.55 else ()
    quality = rng.gauss(0, 1)
    return Firm(
        number=number,
        name=name,
        uscc=credit_code(county.code, individual, rng),
        county=county.code,
        region_text=region,
        brand_name=style,
        address=_address(county, rng, factory=True),
        kind="producer",
        size=size,
        products=tuple(products),
        quality=quality,
        # Offices go where they have been before, and to the firms they know: the large and the licensed.
        habit=math.exp(rng.gauss(0, 1.0)) * {"large": 5.0, "medium": 2.6, "small": 0.9, "micro": 0.35}[size],
        registered=rng.random() < (0.9 if size != "micro" else 0.72),
        established=founded,
        status=rng.choices(("存续", "停业", "注销", "吊销"), weights=(95, 3, 1.4, 0.6))[0],
        former=former,
        short=f"{style}{industry}" if rng.random() < 0.5 else "",
        brands=brands,
        licences=_papers(products, quality, county, rng, today),
    )


def _papers(products: list[str], quality: float, county: Place, rng: random.Random, today: date) -> tuple[Paper, ...]:
    papers = []
    for product in products:
        trade = trades()[product]
        if trade.licensed and rng.random() < 0.93:
            issued = today - timedelta(days=rng.randint(60, 1825))
            expires = issued.replace(year=issued.year + 5, day=min(issued.day, 28))
            lapsed = rng.random() < 0.03 + 0.02 * max(quality, 0)
            if lapsed:
                issued, expires = issued - timedelta(days=1800), expires - timedelta(days=1800)
            number = f"（海岳）XK{rng.randint(1, 28):02d}-{rng.randint(1, 220):03d}-{rng.randint(0, 99999):05d}"
            state = "过期" if expires < today else rng.choices(("有效", "暂停", "撤销"), weights=(97, 2, 1))[0]
            papers.append(Paper("生产许可证", number, product, issued, expires, state))
        elif trade.certified and rng.random() < 0.85:
            issued = today - timedelta(days=rng.randint(30, 1500))
            expires = issued.replace(year=issued.year + 5, day=min(issued.day, 28))
            number = f"{issued.year}99{rng.randint(10**9, 10**10 - 1)}"
            state = rng.choices(("有效", "暂停", "撤销"), weights=(95, 3.5 + max(quality, 0), 1.5))[0]
            papers.append(Paper("CCC证书", number, product, issued, expires, state))
    return tuple(papers)


def _look_alikes(firms: list[Firm], rng: random.Random, names: set[str], today: date) -> list[Firm]:
    """Firms whose 字号 sounds or looks like a neighbour's in the same county."""
    found: list[Firm] = []
    for firm in firms:
        if rng.random() > 0.03:
            continue
        style = firm.brand_name
        other = SOUND_ALIKE.get(style[0], "鑫" if style[0] != "鑫" else "新") + style[1]
        trade = trades()[firm.products[0]]
        twin = _producer(len(firms) + len(found), trade, BY_CODE[firm.county], rng, names, today, other)
        found.append(replace(twin, region_text=firm.region_text))
    return found


def _seller(
    number: int, kinds: list[str], stock: dict[str, list[str]], makers: dict[str, list[int]], firms: list[Firm],
    rng: random.Random, names: set[str], today: date,
) -> Firm:  # fmt: skip
    county = rng.choice(COUNTIES)
    kind = rng.choice(kinds)
    online = kind not in _NEVER_ONLINE and rng.random() < 0.26
    products = rng.sample(stock[kind], k=min(len(stock[kind]), rng.choice((1, 2, 2, 3))))
    style = _style(rng)
    individual = not online and rng.random() < 0.66
    if individual:
        owner = rng.choice(SURNAMES)
        call = rng.choice((f"老{owner}", f"{owner}记", style, f"{style}", f"{owner}氏", f"大{owner}"))
        region = BY_CODE[county.code].name if rng.random() < 0.75 else BY_CODE[county.city_code].name + county.name
        shop = rng.choice(("店", "商行", "经营部", "门市部", "批发部", "商店"))
        name = f"{region}{call}{kind}{shop}"
        if rng.random() < 0.12:
            name += "（个体工商户）"
    else:
        region = BY_CODE[county.city_code].name if rng.random() < 0.8 else county.name
        trade_word = rng.choice(
            ("贸易", "商贸", "电子商务", "供应链", f"{kind}销售") if not online else ("电子商务", "网络科技")
        )
        name = f"{region}{style}{trade_word}有限公司"
    while name in names:
        name = name.replace(style, _style(rng)) if style in name else name.replace(kind, _style(rng) + kind, 1)
        style = name
    names.add(name)
    quality = rng.gauss(0, 1)
    suppliers = {}
    for product in products:
        weights = [math.exp(0.55 * quality * firms[maker].quality) for maker in makers[product]]
        suppliers[product] = tuple(sorted(set(rng.choices(makers[product], weights=weights, k=rng.choice((2, 3, 4))))))
    size = rng.choices(SIZES, weights=(1, 5, 36, 58))[0] if not individual else "micro"
    return Firm(
        number=number,
        name=name,
        uscc=credit_code(county.code, individual, rng),
        county=county.code,
        region_text=region,
        brand_name=style[:2],
        address=_address(county, rng, factory=False),
        kind="online" if online else "shop",
        size=size,
        products=tuple(products),
        quality=quality,
        habit=math.exp(rng.gauss(0, 1.0)) * {"large": 3.0, "medium": 2.0, "small": 1.0, "micro": 0.7}[size],
        registered=rng.random() < 0.82,
        established=today - timedelta(days=rng.randint(200, 6500)),
        status=rng.choices(("存续", "停业", "注销"), weights=(95, 3, 2))[0],
        shop_name=rng.choice((f"{style[:2]}{kind}旗舰店", f"{style[:2]}{kind}专营店", f"{kind}工厂直销{style[:1]}店"))
        if online
        else "",
        suppliers=suppliers,
    )


def _style(rng: random.Random) -> str:
    while True:
        style = rng.choice(FIRST) + rng.choice(SECOND)
        if style[0] != style[1]:
            return style


def _region_words(county: Place, size: str, rng: random.Random) -> str:
    city = BY_CODE[county.city_code]
    if size in ("large", "medium") and rng.random() < 0.3:
        return rng.choice(("海岳", "海岳省"))
    return rng.choices(
        (city.name, city.short_name, county.name, city.name + county.name, county.short_name),
        weights=(34, 18, 26, 12, 10),
    )[0]


def _address(county: Place, rng: random.Random, factory: bool) -> str:
    road = rng.choice(["建设", "人民", "滨河", "工业", "创业", "兴业", "和平", "向阳", "团结", "振兴", "迎宾", "东环"])
    number = rng.randint(1, 399)
    tail = (
        rng.choice((f"{rng.randint(1, 20)}号厂房", "工业园内", "科技园3栋"))
        if factory
        else rng.choice(("一楼", "临街商铺", f"{rng.randint(1, 90)}号门面"))
    )
    return f"{BY_CODE[county.city_code].name}{county.name}{road}路{number}号{tail}"
