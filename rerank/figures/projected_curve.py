"""The learning curve projected to more training queries, with its band and the mark beyond which it is a guess."""

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from rerank.figures.style import LOSS, NEUTRAL, colour_of, framed, symbol_of
from rerank.stats.learning_curve import NEAR
from rerank.wording.language import Say
from rerank.wording.names import strategy_name

BAND_OPACITY = 0.18


def projected_curve(say: Say, result: Mapping[str, Any]) -> go.Figure:
    """Return measured points, the projection with its 95 % band, and a line at 4 times the training queries."""
    found = result["next_money"]["curve"]
    points, name = found["points"], found["strategy"]
    colour = colour_of(name)
    sizes = [point["n_train_queries"] for point in points]
    figure = go.Figure()
    figure.add_trace(
        go.Scatter(
            x=[*sizes, *reversed(sizes)],
            y=[*(point["kpi_high"] for point in points), *(point["kpi_low"] for point in reversed(points))],
            fill="toself",
            fillcolor=colour,
            opacity=BAND_OPACITY,
            mode="lines",
            line={"width": 0},
            hoverinfo="skip",
            name=say("95 % interval"),
        )
    )
    near = [point for point in points if not point["beyond"]]
    for part, dash, label in (
        (near, "solid", say("projected")),
        ([*near[-1:], *(point for point in points if point["beyond"])], "dot", say("extrapolated")),
    ):
        figure.add_trace(
            go.Scatter(
                x=[point["n_train_queries"] for point in part],
                y=[point["kpi"] for point in part],
                mode="lines",
                line={"color": colour, "width": 2, "dash": dash},
                name=label,
                hovertemplate="%{x}: %{y:.3f}<extra></extra>",
            )
        )
    measured = [point for point in result["learning_curve"] if point["strategy"] == name]
    figure.add_trace(
        go.Scatter(
            x=[point["n_train_queries"] + found["n_unlabelled"] for point in measured],
            y=[point["mean"] for point in measured],
            mode="markers",
            marker={"color": colour, "size": 10, "symbol": symbol_of(name)},
            name=say("{strategy}, measured", strategy=strategy_name(say, name)),
            hovertemplate="%{x}: %{y:.3f}<extra></extra>",
        )
    )
    figure.add_vline(
        x=NEAR * sizes[0],
        line_color=LOSS,
        line_dash="dash",
        name=say("{n} times the training queries", n=f"{NEAR:.0f}"),  # beside the line it covers a telephone's axis
        showlegend=True,
    )
    figure.add_hline(
        y=result["first_stage"]["oracle"],
        line_color=NEUTRAL,
        line_dash="dot",
        annotation_text=say("Perfect order of these candidates"),
    )
    figure.update_xaxes(title=say("Training queries"), rangemode="tozero")
    figure.update_yaxes(title=result["plan"]["primary_measure"])
    return framed(figure, 420)
