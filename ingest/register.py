"""Rows of an enterprise register -> enterprises with their other names and their roles."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ingest.importers import ReadRow
from ingest.rows import Context
from nlp.enterprises import name_key as default_name_key
from store.china_time import CHINA
from store.dialect import chunked, insert_ignore
from store.tables import Enterprise

_TABLES = Enterprise.metadata.tables
_LIST = re.compile(r"[;；、|\n]+")
_NAME_KINDS = {"former_names": "former", "short_name": "short", "brands": "brand", "shop_names": "shop"}
_ROLES = (
    ("获证", "licensed_producer"),
    ("许可", "licensed_producer"),
    ("认证", "ccc_holder"),
    ("CCC", "ccc_holder"),
    ("平台", "platform"),
    ("网", "online_shop"),
    ("电商", "online_shop"),
    ("市场", "market"),
    ("生产", "producer"),
    ("制造", "producer"),
    ("加工", "producer"),
    ("销售", "seller"),
    ("经销", "seller"),
    ("批发", "seller"),
    ("零售", "seller"),
    ("流通", "seller"),
    ("商", "seller"),
    ("使用", "user"),
)
_SIZES = (("大", "large"), ("中", "medium"), ("小", "small"), ("微", "micro"))
_STATUSES = (
    ("注销", "revoked"),
    ("吊销", "revoked"),
    ("撤销", "revoked"),
    ("停", "dormant"),
    ("歇", "dormant"),
    ("休眠", "dormant"),
)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One register row as it will stand in the store."""

    values: Mapping[str, Any]
    key: str
    region: str | None
    known_at: datetime


def store_register(
    session: Session,
    rows: Sequence[ReadRow],
    context: Context,
    *,
    run_id: int | None = None,
    name_key: Callable[[str], str] | None = None,
) -> int:
    """Enter register rows; return how many enterprises are new.

    An enterprise is known again by its credit code, else by its name in its region. One that was met in records
    only, under the same name, becomes the registered one; a changed name stays as a former name.
    """
    key_of = name_key or default_name_key
    added = 0
    for chunk in chunked(rows, 500):
        added += _store_chunk(session, [_entry(row, context, key_of) for row in chunk], context, run_id, key_of)
    return added


def _entry(row: ReadRow, context: Context, key_of: Callable[[str], str]) -> _Entry:
    values = row.values
    region = None
    for name in ("region_code", "region", "address"):
        place = values.get(name)
        if not place or region:
            continue
        region = str(place) if re.fullmatch(r"[1-9][0-9]{5}", str(place)) else None
        if region is None and context.locate:
            region = context.locate(str(place))
    own: date | None = values.get("registered_on") or values.get("established_on")
    known = context.received_at
    if context.known == "record" and own:
        known = min(known, datetime.combine(own, time(), CHINA))
    return _Entry(values, key_of(str(values["enterprise_name"])), region or context.region_code, known)


def _store_chunk(
    session: Session,
    entries: Sequence[_Entry],
    context: Context,
    run_id: int | None,
    key_of: Callable[[str], str],
) -> int:
    by_code, by_name = _existing(session, entries)
    added = 0
    pairs: list[tuple[Enterprise, _Entry]] = []
    for entry in entries:
        code = entry.values.get("uscc")
        firm = by_code.get(code) if code else None
        if firm is None:
            firm = next((f for f in by_name.get(entry.key, ()) if _same(f, entry)), None)
        if firm is None:
            firm = Enterprise(
                uscc=code,
                name=str(entry.values["enterprise_name"]),
                name_key=entry.key,
                region_code=entry.region,
                known_at=entry.known_at,
                status="active",
                provisional=False,
                run_id=run_id,
            )
            session.add(firm)
            by_name.setdefault(entry.key, []).append(firm)
            added += 1
        if code:
            by_code[code] = firm
        pairs.append((firm, entry))
    session.flush()
    names: list[dict[str, Any]] = []
    roles: list[dict[str, Any]] = []
    for firm, entry in pairs:
        names += _refresh(firm, entry)
        names += _names(firm, entry, key_of)
        roles += _roles(firm, entry, context)
    session.flush()
    insert_ignore(session, _TABLES["enterprise_name"], _unique(names), key=("enterprise_id", "kind", "name"))
    insert_ignore(session, _TABLES["enterprise_role"], _unique(roles), key=("enterprise_id", "role", "product_id"))
    return added


