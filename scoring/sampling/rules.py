"""The rules of a plan: a versioned file a domain expert can read, parsed once and carried by its hash."""

import hashlib
import json
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

DEFAULT_PATH = Path(__file__).resolve().parent / "plan_rules.yml"

RuleName = Literal["follow_up", "full_coverage", "key_share", "county_floor"]
RULE_ZH: dict[str, str] = {
    "follow_up": "回头看",
    "full_coverage": "全覆盖",
    "key_share": "重点产品占比",
    "county_floor": "县域均衡",
    "risk": "风险优先",
    "random": "随机抽取",
}


class PlanRulesError(ValueError):
    """The rules file cannot be used; the message says where and why, in Chinese."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FollowUp(_Part):
    """回头看: which earlier failures and vain visits put a firm into the plan (months)."""

    failed_within_months: int = Field(gt=0)
    rectification_months: int = Field(ge=0)
    settled_months: int = Field(ge=0)
    no_sample_within_months: int = Field(gt=0)


class FullCoverage(_Part):
    """All licensed firms of a product in a county that has fewer than so many of them."""

    fewer_than: int = Field(ge=0)
    within_months: int = Field(ge=0)


class KeyShare(_Part):
    """The least share of batches for key products, and which tiers are key."""

    minimum: float = Field(ge=0, le=1)
    tiers: tuple[int, ...]


class CountyFloor(_Part):
    """The least number of batches for every county that has a firm to sample."""

    batches: int = Field(ge=0)


class Repeat(_Part):
    """The shortest time between two samplings of one firm's product (months)."""

    months: int = Field(ge=0)


class RandomShare(_Part):
    """The share of batches drawn at random, and how much likelier each level is drawn."""

    share: float = Field(ge=0, lt=1)
    lowest: float = Field(ge=0, lt=1)
    highest: float = Field(ge=0, lt=1)
    level_weights: dict[str, float]

    @model_validator(mode="after")
    def _in_order(self) -> "RandomShare":
        if not self.lowest <= self.share <= self.highest:
            raise ValueError("random.share 应在 lowest 与 highest 之间")
        if any(weight <= 0 for weight in self.level_weights.values()):
            raise ValueError("random.level_weights 必须为正数：概率为零的企业永远抽不到，估计就有偏")
        return self


class FindValue(_Part):
    """What a failed batch is worth finding, and what the expected failure probability is made of."""

    tier_weights: dict[int, float]
    level_relative_risk: dict[str, float]
    level_score: dict[str, float]
    level_prior_batches: float = Field(gt=0)
    score_bin_expected: float = Field(gt=0)
    firm_prior_expected: float = Field(gt=0)
    size_prior_expected: float = Field(default=5.0, gt=0)
    base_rate_prior_batches: float = Field(gt=0)
    history_months: int = Field(gt=0)
    default_base_rate: float = Field(gt=0, lt=1)
    challenger: Literal["never", "when_promoted"]


class Cost(_Part):
    """What one batch costs (yuan): the contract's price, else the taxonomy's middle, else the default."""

    default_cny: float = Field(gt=0)
    contract_cny: dict[str, float] = Field(default_factory=dict)


class PlanRules(_Part):
    """Every number of the planner. Two files with the same numbers have the same `hash`."""

    name: str
    version: str
    status: str
    basis: str
    order: tuple[RuleName, ...]
    follow_up: FollowUp
    full_coverage: FullCoverage
    key_share: KeyShare
    county_floor: CountyFloor
    repeat: Repeat
    per_enterprise: int = Field(gt=0)
    random: RandomShare
    find: FindValue
    cost: Cost
    capacity: dict[str, int] = Field(default_factory=dict)
    body: str = Field(default="", exclude=True)
    hash: str = Field(default="", exclude=True)

    @model_validator(mode="after")
    def _every_rule_has_a_place(self) -> "PlanRules":
        if sorted(self.order) != sorted(("follow_up", "full_coverage", "key_share", "county_floor")):
            raise ValueError("order 应把四条规则各写一次")
        return self

    def value(self, fail_probability: float, tier: int) -> float:
        """Return what sampling is expected to be worth: probability of a failure times its weight."""
        return fail_probability * self.find.tier_weights.get(tier, 1.0)


def load_rules(path: Path = DEFAULT_PATH) -> PlanRules:
    """Read a rules file; the text itself and a hash over its numbers come with it.

    Raises PlanRulesError when the file is missing or does not say what it must.
    """
    try:
        body = path.read_text(encoding="utf-8")
        rules = PlanRules.model_validate(yaml.safe_load(body))
    except OSError as error:
        raise PlanRulesError(f"读不到计划规则文件 {path.name}：{error.strerror}") from error
    except yaml.YAMLError as error:
        raise PlanRulesError(f"计划规则文件 {path.name} 不是有效的 YAML：{error}") from error
    except ValidationError as error:
        where = "；".join(f"{'.'.join(map(str, item['loc']))}：{item['msg']}" for item in error.errors())
        raise PlanRulesError(f"计划规则文件 {path.name} 有误：{where}") from error
    canonical = json.dumps(rules.model_dump(mode="json"), ensure_ascii=False, sort_keys=True)
    return rules.model_copy(update={"body": body, "hash": hashlib.sha256(canonical.encode()).hexdigest()[:16]})
