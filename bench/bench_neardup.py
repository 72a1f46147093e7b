"""Near-duplicates: texts a second and recall against datasketch in one run, and look-ups in a million stored texts.

Run: python bench/bench_neardup.py [--texts 100000] [--peer-texts 20000] [--stored 1000000]
A fifth of the texts are planted reposts of an earlier one: something put around it, a piece cut out, or one to three
characters changed. Both sides get the same texts on one core; the peer may be given fewer of them, for it is slow.
"""

import argparse
import json
import random
import resource
import time
import zlib

from nlp.reposts import RepostIndex

HANZI = [chr(code) for code in range(0x4E00, 0x4E00 + 2500)]


def planted(count: int, seed: int = 4) -> tuple[list[str], list[tuple[int, int]]]:
    """Return texts of 30 to 250 characters and the planted pairs (earlier, later)."""
    chance = random.Random(seed)
    originals = ["".join(chance.choices(HANZI, k=chance.randint(30, 250))) for _ in range(int(count * 0.8))]
    texts, pairs = list(originals), []
    while len(texts) < count:
        earlier = chance.randrange(len(originals))
        pairs.append((earlier, len(texts)))
        texts.append(_repost(originals[earlier], chance))
    return texts, pairs


def _repost(text: str, chance: random.Random) -> str:
    way = chance.randrange(3)
    if way == 0:
        return "转发" + text + chance.choice(("某某", "来源网络", "全文"))
    if way == 1:
        cut = chance.randint(1, max(1, len(text) // 6))
        start = chance.randrange(max(1, len(text) - cut))
        return text[:start] + text[start + cut :]
    characters = list(text)
    for _ in range(chance.randint(1, 3)):
        characters[chance.randrange(len(characters))] = chance.choice("的了是在不有")
    return "".join(characters)


def ours(texts: list[str], pairs: list[tuple[int, int]]) -> float:
    """Print and return our texts a second; added in batches of 5,000, as the job does."""
    index = RepostIndex()
    matches = []
    started = time.perf_counter()
    for start in range(0, len(texts), 5_000):
        matches += index.add(texts[start : start + 5_000])
    seconds = time.perf_counter() - started
    found = sum(any(match.earlier == earlier for match in matches[later]) for earlier, later in pairs)
    speed = len(texts) / seconds
    print(json.dumps({"way": "RepostIndex", "texts/s": round(speed), "recall": round(found / len(pairs), 4)}))
    return speed


def peer(texts: list[str], pairs: list[tuple[int, int]]) -> float:
    """Print and return datasketch's texts a second with its quickest hash and batched updates."""
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=0.5, num_perm=64)
    found: set[tuple[str, int]] = set()
    started = time.perf_counter()
    for number, text in enumerate(texts):
        signature = MinHash(num_perm=64, hashfunc=zlib.crc32)
        signature.update_batch([text[at : at + 3].encode() for at in range(len(text) - 2)])
        found |= {(other, number) for other in index.query(signature)}
        index.insert(str(number), signature, check_duplication=False)
    seconds = time.perf_counter() - started
    hit = sum((str(earlier), later) in found for earlier, later in pairs)
    speed = len(texts) / seconds
    print(json.dumps({"way": "datasketch", "texts/s": round(speed), "recall": round(hit / len(pairs), 4)}))
    return speed


def lookups(stored: int) -> None:
    """Print how long finding a new text's matches among `stored` texts takes."""
    index = RepostIndex()
    kept: list[str] = []
    chance = random.Random(9)
    started = time.perf_counter()
    for start in range(0, stored, 20_000):
        batch = ["".join(chance.choices(HANZI, k=chance.randint(30, 120))) for _ in range(min(20_000, stored - start))]
        index.add(batch)
        kept += batch[:20]
    build = time.perf_counter() - started
    sought = [_repost(chance.choice(kept), chance) for _ in range(1_000)]
    times = []
    for text in sought[:300]:
        moment = time.perf_counter()
        index.find([text])
        times.append(time.perf_counter() - moment)
    started = time.perf_counter()
    found = index.find(sought)
    batch_seconds = time.perf_counter() - started
    times.sort()
    print(
        json.dumps(
            {
                "way": f"look-ups in {len(index):,}",
                "one at a time/s": round(len(times) / sum(times)),
                "p99_ms": round(times[int(len(times) * 0.99)] * 1000, 2),
                "batch of 1000/s": round(1000 / batch_seconds),
                "found": round(sum(map(bool, found)) / len(found), 4),
                "build_s": round(build, 1),
                "peak_MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            }
        )
    )


def main() -> None:
    """Run all three."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--peer-texts", type=int, default=20_000)
    parser.add_argument("--stored", type=int, default=1_000_000)
    arguments = parser.parse_args()
    texts, pairs = planted(arguments.texts)
    speed = ours(texts, pairs)
    base = peer(*planted(arguments.peer_texts))
    print(json.dumps({"way": "ratio to datasketch", "ratio": round(speed / base, 2), "goal": ">= 4.5"}))
    lookups(arguments.stored)


if __name__ == "__main__":
    main()
