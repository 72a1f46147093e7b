"""Showing where in a text the evidence stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from store.tables import Mention, Tag

SHOWN_KINDS = ("hazard", "violation", "product", "outcome", "fact")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text under the same marks; `marks` are (kind, code, status)."""

    text: str
    kind: str
    marks: tuple[tuple[str, str, str], ...]


def pieces(text: str, tags: Sequence[Tag], mentions: Sequence[Mention]) -> list[Piece]:
    """Cut the text at the borders of all evidence spans; joined again, the pieces are the text.

    Masking keeps lengths, so spans of the stored text hold here. A span that does not fit is left out.
    """
    spans: list[tuple[int, int, tuple[str, str, str]]] = []
    for tag in tags:
        if tag.kind not in SHOWN_KINDS:
            continue
        for span in tag.evidence:
            if isinstance(span, list | tuple) and len(span) == 2 and 0 <= span[0] < span[1] <= len(text):
                spans.append((int(span[0]), int(span[1]), (tag.kind, tag.code, tag.status)))
    for mention in mentions:
        if 0 <= mention.start < mention.end <= len(text):
            spans.append((mention.start, mention.end, ("mention", mention.text, "asserted")))
    borders = sorted({0, len(text), *(start for start, _, _ in spans), *(end for _, end, _ in spans)})
    found: list[Piece] = []
    for start, end in pairwise(borders):
        marks = tuple(dict.fromkeys(mark for low, high, mark in spans if low <= start and end <= high))
        kinds = ("hazard", "violation", "outcome", "product", "fact", "mention")
        kind = next((kind for kind in kinds if any(mark[0] == kind for mark in marks)), "")
        found.append(Piece(text[start:end], kind, marks))
    return found
