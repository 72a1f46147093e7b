"""The labelled corpus of our own: texts with inline marks enter; texts with labels and exact spans leave.

Files `<topic>_<nn>.txt` beside this module, one text a line; the format is described in README.md.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent

CHANNELS = frozenset(
    ("opinion", "complaint", "report", "news", "recall", "sampling", "injury", "monitoring", "other", "licence", "case")
)
KINDS = frozenset(("signal", "rumour", "offtopic", "confuser", "knowledge", "negated", "rebuttal", "drill"))
RELEVANT_KINDS = frozenset({"signal", "rumour"})
OUTCOMES = ("none", "near_miss", "property", "injury_minor", "injury_serious", "death")

_STATUS = {"": "asserted", "-": "negated", "?": "hypothetical", "~": "rumour"}
_MARK = re.compile(r"\{([a-z0-9_.+?~-]+):([^{}]+)\}")
_CODE = re.compile(r"([-?~]?)(v\.)?([a-z0-9_]+)")
_OUTCOME = re.compile(r"([a-z_]+|-)(?:\[(\d*),(\d*)\])?")


class CorpusError(ValueError):
    """A line of the corpus that cannot be read; the message names file, line and reason."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One labelled stretch of a text: `kind` is hazard or violation, offsets are into the text without marks."""

    kind: str
    code: str
    status: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled text."""

    id: str
    event: str
    channel: str
    text: str
    kind: str
    products: tuple[str, ...]
    marks: tuple[Mark, ...]
    outcome: str = "none"
    injured: int | None = None
    deaths: int | None = None

    @property
    def relevant(self) -> bool:
        """Whether a risk officer should see it."""
        return self.kind in RELEVANT_KINDS

    def hazards(self, status: str = "asserted") -> frozenset[str]:
        """The hazards marked with `status`."""
        return frozenset(mark.code for mark in self.marks if mark.kind == "hazard" and mark.status == status)

    @property
    def violations(self) -> frozenset[str]:
        """The violations marked."""
        return frozenset(mark.code for mark in self.marks if mark.kind == "violation")


def parse_line(line: str, *, place: str, event: str) -> Example:
    """Read one line `channel | products | outcome | kind | text`; CorpusError says what is wrong with it."""
    fields = [field.strip() for field in line.split("|", 4)]
    if len(fields) != 5:
        raise CorpusError(f"{place}: five fields separated by | are needed, {len(fields)} found")
    channel, products, outcome, kind, marked = fields
    if channel not in CHANNELS:
        raise CorpusError(f"{place}: unknown channel {channel!r}")
    if kind not in KINDS:
        raise CorpusError(f"{place}: unknown kind {kind!r}")
    found = _OUTCOME.fullmatch(outcome)
    if found is None or (found[1] != "-" and found[1] not in OUTCOMES):
        raise CorpusError(f"{place}: unknown outcome {outcome!r}")
    text, marks = _strip_marks(marked, place)
    if not text:
        raise CorpusError(f"{place}: the text is empty")
    return Example(
        id=place.replace(":", "-"),
        event=event,
        channel=channel,
        text=text,
        kind=kind,
        products=tuple(p.strip() for p in products.split(",") if p.strip() not in ("", "-")),
        marks=marks,
        outcome="none" if found[1] == "-" else found[1],
        injured=int(found[2]) if found[2] else None,
        deaths=int(found[3]) if found[3] else None,
    )


def _strip_marks(marked: str, place: str) -> tuple[str, tuple[Mark, ...]]:
    pieces: list[str] = []
    marks: list[Mark] = []
    length = at = 0
    for found in _MARK.finditer(marked):
        before = marked[at : found.start()]
        pieces.append(before)
        length += len(before)
        for written in found[1].split("+"):
            code = _CODE.fullmatch(written)
            if code is None:
                raise CorpusError(f"{place}: cannot read the code {written!r}")
            kind = "violation" if code[2] else "hazard"
            if kind == "violation" and code[1]:
                raise CorpusError(f"{place}: a violation takes no status: {written!r}")
            marks.append(Mark(kind, code[3], _STATUS[code[1]], length, length + len(found[2])))
        pieces.append(found[2])
        length += len(found[2])
        at = found.end()
    pieces.append(marked[at:])
    text = "".join(pieces)
    if "{" in text or "}" in text:
        raise CorpusError(f"{place}: a mark is not closed, nested, or not of the form {{code:words}}")
    return text, tuple(marks)


def read_file(path: Path) -> Iterator[Example]:
    """Yield the examples of one file; consecutive lines without a blank or # line between them are one event."""
    group, fresh = 0, True
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            fresh = True
            continue
        if fresh:
            group, fresh = number, False
        yield parse_line(line, place=f"{path.stem}:{number}", event=f"{path.stem}-{group}")


def load(paths: Iterable[Path] | None = None) -> list[Example]:
    """Return every example of the given files, by default all of the corpus, in file order."""
    chosen = sorted(FOLDER.glob("*.txt")) if paths is None else list(paths)
    return [example for path in chosen for example in read_file(path)]
