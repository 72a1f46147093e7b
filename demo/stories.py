"""The stories planted in the province, each to be found on a page. `demo/README.md` tells where."""

import random
from dataclasses import dataclass, replace
from datetime import date, timedelta

from demo.firms import Firm, Paper, trades
from demo.geography import BY_CODE, COUNTIES
from demo.history import TODAY, draw_sample, inspection_row, make_post, self_check_row
from demo.records import Complaint, History, Sample
from demo.writing import Occasion, complaint_text, identity_number, person, phone

SILENT_FEED = "demo_feed_evening"
SILENT_SINCE = date(2026, 9, 12)
MOULD = "模具号 MJ-0725"


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays in which story, by firm number; the county by adcode."""

    charger_maker: int
    honest_firm: int
    reposted_maker: int
    cable_county: str
    cable_makers: tuple[int, ...]
    repeat_failer: int
    mould_makers: tuple[int, int]


def cast(firms: list[Firm], rng: random.Random) -> tuple[list[Firm], Cast]:
    """Choose the players and shape them; return the firms and who is who."""
    firms = list(firms)
    taken: set[int] = set()

    def pick(product: str, size: str = "small", county_not: str = "") -> Firm:
        fitting = [
            firm
            for firm in firms
            if firm.is_producer and firm.products[0] == product and firm.number not in taken
            and firm.size == size and firm.county[:4] != county_not[:4] and not firm.former
        ]  # fmt: skip
        if not fitting:
            fitting = [f for f in firms if f.is_producer and product in f.products and f.number not in taken]
        firm = rng.choice(fitting)
        taken.add(firm.number)
        return firm

    def shape(firm: Firm, **changes: object) -> int:
        firms[firm.number] = replace(firm, status="存续", registered=True, habit=0.0, **changes)  # type: ignore[arg-type]
        return firm.number

    charger = shape(pick("ebike_charger"), quality=2.3, story="complaints_before_failure")
    honest = shape(pick("food_paper", "medium"), quality=-1.6, story="copied_complaints")
    reposted = shape(pick("power_bank", "medium"), quality=0.2, story="reposted_article")
    repeat = shape(pick("socket"), quality=2.1, story="paper_rectification")
    first = pick("ebike_helmet")
    second = pick("ebike_helmet", county_not=first.county)
    moulds = (shape(first, quality=1.6, story="same_mould"), shape(second, quality=1.6, story="same_mould"))

    makers_in = {county.code: [f for f in firms if f.is_producer and "cable" in f.products and f.county == county.code]
                 for county in COUNTIES}  # fmt: skip
    county = min((code for code in makers_in), key=lambda code: (abs(len(makers_in[code]) - 3), code))
    moved = [firm for firm in firms if firm.is_producer and firm.products == ("cable",) and firm.number not in taken]
    makers = [firm for firm in makers_in[county] if firm.number not in taken][:3]
    for firm in makers_in[county]:
        if firm not in makers:
            firms[firm.number] = replace(firm, licences=(), status="注销")
    spare = rng.sample([firm for firm in moved if firm.county != county], k=3)
    for firm in makers + spare[: 3 - len(makers)]:
        issued = date(2024, 3, 1) + timedelta(days=rng.randint(0, 500))
        number = f"（海岳）XK06-001-{rng.randint(0, 99999):05d}"
        paper = Paper("生产许可证", number, "cable", issued, issued.replace(year=issued.year + 5), "有效")
        shape(firm, county=county, address=f"{BY_CODE[county].name}创业路{rng.randint(1, 99)}号",
              quality=-0.3, story="unsampled", licences=(paper,))  # fmt: skip
    trio = tuple(sorted(firm.number for firm in firms if firm.story == "unsampled"))
    return firms, Cast(charger, honest, reposted, county, trio, repeat, moulds)


def plant(history: History, firms: list[Firm], players: Cast, rng: random.Random) -> None:
    """Add what happened in each story to the records."""
    _rising_complaints(history, firms, firms[players.charger_maker], rng)
    _copied_complaints(history, firms[players.honest_firm], rng)
    _reposted_article(history, firms[players.reposted_maker], rng)
    _paper_rectification(history, firms, firms[players.repeat_failer], rng)
    _same_mould(history, firms, [firms[number] for number in players.mould_makers], rng)


def _complaint(
    number: str, on: date, firm: Firm, text: str, rng: random.Random, who: tuple[str, str, str]
) -> Complaint:
    trade = trades()[firm.products[0]]
    return Complaint(
        number=number, on=on, kind="投诉", respondent=firm.number, respondent_written=firm.name,
        product=trade.written_as[0], issue="质量", text=text, claimant=who[0], phone=who[1], identity=who[2],
        amount=f"{trade.price:.2f}", county=firm.county, verified=False,
    )  # fmt: skip


def _rising_complaints(history: History, firms: list[Firm], firm: Firm, rng: random.Random) -> None:
    """Seven weeks of ever more complaints, then the first failed sample of the firm's life."""
    trade = trades()[firm.products[0]]
    first_monday = date(2026, 7, 27)
    for week, count in enumerate((1, 1, 2, 3, 5, 7, 9, 8)):
        for index in range(count):
            on = first_monday + timedelta(days=7 * week + rng.randint(0, 6))
            about = Occasion(on, trade, firm.county, firm.name, "", rng.choice(("fire", "fire", "electric_shock")))
            text = complaint_text(about, rng)
            who = (person(rng), phone(rng), identity_number(rng))
            history.complaints.append(_complaint(f"TS{on:%Y%m%d}A{week}{index:03d}", on, firm, text, rng, who))
    for number, day, outcome in (
        ("HY2024S00001", date(2024, 6, 12), "合格"),
        ("HY2026S00001", date(2026, 9, 22), "不合格"),
    ):
        history.samples.append(_sample(number, day, firm, firms, rng, outcome, items=("非正常工作",)))


