"""Names in text: registered ones in invented sentences, and unregistered ones in news.

    python bench/bench_mentions.py                                   # registered, 虚构
    python bench/bench_mentions.py --outside cn_company_short_names.parquet  # registered, real 字号, other sentences
    python bench/bench_mentions.py --cluener cn_ner_cluener.parquet  # company mentions of CLUENER2020

On CLUENER the recogniser sees no register at all. Its rules were written while looking at seven rows of ten (part
"look"); the figure to quote is that of the others. A gazetteer of training mentions reaches F1 0.574 there.
"""

import argparse
import json
import random
from pathlib import Path

from enterprise_names import Province
from outside_names import Outside, brand_words

from nlp.enterprises import Register

TEMPLATES = (
    "消费者反映在{}购买的充电器起火，要求退款。",
    "经查，当事人{}销售的电线电缆不符合国家标准。",
    "近日，{}生产的儿童玩具被检出增塑剂超标。",
    "市民张某投诉{}拒绝履行三包义务。",
    "抽查发现，标称生产企业为{}的3批次产品不合格，被抽样单位为{}。",
    "{}因质量问题召回2000台产品。",
    "记者从{}获悉，该批次产品已下架",
    "我局对{}进行了现场检查，并约谈了{}负责人。",
    "（1）{}；（2）{}。",
    "网友称{}的产品用了三天就坏了，客服推给{}处理。",
    "委托方：{} 受托方：{}",
    "不合格产品由{}生产，{}经销。",
    "处罚决定书显示，{}存在无证生产行为",
    "他在{}工作多年，后来跳槽到{}。",
    "该公司与{}无关，请勿混淆。",
)
PLAIN = (
    "这家公司的客服态度很差，公司也不给说法。",
    "有关公司应当落实主体责任，各生产企业要自查。",
    "小区门口的超市卖过期食品，店家不承认。",
    "附近几家工厂都停产了。",
)


def counts_to_f1(right: int, said: int, true: int) -> dict[str, float]:
    """Precision, recall and F1."""
    precision, recall = right / said if said else 0.0, right / true if true else 0.0
    both = precision + recall
    return {
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "f1": round(2 * precision * recall / both, 4) if both else 0.0,
    }


def registered(firms: int, sentences: int, seed: int, vocabulary: str, show: int) -> None:
    """Sentences with registered and unregistered names; a span must be exact and carry the right firm, or none."""
    r = random.Random(seed)
    province, strangers = (
        Province(firms, seed, vocabulary),
        Province(2_000, seed + 1, "b" if vocabulary == "a" else "a"),
    )
    register = Register(province.firms)
    known = {made.firm.name for made in province.made}
    right = said = true = right_others = said_others = others = inside = 0
    for _ in range(sentences):
        template = r.choice(TEMPLATES)
        pieces = template.split("{}")
        text, spans = pieces[0], []
        for piece in pieces[1:]:
            chance = r.random()
            made = r.choice(province.made if chance < 0.75 else strangers.made)
            name, firm = made.firm.name, made.firm.id if chance < 0.75 else None
            if chance >= 0.75 and name in known:
                continue
            if chance < 0.1 and not made.place:
                name, firm = "新" + name, None  # another firm's longer name: the registered one inside must not fire
                inside += 1
            elif chance < 0.2 and made.firm.former_names:
                name = made.firm.former_names[0]
            spans.append((len(text), len(text) + len(name), firm))
            text += name + piece
        if r.random() < 0.2:
            text += r.choice(PLAIN)
        found = [(m.start, m.end, m.firm_id) for m in register.mentions(text)]
        wanted = {span for span in spans if span[2]}
        linked = {span for span in found if span[2]}
        right, said, true = right + len(wanted & linked), said + len(linked), true + len(wanted)
        wanted_others = {span for span in spans if not span[2]}
        found_others = {span for span in found if not span[2]}
        right_others += len(wanted_others & found_others)
        said_others, others = said_others + len(found_others), others + len(wanted_others)
        if show and set(found) != set(spans):
            show -= 1
            print(
                "  ",
                text,
                [text[s:e] for s, e, _ in set(spans) - set(found)],
                [text[s:e] for s, e, _ in set(found) - set(spans)],
            )
    print(json.dumps({"registered": counts_to_f1(right, said, true), "sentences": sentences, "names": true}))
    print(json.dumps({"unregistered": counts_to_f1(right_others, said_others, others), "names": others}))


