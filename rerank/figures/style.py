"""What every figure shares: colours that work on light and dark ground and for colour-blind readers."""

from collections.abc import Mapping

import plotly.graph_objects as go

# Okabe and Ito's palette without its yellow, which disappears on white.
COLOURS: Mapping[str, str] = {
    "first-stage": "#8a8f98",
    "embedding": "#56b4e9",
    "base": "#b08ee8",
    "C": "#0072b2",
    "D": "#e69f00",
    "C-then-D": "#009e73",
    "D-then-C": "#d55e00",
}
NEUTRAL = "#8a8f98"
GAIN, LOSS = "#009e73", "#d55e00"


def framed(figure: go.Figure, height: int) -> go.Figure:
    """Return the figure with margins, height and legend as everywhere."""
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        uirevision="keep",  # a live figure keeps the reader's zoom
        hoverlabel={"align": "left"},
    )
    figure.update_xaxes(automargin=True)
    figure.update_yaxes(automargin=True)
    return figure
