"""Turning a template and its context into a page."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

import orjson
from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from api.access import Act
from api.vocabulary import load_vocabulary
from api.words import WORDS, counts, details, word
from nlp.masking import mask

WEB = Path(__file__).parent / "web"
LOCAL_ZONE = ZoneInfo("Asia/Shanghai")


@cache
def make_environment(lexicon_dir: Path) -> Environment:
    """Return the template environment; everything is escaped, and an unknown name is an error."""
    vocabulary = load_vocabulary(lexicon_dir)
    environment = Environment(
        loader=FileSystemLoader(WEB / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        day=day,
        moment=moment,
        timetable=timetable,
        ago=ago,
        number=number,
        percent=percent,
        yuan=yuan,
        word=word,
        counts=counts,
        details=details,
        named=vocabulary.name,
        masked=masked,
        http=http_link,
        embedded=embedded,
    )
    environment.globals.update(WORDS=WORDS, vocabulary=vocabulary)
    return environment


def render(request: Request, template: str, context: Mapping[str, Any], *, status: int = 200) -> HTMLResponse:
    """Return a page. Every page knows who is signed in and whether its data are made up."""
    principal = getattr(request.state, "principal", None)
    environment: Environment = request.app.state.templates
    body = environment.get_template(template).render(
        {
            "request": request,
            "principal": principal,
            "csrf": principal.csrf if principal else "",
            "may": (lambda act: principal.may(Act(act))) if principal else (lambda act: False),
            "synthetic": request.app.state.settings.synthetic,
            "path": request.url.path,
            "link": lambda **changes: with_query(request, **changes),
            **context,
        }
    )
    return HTMLResponse(body.encode("utf-8", "replace"), status_code=status)


def with_query(request: Request, *, at: str | None = None, **changes: object) -> str:
    """Return the page's own address with some query values changed; None or '' drops one."""
    pairs = [(key, value) for key, value in request.query_params.multi_items() if key not in changes and value != ""]
    pairs += [(key, str(value)) for key, value in changes.items() if value not in (None, "")]
    return (at or request.url.path) + (f"?{urlencode(pairs, errors='replace')}" if pairs else "")


def day(value: date | datetime | None) -> str:
    """Return a date as it is read in China; a moment is taken at Beijing time."""
    if value is None:
        return "—"
    if isinstance(value, datetime):
        value = value.astimezone(LOCAL_ZONE).date()
    return value.isoformat()


def moment(value: datetime | None) -> str:
    """Return a moment at Beijing time, to the minute."""
    return "—" if value is None else value.astimezone(LOCAL_ZONE).strftime("%Y-%m-%d %H:%M")


def ago(value: datetime | None) -> str:
    """Return how long ago a moment was, in round words."""
    if value is None:
        return "从未"
    minutes = int((datetime.now(UTC) - value).total_seconds() // 60)
    if minutes < 0:
        return moment(value)
    if minutes < 2:
        return "刚刚"
    if minutes < 120:
        return f"{minutes} 分钟前"
    if minutes < 48 * 60:
        return f"{minutes // 60} 小时前"
    return f"{minutes // (24 * 60)} 天前"


_EVERY_DAY = re.compile(r"(\d+) (\d+) \* \* \*")
_EVERY = re.compile(r"(?:\*/(\d+) \*|\d+ \*/(\d+)) \* \* \*")


def timetable(cron: str | None) -> str:
    """Return when a source is fetched, in words; an uncommon cron expression stays what it is."""
    if not cron:
        return "上传"
    if found := _EVERY.fullmatch(cron):
        return f"每 {found[1]} 分钟" if found[1] else f"每 {found[2]} 小时"
    if found := _EVERY_DAY.fullmatch(cron):
        return f"每天 {int(found[2]):02}:{int(found[1]):02}"
    return cron


def number(value: float | int | None, digits: int = 0) -> str:
    """Return a number with thousands separated, '—' for none."""
    return "—" if value is None else f"{value:,.{digits}f}"


def percent(value: float | None, digits: int = 1) -> str:
    """Return a share of one as percent."""
    return "—" if value is None else f"{value * 100:.{digits}f}%"


def yuan(value: float | None) -> str:
    """Return an amount in yuan."""
    return "—" if value is None else f"¥{value:,.0f}"


def masked(text: str | None) -> str:
    """Return a text with personal data hidden."""
    return mask(text) if text else ""


def http_link(url: str | None) -> str:
    """Return the address when it is http or https and may be made a link, else ''."""
    if not url:
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.netloc else ""


def embedded(value: object) -> Markup:
    """Return a value as JSON that is safe inside a script element of type application/json."""
    text = orjson.dumps(value, default=str).decode()
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))  # noqa: S704
