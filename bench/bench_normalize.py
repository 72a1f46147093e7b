"""The normaliser's speed against its parts: megabytes a second beside bare NFKC and bare opencc in the same run.

Run: python bench/bench_normalize.py [--copies 20]
"""

import argparse
import json
import time
import unicodedata
from collections.abc import Callable

import opencc

from nlp.corpus import load
from nlp.masking import mask
from nlp.normalize import normalize


def main() -> None:
    """Print one JSON line a way of reading the same texts; `ratio` is against bare NFKC followed by opencc."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--copies", type=int, default=4)
    copies = parser.parse_args().copies
    texts = [example.text for example in load()] * copies
    traditional = opencc.OpenCC("s2t")
    simplified = opencc.OpenCC("t2s")
    sets = {"simplified": texts, "traditional": [str(traditional.convert(text)) for text in texts]}
    ways: dict[str, Callable[[str], object]] = {
        "bare NFKC + opencc": lambda text: simplified.convert(unicodedata.normalize("NFKC", text)),
        "normalize": normalize,
        "mask": mask,
    }
    normalize("預熱（yùrè）")
    for name, part in sets.items():
        megabytes = sum(len(text.encode()) for text in part) / 1e6
        floor = 0.0
        for way, run in ways.items():
            best = min(_seconds(run, part) for _ in range(3))
            speed = megabytes / best
            floor = floor or speed
            print(
                json.dumps(
                    {
                        "texts": name,
                        "way": way,
                        "MB/s": round(speed, 2),
                        "texts/s": round(len(part) / best),
                        "ratio": round(speed / floor, 3),
                    }
                )
            )


def _seconds(run: Callable[[str], object], texts: list[str]) -> float:
    started = time.perf_counter()
    for text in texts:
        run(text)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
