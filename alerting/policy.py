"""The alert policy: triggers, deadlines, routing and retries, read from one versioned file."""

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

DEFAULT_PATH = Path(__file__).resolve().parent / "policy.yml"

ColourName = Literal["red", "orange", "yellow", "blue"]
COLOURS: tuple[ColourName, ...] = ("red", "orange", "yellow", "blue")


class AlertPolicyError(ValueError):
    """The policy file cannot be used; the message says where and why, in Chinese."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Colour(_Part):
    """What a colour asks for: hours to acknowledge and to report, days to finish."""

    zh: str
    level: str
    acknowledge_hours: int = Field(gt=0)
    report_hours: int = Field(gt=0)
    final_days: int = Field(gt=0)


class Trigger(BaseModel):
    """One rule: its colour, whether it leaves the house, and its own parameters, read by name."""

    model_config = ConfigDict(frozen=True, extra="allow")

    zh: str
    colour: ColourName
    deliver: bool = True

    def number(self, name: str) -> float:
        """Return a parameter that is one number."""
        return float(self.word(name))

    def word(self, name: str) -> Any:
        """Return a parameter; AlertPolicyError when the file does not give it."""
        extra = self.model_extra or {}
        if name not in extra:
            raise AlertPolicyError(f"预警规则“{self.zh}”缺少参数 {name}")
        return extra[name]


class Escalation(_Part):
    """How many tiers are told one after the other."""

    tiers: int = Field(ge=1)


class Digest(_Part):
    """More new alerts than this for one contact in one run travel together, except these colours."""

    over: int = Field(gt=0)
    alone: tuple[ColourName, ...]


class DeliveryPolicy(_Part):
    """When a failed delivery is tried again (seconds), and how long one attempt may take."""

    retry_seconds: tuple[float, ...]
    jitter: float = Field(ge=0, lt=1)
    timeout_seconds: float = Field(gt=0)
    lease_seconds: float = Field(gt=0)
    longest_retry_after_seconds: float = Field(gt=0)


class AlertPolicy(_Part):
    """Every number of the alerts. Two files with the same numbers have the same `hash`."""

    name: str
    version: str
    status: str
    colours: dict[ColourName, Colour]
    window_days: int = Field(gt=0)
    credible: tuple[str, ...]
    independent: tuple[str, ...]
    rules: dict[str, Trigger]
    escalation: Escalation
    digest: Digest
    delivery: DeliveryPolicy
    body: str = Field(default="", exclude=True)
    hash: str = Field(default="", exclude=True)


def load_alert_policy(path: Path = DEFAULT_PATH) -> AlertPolicy:
    """Read a policy file; the text itself and a hash over its numbers come with it.

    Raises AlertPolicyError when the file is missing or does not say what it must.
    """
    try:
        body = path.read_text(encoding="utf-8")
        policy = AlertPolicy.model_validate(yaml.safe_load(body))
    except OSError as error:
        raise AlertPolicyError(f"读不到预警政策文件 {path.name}：{error.strerror}") from error
    except yaml.YAMLError as error:
        raise AlertPolicyError(f"预警政策文件 {path.name} 不是有效的 YAML：{error}") from error
    except ValidationError as error:
        where = "；".join(f"{'.'.join(map(str, item['loc']))}：{item['msg']}" for item in error.errors())
        raise AlertPolicyError(f"预警政策文件 {path.name} 有误：{where}") from error
    missing = [colour for colour in COLOURS if colour not in policy.colours]
    if missing:
        raise AlertPolicyError(f"预警政策文件 {path.name} 缺少颜色：{'、'.join(missing)}")
    canonical = json.dumps(policy.model_dump(mode="json"), ensure_ascii=False, sort_keys=True)
    return policy.model_copy(update={"body": body, "hash": hashlib.sha256(canonical.encode()).hexdigest()[:16]})
