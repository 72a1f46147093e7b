"""From alerts to the message that leaves the house."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from alerting.channels.message import Item, Message
from alerting.policy import COLOURS, AlertPolicy
from store.china_time import CHINA
from store.tables import Alert


def message_of(
    message_id: str, alerts: Sequence[Alert], tier: int, policy: AlertPolicy, *, synthetic: bool = False
) -> Message:
    """Return the message for one alert, or the digest of several with the gravest first."""
    ranked = sorted(alerts, key=lambda alert: (COLOURS.index(alert.colour), alert.id))
    items = tuple(
        Item(
            alert_id=alert.id,
            rule=alert.rule,
            colour=alert.colour,
            title=alert.title,
            reasons=tuple(str(reason) for reason in alert.reasons),
            region_code=alert.region_code,
            acknowledge_by=alert.acknowledge_by,
            report_by=alert.report_by,
        )
        for alert in ranked
    )
    first = policy.colours[items[0].colour]  # type: ignore[index]
    mark = "【虚构】" if synthetic else ""
    subject = (
        f"{mark}【{first.zh}预警】{items[0].title}（编号 {items[0].alert_id}）"
        if len(items) == 1
        else f"{mark}【预警汇总】{len(items)} 条，最高为{first.zh}"
    )
    shown = [
        {
            "colour_zh": f"{policy.colours[item.colour].zh}·{policy.colours[item.colour].level}",  # type: ignore[index]
            "title": item.title,
            "alert_id": item.alert_id,
            "rule": item.rule,
            "reasons": item.reasons,
            "acknowledge_by": _local(item.acknowledge_by),
            "report_by": _local(item.report_by),
        }
        for item in items
    ]
    text = _template().render(items=shown, tier=tier, synthetic=synthetic)
    return Message(message_id, subject[:200], text, items, tier, synthetic)


def _local(moment: datetime) -> str:
    return moment.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")


@cache
def _template() -> Template:
    folder = Path(__file__).resolve().parent / "templates"
    # Plain text, so nothing is escaped; a name the template misspells is an error, not a blank.
    environment = Environment(loader=FileSystemLoader(folder), undefined=StrictUndefined, autoescape=False)  # noqa: S701
    return environment.get_template("message.txt")
