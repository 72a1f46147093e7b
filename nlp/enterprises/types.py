"""What goes into the resolver and what comes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Decision = Literal["link", "none", "ambiguous"]


@dataclass(frozen=True, slots=True)
class Firm:
    """One registered enterprise, as far as its names can tell it from others."""

    id: str
    name: str
    uscc: str | None = None
    former_names: tuple[str, ...] = ()
    short_names: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    region_code: str | None = None
    address: str | None = None
    role: str | None = None
    status: str | None = None
    products: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """A name as some record wrote it, with what else that record says about the firm."""

    text: str
    uscc: str | None = None
    region: str | None = None  # adcode or place name
    product: str | None = None
    address: str | None = None
    context: str | None = None  # the sentence or row around the name


@dataclass(frozen=True, slots=True)
class Candidate:
    """A firm that could be meant: certainty 0–1 and the reasons in Chinese, best first.

    `taken` names the lines of the name policy that were charged, and how many times each.
    """

    id: str
    score: float
    reasons: tuple[str, ...] = ()
    taken: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Resolution:
    """The answer to a query.

    `ids` holds the linked firm, both firms when the text names two, and nothing otherwise. `review` is true
    when a person should look: an ambiguous name, or a single candidate too weak to link and too good to drop.
    `flags` name what is wrong with the query itself, such as `uscc_invalid`.
    """

    decision: Decision
    ids: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    score: float
    method: str  # uscc | exact_name | alias | fuzzy | none
    reasons: tuple[str, ...]
    review: bool = False
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NameSpan:
    """A firm's name in a text: offsets into the text as given; `firm_id` is None when it is not registered."""

    start: int
    end: int
    text: str
    decision: Decision
    firm_id: str | None
    score: float
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NameParts:
    """行政区划 + 字号 + 行业 + 组织形式 of a name, each normalised; '' where the name has none."""

    regions: tuple[str, ...]  # the place words, in order
    brand: str  # 字号
    industry: str
    form: str
    branch: str
    key: str
    brackets: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)  # what was cut off: address, person, platform
