"""The loss of a running training."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from rerank.figures.style import colour_of, framed
from rerank.wording.language import Say
from rerank.wording.names import strategy_name


def losses(say: Say, events: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Return the loss per step, one line per stage (strategy, fold, seed), from an experiment's log."""
    lines: dict[tuple[str, int, int], dict[int, float]] = {}
    for event in events:
        if event.get("event") == "step" and not {"share", "trial"} & set(event):  # those are trainings beside
            key = (str(event["strategy"]), int(event["fold"]), int(event["seed"]))
            lines.setdefault(key, {})[int(event["step"])] = float(event["loss"])
    figure = go.Figure()
    named: set[str] = set()
    for (strategy, fold, seed), values in lines.items():
        figure.add_trace(
            go.Scatter(
                x=list(values),
                y=list(values.values()),
                mode="lines",
                name=strategy_name(say, strategy),
                legendgroup=strategy,
                showlegend=strategy not in named,
                line={"color": colour_of(strategy), "width": 2},
                hovertext=say("fold {fold}, seed {seed}", fold=fold + 1, seed=seed),
            )
        )
        named.add(strategy)
    figure.update_xaxes(title=say("Step"))
    figure.update_yaxes(title=say("Loss"), rangemode="tozero")
    return framed(figure, 300)
