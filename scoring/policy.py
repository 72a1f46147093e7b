"""The grading policy: a versioned file a domain expert can read, parsed once and carried by its hash."""

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from math import isfinite
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Level = Literal["A", "B", "C", "D", "U"]
IndicatorId = Literal[
    "q1_sampling_fail",
    "q2_repeat_fail",
    "q3_rectification",
    "q4_penalty",
    "q5_complaint",
    "q6_injury_recall",
    "q7_licence_ccc",
    "q8_onsite",
    "q9_responsibility",
    "q10_credit_class",
    "q11_scale",
]
ForcedId = Literal[
    "f_death",
    "f_licence",
    "f_unlicensed",
    "f_adulteration",
    "f_recheck_failed",
    "f_refused",
    "f_blacklist",
    "f_two_failures",
    "f_safety_item",
    "f_credit_d",
    "f_new_licence",
    "f_clean_record",
]
LEVELS: tuple[Level, ...] = ("A", "B", "C", "D")
DEFAULT_PATH = Path(__file__).resolve().parent / "policy.yml"


class PolicyError(ValueError):
    """The policy file cannot be used; the message says where and why, in Chinese."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class IndicatorRule(BaseModel):
    """One indicator's weight (points at value 1) and its own parameters, read by name."""

    model_config = ConfigDict(frozen=True, extra="allow")

    zh: str
    weight: float = Field(ge=0, le=100)

    def number(self, name: str) -> float:
        """Return a parameter that is one number."""
        found = float(self._extra(name))
        if not isfinite(found):
            raise PolicyError(f"指标“{self.zh}”的参数 {name} 应是有限的数字")
        return found

    def table(self, name: str) -> dict[str, float]:
        """Return a parameter that maps words to numbers."""
        return {str(key): float(value) for key, value in self._extra(name).items()}

    def _extra(self, name: str) -> Any:
        extra = self.model_extra or {}
        if name not in extra:
            raise PolicyError(f"指标“{self.zh}”缺少参数 {name}")
        return extra[name]


class ForcedRule(_Part):
    """A rule that sets or bounds the level whatever the score is."""

    id: ForcedId
    zh: str
    to: Level | None = None
    at_least: Level | None = None
    at_most: Level | None = None
    months: int | None = None
    violations: tuple[str, ...] = ()
    failures: int = 0
    group_injury: int = 0
    max_tier: int | None = None

    @model_validator(mode="after")
    def _one_effect(self) -> "ForcedRule":
        if sum(bound is not None for bound in (self.to, self.at_least, self.at_most)) != 1:
            raise ValueError(f"强制规则 {self.id} 应当且只应当写 to、at_least、at_most 之一")
        return self


class Corroboration(_Part):
    """How far one class of low-trust sources may move a level by itself."""

    low_trust: tuple[str, ...]
    max_steps: int


class Unknown(_Part):
    """When nothing is known, and what counts as knowing something."""

    months: int
    knowing: tuple[str, ...]
    new_firm_months: int


class Upgrade(_Part):
    """How fast a level may get better."""

    max_steps: int
    review_months: int
    needs_clean_sample: bool


class Interval(_Part):
    """How the score's interval is drawn."""

    z: float
    missing_share: float


class Action(_Part):
    """What a supervision mode means in a year."""

    inspection_per_year: float
    sampling_share: float


class AreaBound(_Part):
    """When a region × product turns a colour."""

    enterprises: int
    rate_ratio: float
    rate_enterprises: int = 1  # how many enterprises must fail before the rate counts
    fatal: bool = False


class Areas(_Part):
    """黄色警示 and 红色警情."""

    window_months: int
    min_batches: int
    z: float
    yellow: AreaBound
    red: AreaBound
    review_months: int
    zh: str = ""


class Policy(_Part):
    """Every number of the scorecard. Two policies with the same numbers have the same `hash`."""

    name: str
    version: str
    status: str
    effective_from: date
    basis: str = ""
    thresholds: dict[Level, float]
    scales: dict[str, dict[Level, str]]
    indicators: dict[IndicatorId, IndicatorRule]
    corroboration: Corroboration
    forced: tuple[ForcedRule, ...]
    unknown: Unknown
    upgrade: Upgrade
    validity_months: int
    interval: Interval
    default_tier: int
    tier_names: dict[int, str]
    matrix_action: dict[int, dict[Level, str]]
    action_params: dict[str, Action]
    areas: Areas
    body: str = Field(default="", exclude=True, repr=False)
    hash: str = Field(default="", exclude=True)

    @model_validator(mode="after")
    def _consistent(self) -> "Policy":
        order = [self.thresholds[level] for level in LEVELS[1:]]
        if order != sorted(order):
            raise ValueError("分界 thresholds 应当随级别递增")
        unnamed = {
            mode for row in self.matrix_action.values() for mode in row.values() if mode not in self.action_params
        }
        if unnamed:
            raise ValueError(f"措施 {'、'.join(sorted(unnamed))} 没有在 action_params 中说明")
        return self

    def level_of(self, score: float) -> Level:
        """Return the level a score alone gives."""
        reached: Level = "A"
        for level in LEVELS[1:]:
            if score >= self.thresholds[level]:
                reached = level
        return reached

    def measure(self, tier: int | None, level: Level) -> str:
        """Return the supervision mode for a product tier and an enterprise level."""
        return self.matrix_action[tier or self.default_tier][level]


