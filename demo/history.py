"""Three years of records: what offices sampled by habit, what people complained of, what was said and found."""

import math
import random
from datetime import date, timedelta

from demo.firms import Firm, Trade, failure_probability, makers_of, trades
from demo.geography import BY_CODE, COUNTIES
from demo.records import Complaint, History, Post, Sample
from demo.writing import (
    Occasion,
    complaint_text,
    harm,
    identity_number,
    monitoring_text,
    person,
    phone,
    phrases,
    post_text,
    written_name,
)

FIRST_DAY = date(2023, 11, 1)
TODAY = date(2026, 10, 31)
LABORATORIES = (
    "海岳省产品质量检验研究院",
    "澜泽市质量检验检测中心",
    "栖浦市产品质量监督检验所",
    "海岳省消防产品质检中心",
)
_LATEST = 24
_SAFETY_LIMITS = ("≤0.25mA", "≥0.70mm", "≤7.41Ω/km", "不得检出", "≥450N", "应符合", "≤0.124mg/m³", "≥15s")


def make_history(firms: list[Firm], rng: random.Random, scale: float) -> History:
    """Return the records of the three years for these firms; sizes grow with `scale`."""
    history = History(registers={kind: [] for kind in REGISTERS})
    _sampling(history, firms, rng, round(12000 * scale))
    _complaints(history, firms, rng, round(5850 * scale))
    _posts(history, firms, rng, round(3800 * scale))
    _consequences(history, firms, rng)
    _visits(history, firms, rng)
    _injuries(history, firms, rng, round(420 * scale))
    _monitoring(history, firms, rng, round(500 * scale))
    return history


REGISTERS = ("case", "inspection", "self_check", "injury", "monitoring", "credit", "recall")


def _day(rng: random.Random, first: date = FIRST_DAY, last: date = TODAY) -> date:
    return first + timedelta(days=rng.randint(0, (last - first).days))


def _sampling(history: History, firms: list[Firm], rng: random.Random, count: int) -> None:
    frame = [
        (firm, product)
        for firm in firms
        if firm.status == "存续" and firm.story != "unsampled"
        for product in firm.products
    ]
    weights = [firm.habit * (1.25 if firm.registered else 0.5) for firm, _ in frame]
    days = sorted(_working_day(rng) for _ in range(count))
    chosen = rng.choices(frame, weights=weights, k=count)
    failed: list[tuple[date, Firm, str]] = []
    for index, (day, (firm, product)) in enumerate(zip(days, chosen, strict=True)):
        task = rng.choices(("监督抽查", "专项抽查"), weights=(85, 15))[0]
        # One batch in twelve goes back to somebody who failed, sixty days or more before.
        if failed and rng.random() < 0.05:
            since, firm, product = rng.choice(failed[-160:])
            if (day - since).days >= 60:
                task = rng.choice(("跟踪抽查", "复查"))
        sample = draw_sample(f"HY{day:%Y}{index:06d}", day, firm, product, firms, rng, task=task)
        history.samples.append(sample)
        if sample.outcome == "不合格" and firm.is_producer:
            failed.append((day, firm, product))


def _working_day(rng: random.Random) -> date:
    day = _day(rng, last=TODAY - timedelta(days=25))
    return day - timedelta(days=max(0, day.weekday() - 4))


