"""Speed at up to a million names: look-ups against rapidfuzz and sparse_dot_topn, scanning against pyahocorasick.

    python bench/bench_names_speed.py --names 1000000

Every engine runs in its own process and its own thread; times are processor seconds of one run, so that a busy machine
hurts all alike; quote the ratios. The queries are names with one
character dropped, one wrong, a short form, the place left out, or two characters swapped.
"""

import argparse
import json
import multiprocessing
import random
import resource
import time
from collections.abc import Callable
from typing import Any

from enterprise_names import WORDS

from nlp.regions import shipped_regions

FORMS = ["有限公司"] * 14 + ["有限责任公司"] * 3 + ["股份有限公司"] * 2 + ["厂", "经营部", "商行", "集团有限公司"]


def make_names(count: int, seed: int = 5) -> list[str]:
    """Invented full names: place + 字号 + trade + form, half with the place in brackets or left out."""
    r = random.Random(seed)
    places = [row.name if r.random() < 0.5 else row.short_name for row in shipped_regions() if row.level == "county"]
    pool = "".join(WORDS["pools"].values())
    trades = [trade for trades in WORDS["industries"].values() for trade in trades]
    names: dict[str, None] = {}
    while len(names) < count:
        place, brand = r.choice(places), "".join(r.choices(pool, k=r.choice([2, 2, 2, 3, 4])))
        head = f"{place}{brand}" if r.random() < 0.8 else f"{brand}({place})"
        names[head + r.choice(trades) + r.choice(FORMS)] = None
    return list(names)


def spoil(name: str, r: random.Random) -> tuple[str, str]:
    """A messy spelling of a name and what was done to it."""
    kind = r.choice(["dropped", "wrong", "short", "no_place", "swapped"])
    at = r.randrange(len(name) - 1)
    if kind == "dropped":
        return name[:at] + name[at + 1 :], kind
    if kind == "wrong":
        return name[:at] + r.choice("华盛金通达新") + name[at + 1 :], kind
    if kind == "short":
        return name.replace("有限责任公司", "公司").replace("股份有限公司", "公司").replace("有限公司", "公司"), kind
    if kind == "no_place":
        bracket = name.find("(")
        return (name[:bracket] + name[name.find(")") + 1 :] if bracket > 0 else name[2:]), kind
    return name[:at] + name[at + 1] + name[at] + name[at + 2 :], kind


def make_texts(names: list[str], count: int = 20_000) -> list[str]:
    """Sentences of invented prose, half with a name in them."""
    r = random.Random(9)
    prose = "消费者反映购买的产品在使用中出现问题要求退款经营者表示按照规定处理现场检查发现标签不符合要求已责令改正"
    texts = []
    for _ in range(count):
        text = "".join(r.choices(prose, k=r.randint(30, 200)))
        if r.random() < 0.5:
            at = r.randrange(len(text))
            text = text[:at] + r.choice(names) + text[at:]
        texts.append(text)
    return texts


def megabytes() -> float:
    """Resident memory of this process now."""
    with open("/proc/self/statm", encoding="ascii") as handle:
        return int(handle.read().split()[1]) * 4096 / 1e6