def parse_policy(body: str, *, place: str = "policy.yml") -> Policy:
    """Return the policy written in `body` (YAML); raise PolicyError with one clear line otherwise."""
    data = _read_yaml(body, place)
    try:
        policy = Policy.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise PolicyError(
            f"{place} 第 {where} 项有误：{_complaint(first)}" if where else f"{place}：{_complaint(first)}"
        ) from error
    canonical = json.dumps(data, ensure_ascii=False, sort_keys=True, default=str)
    return policy.model_copy(update={"body": body, "hash": hashlib.sha256(canonical.encode()).hexdigest()[:16]})


_DEEPEST = 20  # levels; a policy has six, and the reader's time grows with their square
_OPENING = (
    yaml.BlockMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.FlowSequenceStartToken,
)
_CLOSING = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)


class _Loader(yaml.SafeLoader):
    """Reads mappings whose names all differ: of two weights under one name the later would win unseen."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise PolicyError(f"第 {key.start_mark.line + 1} 行的“{key.value[:40]}”写了两次")
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def _read_yaml(body: str, place: str) -> Any:
    """Return what is written; PolicyError for what is no YAML, unfolds, nests without end, or says a thing twice."""
    try:
        depth = 0
        for token in yaml.scan(body, Loader=yaml.SafeLoader):
            # References let a small file unfold into a huge one; a policy has no use for them.
            if isinstance(token, yaml.AliasToken):
                raise PolicyError("不能使用 YAML 引用（&、*）")
            depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
            if depth > _DEEPEST:
                raise PolicyError(f"层次过深（最多 {_DEEPEST} 层）")
        return yaml.load(body, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except PolicyError as error:
        raise PolicyError(f"{place} {error}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f"：第 {mark.line + 1} 行的写法有误" if mark else ""
        raise PolicyError(f"{place} 不是有效的 YAML{line}") from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2026-02-30, a number of 5,000 digits
        raise PolicyError(f"{place} 不是有效的 YAML") from error


_COMPLAINTS = {
    "missing": "缺少这一项",
    "extra_forbidden": "没有这一项",
    "float_parsing": "应是数字",
    "float_type": "应是数字",
    "int_parsing": "应是整数",
    "int_type": "应是整数",
    "int_from_float": "应是整数",
    "bool_parsing": "应是 true 或 false",
    "string_type": "应是文字",
    "dict_type": "应是“名称: 值”的一组",
    "model_type": "应是“名称: 值”的一组",
    "finite_number": "应是有限的数字",
}


def _complaint(error: Mapping[str, Any]) -> str:
    """Return what is wrong with a value, in Chinese where we have words for it."""
    kind, context = str(error["type"]), error.get("ctx") or {}
    match kind:
        case "value_error":
            return str(error["msg"]).removeprefix("Value error, ")
        case "literal_error":
            return f"应是 {context.get('expected', '')} 之一"
        case "greater_than_equal":
            return f"不应小于 {context.get('ge')}"
        case "less_than_equal":
            return f"不应大于 {context.get('le')}"
        case _ if kind.startswith("date"):
            return "应是日期，如 2026-07-01"
        case _:
            return _COMPLAINTS.get(kind, str(error["msg"]))


def load_policy(path: Path = DEFAULT_PATH) -> Policy:
    """Return the policy in `path`."""
    try:
        body = path.read_text(encoding="utf-8")
    except OSError as error:
        raise PolicyError(f"读不到政策文件 {path.name}：{error.strerror}") from error
    return parse_policy(body, place=path.name)


def load_policies(folder: Path) -> list[Policy]:
    """Return every `policy*.yml` of a folder, oldest effective date first."""
    found = [load_policy(path) for path in sorted(folder.glob("policy*.yml"))]
    if not found:
        raise PolicyError(f"{folder.name} 中没有 policy*.yml")
    return sorted(found, key=lambda policy: (policy.effective_from, policy.version))


def policy_in_force(policies: list[Policy], on: date) -> Policy:
    """Return the newest policy effective on a day; before the first one, the first."""
    effective = [policy for policy in policies if policy.effective_from <= on]
    return effective[-1] if effective else policies[0]
