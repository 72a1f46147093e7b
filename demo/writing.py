"""How records are written: names with the slips of real registers, and texts strung together from phrases.yml."""

import random
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from demo.firms import SURNAMES, Firm, Trade
from demo.geography import BY_CODE

_SLIPS = {
    "鑫": "金",
    "晟": "盛",
    "隆": "龙",
    "达": "大",
    "宏": "红",
    "捷": "杰",
    "锐": "瑞",
    "丰": "峰",
    "宇": "宁",
    "腾": "藤",
}
_TRADITIONAL = str.maketrans("电业车东丰华兴达缆纸", "電業車東豐華興達纜紙")
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉萍红建国志芬玲"


@cache
def phrases() -> dict[str, Any]:
    """The clauses people use, by occasion."""
    loaded: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "phrases.yml").read_text("utf-8"))
    return loaded


def written_name(firm: Firm, rng: random.Random, formal: float = 0.72) -> str:
    """Return the firm's name as some clerk or citizen writes it; `formal` is the share written in full."""
    name = firm.name
    if rng.random() < formal:
        return name
    ways = ["no_region", "brackets", "form", "space", "slip", "traditional", "region_first"]
    if firm.former:
        ways += ["former"] * 2
    if firm.short:
        ways += ["short"] * 2
    if firm.shop_name:
        ways += ["shop"] * 3
    way = rng.choice(ways)
    match way:
        case "no_region" if name.startswith(firm.region_text):
            return name.removeprefix(firm.region_text)
        case "brackets":
            if "（" in name:
                return name.replace("（", "(").replace("）", ")")
            return f"{name}（{rng.choice(('委托方', '生产企业', '标称'))}）" if firm.is_producer else name
        case "form":
            if "有限责任公司" in name:
                return name.replace("有限责任公司", "有限公司")
            return name.replace("有限公司", "有限责任公司") if rng.random() < 0.5 else name.replace("有限公司", "公司")
        case "space":
            cut = rng.randint(2, max(2, len(name) - 2))
            return name[:cut] + rng.choice((" ", "  ", "\n", "\u200b")) + name[cut:]
        case "slip":
            for right, wrong in _SLIPS.items():
                if right in name:
                    return name.replace(right, wrong, 1)
            return name
        case "traditional":
            return name.translate(_TRADITIONAL)
        case "region_first":
            city = BY_CODE[firm.city].name
            return name if name.startswith(city) else f"{rng.choice(('海岳省', city))}{name}"
        case "former":
            return firm.former
        case "short":
            return firm.short
        case "shop":
            return firm.shop_name
    return name


def person(rng: random.Random) -> str:
    """An invented person's name."""
    return rng.choice(SURNAMES) + "".join(rng.choices(_GIVEN, k=rng.choice((1, 2))))


def phone(rng: random.Random) -> str:
    """A number in mobile form from a block set aside for this demonstration: 1990000xxxx."""
    return f"1990000{rng.randint(0, 9999):04d}"


