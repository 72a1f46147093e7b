"""The front page."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.clock import today
from api.deps import Config, InScope, Reading
from api.rendering import render
from api.words import word
from store.reads import overview as reads
from store.reads import regions

router = APIRouter(include_in_schema=False)

CHART_CHANNELS = 6


@router.get("/")
def front_page(request: Request, session: Reading, scope: InScope, settings: Config) -> Response:
    """Show the figures, each leading to its rows and saying how fresh it is."""
    judged_on = today(session, settings)
    figures = reads.overview(session, scope, judged_on)
    names = regions.names(
        session, [line.prefix.ljust(6, "0") for line in figures.regions] + [row.region_code for row in figures.urgent]
    )
    context = {
        "figures": figures,
        "today": judged_on,
        "names": names,
        "signal_chart": _signal_chart(figures),
        "sampling_chart": _sampling_chart(figures),
    }
    return render(request, "overview.html", context)


def _signal_chart(figures: reads.Overview) -> dict[str, Any]:
    months = sorted({month for month, _, _ in figures.months})
    totals: dict[str, int] = {}
    for _, channel, count in figures.months:
        totals[channel] = totals.get(channel, 0) + count
    channels = sorted(totals, key=lambda channel: -totals[channel])[:CHART_CHANNELS]
    counts = {(month, channel): count for month, channel, count in figures.months}
    return {
        "xAxis": {"type": "category", "data": months},
        "yAxis": {"type": "value", "minInterval": 1},
        "series": [
            {
                "name": word(channel, "channel"),
                "type": "bar",
                "stack": "all",
                "data": [counts.get((month, channel), 0) for month in months],
            }
            for channel in channels
        ],
    }


def _sampling_chart(figures: reads.Overview) -> dict[str, Any]:
    return {
        "xAxis": {"type": "category", "data": [month for month, _, _ in figures.sampling_months]},
        "yAxis": [
            {"type": "value", "name": "批次", "minInterval": 1},
            {"type": "value", "name": "不合格率 %", "splitLine": {"show": False}},
        ],
        "series": [
            {"name": "抽样批次", "type": "bar", "data": [samples for _, samples, _ in figures.sampling_months]},
            {
                "name": "原始不合格率 %",
                "type": "line",
                "yAxisIndex": 1,
                "tone": "--d",
                "data": [
                    round(100 * bad / samples, 1) if samples else 0 for _, samples, bad in figures.sampling_months
                ],
            },
        ],
    }
