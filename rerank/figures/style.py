"""What every figure shares: colours that work on light and dark ground and for colour-blind readers."""

from collections.abc import Mapping

import plotly.graph_objects as go

from rerank.planning.plan import FUSION

# Okabe and Ito's palette without its yellow, which disappears on white.
COLOURS: Mapping[str, str] = {
    "first-stage": "#8a8f98",
    "embedding": "#56b4e9",
    "base": "#b08ee8",
    "C": "#0072b2",
    "D": "#e69f00",
    "C-then-D": "#009e73",
    "D-then-C": "#d55e00",
    "C-long": "#6c8ebf",
    "D-long": "#c2a05a",
    "C+D": "#cc79a7",
}
NEUTRAL = "#8a8f98"


def colour_of(strategy: str) -> str:
    """Return a strategy's colour; a fused one has that of its plain form and another symbol."""
    return COLOURS.get(strategy.removesuffix(FUSION), NEUTRAL)


def symbol_of(strategy: str) -> str:
    """Return a strategy's marker: a circle, a diamond when it is fused."""
    return "diamond" if strategy.endswith(FUSION) else "circle"


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