def _copied_complaints(history: History, firm: Firm, rng: random.Random) -> None:
    """Sixty near-identical complaints in eight days from three telephones, against a maker of good cups."""
    who = [(person(rng), phone(rng), identity_number(rng)) for _ in range(3)]
    body = f"在网上购买{firm.name}生产的纸杯，倒入热水后有刺鼻气味，怀疑有害物质超标，要求退一赔十并查处该企业。"
    for index in range(60):
        on = date(2026, 10, 5) + timedelta(days=index % 8)
        text = body if index % 3 else body.replace("刺鼻气味", rng.choice(("刺鼻的气味", "刺鼻异味", "很刺鼻的气味")))
        history.complaints.append(_complaint(f"TS{on:%Y%m%d}B{index:04d}", on, firm, text, rng, who[index % 3]))
    for index, day in enumerate((date(2024, 4, 9), date(2025, 3, 18), date(2026, 3, 24))):
        history.samples.append(_sample(f"HY{day.year}S1000{index}", day, firm, firms_of(firm), rng, "合格"))


def firms_of(firm: Firm) -> list[Firm]:
    """A list in which the firm stands at its own number, for draws that need no other firm."""
    return [firm] * (firm.number + 1)


def _reposted_article(history: History, firm: Firm, rng: random.Random) -> None:
    """One outlet's article, taken over forty times by others within three days."""
    on = date(2026, 10, 18)
    text = (
        f"本报讯（记者{person(rng)}）近日，{BY_CODE[firm.county].name}一名大学生使用{firm.name}生产的充电宝时，"
        "充电宝在宿舍内冒烟起火，烧毁部分床铺，所幸无人受伤。学生称该充电宝购买不足一个月，起火时并未充电。"
        "记者联系企业，对方表示正在核实。当地市场监管部门已介入调查。专家提醒，购买移动电源应认准3C标志。"
    )
    origin = make_post("S200000", on, text, "news", firm.county, rng)
    title = "充电宝宿舍内起火 企业称正在核实"
    history.posts.append(replace(origin, title=title, outlet="岳海都市报（虚构）", time="08:12:00", county=firm.county))
    for index in range(1, 41):
        said = text
        if index % 4 == 1:
            said = rng.choice(("转发：", "【关注】", "快看！")) + text
        elif index % 4 == 2:
            said = text.replace(
                "专家提醒，购买移动电源应认准3C标志。", rng.choice(("（来源：岳海都市报）", "扩散周知。"))
            )
        elif index % 4 == 3:
            said = text.replace("近日", rng.choice(("日前", "昨天"))).replace("所幸", "万幸")
        copy = make_post(f"S2{index:05d}", on + timedelta(days=index % 3), said, "posts", firm.county, rng)
        medium, outlet = (
            (copy.medium, copy.outlet)
            if index % 2
            else ("新闻", rng.choice(("澜泽晚报（虚构）", "沅湖新闻网（虚构）")))
        )
        history.posts.append(replace(copy, title=title, medium=medium, outlet=outlet, county=firm.county))


