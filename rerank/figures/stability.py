"""One question under every other choice: differences with their intervals, marked where the verdict changes."""

from collections.abc import Mapping
from html import escape
from typing import Any

import plotly.graph_objects as go

from rerank.figures.style import GAIN, LOSS, NEUTRAL, framed
from rerank.wording.firmness import perturbation_name, signed_verdict
from rerank.wording.language import Say
from rerank.wording.numbers import delta, interval

ROW_HEIGHT = 22
LABEL_CHARS = 42


def stability_forest(say: Say, card: Mapping[str, Any], comparison: Mapping[str, Any]) -> go.Figure:
    """Return Δ with its 95 % interval per perturbation; a circle survives, a cross does not.

    comparison: the question's own record; its difference is the dotted line.
    """
    figure = go.Figure()
    figure.add_vline(x=0, line_color=NEUTRAL, line_width=1)
    if comparison["delta"] is not None:
        figure.add_vline(x=comparison["delta"], line_color=NEUTRAL, line_width=1, line_dash="dot")
    tested = [item for item in card["perturbations"] if item["survives"] is not None]
    # Two perturbations may have one name (a segment of the user's): rows are told apart by their place.
    for survives, colour, symbol, name in (
        (True, GAIN, "circle", say("The verdict survives")),
        (False, LOSS, "x", say("Another verdict")),
    ):
        mine = [(place, item) for place, item in enumerate(tested) if item["survives"] is survives]
        figure.add_trace(
            go.Scatter(
                x=[item["delta"] for _, item in mine],
                y=[place for place, _ in mine],
                mode="markers",
                name=name,
                marker={"color": colour, "size": 9, "symbol": symbol},
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": [item["ci_high"] - item["delta"] for _, item in mine],
                    "arrayminus": [item["delta"] - item["ci_low"] for _, item in mine],
                    "color": colour,
                    "thickness": 1.5,
                    "width": 3,
                },
                hovertext=[
                    f"{delta(item['delta'])} {interval(item['ci_low'], item['ci_high'])} "
                    f"{signed_verdict(say, item['verdict'])}"
                    for _, item in mine
                ],
                hoverinfo="text",
            )
        )
    labels = [_label(perturbation_name(say, item)) for item in tested]
    figure.update_yaxes(tickvals=list(range(len(tested))), ticktext=labels, range=[len(tested) - 0.5, -0.5])
    figure.update_xaxes(title="Δ", zeroline=False, tickangle=0, nticks=6)
    return framed(figure, 110 + ROW_HEIGHT * max(3, len(tested)))


def _label(name: str) -> str:
    return escape(name if len(name) <= LABEL_CHARS else name[: LABEL_CHARS - 1] + "…")
