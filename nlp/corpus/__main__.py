"""Check corpus files and count their labels: `python -m nlp.corpus [--against FILE.jsonl …] FILE…`."""

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from nlp.corpus import FOLDER, CorpusError, Example, parse_line, read_file
from nlp.taxonomy import Taxonomy, load_taxonomy

LEXICON = Path(__file__).parent.parent / "lexicon"
SHARED_SHARE = 0.4
GRAM = 6


def problems(path: Path, taxonomy: Taxonomy) -> Iterator[str]:
    """Yield what is wrong with each line of a file, every line on its own."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.strip().startswith("#"):
            continue
        place = f"{path.name}:{number}"
        try:
            example = parse_line(line.strip(), place=place, event="")
        except CorpusError as error:
            yield str(error)
            continue
        yield from (f"{place}: {message}" for message in _label_problems(example, taxonomy))


def _label_problems(example: Example, taxonomy: Taxonomy) -> Iterator[str]:
    for product in example.products:
        if product not in taxonomy.products:
            yield f"unknown product {product}"
    for mark in example.marks:
        known = taxonomy.hazards if mark.kind == "hazard" else taxonomy.violations
        if mark.code not in known:
            yield f"unknown {mark.kind} {mark.code}"
    if not 4 <= len(example.text) <= 600:
        yield f"length {len(example.text)} is outside 4 to 600"
    if example.kind == "signal" and not any(m.kind == "violation" or m.status == "asserted" for m in example.marks):
        yield "a signal needs an asserted hazard or a violation"
    if not example.relevant and example.hazards("asserted"):
        yield f"a text of kind {example.kind} asserts a hazard"
    if example.outcome.startswith("injury") and example.injured == 0:
        yield "an injury outcome with nobody injured"
    if example.outcome == "death" and not example.deaths:
        yield "a death outcome needs [injured,deaths] with deaths of at least 1"


def _grams(text: str) -> set[str]:
    bare = re.sub(r"\W", "", text)
    return {bare[i : i + GRAM] for i in range(len(bare) - GRAM + 1)} or {bare}


def borrowed(examples: Sequence[Example], others: Sequence[str]) -> Iterator[str]:
    """Yield the examples that share more than two fifths of their character 6-grams with a text of `others`."""
    index: dict[str, list[int]] = {}
    for at, text in enumerate(others):
        for gram in _grams(text):
            index.setdefault(gram, []).append(at)
    for example in examples:
        mine = _grams(example.text)
        shared = Counter(at for gram in mine for at in index.get(gram, ()))
        for at, count in shared.most_common(1):
            if count > SHARED_SHARE * min(len(mine), len(_grams(others[at]))):
                yield f"{example.id}: copies {others[at][:30]}…"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print problems to standard error and counts to standard output; exit 1 when there are problems."""
    parser = argparse.ArgumentParser(prog="python -m nlp.corpus", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--against", action="append", type=Path, default=[], help="texts that must not be copied")
    given = parser.parse_args(arguments)
    taxonomy = load_taxonomy(LEXICON)
    files = given.files or sorted(FOLDER.glob("*.txt"))
    found = [problem for path in files for problem in problems(path, taxonomy)]
    if not found:
        examples = [example for path in files for example in read_file(path)]
        first: dict[str, str] = {}
        for example in examples:
            bare = re.sub(r"\W", "", example.text)
            if bare in first:
                found.append(f"{example.id}: the same text as {first[bare]}")
            first.setdefault(bare, example.id)
        for path in given.against:
            others = [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()]
            found.extend(borrowed(examples, others))
        _print_counts(examples, taxonomy)
    for problem in found:
        sys.stderr.write(problem + "\n")
    return 1 if found else 0


def _print_counts(examples: Sequence[Example], taxonomy: Taxonomy) -> None:
    def table(title: str, ids: Sequence[str], counts: Counter[str]) -> None:
        cells = " ".join(f"{code} {counts[code]}" for code in sorted(ids, key=lambda code: (counts[code], code)))
        sys.stdout.write(f"{title}: {cells}\n")

    kinds = Counter(example.kind for example in examples)
    relevant = sum(example.relevant for example in examples)
    sys.stdout.write(f"texts {len(examples)}, events {len({e.event for e in examples})}, relevant {relevant}\n")
    table("kinds", list(kinds), kinds)
    for status in ("asserted", "negated", "hypothetical", "rumour"):
        hazards = Counter(code for example in examples for code in example.hazards(status))
        table(f"hazards {status}", list(taxonomy.hazards), hazards)
    table("violations", list(taxonomy.violations), Counter(code for e in examples for code in e.violations))
    table("products", list(taxonomy.products), Counter(code for e in examples for code in e.products))


if __name__ == "__main__":
    raise SystemExit(main())