def _paper_rectification(history: History, firms: list[Firm], firm: Firm, rng: random.Random) -> None:
    """Fails, reports on paper that all is put right, passes a look at the papers, and fails again on the same item."""
    item, paper = "防触电保护", "已整改复查合格"
    history.samples += [
        _sample("HY2025S30001", date(2025, 8, 14), firm, firms, rng, "不合格", items=(item,), handling=paper),
        _sample("HY2026S30002", date(2026, 3, 11), firm, firms, rng, "不合格", items=(item, "温升"), task="跟踪抽查",
                handling=paper),
        _sample("HY2026S30003", date(2026, 8, 27), firm, firms, rng, "不合格", items=(item,), task="跟踪抽查",
                handling="复查仍不合格"),
    ]  # fmt: skip
    # The last one was drawn by the province, so it comes in through the crawled site.
    history.samples[-1] = replace(history.samples[-1], level="省抽")
    for day in (date(2025, 10, 10), date(2025, 12, 20), date(2026, 5, 8), date(2026, 7, 15)):
        history.registers["self_check"].append(
            {**self_check_row(firm, day, 2, rng), "已整改数": "2", "是否配备质量安全总监": "是"}
        )
    for day in (date(2025, 10, 16), date(2026, 5, 20)):
        history.registers["inspection"].append(inspection_row(firm, day, 0, 0, rng, "复查"))


def _same_mould(history: History, firms: list[Firm], makers: list[Firm], rng: random.Random) -> None:
    """Two makers in two cities fail on the same item of the same mould; neither office sees the other's three."""
    for place, firm in enumerate(makers):
        for index in range(3):
            day = date(2026, 5 + index, 6 + 9 * place)
            sample = _sample(f"HY2026S4{place}{index:03d}", day, firm, firms, rng, "不合格", items=("佩戴装置强度",))
            history.samples.append(replace(sample, spec=f"K7（{MOULD}）", level="县抽", handling="责令改正中"))
        trade = trades()[firm.products[0]]
        for index in range(4):
            on = date(2026, 6 + index, 20)
            about = Occasion(on, trade, firm.county, firm.name, "", "protection_failure")
            text = complaint_text(about, rng) + f"内壳上印着{MOULD}。"
            who = (person(rng), phone(rng), identity_number(rng))
            history.complaints.append(_complaint(f"TS{on:%Y%m%d}C{place}{index:03d}", on, firm, text, rng, who))


def _sample(
    number: str, day: date, firm: Firm, firms: list[Firm], rng: random.Random, outcome: str,
    *, items: tuple[str, ...] = (), task: str = "监督抽查", handling: str = "",
) -> Sample:  # fmt: skip
    drawn = draw_sample(number, day, firm, firm.products[0], firms, rng, task=task)
    return replace(
        drawn,
        outcome=outcome,
        items=tuple((item, "不符合", "应符合") for item in items),
        producer_written=firm.name,
        seller_written=firm.name,
        producer_code=firm.uscc,
        published=min(TODAY, day + timedelta(days=16)),
        handling=handling,
    )