def identity_number(rng: random.Random) -> str:
    """An identity number that cannot be real: adcode 99xxxx and a wrong check digit."""
    body = f"99{rng.randint(1, 16):02d}{rng.randint(1, 5):02d}{rng.randint(1950, 2006)}{rng.randint(1, 12):02d}"
    body += f"{rng.randint(1, 28):02d}{rng.randint(0, 999):03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    right = "10X98765432"[sum(w * int(c) for w, c in zip(weights, body, strict=True)) % 11]
    return body + ("1" if right != "1" else "2")


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a text is about; empty names are spoken of as 商家 or 厂家."""

    on: date
    trade: Trade
    county: str
    maker: str
    seller: str
    hazard: str | None


def _slots(about: Occasion, rng: random.Random) -> dict[str, str]:
    bought = about.on - timedelta(days=rng.randint(1, 60))
    shown = rng.choice(
        (
            f"{bought.month}月{bought.day}日",
            f"{bought.year}年{bought.month}月",
            f"{bought.month}月份",
            "前段时间",
            "上个月",
        )
    )
    return {
        "p": rng.choice((*about.trade.written_as, *about.trade.colloquial[:3])),
        "b": about.maker or "厂家",
        "s": about.seller or rng.choice(("一家门店", "网店", "镇上的店")),
        "c": BY_CODE[about.county].name,
        "d": str(rng.choice((1, 2, 3, 5, 7, 10, 15, 20, 30))),
        "n": f"{max(1, about.trade.price * rng.uniform(0.7, 1.4)):.0f}",
        "n2": str(rng.randint(2, 6)),
        "m": rng.choice(about.trade.specs),
        "u": rng.choice(("个", "台", "件", "套", "批")),
        "t": rng.choice(("昨晚", "半夜", "早上", "中午", "下班回来", "凌晨两点多", "傍晚")),
        "date": shown,
        "h": rng.choice(("火灾", "触电", "中毒", "烫伤", "爆炸")),
        "person": rng.choice(SURNAMES) + rng.choice(("先生", "女士", "大爷", "阿姨")),
        "reporter": person(rng),
        "x": harm(about.hazard, about.trade, rng) if about.hazard else "没什么问题",
    }  # fmt: skip


def harm(hazard: str, trade: Trade, rng: random.Random) -> str:
    """Return one clause that says what went wrong with this kind of product."""
    fitting = [clause for clause, only in _clauses()[hazard] if not only or trade.product_id in only]
    return rng.choice(fitting or [clause for clause, only in _clauses()["info_label"] if not only])


@cache
def _clauses() -> dict[str, list[tuple[str, frozenset[str]]]]:
    split = {hazard: [line.partition(" @ ") for line in lines] for hazard, lines in phrases()["hazards"].items()}
    return {
        hazard: [(clause, frozenset(filter(None, only.split(",")))) for clause, _, only in lines]
        for hazard, lines in split.items()
    }


def complaint_text(about: Occasion, rng: random.Random, *, report: bool = False, violation: bool = False) -> str:
    """Return a complaint or report; without a hazard it is about delivery, invoices and the like."""
    book = phrases()["complaint"]
    slots = _slots(about, rng)
    if report:
        told = phrases()["reports"]
        parts = [rng.choice(told["openers"]), rng.choice(told["bodies"]), rng.choice(book["demands"])]
        return "".join(part.format_map(slots) for part in parts)
    if about.hazard is None:
        parts = [rng.choice(book["openers"]), rng.choice(book["not_quality"]), rng.choice(book["demands"])]
        return "".join(part.format_map(slots) for part in parts).replace("，要求", "。要求")
    opening = book["openers_producer"] if about.maker and not about.seller else book["openers"]
    parts = [rng.choice(opening), rng.choice(book["used"]), slots["x"]]
    if rng.random() < 0.15:
        parts += ["，" + harm(about.hazard, about.trade, rng)]
    parts.append("。")
    if violation:
        parts.append(rng.choice(phrases()["violations"]))
    parts += [rng.choice(book["after_goods"]), rng.choice(book["demands"])]
    text = "".join(part.format_map(slots) for part in parts)
    if rng.random() < 0.05:
        text += f"联系电话{phone(rng)}。"
    return text


def post_text(about: Occasion, rng: random.Random, kind: str) -> str:
    """Return an online item of a kind: news, posts, harmless, knowledge, rebuttal or offtopic."""
    book = phrases()["opinion"]
    slots = _slots(about, rng)
    if kind == "news":
        parts = [rng.choice(book["news_openers"]), slots["x"], "。"]
        parts += rng.sample(book["news_closers"], k=rng.choice((1, 2, 3)))
        return "".join(part.format_map(slots) for part in parts)
    text: str = rng.choice(book[kind]).format_map(slots)
    if rng.random() < 0.3:
        text += rng.choice(("😡", "！！！", "……", "[捂脸]", "（图）", " 求扩散", "～"))
    return text


def monitoring_text(about: Occasion, rng: random.Random) -> str:
    """Return what a monitoring point writes down."""
    line: str = rng.choice(phrases()["monitoring"])
    return line.format_map(_slots(about, rng))
