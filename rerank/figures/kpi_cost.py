"""The KPI against what it costs, all strategies in one picture."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from rerank.figures.labels import sides
from rerank.figures.style import colour_of, framed, symbol_of
from rerank.wording.language import Say
from rerank.wording.names import strategy_name
from rerank.wording.numbers import score, usd
from rerank.wording.tables import against_first_stage


def kpi_against_cost(say: Say, result: Mapping[str, Any]) -> go.Figure:
    """Return one point per strategy: x = cost of one training with its teacher, y = the KPI.

    The bar is the 95 % interval of the difference to the first stage, drawn around the KPI.
    """
    primary = result["plan"]["primary_measure"]
    points = [_point(say, result, name) for name in result["strategies"]]
    dearest = max(point.cost for point in points)
    # Room for the names beside the outermost points.
    left, right = (-0.05 * dearest, 1.2 * dearest) if dearest else (-1.0, 1.0)
    low, high = min(point.low for point in points), max(point.high for point in points)
    low, high = low - 0.1 * (high - low) - 0.001, high + 0.1 * (high - low) + 0.001
    shares = [
        ((point.cost - left) / (right - left), (point.value - low) / (high - low), point.shown) for point in points
    ]
    figure = go.Figure()
    for point, side in zip(points, sides(shares), strict=True):
        colour = colour_of(point.name)
        figure.add_trace(
            go.Scatter(
                x=[point.cost],
                y=[point.value],
                mode="markers+text",
                text=[point.shown],
                textposition=side,
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": [point.high - point.value],
                    "arrayminus": [point.value - point.low],
                    "color": colour,
                    "thickness": 2,
                    "width": 6,
                },
                marker={"color": colour, "size": 12, "symbol": symbol_of(point.name)},
                hovertext=f"{point.shown}: {score(point.value)}, {usd(point.cost)}",
                hoverinfo="text",
                showlegend=False,
                cliponaxis=False,
            )
        )
    figure.update_xaxes(
        title=say("One training with its teacher, USD"),
        range=[left, right],
        exponentformat="none",
        tickangle=0,
        nticks=5,
    )
    figure.update_yaxes(title=primary, range=[low, high])
    return framed(figure, 420)


@dataclass(frozen=True)
class _Point:
    name: str
    shown: str
    cost: float
    value: float
    low: float  # the ends of its bar; both the value itself without an interval
    high: float


def _point(say: Say, result: Mapping[str, Any], name: str) -> _Point:
    record = result["strategies"][name]
    value = record["measures"][result["plan"]["primary_measure"]]
    found = against_first_stage(result, name)
    below = above = 0.0
    if found is not None and found["delta"] is not None:
        below, above = found["delta"] - found["ci_low"], found["ci_high"] - found["delta"]
    return _Point(
        name=name,
        shown=strategy_name(say, name),
        cost=record["cost"]["train_usd"] + record["cost"]["teacher_usd"],
        value=value,
        low=value - below,
        high=value + above,
    )