OTHER_SENTENCES = (
    "市民反映在{}购买的产品存在质量问题，要求退货",
    "经核查，{}未取得生产许可证",
    "近日{}因销售不合格产品被查处",
    "抽检信息显示：标称{}生产的面粉不合格",
    "{}（以下简称当事人）",
    "投诉人称其于2024年3月在{}购得",
    "由{}委托{}加工的产品",
    "{}负责人表示将配合调查。",
    "据悉,{}已启动召回",
    "不合格样品涉及{}、{}等企业",
    "【曝光】{}虚假宣传",
    "网友爆料：“{}卖假货！”",
    "我们在{}上班",
)


def outside(words: Path, firms: int, sentences: int, seed: int, show: int) -> None:
    """Registered names only, some with another form, half-width brackets or a former name."""
    r = random.Random(seed)
    made_up = Outside(firms, seed, brand_words(words))
    register = Register(made_up.firms)
    right = said = true = 0
    for _ in range(sentences):
        text, *pieces = r.choice(OTHER_SENTENCES).split("{}")
        wanted = set()
        for piece in pieces:
            made = r.choice(made_up.made)
            name, how = made.firm.name, r.random()
            if how < 0.15:
                name = name.replace("（", "(").replace("）", ")")
            elif how < 0.25 and made.form == "有限公司":
                name = name.replace("有限公司", "有限责任公司")
            elif how < 0.35 and made.firm.former_names:
                name = made.firm.former_names[0]
            wanted.add((len(text), len(text) + len(name), made.firm.id))
            text += name + piece
        found = {(m.start, m.end, m.firm_id) for m in register.mentions(text) if m.firm_id}
        right, said, true = right + len(wanted & found), said + len(found), true + len(wanted)
        if show and found != wanted:
            show -= 1
            print("  ", text, [text[s:e] for s, e, _ in wanted - found], [text[s:e] for s, e, _ in found - wanted])
    print(json.dumps({"registered": counts_to_f1(right, said, true), "sentences": sentences, "names": true}))


def cluener(path: Path, part: str, show: int) -> None:
    """Company mentions found without any register."""
    import pandas as pd

    table = pd.read_parquet(path)
    table = table[[(i % 10 < 7) == (part == "look") for i in range(len(table))]]
    register = Register([])
    right = said = true = 0
    for text, raw in zip(table["text"], table["spans"], strict=True):
        wanted = {(start, end) for start, end, kind, _ in json.loads(raw) if kind == "company"}
        found = {(m.start, m.end) for m in register.mentions(text)}
        right, said, true = right + len(wanted & found), said + len(found), true + len(wanted)
        if show and wanted != found:
            show -= 1
            print("  ", text, [text[s:e] for s, e in wanted - found], [text[s:e] for s, e in found - wanted])
    print(json.dumps({"cluener": part, "texts": len(table), "mentions": true, **counts_to_f1(right, said, true)}))


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--firms", type=int, default=20_000)
    parser.add_argument("--sentences", type=int, default=3_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--vocabulary", choices=["a", "b", "c"], default="a")
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("--cluener", type=Path)
    parser.add_argument("--outside", type=Path, help="table of brand words")
    parser.add_argument("--part", choices=["look", "test"], default="test")
    chosen = parser.parse_args()
    if chosen.cluener:
        cluener(chosen.cluener, chosen.part, chosen.show)
    elif chosen.outside:
        outside(chosen.outside, chosen.firms, chosen.sentences, chosen.seed, chosen.show)
    else:
        registered(chosen.firms, chosen.sentences, chosen.seed, chosen.vocabulary, chosen.show)


if __name__ == "__main__":
    main()
