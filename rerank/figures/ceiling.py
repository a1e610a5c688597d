"""The KPI of every strategy between today's order, a perfect order and everything that could be found."""

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from rerank.figures.style import NEUTRAL, colour_of, framed, symbol_of
from rerank.wording.language import Say
from rerank.wording.names import strategy_name
from rerank.wording.numbers import score, share

LINE_HEIGHT = 18


def ceiling_figure(say: Say, result: Mapping[str, Any]) -> go.Figure:
    """Return one row per strategy: the bar from today's KPI to its own; lines at the two ceilings."""
    primary = result["plan"]["primary_measure"]
    found = result["ceiling"]
    first = found["first_stage"]
    figure = go.Figure()
    figure.add_vrect(x0=first, x1=found["oracle"], fillcolor=NEUTRAL, opacity=0.12, line_width=0)
    names = list(found["captured"])
    for place, name in enumerate(names):
        taken = found["captured"][name]
        value = result["strategies"][name]["measures"][primary]
        shown, colour = strategy_name(say, name), colour_of(name)
        captured = share(taken["share"]).replace("-", "−")
        figure.add_trace(
            go.Scatter(
                x=[first, value],
                y=[place, place],
                mode="lines+markers",
                line={"color": colour, "width": 5},
                marker={"color": colour, "size": [0, 12], "symbol": symbol_of(name), "opacity": 1},
                hovertext=[f"{shown}: {score(value)} ({captured})"] * 2,
                hoverinfo="text",
                showlegend=False,
            )
        )
    lines = (
        (first, "solid", "left", say("First stage")),
        (found["oracle"], "dash", "right", say("Perfect order of these candidates")),
        (found["ideal"], "dot", "right", say("Every judged document found, in perfect order")),
    )
    for row, (value, dash, side, text) in enumerate(lines):
        figure.add_vline(x=value, line_color=NEUTRAL, line_width=2, line_dash=dash)
        # One row each: lines may coincide, their names must not.
        figure.add_annotation(
            x=value,
            y=1,
            yref="paper",
            yanchor="bottom",
            yshift=LINE_HEIGHT * (len(lines) - 1 - row) + 2,
            xanchor=side,
            showarrow=False,
            text=f"{text}: {score(value)}",
            font={"size": 12},
        )
    shown_names = [strategy_name(say, name) for name in names]
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=shown_names, range=[len(names) - 0.5, -0.5])
    figure.update_xaxes(title=primary, zeroline=False, tickangle=0, nticks=6)
    figure = framed(figure, 170 + 34 * max(1, len(names)))
    return figure.update_layout(margin_t=LINE_HEIGHT * (len(lines) + 1))
