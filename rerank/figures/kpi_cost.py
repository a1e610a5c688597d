"""The frontier: the KPI against what it costs, dominated options in grey."""

from collections.abc import Callable

import plotly.graph_objects as go

from rerank.figures.labels import sides, wrapped
from rerank.figures.style import NEUTRAL, colour_of, framed, symbol_of
from rerank.planning.graph import path_of
from rerank.report.money import Money, Option
from rerank.wording.amounts import amount
from rerank.wording.language import Say
from rerank.wording.names import strategy_name
from rerank.wording.numbers import score

DOMINATED_OPACITY = 0.45
TITLE_WIDTH = 36  # what a telephone shows of a line


def kpi_against_cost(say: Say, money: Money, measure: str) -> go.Figure:
    """Return one point per strategy: x = total cost in the user's currency, y = the KPI.

    Without traffic x is what is paid once. The bar is the 95 % interval of the difference to the first stage,
    drawn around the KPI. The line joins the options that no other one dominates.
    """
    options = list(money.options.values())
    rate = money.business.per_usd
    dearest = max(option.total_usd * rate for option in options)
    # Room for the names beside the outermost points.
    left, right = (-0.05 * dearest, 1.2 * dearest) if dearest else (-1.0, 1.0)
    low, high = min(option.kpi_low for option in options), max(option.kpi_high for option in options)
    low, high = low - 0.1 * (high - low) - 0.001, high + 0.1 * (high - low) + 0.001
    named = [(option, strategy_name(say, option.strategy)) for option in options]
    # The others are named when pointed at and in the table: their names would cover those that matter.
    matter = _that_matter(money)
    labels = [name if option.strategy in matter else "" for option, name in named]
    shares = [
        ((option.total_usd * rate - left) / (right - left), (option.kpi - low) / (high - low), label)
        for (option, _), label in zip(named, labels, strict=True)
    ]
    figure = go.Figure()
    front = sorted((option.total_usd * rate, option.kpi) for option in options if option.dominated_by is None)
    figure.add_trace(
        go.Scatter(
            x=[x for x, _ in front],
            y=[y for _, y in front],
            mode="lines",
            line={"color": NEUTRAL, "width": 1.5, "dash": "dot"},
            hoverinfo="skip",
            showlegend=False,
        )
    )
    for (option, name), label, side in zip(named, labels, sides(shares), strict=True):
        figure.add_trace(_point(say, option, name, label, side, rate, lambda usd: amount(say, usd, money.business)))
    months = money.business.horizon_months
    title = (
        say("One training with its teacher and integration, {currency}", currency=money.business.currency)
        if money.horizon is None
        else say("Total cost over {months} months, {currency}", months=months, currency=money.business.currency)
    )
    figure.update_xaxes(
        title=wrapped(title, TITLE_WIDTH), range=[left, right], exponentformat="none", tickangle=0, nticks=5
    )
    figure.update_yaxes(title=measure, range=[low, high])
    return framed(figure, 420)


def _that_matter(money: Money) -> set[str]:
    """Return the strategies that are named: what no other one dominates, what is recommended, the best trained one."""
    trained = [option for option in money.options.values() if path_of(option.strategy)]
    best = max(trained, key=lambda option: option.kpi, default=None)
    front = {option.strategy for option in money.options.values() if option.dominated_by is None}
    return front | {name for name in (money.recommended, best.strategy if best else None) if name}


def _point(
    say: Say, option: Option, name: str, label: str, side: str, rate: float, shown: Callable[[float], str]
) -> go.Scatter:
    colour = colour_of(option.strategy) if option.dominated_by is None else NEUTRAL
    hover = f"{name}: {score(option.kpi)}, {shown(option.total_usd)}"
    if option.dominated_by is not None:
        better = strategy_name(say, option.dominated_by)
        hover = f"{hover}<br>" + say("{strategy} is as good by point value and not dearer", strategy=better)
    return go.Scatter(
        x=[option.total_usd * rate],
        y=[option.kpi],
        mode="markers+text",
        text=[label],
        textposition=side,
        opacity=1.0 if label else DOMINATED_OPACITY,
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [option.kpi_high - option.kpi],
            "arrayminus": [option.kpi - option.kpi_low],
            "color": colour,
            "thickness": 2,
            "width": 6,
        },
        marker={"color": colour, "size": 12, "symbol": symbol_of(option.strategy)},
        hovertext=hover,
        hoverinfo="text",
        showlegend=False,
        cliponaxis=False,
    )