def draw_sample(
    number: str,
    day: date,
    firm: Firm,
    product: str,
    firms: list[Firm],
    rng: random.Random,
    *,
    task: str = "监督抽查",
    plan_code: str = "",
    published: date | None = None,
) -> Sample:
    """Return what sampling this firm's product that day brings, by the hidden probabilities."""
    trade = trades()[product]
    producer = firm if firm.is_producer else firms[rng.choice(makers_of(firm, product, firms))]
    seller = None if firm.is_producer else firm
    channel = "production" if seller is None else "online" if firm.kind == "online" else "circulation"
    chance = failure_probability(product, producer, seller, channel)
    outcome = "不合格" if rng.random() < chance else "合格"
    if rng.random() < 0.012:
        outcome = "未抽到样" if rng.random() < 0.92 else "拒检"
    items = failed_items(trade, rng) if outcome == "不合格" else ()
    level = rng.choices(("省抽", "市抽", "县抽"), weights=(16, 48, 36))[0]
    handling = ""
    if outcome == "不合格":
        handling = rng.choices(
            ("已整改复查合格", "责令改正中", "", "逾期未整改", "复查仍不合格"), weights=(50, 25, 15, 6, 4)
        )[0]
    return Sample(
        number=number,
        on=day,
        published=published or min(TODAY, day + timedelta(days=rng.randint(20, 55))),
        level=level,
        product_id=product,
        written_product=rng.choice(trade.written_as),
        producer=producer.number,
        seller=None if seller is None else seller.number,
        producer_written=written_name(producer, rng, 0.80),
        seller_written=written_name(seller, rng, 0.84) if seller else written_name(producer, rng, 0.9),
        channel={"production": "生产", "circulation": "流通", "online": "线上"}[channel],
        spec=rng.choice(trade.specs),
        batch=f"{day - timedelta(days=rng.randint(5, 150)):%Y%m%d}",
        outcome=outcome,
        items=items,
        laboratory=rng.choice(LABORATORIES),
        county=firm.county,
        producer_code=producer.uscc if rng.random() < 0.5 else "",
        task=task,
        handling=handling,
        cost=rng.randint(*trade.cost),
        plan_code=plan_code,
    )


def failed_items(trade: Trade, rng: random.Random) -> tuple[tuple[str, str, str], ...]:
    """Return one to three failed items with a measured value and a limit."""
    names = rng.sample(trade.items, k=min(len(trade.items), rng.choices((1, 2, 3), weights=(70, 23, 7))[0]))
    return tuple(
        (name, rng.choice(("不符合", f"{rng.uniform(0.1, 9):.2f}", "/")), rng.choice(_SAFETY_LIMITS)) for name in names
    )


def _complaints(history: History, firms: list[Firm], rng: random.Random, count: int) -> None:
    frame = [(firm, product) for firm in firms if firm.status != "注销" for product in firm.products]
    scale = {"large": 5.0, "medium": 2.5, "small": 1.0, "micro": 0.6}
    weights = []
    for firm, product in frame:
        reach = scale[firm.size] * (1.6 if firm.kind == "online" else 1.0 if firm.kind == "shop" else 0.8)
        bad = failure_probability(product, firm, None, "production") if firm.is_producer else 0.0
        weights.append(reach * math.exp(0.75 * firm.quality) * (1 + 4 * bad))
    claimants = [(person(rng), phone(rng), identity_number(rng)) for _ in range(max(20, round(count * 0.85)))]
    habitual = claimants[:3]
    chosen = rng.choices(frame, weights=weights, k=count)
    for index, (firm, product) in enumerate(chosen):
        trade = trades()[product]
        day = _day(rng, last=TODAY - timedelta(days=1))
        quality_matter = rng.random() < 0.62
        report = quality_matter and firm.is_producer and rng.random() < 0.12
        hazard = rng.choice(trade.hazards) if quality_matter else None
        if hazard and rng.random() < 0.12:
            hazard = "info_label"
        named = written_name(firm, rng, 0.5)
        about = Occasion(
            day, trade, firm.county, named if firm.is_producer else "", "" if firm.is_producer else named, hazard
        )
        text = complaint_text(about, rng, report=report, violation=quality_matter and rng.random() < 0.1)
        claimant = rng.choice(habitual) if rng.random() < 0.02 else rng.choice(claimants)
        history.complaints.append(
            Complaint(
                number=f"TS{day:%Y%m%d}{index:06d}",
                on=day,
                kind="举报" if report else "投诉",
                respondent=firm.number,
                respondent_written=written_name(firm, rng, 0.66),
                product=rng.choice(trade.written_as) if rng.random() < 0.8 else "",
                issue=rng.choice(("质量", "质量", "安全", "假冒"))
                if quality_matter
                else rng.choice(("售后服务", "合同", "价格", "其他")),
                text=text,
                claimant=claimant[0],
                phone=claimant[1],
                identity=claimant[2],
                amount=f"{trade.price * rng.uniform(0.8, 2):.2f}" if rng.random() < 0.6 else "",
                county=firm.county,
                verified=quality_matter and rng.random() < 0.12 + (0.2 if firm.quality > 1 else 0.0),
            )
        )
    history.complaints.sort(key=lambda complaint: (complaint.on, complaint.number))


