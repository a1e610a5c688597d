"""Wins and losses, query by query."""

import html

import pandas as pd
import plotly.graph_objects as go

from rerank.figures.style import GAIN, LOSS, NEUTRAL, framed
from rerank.wording.language import Say
from rerank.wording.numbers import delta


def wins_and_losses(say: Say, differences: pd.DataFrame, measure: str) -> go.Figure:
    """Return every query's difference as a bar, the largest win first.

    differences: text, delta; sorted by delta, descending.
    """
    values = differences["delta"]
    colours = [GAIN if value > 0 else LOSS if value < 0 else NEUTRAL for value in values]
    texts = [html.escape(str(text))[:80] for text in differences["text"]]
    figure = go.Figure(
        go.Bar(
            x=list(range(1, len(values) + 1)),
            y=values,
            marker_color=colours,
            hovertext=[f"{text}<br>{delta(value)}" for text, value in zip(texts, values, strict=True)],
            hoverinfo="text",
        )
    )
    mean = float(values.mean())
    figure.add_hline(
        y=mean,
        line_dash="dot",
        line_color=NEUTRAL,
        annotation_text=say("mean {delta}", delta=delta(mean)),
        # Bars fall from left to right: above a gain there is room on the right, below a loss on the left.
        annotation_position="top right" if mean >= 0 else "bottom left",
    )
    figure.update_xaxes(title=say("Queries, largest gain first"))
    figure.update_yaxes(title=f"Δ {measure}")
    return framed(figure, 320)
