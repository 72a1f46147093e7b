"""Reading the recorded pages.

`python -m tests.pages.reading` writes each expected.json anew: review them before committing.
"""

import json
from pathlib import Path
from typing import Any

from ingest.platforms import NotContent, Page, read_page
from ingest.source import SourceSpec, load_sources

PAGES = Path(__file__).resolve().parent


def read_recorded(spec: SourceSpec) -> list[dict[str, Any]]:
    """Return what each recorded page of a source gives, as plain values."""
    folder = PAGES / spec.id
    outcomes = []
    for entry in json.loads((folder / "pages.json").read_text(encoding="utf-8")):
        body = (folder / entry["file"]).read_bytes()
        page = Page(entry["url"], entry["kind"], body, entry["content_type"], entry.get("meta", {}))
        try:
            parsed = read_page(page, spec)
        except NotContent as wall:
            outcomes.append({"file": entry["file"], "refused": wall.reason})
            continue
        outcome: dict[str, Any] = {"file": entry["file"]}
        if parsed.listed is not None:
            outcome |= {"listed": parsed.listed, "newest_on": str(parsed.newest_on)}
        outcome["items"] = [
            {name: value for name, value in item.to_json().items() if value not in (None, (), {}, [])}
            for item in parsed.items
        ]
        outcome["links"] = [{"url": link.url, "kind": link.kind, **link.meta} for link in parsed.links]
        outcome |= {"surplus": list(parsed.surplus)} if parsed.surplus else {}
        outcome |= {"skipped": dict(parsed.skipped)} if parsed.skipped else {}
        outcomes.append(json.loads(json.dumps(outcome)))
    return outcomes


if __name__ == "__main__":
    for spec in load_sources().values():
        path = PAGES / spec.id / "expected.json"
        path.write_text(json.dumps(read_recorded(spec), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