def _posts(history: History, firms: list[Firm], rng: random.Random, count: int) -> None:
    frame = [(firm, product) for firm in firms for product in firm.products]
    weights = [math.exp(0.6 * firm.quality) * (3 if firm.size in ("large", "medium") else 1) for firm, _ in frame]
    chosen = rng.choices(frame, weights=weights, k=count)
    kinds = rng.choices(
        ("posts", "news", "harmless", "knowledge", "rebuttal", "offtopic"), weights=(30, 7, 24, 8, 2, 29), k=count
    )
    for index, ((firm, product), kind) in enumerate(zip(chosen, kinds, strict=True)):
        trade = trades()[product]
        maker = firm if firm.is_producer else firms[rng.choice(firm.suppliers[product])]
        called = rng.choice((maker.short or maker.brand_name, maker.brand_name, written_name(maker, rng, 0.3)))
        hazard = rng.choice(trade.hazards)
        day = _day(rng, last=TODAY - timedelta(days=1))
        medium = ""
        if index < _LATEST:  # the living feeds have something of this week, however small the province
            day, kind = TODAY - timedelta(days=1 + index % 5), "posts" if index % 3 == 2 else "news"
            medium = "论坛" if kind == "posts" else "新闻"
        about = Occasion(
            day, trade, firm.county, called,
            "" if firm.is_producer else written_name(firm, rng, 0.4), hazard,
        )  # fmt: skip
        text = post_text(about, rng, kind)
        history.posts.append(make_post(f"P{index:06d}", day, text, kind, firm.county, rng, medium))
    history.posts.sort(key=lambda post: (post.on, post.number))


def make_post(number: str, day: date, text: str, kind: str, county: str, rng: random.Random, medium: str = "") -> Post:
    """Return a post of an outlet that carries this kind of text."""
    if not medium:
        medium = "新闻" if kind in ("news", "knowledge", "rebuttal") else rng.choice(("微博", "短视频", "论坛"))
    outlets = phrases()["opinion"]["outlets"]["news" if medium == "新闻" else "social"]
    title = text[: rng.randint(10, 24)].rstrip("，。！") if medium == "新闻" or rng.random() < 0.4 else text[:16]
    return Post(
        number=number,
        on=day,
        time=f"{rng.randint(6, 23):02d}:{rng.randint(0, 59):02d}:{rng.randint(0, 59):02d}",
        title=title,
        text=text,
        outlet=rng.choice(outlets),
        medium=medium,
        url=f"http://haiyue.example/{'news' if medium == '新闻' else 'post'}/{number}.html",
        county=county if rng.random() < 0.7 else "",
    )


def _consequences(history: History, firms: list[Firm], rng: random.Random) -> None:
    """Penalties, recalls and credit classes follow, loosely, from what was found and from what is hidden."""
    cases, recalls = history.registers["case"], history.registers["recall"]
    for sample in history.samples:
        if sample.outcome not in ("不合格", "拒检"):
            continue
        firm = firms[sample.producer if sample.seller is None else sample.seller]
        if rng.random() < 0.3:
            wrong = "生产销售不合格产品" if firm.is_producer else "销售不合格产品"
            if sample.outcome == "拒检":
                wrong = "拒绝接受监督抽查"
            cases.append(
                case_row(firm, sample.product_id, wrong, sample.published + timedelta(days=rng.randint(20, 80)), rng)
            )
        if firm.is_producer and sample.outcome == "不合格" and rng.random() < 0.05:
            recalls.append(recall_row(firm, sample, rng))
    for firm in firms:
        if rng.random() < 0.012 * math.exp(0.8 * firm.quality):
            product = rng.choice(firm.products)
            wrong = rng.choices(
                ("无证生产", "未取得CCC认证擅自销售", "以次充好", "冒用厂名厂址", "标识不符合规定"),
                weights=(1, 3, 3, 2, 6),
            )[0]
            if wrong == "无证生产" and any(paper.product_id == product for paper in firm.licences):
                wrong = "标识不符合规定"
            cases.append(case_row(firm, product, wrong, _day(rng), rng))
    history.registers["case"] = [row for row in cases if row["公示日期"] <= TODAY.isoformat()]
    history.registers["recall"] = [row for row in recalls if row["发布时间"] <= TODAY.isoformat()]
    for firm in firms:
        if firm.registered and rng.random() < 0.7:
            score = rng.gauss(0.4 * firm.quality, 1)
            grade = "A" if score < -0.4 else "B" if score < 0.9 else "C" if score < 1.9 else "D"
            history.registers["credit"].append(
                {
                    "企业名称": firm.name,
                    "统一社会信用代码": firm.uscc,
                    "信用风险等级": grade,
                    "评定日期": "2026-06-30",
                    "有效期至": "2027-06-30",
                    "是否严重违法失信": "是" if score > 3.1 else "否",
                }
            )


