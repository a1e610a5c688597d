"""How often each grade was given."""

from collections.abc import Mapping

import plotly.graph_objects as go

from rerank.figures.style import COLOURS, framed
from rerank.wording.language import Say


def grade_histogram(say: Say, counts: Mapping[int, int]) -> go.Figure:
    """Return a bar per grade with its number of judgments."""
    figure = go.Figure(
        go.Bar(
            x=[str(grade) for grade in counts],
            y=list(counts.values()),
            text=[f"{count:,}" for count in counts.values()],
            marker_color=COLOURS["C"],
            hoverinfo="skip",
        )
    )
    figure.update_xaxes(title=say("Grade"), type="category")
    figure.update_yaxes(title=say("Judgments"))
    return framed(figure, 260)
