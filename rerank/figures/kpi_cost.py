"""The KPI against what it costs, all strategies in one picture."""

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from rerank.figures.style import colour_of, framed, symbol_of
from rerank.wording.language import Say
from rerank.wording.names import strategy_name
from rerank.wording.numbers import score, usd
from rerank.wording.tables import against_first_stage


def kpi_against_cost(say: Say, result: Mapping[str, Any]) -> go.Figure:
    """Return one point per strategy: x = cost of one training with its teacher, y = the KPI.

    The bar is the 95 % interval of the difference to the first stage, drawn around the KPI.
    """
    primary = result["plan"]["primary_measure"]
    figure = go.Figure()
    for name, record in result["strategies"].items():
        cost = record["cost"]["train_usd"] + record["cost"]["teacher_usd"]
        value = record["measures"][primary]
        found = against_first_stage(result, name)
        bar: dict[str, Any] = {"visible": False}
        if found is not None and found["delta"] is not None:
            bar = {
                "type": "data",
                "symmetric": False,
                "array": [found["ci_high"] - found["delta"]],
                "arrayminus": [found["delta"] - found["ci_low"]],
                "color": colour_of(name),
                "thickness": 2,
                "width": 6,
            }
        shown = strategy_name(say, name)
        figure.add_trace(
            go.Scatter(
                x=[cost],
                y=[value],
                mode="markers+text",
                text=[shown],
                textposition="bottom right",
                error_y=bar,
                marker={"color": colour_of(name), "size": 12, "symbol": symbol_of(name)},
                hovertext=f"{shown}: {score(value)}, {usd(cost)}",
                hoverinfo="text",
                showlegend=False,
                cliponaxis=False,
            )
        )
    dearest = max(
        record["cost"]["train_usd"] + record["cost"]["teacher_usd"] for record in result["strategies"].values()
    )
    # Room for the names beside the outermost points.
    room = [-0.05 * dearest, 1.2 * dearest] if dearest else [-1, 1]
    figure.update_xaxes(
        title=say("One training with its teacher, USD"), range=room, exponentformat="none", tickangle=0, nticks=5
    )
    figure.update_yaxes(title=primary)
    return framed(figure, 420)
