"""The smallest effect that a number of queries can show."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from rerank.figures.style import COLOURS, LOSS, NEUTRAL, framed
from rerank.wording.language import Say


def detectable_effect(
    say: Say, curves: Mapping[str, Sequence[tuple[int, float]]], plan: Mapping[str, tuple[int, float]], margin: float
) -> go.Figure:
    """Return the minimum detectable effect over the number of test queries, with this plan's points and δ.

    curves: by kind of question (`to_first`, `between`), queries and effect in units of the measure; plan: the same
    for this plan's number of queries.
    """
    names = {"to_first": say("to the first stage"), "between": say("between two re-rankers")}
    colours = {"to_first": COLOURS["first-stage"], "between": COLOURS["C"]}
    figure = go.Figure()
    for kind, curve in curves.items():
        figure.add_trace(
            go.Scatter(
                x=[n for n, _ in curve],
                y=[value for _, value in curve],
                mode="lines",
                name=names[kind],
                line={"color": colours[kind], "width": 2, "dash": "dash" if kind == "to_first" else "solid"},
                hovertemplate="%{x}: %{y:.3f}<extra></extra>",
            )
        )
        n_queries, effect = plan[kind]
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
