"""A source's yml -> `SourceSpec`. No store: a crawl's child process reads this too, and starts the sooner for it.

One yml a source: what it is called, which platform reads it, where it starts, how often it runs and how much
it should bring. An office's IT person edits nothing else; docs/sources.md shows how.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

SOURCES = Path(__file__).resolve().parent / "sources"
Platform = Literal["listing_notice", "json_api", "feed", "recall_centre", "news_list"]


class BadSource(Exception):
    """A source's yml cannot be used; the message names the file, the key and what is wrong with it."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Expect(_Part):
    """What a healthy run brings. Outside these, the run is held back and somebody looks."""

    at_least: int = Field(default=1, ge=0, description="每次运行列表中至少应有的条数；少于此数视为异常")
    at_most: int = Field(default=500, ge=1, description="首次之后，每次新增的上限；多于此数先暂扣")
    within_days: int | None = Field(default=None, ge=1, description="最近一条应在多少天之内；超过视为“静默”")
    damaged_share: float = Field(default=0.2, ge=0, le=1, description="乱码字符占比上限")
    quarantined_share: float = Field(default=0.3, ge=0, le=1, description="附件中被隔离行占比上限")
    columns: tuple[str, ...] = Field(default=(), description="附件表或接口记录里应有的列名")
    volume_drop: float = Field(default=0.75, ge=0, le=1, description="比自身历史中位数少多少视为骤降")


class Caps(_Part):
    """Where one run stops, whatever the site does."""

    pages: int = Field(default=500, ge=1, le=100_000)
    megabytes: int = Field(default=50, ge=1, le=10_000)
    page_megabytes: int = Field(default=16, ge=1, le=200)
    seconds: int = Field(default=900, ge=1, le=86_400)
    depth: int = Field(default=8, ge=0, le=200)


class Attachments(_Part):
    """Which linked files are fetched, and what kind of rows they hold."""

    kind: str = Field(default="sampling", description="附件及正文表格按哪一类记录导入")
    types: tuple[str, ...] = (".xlsx", ".xls", ".csv")
    names: str = Field(default="", description="只取名称符合此正则的附件；空则全取")
    tables: bool = Field(default=True, description="正文中的表格是否也按此类导入")


class SourceSpec(_Part):
    """Everything a crawl needs to know about one source. `{base}` and `{since}` in `url` are filled in at run time."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_]{1,63}$")
    title: str = Field(min_length=2, max_length=120)
    platform: Platform
    channel: Literal["notice", "opinion", "recall", "sampling", "case", "licence"] = "notice"
    trust: Literal["official", "verified", "media", "self", "social"] = "official"
    region: str | None = Field(default=None, pattern=r"^\d{2,6}$")
    base: str = ""
    url: str
    schedule: str | None = None
    hosts: tuple[str, ...] = Field(default=(), description="除起始站点外还可访问的主机（如附件服务器）")
    delay_seconds: float = Field(default=2.0, ge=0, le=600)
    expect: Expect = Expect()
    caps: Caps = Caps()
    attachments: Attachments | None = None
    lookups: Mapping[str, Mapping[str, str]] = Field(default_factory=dict)
    select: Mapping[str, Any] = Field(default_factory=dict, description="平台各取值的选择器或字段名")
    relevant: str = Field(default="", description="标题须符合此正则才跟进；空则全部")
    backfill_days: int = Field(default=365, ge=1, description="首次运行向前回溯的天数，供 {since} 使用")
    revisit_days: int = Field(default=0, ge=0, description="发布后多少天内再次查看是否改动")
    active: bool = True
    synthetic: bool = False
    notes: str = ""

    @field_validator("url")
    @classmethod
    def _known_holes(cls, value: str) -> str:
        value.format(base="http://x", since="2026-01-01")
        return value

    @model_validator(mode="after")
    def _absolute(self) -> "SourceSpec":
        if urlsplit(self.url.format(base=self.base or "http://x", since="x")).scheme not in ("http", "https"):
            raise ValueError("url 须以 http:// 或 https:// 开头")
        return self

    def start_url(self, since: date | None = None) -> str:
        """Return where the crawl starts. Raises `BadSource` when the url has a `{base}` and the yml gives none."""
        if "{base}" in self.url and not self.base:
            raise BadSource(f"{self.id}：未给出站点地址（base）")
        return self.url.format(base=self.base.rstrip("/"), since=since.isoformat() if since else "")

    def looked_up(self, table: str, text: str) -> str | None:
        """Return what `lookups: table` says of the first of its words that stands in `text`, or None."""
        return next((value for word, value in self.lookups.get(table, {}).items() if word in text), None)

    def public_base(self) -> str:
        """Return the site's own address without a path; pages are known by it wherever they are fetched from."""
        if self.base:
            return self.base.rstrip("/")
        parts = urlsplit(self.start_url())
        return f"{parts.scheme}://{parts.netloc}"


def load_source(path: Path) -> SourceSpec:
    """Read one yml; its stem is the source's id. Raises `BadSource`."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as failure:
        raise BadSource(f"{path.name}：无法读取：{failure}") from failure
    if not isinstance(content, dict):
        raise BadSource(f"{path.name}：内容应是“键: 值”的清单")
    try:
        return SourceSpec.model_validate({"id": path.stem, **content})
    except (ValidationError, KeyError, IndexError) as failure:
        if isinstance(failure, ValidationError):
            first = failure.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise BadSource(f"{path.name}：{where}：{first['msg']}") from failure
        raise BadSource(f"{path.name}：url 里只能写 {{base}} 和 {{since}}，却有 {failure}") from failure


def load_sources(folder: Path = SOURCES) -> dict[str, SourceSpec]:
    """Read every yml in `folder`, by id. Raises `BadSource` on the first that cannot be used."""
    return {path.stem: load_source(path) for path in sorted(folder.glob("*.yml"))}


def find_source(source_id: str, folders: Sequence[Path] = (SOURCES,)) -> SourceSpec:
    """Return the source named `source_id` from the first folder that has it. Raises `BadSource`."""
    for folder in folders:
        path = folder / f"{source_id}.yml"
        if path.parent == folder and path.is_file():
            return load_source(path)
    raise BadSource(f"没有名为 {source_id} 的信源")
