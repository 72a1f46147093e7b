"""A register as a CSV file: id, uscc, name, former_names, short_name, brands, region_code, address, role, status."""

import csv
import gzip
import re
from collections.abc import Iterator
from pathlib import Path

from nlp.enterprises.types import Firm

_LIST = re.compile("[;；、]")


class RegisterFileError(Exception):
    """The register cannot be read; the message says why, in one line."""


def read_register(path: Path) -> Iterator[Firm]:
    """Yield the firms of a CSV (UTF-8, gzip when it ends in .gz); list cells are split at ; or 、.

    Raises RegisterFileError for a missing file, a missing id or name column, or bytes that are not UTF-8 CSV.
    """
    try:
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8-sig", newline="") as handle:
            rows = csv.reader(handle)
            header = next(rows, [])
            at = {name.strip().lower(): position for position, name in enumerate(header)}
            if "id" not in at or "name" not in at:
                raise RegisterFileError(f"名册 {path.name} 缺少 id 或 name 列")
            columns = [
                at.get(column, -1)
                for column in ("id", "name", "uscc", "former_names", "short_name", "brands", "region_code", "address")
            ]
            role, status = at.get("role", -1), at.get("status", -1)
            for row in rows:
                if not row:
                    continue
                row.extend([""] * (len(header) - len(row)))
                key, name, code, former, short, brands, region, address = [
                    row[position] if position >= 0 else "" for position in columns
                ]
                if not key or not name:
                    continue
                yield Firm(
                    id=key,
                    name=name,
                    uscc=code.strip() or None,
                    former_names=_split(former),
                    short_names=_split(short),
                    brands=_split(brands),
                    region_code=region or None,
                    address=address or None,
                    role=row[role] if role >= 0 else None,
                    status=row[status] if status >= 0 else None,
                )
    except FileNotFoundError as error:
        raise RegisterFileError(f"找不到名册 {path}") from error
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise RegisterFileError(f"名册 {path.name} 无法读取：{error}") from error


def _split(cell: str) -> tuple[str, ...]:
    if not cell:
        return ()
    return tuple(part.strip() for part in _LIST.split(cell) if part.strip())
