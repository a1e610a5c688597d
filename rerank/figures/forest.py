"""Differences with their intervals, one row per comparison."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from rerank.figures.labels import wrapped
from rerank.figures.style import NEUTRAL, colour_of, framed, symbol_of
from rerank.wording.language import Say
from rerank.wording.names import VERDICT_SIGNS, strategy_name
from rerank.wording.numbers import delta, interval
from rerank.wording.verdicts import verdict_name

LABEL_WIDTH = 20  # longer names take a second line: on a telephone they would leave no room for the figure


def _range(comparisons: Sequence[Mapping[str, Any]], margin: float) -> list[float]:
    """Return the axis's ends, with room for a verdict's word above the outermost point."""
    known = [item for item in comparisons if item["delta"] is not None]
    low = min([-margin, *(item["ci_low"] for item in known)])
    high = max([margin, *(item["ci_high"] for item in known)])
    room = 0.25 * (high - low)
    return [low - room, high + room]


def forest(say: Say, comparisons: Sequence[Mapping[str, Any]], margin: float) -> go.Figure:
    """Return Δ with its 95 % interval per comparison, and the margin ±δ as a band."""
    figure = go.Figure()
    figure.add_vrect(x0=-margin, x1=margin, fillcolor=NEUTRAL, opacity=0.15, line_width=0)
    figure.add_vline(x=0, line_color=NEUTRAL, line_width=1)
    for item in comparisons:
        if item["delta"] is None:
            continue
        challenger, reference = item["challenger"], item["reference"]
        names = strategy_name(say, challenger), strategy_name(say, reference)
        name = say("{challenger} vs {reference}", challenger=names[0], reference=names[1])
        verdict = f"{VERDICT_SIGNS[item['verdict']]} {verdict_name(say, item['verdict'])}"
        colour = colour_of(challenger)
        figure.add_trace(
            go.Scatter(
                x=[item["delta"]],
                y=[wrapped(name, LABEL_WIDTH)],
                mode="markers+text",
                text=[f"  {verdict}"],
                textposition="top center",
                marker={"color": colour, "size": 11, "symbol": symbol_of(challenger)},
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": [item["ci_high"] - item["delta"]],
                    "arrayminus": [item["delta"] - item["ci_low"]],
                    "color": colour,
                    "thickness": 2.5,
                    "width": 6,
                },
                hovertext=f"{delta(item['delta'])} {interval(item['ci_low'], item['ci_high'])}",
                hoverinfo="text",
                showlegend=False,
            )
        )
    measure = comparisons[0]["measure"] if comparisons else ""
    figure.update_xaxes(title=f"Δ {measure}", zeroline=False, tickangle=0, nticks=6, range=_range(comparisons, margin))
    figure.update_yaxes(autorange="reversed")
    return framed(figure, 120 + 62 * max(1, len(comparisons)))
