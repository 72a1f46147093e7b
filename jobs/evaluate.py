"""Measuring the tagger and writing the report page: by cross-validation on the corpus, and on texts from outside."""

import html
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import GroupKFold

from jobs.new_words import as_rows, known_words
from jobs.settings import Settings
from nlp import corpus
from nlp.artifacts import accepted_model
from nlp.classifiers.text_model import fit
from nlp.corpus import Example
from nlp.evaluate import Scores, score, summary
from nlp.labelled_texts import read_labelled
from nlp.new_words import NewWord, propose
from nlp.reading import Reader, TextReading
from nlp.tagging import ASSERTED_FROM, Tagged, Tagger, load_tagger
from nlp.taxonomy import Taxonomy, load_taxonomy

FOLDS = 5
CURVE = (0.25, 0.5, 0.75, 1.0)
SHOWN_ERRORS = 40
SHOWN_WORDS = 40


def evaluate_nlp(
    settings: Settings, folder: Path, *, texts: Path | None, kinds: Path | None, headlines: Sequence[str] = ()
) -> dict[str, Any]:
    """Measure, write `nlp.html` and `nlp.json` into `folder`, return the figures.

    On the corpus: cross-validation by event. On `texts` (never trained on by the shipped model): the lexicon alone,
    the model in force, and cross-validation in which the other folds of `texts` join the corpus.
    """
    taxonomy = load_taxonomy(settings.lexicon_dir)
    reader = Reader(taxonomy)
    own = corpus.load()
    outside = read_labelled(texts, kinds) if texts is not None else []
    every = [*own, *outside]
    readings = dict(zip((one.id for one in every), reader.read_many([one.text for one in every]), strict=True))
    in_force = tagger_in_force(settings)
    parts: list[tuple[str, Scores]] = [("自建语料，按事件交叉验证", _crossed(own, [], readings, taxonomy))]
    if outside:
        alone = Tagger(taxonomy).tag_many((example.text, None, None) for example in outside)
        parts.append(("外部文本，仅词典与规则", score(outside, alone, taxonomy)))
        tagged = in_force.tag_many((example.text, None, None) for example in outside)
        parts.append(("外部文本，现用模型", score(outside, tagged, taxonomy)))
        parts.append(("外部文本，自建语料加其余各折", _crossed(outside, own, readings, taxonomy)))
    result: dict[str, Any] = {title: summary(scores) for title, scores in parts}
    curve = _learning_curve(own, outside or own, readings, taxonomy, apart=not outside)
    result["学习曲线"] = curve
    words = propose(
        [example.text for example in own if example.relevant],
        [example.text for example in own if not example.relevant],
        known_words(taxonomy),
        most=SHOWN_WORDS,
    )
    result["新词发现"] = as_rows(words)
    alarms = None
    if headlines:
        alarms = result["无关新闻标题误报"] = _alarms(in_force, headlines)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nlp.json").write_text(json.dumps(result, ensure_ascii=False, indent=1), encoding="utf-8")
    (folder / "nlp.html").write_text(_page(parts, curve, alarms, words, taxonomy), encoding="utf-8")
    return result


def measure_in_force(
    settings: Settings, *, texts: Path | None, kinds: Path | None, headlines: Sequence[str] = ()
) -> dict[str, Any]:
    """The figures of the model in force on texts from outside; nothing is trained and no page is written."""
    tagger = tagger_in_force(settings)
    result: dict[str, Any] = {"模型": tagger.version}
    if texts is not None:
        outside = read_labelled(texts, kinds)
        tags = tagger.tag_many((example.text, None, None) for example in outside)
        scores = score(outside, tags, tagger.taxonomy)
        result["外部文本，现用模型"] = summary(scores)
        result["各类文本误报（误报，条数）"] = scores.false_alarms
    if headlines:
        result["无关新闻标题误报"] = _alarms(tagger, headlines)
    return result


def tagger_in_force(settings: Settings) -> Tagger:
    """The tagger with the model in force."""
    return load_tagger(settings.lexicon_dir, accepted_model(settings.var, settings.lexicon_dir))


def _alarms(tagger: Tagger, headlines: Sequence[str]) -> dict[str, int]:
    tags = tagger.tag_many((line, None, None) for line in headlines)
    alarmed = (any(f.status == "asserted" and f.probability >= ASSERTED_FROM for f in t.hazards) for t in tags)
    return {"texts": len(headlines), "with_hazard": sum(alarmed)}


def _tag_with(
    train: Sequence[Example], test: Sequence[Example], readings: dict[str, TextReading], taxonomy: Taxonomy
) -> list[Tagged]:
    model = fit(train, [readings[example.id] for example in train], taxonomy)
    return Tagger(taxonomy, model).tag_many((example.text, None, None) for example in test)


def _crossed(
    examples: Sequence[Example], always: Sequence[Example], readings: dict[str, TextReading], taxonomy: Taxonomy
) -> Scores:
    tags: list[Tagged | None] = [None] * len(examples)
    groups = [example.event for example in examples]
    for seen, unseen in GroupKFold(FOLDS).split(examples, groups=groups):
        train = [*always, *(examples[at] for at in seen)]
        for at, tagged in zip(
            unseen, _tag_with(train, [examples[at] for at in unseen], readings, taxonomy), strict=True
        ):
            tags[at] = tagged
    return score(examples, [tagged for tagged in tags if tagged is not None], taxonomy)


