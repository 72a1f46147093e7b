"""Labelled texts from outside the corpus, one JSON object a line, as examples: the format of an external test set."""

import csv
import json
from pathlib import Path

from nlp.corpus import Example, Mark


def read_labelled(path: Path, kinds: Path | None = None) -> list[Example]:
    """Read `{"id","text","relevant","products","hazards":[{"id","status","evidence"}],"violations",…,"cluster"}` lines.

    `kinds` is an optional CSV of id and kind; without it a text that is not relevant counts as off-topic. ValueError
    when a line cannot be read.
    """
    by_id: dict[str, str] = {}
    if kinds is not None:
        with kinds.open(encoding="utf-8", newline="") as lines:
            by_id = {row["id"]: row["kind"] for row in csv.DictReader(lines)}
    examples = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip():
            continue
        row = json.loads(line)
        text, identity = row["text"], str(row["id"])
        marks = [_mark(text, "hazard", h["id"], h.get("status", "asserted"), h.get("evidence")) for h in row["hazards"]]
        marks.extend(
            _mark(text, "violation", v["id"], "asserted", v.get("evidence")) for v in row.get("violations", ())
        )
        examples.append(
            Example(
                id=identity,
                event=row.get("cluster") or identity,
                channel=row.get("channel", "other"),
                text=text,
                kind=by_id.get(identity, "signal" if row["relevant"] else "offtopic"),
                products=tuple(row.get("products", ())),
                marks=tuple(marks),
                outcome=row.get("outcome", "none"),
                injured=row.get("injured"),
                deaths=row.get("deaths"),
            )
        )
    return examples


def _mark(text: str, kind: str, code: str, status: str, evidence: str | None) -> Mark:
    at = text.find(evidence) if evidence else -1
    return Mark(kind, code, status, max(at, 0), at + len(evidence) if evidence and at >= 0 else len(text))
