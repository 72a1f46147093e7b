"""An enterprise's relations as a drawing: the enterprise in the middle, what it is tied to around it."""

import math
from collections.abc import Sequence
from typing import Any

from store.reads.linked import TIES, Tie
from store.tables import Enterprise

_MOST = 18  # firms drawn; the table below the drawing has them all
_LABEL = 11  # characters of a name in the drawing
_RADIUS = 100.0
_WIDER = 1.7  # the drawing is wider than high, so that names beside one another stay apart
_SYMBOLS = ("circle", "rect", "triangle", "diamond", "roundRect")  # told apart without colour


def relations_chart(middle: Enterprise, ties: Sequence[Tie]) -> dict[str, Any] | None:
    """Return the drawing as an ECharts option, None without ties. A firm tied in several ways is drawn once."""
    kinds = list(TIES)
    firms: dict[int, tuple[Enterprise, list[str]]] = {}
    for tie in sorted(ties, key=lambda tie: kinds.index(tie.kind)):
        firms.setdefault(tie.enterprise.id, (tie.enterprise, []))[1].append(tie.kind)
    drawn = list(firms.values())[:_MOST]
    if not drawn:
        return None
    used = [kind for kind in kinds if any(how[0] == kind for _, how in drawn)]
    nodes = [
        {
            "id": str(middle.id),
            "name": middle.name,
            "x": 0.0,
            "y": 0.0,
            "symbolSize": 34,
            "category": 0,
            "label": {"position": "bottom", "formatter": _short(middle.name)},
        }
    ]
    links = []
    for place, (firm, how) in enumerate(drawn):
        angle = 2 * math.pi * (place + 0.5) / len(drawn) - math.pi / 2
        nodes.append(
            {
                "id": str(firm.id),
                "name": firm.name,
                "x": round(_WIDER * _RADIUS * math.cos(angle), 1),
                "y": round(_RADIUS * math.sin(angle), 1),
                "symbolSize": 18,
                "category": 1 + used.index(how[0]),
                "label": {"position": "top" if math.sin(angle) < 0 else "bottom", "formatter": _short(firm.name)},
                "href": f"/enterprises/{firm.id}",
            }
        )
        links.append(
            {
                "source": str(middle.id),
                "target": str(firm.id),
                "value": "、".join(dict.fromkeys(TIES[kind] for kind in how)),
            }
        )
    shapes = ({"name": TIES[kind], "symbol": _SYMBOLS[place % len(_SYMBOLS)]} for place, kind in enumerate(used, 1))
    categories = [{"name": "本企业", "symbol": _SYMBOLS[0]}, *shapes]
    return {
        "legend": {
            "data": [{"name": category["name"], "icon": category["symbol"]} for category in categories],
            "itemGap": 20,
        },
        "tooltip": {"trigger": "item", "renderMode": "richText", "confine": True},
        "series": [
            {
                "type": "graph",
                "layout": "none",
                "categories": categories,
                "data": nodes,
                "links": links,
                "top": 60,
                "label": {"show": True, "fontSize": 11},
                "labelLayout": {"hideOverlap": True},
                "lineStyle": {"width": 1.5, "opacity": 0.6},
                "edgeLabel": {"show": False},
                "emphasis": {"focus": "adjacency"},
            }
        ],
    }


def _short(name: str) -> str:
    return name if len(name) <= _LABEL else name[: _LABEL - 1] + "…"