def _learning_curve(
    own: Sequence[Example],
    test: Sequence[Example],
    readings: dict[str, TextReading],
    taxonomy: Taxonomy,
    *,
    apart: bool,
) -> list[dict[str, float | None]]:
    """Figures by share of the corpus. Without outside texts a fifth of the events is kept apart as the test."""
    rng = np.random.default_rng(0)
    events = np.array(sorted({example.event for example in own}))
    rng.shuffle(events)
    held = set(events[: len(events) // 5]) if apart else set()
    chosen_test = [example for example in test if example.event in held] if apart else list(test)
    rest = [event for event in events if event not in held]
    points = []
    for share in CURVE:
        kept = set(rest[: int(len(rest) * share)])
        train = [example for example in own if example.event in kept]
        figures = summary(score(chosen_test, _tag_with(train, chosen_test, readings, taxonomy), taxonomy))
        points.append({"train_texts": len(train), **figures})
    return points


_FIGURES = (
    ("hazards_macro_f1", "危害宏平均 F1"),
    ("violations_macro_f1", "违法行为宏平均 F1"),
    ("products_macro_f1", "产品宏平均 F1"),
    ("relevance_auc", "相关性 AUC"),
    ("false_alarm_rate", "否认、演练、混淆文本误报"),
    ("outside_lexicon_recall", "词典外措辞的危害召回"),
    ("outcome_accuracy", "后果判断准确率"),
)


def _page(
    parts: Sequence[tuple[str, Scores]],
    curve: Sequence[dict[str, float | None]],
    alarms: dict[str, int] | None,
    words: Sequence[NewWord],
    taxonomy: Taxonomy,
) -> str:
    names = {
        **{h.id: h.name for h in taxonomy.hazards.values()},
        **{v.id: v.name for v in taxonomy.violations.values()},
        **{p.id: p.name for p in taxonomy.products.values()},
    }
    body = ["<h1>标签质量报告</h1><p>区间为按事件重抽样的 95% 范围。阈值见 docs/tagging.md。</p>"]
    for title, scores in parts:
        body.append(f"<h2>{html.escape(title)}（{scores.texts} 条）</h2>")
        body.append(
            _table(
                ("指标", "数值"),
                [
                    ("危害宏平均 F1", str(scores.macro_f1["hazards"])),
                    ("违法行为宏平均 F1", str(scores.macro_f1["violations"])),
                    ("产品宏平均 F1", str(scores.macro_f1["products"])),
                    ("相关性 AUC", str(scores.relevance_auc)),
                    ("否认、演练、混淆文本误报", str(scores.quiet_rate)),
                    ("词典外措辞的危害召回", str(scores.outside_recall)),
                    ("后果判断准确率", f"{scores.outcome_accuracy:.3f}"),
                ],
            )
        )
        body.append(
            _table(("文本类型", "误报", "条数"), [(kind, hits, of) for kind, (hits, of) in scores.false_alarms.items()])
        )
    title, last = parts[-1]
    body.append(f"<h2>逐项（{html.escape(title)}）</h2>")
    for family, family_title in (("hazards", "危害"), ("violations", "违法行为"), ("products", "产品")):
        rows = [
            (names[s.code], f"{s.precision:.2f}", f"{s.recall:.2f}", f"{s.f1:.2f}", s.hits, s.false_alarms, s.misses)
            for s in sorted(last.labels[family], key=lambda s: (s.f1, s.code))
            if s.hits + s.misses + s.false_alarms
        ]
        body.append(f"<h3>{family_title}</h3>")
        body.append(_table(("标签", "精确率", "召回率", "F1", "命中", "误报", "漏报"), rows))
    body.append("<h2>危害混淆（漏报 → 误报）</h2>")
    body.append(_table(("应为", "判为", "次数"), [(names[a], names[b], n) for a, b, n in last.confusion]))
    body.append("<h2>概率校准（危害）</h2>")
    body.append(_table(("平均概率", "实际占比", "条数"), [(f"{p:.2f}", f"{r:.2f}", n) for p, r, n in last.calibration]))
    body.append("<h2>学习曲线</h2>")
    heads = ("训练条数", *(name for _, name in _FIGURES))
    body.append(_table(heads, [(p["train_texts"], *(p[key] for key, _ in _FIGURES)) for p in curve]))
    if alarms:
        body.append(f"<h2>无关新闻标题</h2><p>{alarms['texts']} 条中 {alarms['with_hazard']} 条被判有危害。</p>")
    body.append("<h2>新词发现（自建语料里与风险同现而词典没有的词）</h2>")
    body.append(_table(("词", "条数", "倍数", "例"), [(w.text, w.texts, w.lift, w.examples[0]) for w in words]))
    # Only errors on the corpus of our own are printed: texts from outside are not ours to show.
    body.append("<h2>错例（自建语料）</h2>")
    errors = parts[0][1].errors[:SHOWN_ERRORS]
    rows_of_errors = [
        (e.text, "、".join(names[c] for c in e.missed), "、".join(names[c] for c in e.claimed)) for e in errors
    ]
    body.append(_table(("文本", "漏报", "误报"), rows_of_errors))
    style = "body{font:15px/1.6 sans-serif;max-width:72rem;margin:2rem auto}"
    style += "td,th{border:1px solid #bbb;padding:.2rem .6rem}"
    return (
        f"<!doctype html><html lang=zh><meta charset=utf-8><title>标签质量报告</title><style>{style}"
        f"table{{border-collapse:collapse;margin:.6rem 0}}</style>{''.join(body)}</html>\n"
    )


def _table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in heads)
    lines = "".join("<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{lines}</table>"
