"""Write the corpus of messy and hostile files: `python -m tests.corpus.build FOLDER`. The same bytes each time.

Beside the files stands `expected.json`: what must become of each.
"""

import json
import sys
from pathlib import Path

from tests.corpus import outside_cases, sheet_cases, text_cases, web_cases
from tests.corpus.cases import Case


def all_cases() -> list[Case]:
    """Every case, in a fixed order."""
    return [*text_cases.cases(), *sheet_cases.cases(), *web_cases.cases(), *outside_cases.cases()]


def write_corpus(folder: Path) -> None:
    """Write every file and the table of expectations."""
    folder.mkdir(parents=True, exist_ok=True)
    expected = []
    for case in all_cases():
        (folder / case.name).write_bytes(case.body)
        expected.append(
            {
                "file": case.name,
                "kind": case.kind,
                "status": "rejected" if case.reason else "accepted",
                "reason": case.reason,
                "valid": case.valid,
                "quarantined": case.quarantined,
                "ignored": case.ignored,
                "reasons": dict(case.reasons),
                "warnings": sorted(case.warnings),
            }
        )
    (folder / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, indent=1), "utf-8")


if __name__ == "__main__":
    write_corpus(Path(sys.argv[1]))
