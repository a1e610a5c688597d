"""The smallest effect that a number of queries can show."""

from collections.abc import Sequence

import plotly.graph_objects as go

from rerank.figures.style import COLOURS, LOSS, NEUTRAL, framed
from rerank.wording.language import Say


def detectable_effect(
    say: Say, curve: Sequence[tuple[int, float]], n_queries: int, effect: float, margin: float
) -> go.Figure:
    """Return the minimum detectable effect over the number of test queries, with this plan's point and δ."""
    figure = go.Figure()
    figure.add_trace(
        go.Scatter(
            x=[n for n, _ in curve],
            y=[value for _, value in curve],
            mode="lines",
            line={"color": COLOURS["C"], "width": 2},
            showlegend=False,
            hovertemplate="%{x}: %{y:.3f}<extra></extra>",
        )
    )
    figure.add_trace(
        go.Scatter(
            x=[n_queries],
            y=[effect],
            mode="markers+text",
            text=[say("this plan")],
            textposition="top right",
            marker={"size": 12, "color": LOSS},
            showlegend=False,
            hovertemplate="%{x}: %{y:.3f}<extra></extra>",
        )
    )
    figure.add_hline(y=margin, line_dash="dot", line_color=NEUTRAL, annotation_text="δ")
    figure.update_xaxes(title=say("Test queries"), type="log")
    figure.update_yaxes(title=say("Minimum detectable effect"), rangemode="tozero")
    return framed(figure, 300)