def _existing(session: Session, entries: Sequence[_Entry]) -> tuple[dict[str, Enterprise], dict[str, list[Enterprise]]]:
    codes = {entry.values["uscc"] for entry in entries if entry.values.get("uscc")}
    keys = {entry.key for entry in entries}
    by_code: dict[str, Enterprise] = {}
    by_name: dict[str, list[Enterprise]] = {}
    for firm in session.scalars(select(Enterprise).where(Enterprise.uscc.in_(codes))):
        by_code[str(firm.uscc)] = firm
    for firm in session.scalars(select(Enterprise).where(Enterprise.name_key.in_(keys)).order_by(Enterprise.id)):
        by_name.setdefault(firm.name_key, []).append(firm)
    return by_code, by_name


def _same(firm: Enterprise, entry: _Entry) -> bool:
    """True when a firm of that name may be this one: no other code, and not in another city."""
    code = entry.values.get("uscc")
    if firm.uscc and code and firm.uscc != code:
        return False
    if not firm.region_code or not entry.region:
        return True
    return firm.region_code[:4] == entry.region[:4]


def _refresh(firm: Enterprise, entry: _Entry) -> Iterator[dict[str, Any]]:
    """Bring an enterprise up to the register; yield the name it bore before, where that changed."""
    values = entry.values
    name = str(values["enterprise_name"])
    if firm.name != name:
        yield {
            "enterprise_id": firm.id,
            "name": firm.name,
            "name_key": firm.name_key,
            "kind": "former",
            "valid_to": None,
            "known_at": entry.known_at,
        }
        firm.name, firm.name_key = name, entry.key
    firm.uscc = values.get("uscc") or firm.uscc
    firm.region_code = entry.region or firm.region_code
    firm.address = values.get("address") or firm.address
    firm.size = _word(values.get("enterprise_size"), _SIZES) or firm.size
    if values.get("status"):
        firm.status = _word(values["status"], _STATUSES) or "active"
    firm.established_on = values.get("established_on") or firm.established_on
    firm.provisional = False
    firm.known_at = min(firm.known_at, entry.known_at)


def _names(firm: Enterprise, entry: _Entry, key_of: Callable[[str], str]) -> Iterator[dict[str, Any]]:
    for column, kind in _NAME_KINDS.items():
        for name in _split(entry.values.get(column)):
            if name != firm.name:
                yield {
                    "enterprise_id": firm.id,
                    "name": name,
                    "name_key": key_of(name),
                    "kind": kind,
                    "valid_to": None,
                    "known_at": entry.known_at,
                }


def _roles(firm: Enterprise, entry: _Entry, context: Context) -> Iterator[dict[str, Any]]:
    said = str(entry.values.get("roles") or "")
    found = [role for word, role in _ROLES if word in said]
    if "licensed_producer" in found and "producer" not in found:
        found.append("producer")
    if "online_shop" in found or "market" in found or "platform" in found:
        found = [role for role in found if role != "seller" or "销售" in said]
    products = {""}
    if context.product_of:
        products |= {code for name in _split(entry.values.get("products")) if (code := context.product_of(name))}
    for role in dict.fromkeys(found):
        for product in sorted(products):
            yield {"enterprise_id": firm.id, "role": role, "product_id": product, "known_at": entry.known_at}


def _split(cell: Any) -> list[str]:
    return [part.strip() for part in _LIST.split(str(cell or "")) if part.strip()]


def _word(cell: Any, words: Sequence[tuple[str, str]]) -> str | None:
    return next((value for word, value in words if word in str(cell or "")), None)


def _unique(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({tuple(value for name, value in row.items() if name != "known_at"): row for row in rows}.values())
