"""The teacher's audit drawn: differences, agreement and biases with their intervals, and the confusion table."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from rerank.audit.gate import FLAGS, MARK
from rerank.figures.labels import wrapped
from rerank.figures.style import GAIN, LOSS, NEUTRAL, framed
from rerank.wording.audits import MEASURES, measure_label
from rerank.wording.language import Say

DIFFERENCES = ("delta_free", "delta_base")
AGREEMENT = ("kendall_tau", "kappa", "top_1")
BIASES = ("position_slope", "length", "lexical", "probe", "shuffled", "repeated")
_FLAGGED = {reason: name for name, reason in FLAGS.items()}
_LABEL_WIDTH = 44  # Latin letters; a Japanese one is as wide as two


def intervals(say: Say, audit: Mapping[str, Any], names: Sequence[str], *, with_mark: bool = False) -> go.Figure:
    """Return measures with their 95 % intervals; with_mark: the band within which a bias does not count."""
    figure = go.Figure()
    if with_mark:
        figure.add_vrect(x0=-MARK, x1=MARK, fillcolor=NEUTRAL, opacity=0.15, line_width=0)
    figure.add_vline(x=0, line_color=NEUTRAL, line_width=1)
    raised = {_FLAGGED.get(reason) for reason in audit["reasons"]}
    shown = [name for name in names if name in MEASURES and audit["measures"][name]["value"] is not None]
    for place, name in enumerate(shown):
        found = audit["measures"][name]
        is_bad = name in raised or (name in DIFFERENCES and _is_below(found))
        colour = LOSS if is_bad else GAIN if not with_mark and _is_above(found) else NEUTRAL
        known = found["ci_low"] is not None
        figure.add_trace(
            go.Scatter(
                x=[found["value"]],
                y=[place],
                mode="markers",
                marker={"color": colour, "size": 11, "symbol": "diamond" if is_bad else "circle"},
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": [found["ci_high"] - found["value"] if known else 0],
                    "arrayminus": [found["value"] - found["ci_low"] if known else 0],
                    "color": colour,
                    "thickness": 2.5,
                    "width": 6,
                },
                hovertemplate="%{x:.3f}<extra></extra>",
                showlegend=False,
            )
        )
        # Above its line, not beside it: on a telephone the names would leave no room for the intervals.
        figure.add_annotation(
            x=0,
            xref="paper",
            xanchor="left",
            y=place - 0.15,
            yanchor="bottom",
            text=wrapped(measure_label(say, audit, name), _LABEL_WIDTH),
            align="left",
            showarrow=False,
        )
    figure.update_xaxes(zeroline=False)
    figure.update_yaxes(range=[len(shown) - 0.6, -0.9], showticklabels=False, showgrid=False, zeroline=False)
    return framed(figure, 70 + 66 * max(1, len(shown)))


def _is_above(found: Mapping[str, Any]) -> bool:
    return found["ci_low"] is not None and bool(found["ci_low"] > 0)


def _is_below(found: Mapping[str, Any]) -> bool:
    return found["ci_high"] is not None and bool(found["ci_high"] < 0)


def confusion(say: Say, audit: Mapping[str, Any]) -> go.Figure:
    """Return how often which human grade met which teacher grade."""
    cells = audit["confusion"]
    grades = sorted({cell["human"] for cell in cells})
    count = {(cell["human"], cell["teacher"]): cell["n"] for cell in cells}
    table = [[count[human, teacher] for teacher in grades] for human in grades]
    names = [str(grade) for grade in grades]
    figure = go.Figure(
        go.Heatmap(
            z=table,
            x=names,
            y=names,
            text=table,
            texttemplate="%{text}",
            # Opaque, for the numbers' colour is chosen by the cell's: on a dark page a thin blue would hide them.
            colorscale=[[0, "rgb(235,243,250)"], [1, "rgb(0,114,178)"]],
            showscale=False,
            hoverinfo="skip",
        )
    )
    figure.update_xaxes(title=say("Teacher's grade"), type="category")
    figure.update_yaxes(title=say("Human grade"), type="category", autorange="reversed")
    return framed(figure, 110 + 60 * max(2, len(grades)))
