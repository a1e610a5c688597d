"""The learning curve: KPI against the number of training queries."""

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from rerank.figures.style import NEUTRAL, colour_of, framed, symbol_of
from rerank.wording.language import Say
from rerank.wording.names import strategy_name
from rerank.wording.numbers import interval, score


def learning_curve(say: Say, result: Mapping[str, Any]) -> go.Figure:
    """Return one line per strategy; bars are the 95 % interval of the difference to the first stage."""
    points = result["learning_curve"] or []
    primary = result["plan"]["primary_measure"]
    reference = result["strategies"]["first-stage"]["measures"][primary]
    figure = go.Figure()
    figure.add_hline(
        y=reference, line_color=NEUTRAL, line_dash="dot", annotation_text=strategy_name(say, "first-stage")
    )
    for name in dict.fromkeys(point["strategy"] for point in points):
        mine = [point for point in points if point["strategy"] == name and point["delta"] is not None]
        colour = colour_of(name)
        figure.add_trace(
            go.Scatter(
                x=[point["n_train_queries"] for point in mine],
                y=[point["mean"] for point in mine],
                mode="lines+markers",
                name=strategy_name(say, name),
                line={"color": colour, "width": 2},
                marker={"color": colour, "size": 10, "symbol": symbol_of(name)},
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": [point["ci_high"] - point["delta"] for point in mine],
                    "arrayminus": [point["delta"] - point["ci_low"] for point in mine],
                    "color": colour,
                    "thickness": 1.5,
                    "width": 5,
                },
                hovertext=[
                    f"{score(point['mean'])} · Δ {interval(point['ci_low'], point['ci_high'])}" for point in mine
                ],
                hoverinfo="text+name",
            )
        )
    figure.update_xaxes(title=say("Training queries"), rangemode="tozero")
    figure.update_yaxes(title=primary)
    return framed(figure, 340)