def look_up(engine: str, names: list[str], queries: list[tuple[str, str, str]]) -> dict[str, Any]:
    """Build, answer, and count how often the first answer is the right name."""
    before, start = megabytes(), time.process_time()
    answers: list[str | None]
    if engine == "rapidfuzz cdist":
        import numpy as np
        from rapidfuzz import fuzz, process

        queries = queries[:20]
        built = time.process_time()
        answers = [
            names[int(process.cdist([q], names, scorer=fuzz.ratio, workers=1, dtype=np.uint8)[0].argmax())]
            for q, _, _ in queries
        ]
    elif engine == "sparse_dot_topn":
        import numpy as np
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sparse_dot_topn import sp_matmul_topn

        vectors = TfidfVectorizer(analyzer="char", ngram_range=(2, 2), dtype=np.float32)
        columns = vectors.fit_transform(names).T.tocsr()
        built = time.process_time()
        rows = sp_matmul_topn(vectors.transform([q for q, _, _ in queries]), columns, top_n=1, n_threads=1)
        answers = [
            names[rows.indices[rows.indptr[i]]] if rows.indptr[i + 1] > rows.indptr[i] else None
            for i in range(len(queries))
        ]
    else:
        from nlp.enterprises import Firm, Query, Register

        register = Register(Firm(str(i), name) for i, name in enumerate(names))
        built = time.process_time()
        found = [register.resolve(Query(q)).candidates for q, _, _ in queries]
        answers = [names[int(candidates[0].id)] if candidates else None for candidates in found]
    done = time.process_time()
    by_kind: dict[str, list[bool]] = {}
    for (_, name, kind), answer in zip(queries, answers, strict=True):
        by_kind.setdefault(kind, []).append(answer == name)
    return {
        "engine": engine,
        "names": len(names),
        "build_s": round(built - start, 1),
        "queries_s": round(len(queries) / (done - built), 1),
        "recall1": round(sum(map(sum, by_kind.values())) / len(queries), 3),
        "by_kind": {kind: round(sum(hits) / len(hits), 3) for kind, hits in sorted(by_kind.items())},
        "added_mb": round(megabytes() - before),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3),
    }


def scan(engine: str, names: list[str], texts: list[str]) -> dict[str, Any]:
    """Build and scan all texts for all names."""
    from nlp.enterprises import mentions

    before, start = megabytes(), time.process_time()
    find: Callable[[str], Any]
    if engine == "pyahocorasick":
        import ahocorasick

        automaton = ahocorasick.Automaton()
        for number, name in enumerate(names):
            automaton.add_word(name, number)
        automaton.make_automaton()
        find = lambda text: list(automaton.iter_long(text))  # noqa: E731
    else:
        matcher = mentions.make_matcher(names) if engine == "native" else mentions.AnchorMatcher(names)
        find = matcher.find
    built = time.process_time()
    seconds = []
    for _ in range(3):
        begun = time.process_time()
        hits = sum(len(list(find(text))) for text in texts)
        seconds.append(time.process_time() - begun)
    size = sum(len(text.encode()) for text in texts) / 1e6
    return {
        "engine": engine,
        "names": len(names),
        "build_s": round(built - start, 1),
        "mb_s": round(size / sorted(seconds)[1], 2),
        "hits": hits,
        "added_mb": round(megabytes() - before),
    }


def apart(work: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
    """Run in a child process, so that each engine's memory is its own."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        found = pool.apply(work, arguments)
    print(json.dumps(found, ensure_ascii=False), flush=True)
    return found


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--names", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--only", choices=["look_up", "scan"])
    parser.add_argument("--ours", action="store_true", help="leave the peers out")
    chosen = parser.parse_args()
    names = make_names(chosen.names)
    r = random.Random(2)
    queries = []
    while len(queries) < chosen.queries:
        name = r.choice(names)
        spoilt, kind = spoil(name, r)
        if spoilt != name:
            queries.append((spoilt, name, kind))
    if chosen.only != "scan":
        peers = [] if chosen.ours else ["rapidfuzz cdist", "sparse_dot_topn"]
        found = {engine: apart(look_up, engine, names, queries) for engine in [*peers, "zhian"]}
        for peer in peers:
            print(f"zhian / {peer}: {found['zhian']['queries_s'] / found[peer]['queries_s']:.1f}x")
    if chosen.only != "look_up":
        texts = make_texts(names)
        peers = [] if chosen.ours else ["pyahocorasick"]
        seen = {engine: apart(scan, engine, names, texts) for engine in [*peers, "native", "plain"]}
        for peer in peers:
            for engine in ("native", "plain"):
                print(f"{engine} / {peer}: {seen[engine]['mb_s'] / seen[peer]['mb_s']:.1f}x")


if __name__ == "__main__":
    main()