def case_row(firm: Firm, product: str, wrong: str, decided: date, rng: random.Random) -> dict[str, str]:
    """One penalty as the register of penalties shows it."""
    fine = rng.choice((2000, 5000, 10000, 20000, 35000, 50000))
    return {
        "处罚决定书文号": f"{BY_CODE[firm.county].short_name}市监处罚〔{decided.year}〕{rng.randint(1, 9999)}号",
        "当事人名称": written_name(firm, rng, 0.93),
        "统一社会信用代码": firm.uscc if rng.random() < 0.8 else "",
        "违法行为": f"{wrong}（{rng.choice(trades()[product].written_as)}）",
        "产品名称": rng.choice(trades()[product].written_as),
        "处罚内容": f"没收违法所得，罚款{fine}元",
        "罚款金额": str(fine),
        "处罚决定日期": decided.isoformat(),
        "公示日期": (decided + timedelta(days=rng.randint(3, 20))).isoformat(),
        "处罚机关": f"{BY_CODE[firm.county].name}市场监督管理局",
    }


def recall_row(firm: Firm, sample: Sample, rng: random.Random) -> dict[str, str]:
    """One recall announcement."""
    trade = trades()[sample.product_id]
    on = sample.published + timedelta(days=rng.randint(10, 60))
    return {
        "召回编号": f"HYZH{on:%Y}{rng.randint(1, 99999):05d}",
        "生产者名称": firm.name,
        "产品名称": sample.written_product,
        "品牌": firm.brands[0] if firm.brands else "——",
        "型号/规格": sample.spec,
        "生产批号/批次": sample.batch,
        "涉及数量": f"{rng.randint(40, 9000)}{rng.choice(('件', '只', '台'))}",
        "存在的缺陷": f"{sample.items[0][0]}不符合标准要求",
        "可能导致的后果": f"使用中可能出现{harm(trade.hazards[0], trade, rng)}",
        "具体召回措施": rng.choice(("免费更换", "退货退款", "免费维修")),
        "召回类型": rng.choices(("主动召回", "责令召回"), weights=(4, 1))[0],
        "发布时间": on.isoformat(),
        "监管部门": f"{BY_CODE[firm.city].name}市场监督管理局",
    }


def _visits(history: History, firms: list[Firm], rng: random.Random) -> None:
    inspections, checks = history.registers["inspection"], history.registers["self_check"]
    for firm in firms:
        if firm.status != "存续" or not firm.registered:
            continue
        for _ in range(_poisson(0.7 + (0.5 if firm.is_producer else 0.0), rng)):
            findings = _poisson(math.exp(0.25 + 0.55 * firm.quality), rng)
            serious = sum(rng.random() < 0.12 for _ in range(findings))
            inspections.append(inspection_row(firm, _day(rng), findings, serious, rng))
        if firm.is_producer and rng.random() < 0.45:
            for _ in range(rng.randint(1, 3)):
                # Firms report little of themselves, and bad firms hardly more than good ones.
                problems = _poisson(0.9, rng)
                checks.append(self_check_row(firm, _day(rng), problems, rng))


def inspection_row(
    firm: Firm, day: date, findings: int, serious: int, rng: random.Random, kind: str = ""
) -> dict[str, str]:
    """One visit and what it found."""
    kind = kind or rng.choices(("现场检查", "飞行检查", "复查"), weights=(80, 8, 12))[0]
    return {
        "检查编号": f"JC{day:%Y%m%d}{firm.number:05d}{rng.randint(0, 99):02d}",
        "检查日期": day.isoformat(),
        "企业名称": written_name(firm, rng, 0.92),
        "统一社会信用代码": firm.uscc,
        "检查类型": kind,
        "产品名称": trades()[firm.products[0]].written_as[0],
        "问题数": str(findings),
        "严重问题数": str(serious),
        "检查结论": "未通过" if serious else "通过",
        "所在区县": BY_CODE[firm.county].name,
    }


