"""How well reposts and retellings are found: on edits of our own, and on labelled clusters where they are at hand.

Run: python bench/reposts_quality.py [--texts ../shared/data/industrial_texts/texts.jsonl]
Prints one JSON line a measurement. The labelled set is read when present and never needed.
"""

import argparse
import json
import random
from collections import defaultdict
from datetime import date
from itertools import combinations
from pathlib import Path

import opencc

from nlp.corpus import load
from nlp.reposts import COPY, SIMILAR, Groups, RepostIndex, repost_key, similarity
from nlp.retellings import retold

EDITS = ("trimmed", "retitled", "traditional", "reporter", "forwarded", "typos", "two at once")


def edited(text: str, edit: str, chance: random.Random) -> str:
    """Return the text as somebody else would post it again."""
    if edit == "trimmed":
        kept = int(len(text) * chance.uniform(0.6, 0.85))
        start = chance.choice((0, len(text) - kept))
        return text[start : start + kept]
    if edit == "retitled":
        return (
            chance.choice(("【突发】真的太吓人了，大家都看看！\n", "曝光！这种产品千万别买\n", "最新通报：\n")) + text
        )
    if edit == "traditional":
        return str(opencc.OpenCC("s2t").convert(text))
    if edit == "reporter":
        reporter, editor = chance.choice(("王小明", "李红", "赵志远")), chance.choice(("周一", "孙二"))
        return f"本报讯（记者 {reporter}）{text}（编辑：{editor}）"
    if edit == "forwarded":
        return f"转发微博//@{chance.choice(('小区业主', '热心网友'))}：{text} https://t.example/{chance.randrange(999)}"
    if edit == "typos":
        characters = list(text)
        for _ in range(max(1, len(text) // 40)):
            characters[chance.randrange(len(characters))] = chance.choice("的了是在不有")
        return "".join(characters)
    first, second = chance.sample(EDITS[:-1], 2)
    return edited(edited(text, first, chance), second, chance)


def own_edits(seed: int = 7) -> None:
    """Measure on the corpus's own longer texts, each told again in seven edited ways."""
    chance = random.Random(seed)
    originals = [example.text for example in load() if len(example.text) >= 40]
    stories = [(number, "original", text) for number, text in enumerate(originals)]
    for number, text in enumerate(originals):
        stories += [(number, edit, edited(text, edit, chance)) for edit in EDITS]
    keys = [repost_key(text) for _number, _edit, text in stories]
    found: set[tuple[int, int]] = set()
    for at, matches in enumerate(RepostIndex().add(keys)):
        for match in matches:
            jaccard, contained = similarity(keys[at], keys[match.earlier])
            if jaccard >= SIMILAR or contained >= COPY:
                found.add((match.earlier, at))
    right = sum(stories[a][0] == stories[b][0] for a, b in found)
    hit: dict[str, int] = defaultdict(int)
    for earlier, later in found:
        if earlier < len(originals) and stories[earlier][0] == stories[later][0]:
            hit[stories[later][1]] += 1
    groups = Groups()
    for earlier, later in found:
        groups.join(earlier, later)
    joined = sum(groups.root(at) == groups.root(stories[at][0]) for at in range(len(originals), len(stories)))
    print(
        json.dumps(
            {
                "measure": "own edits",
                "stories": len(originals),
                "copies": len(stories) - len(originals),
                "pair_precision": round(right / max(len(found), 1), 4),
                "copies_in_their_cluster": round(joined / (len(stories) - len(originals)), 4),
                "recall_by_edit": {edit: round(hit[edit] / len(originals), 4) for edit in EDITS},
            },
            ensure_ascii=False,
        )
    )


def labelled(path: Path) -> None:
    """Measure on labelled clusters: the same story told again, mostly in other words."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    keys = [repost_key(row["text"]) for row in rows]
    days = [date.fromisoformat(row["date"]).toordinal() for row in rows]
    truth = {
        pair
        for pair in combinations(range(len(rows)), 2)
        if rows[pair[0]]["cluster"] and rows[pair[0]]["cluster"] == rows[pair[1]]["cluster"]
    }
    copies = {(match.earlier, at) for at, matches in enumerate(RepostIndex().add(keys)) for match in matches}
    retellings = {(min(one, other), max(one, other)) for one, other, _overlap in retold(keys, days)}
    for name, pairs in (("copies", copies), ("retellings", retellings), ("both", copies | retellings)):
        groups = Groups()
        for one, other in pairs:
            groups.join(one, other)
        closed = {pair for members in groups.members(range(len(rows))) for pair in combinations(members, 2)}
        right = len(closed & truth)
        print(
            json.dumps(
                {
                    "measure": f"labelled clusters, {name}",
                    "pairs": len(truth),
                    "found": len(closed),
                    "precision": round(right / max(len(closed), 1), 4),
                    "recall": round(right / len(truth), 4),
                },
                ensure_ascii=False,
            )
        )


def main() -> None:
    """Run both."""
    parser = argparse.ArgumentParser(description=__doc__)
    root = Path(__file__).resolve().parents[1]
    parser.add_argument("--texts", type=Path, default=root.parent / "shared/data/industrial_texts/texts.jsonl")
    arguments = parser.parse_args()
    own_edits()
    if arguments.texts.exists():
        labelled(arguments.texts)
    else:
        print(json.dumps({"measure": "labelled clusters", "skipped": f"no {arguments.texts.name} at hand"}))


if __name__ == "__main__":
    main()
