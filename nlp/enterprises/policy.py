"""The name policy: which differences are forgiven, at what price, and how sure a link must be."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

POLICY_FILE = Path(__file__).with_name("name_policy.yml")
_WORDS_FILE = Path(__file__).with_name("words.yml")
_INDUSTRY_FILE = Path(__file__).with_name("industry_words.txt")


@dataclass(frozen=True, slots=True, eq=False)
class NamePolicy:
    """`name_policy.yml`, read once. Deductions are shares of certainty, taken from 1."""

    deductions: dict[str, float]
    context: dict[str, float]
    link: float
    review: float
    margin: float
    form_class: dict[str, str]  # organisational form -> class
    branches: tuple[str, ...]
    shop_suffixes: tuple[str, ...]
    industries: frozenset[str]
    version: str  # hash of the files


@cache
def load_name_policy(path: Path = POLICY_FILE) -> NamePolicy:
    """Read the policy; raises KeyError when a part is missing."""
    raw = path.read_bytes()
    words = _INDUSTRY_FILE.read_text(encoding="utf-8")
    data = yaml.safe_load(raw)
    lines = [line for line in words.splitlines() if not line.startswith("#")]
    return NamePolicy(
        deductions={key: float(value) for key, value in data["deductions"].items()},
        context={key: float(value) for key, value in data["context"].items()},
        link=float(data["thresholds"]["link"]),
        review=float(data["thresholds"]["review"]),
        margin=float(data["thresholds"]["margin"]),
        form_class={form: kind for kind, forms in data["forms"].items() for form in forms},
        branches=tuple(sorted(data["branches"], key=len, reverse=True)),
        shop_suffixes=tuple(sorted(data["shop_suffixes"], key=len, reverse=True)),
        industries=frozenset(word for line in lines for word in line.split()),
        version=hashlib.sha256(raw + words.encode()).hexdigest()[:12],
    )


@dataclass(frozen=True, slots=True)
class Words:
    """`words.yml`: lists that reading a name needs and nobody sets."""

    no_name: frozenset[str]
    surnames: frozenset[str]
    cues: tuple[str, ...]  # longest first
    cue_set: frozenset[str]
    latin_forms: frozenset[str]
    english: dict[str, tuple[str, ...]]  # beginning of an English word -> trades in Chinese
    platforms: tuple[str, ...]


@cache
def words() -> Words:
    """Read the lists, once."""
    data = yaml.safe_load(_WORDS_FILE.read_text(encoding="utf-8"))
    return Words(
        no_name=frozenset(data["no_name"]),
        surnames=frozenset("".join(data["surnames"].split())),
        cues=tuple(sorted(set(data["cues"]), key=len, reverse=True)),
        cue_set=frozenset(data["cues"]),
        latin_forms=frozenset(data["latin_forms"]),
        english={word: tuple(parts) for word, parts in data["english"].items()},
        platforms=tuple(data["platforms"]),
    )