def self_check_row(firm: Firm, day: date, problems: int, rng: random.Random) -> dict[str, str]:
    """One self-report of a firm."""
    return {
        "填报编号": f"ZC{day:%Y%m%d}{firm.number:05d}{rng.randint(0, 99):02d}",
        "填报日期": day.isoformat(),
        "企业名称": firm.name,
        "统一社会信用代码": firm.uscc,
        "产品名称": trades()[firm.products[0]].written_as[0],
        "自查类型": rng.choice(("企业自查", "月调度", "周排查")),
        "发现问题数": str(problems),
        "已整改数": str(problems if rng.random() < 0.85 else max(0, problems - 1)),
        "是否配备质量安全总监": "是" if rng.random() < 0.8 else "否",
    }


def _injuries(history: History, firms: list[Firm], rng: random.Random, count: int) -> None:
    causes = {
        "fire": ("烧烫伤", "烧烫伤"), "burn_thermal": ("烧烫伤", "烧烫伤"), "electric_shock": ("触电", "内脏损伤"),
        "choking": ("窒息", "窒息"), "co_poisoning": ("中毒", "中毒"), "cut_puncture": ("刀/锐器伤", "锐器伤/开放伤"),
        "fall_tip": ("跌倒/坠落", "骨折"), "impact_ejection": ("非机动车交通伤", "挫伤/擦伤"),
        "entrapment_crush": ("钝器伤", "挫伤/擦伤"), "explosion": ("烧烫伤", "锐器伤/开放伤"),
    }  # fmt: skip
    frame = [(firm, product) for firm in firms if firm.is_producer for product in firm.products]
    weights = [math.exp(0.7 * firm.quality) for firm, _ in frame]
    for index, (firm, product) in enumerate(rng.choices(frame, weights=weights, k=count)):
        trade = trades()[product]
        hazard = next((hazard for hazard in trade.hazards if hazard in causes), "fall_tip")
        cause, nature = causes[hazard]
        day = _day(rng)
        named = rng.random() < 0.45
        history.registers["injury"].append(
            {
                "报告卡编号": f"SH{day:%Y}{index:06d}",
                "伤害发生时间": (day - timedelta(days=rng.randint(0, 2))).isoformat(),
                "就诊时间": day.isoformat(),
                "监测点/医院": f"{BY_CODE[firm.city].name}第{rng.choice('一二三')}人民医院",
                "性别": rng.choice("男女"),
                "年龄": str(rng.randint(1, 82)),
                "伤害发生原因": cause,
                "伤害性质": nature,
                "伤害严重程度": rng.choices(("轻度", "中度", "重度"), weights=(72, 24, 4))[0],
                "结局": rng.choices(("治疗后回家", "观察/住院", "转院"), weights=(80, 17, 3))[0],
                "涉及产品": rng.choice((*trade.written_as, *trade.colloquial)),
                "品牌/型号": rng.choice(trade.specs) if rng.random() < 0.5 else "不详",
                "生产企业": written_name(firm, rng, 0.5) if named else "不详",
                "是否回访认定": "是" if named and rng.random() < 0.3 else "否",
                "所在区县": BY_CODE[rng.choice(COUNTIES).code].name,
            }
        )


def _monitoring(history: History, firms: list[Firm], rng: random.Random, count: int) -> None:
    points = [f"{BY_CODE[county.city_code].name}{county.name}{kind}监测点" for county in COUNTIES[::2]
              for kind in ("消费", "维修")]  # fmt: skip
    frame = [(firm, product) for firm in firms if firm.is_producer for product in firm.products]
    weights = [math.exp(0.7 * firm.quality) for firm, _ in frame]
    for index, (firm, product) in enumerate(rng.choices(frame, weights=weights, k=count)):
        trade = trades()[product]
        day = _day(rng)
        point = rng.choice(points)
        about = Occasion(day, trade, firm.county, firm.name, "", rng.choice(trade.hazards))
        history.registers["monitoring"].append(
            {
                "报告编号": f"FX{day:%Y%m%d}{index:05d}",
                "监测点名称": point,
                "报告日期": day.isoformat(),
                "产品名称": rng.choice(trade.written_as),
                "涉及企业": written_name(firm, rng, 0.7) if rng.random() < 0.6 else "",
                "风险描述": monitoring_text(about, rng),
                "严重程度": rng.choices(("一般", "较大", "重大"), weights=(80, 17, 3))[0],
                "所在区县": BY_CODE[firm.county].name,
            }
        )


def _poisson(mean: float, rng: random.Random) -> int:
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count
