"""When it pays: earned minus spent, month by month, with the gain's interval as a band."""

import plotly.graph_objects as go

from rerank.cost.benefit import Ranged
from rerank.cost.horizon import balance_usd
from rerank.figures.style import NEUTRAL, colour_of, framed
from rerank.report.money import Money, Option
from rerank.wording.language import Say

BAND_OPACITY = 0.18


def balances(money: Money, option: Option) -> list[Ranged]:
    """Return the balance in the user's currency at the start and after each month; empty without a value."""
    business, horizon, success = money.business, money.horizon, option.success
    if horizon is None or success is None or business.value_per_success is None:
        return []
    value = business.to_usd(business.value_per_success)
    lines = [
        balance_usd(delta * value, option.spending, horizon) for delta in (success.delta, success.low, success.high)
    ]
    return [Ranged(*(end * business.per_usd for end in ends)) for ends in zip(*lines, strict=True)]


def payback(say: Say, money: Money, option: Option) -> go.Figure:
    """Return the balance over the months of one strategy; the band belongs to the 95 % interval of its gain."""
    found = balances(money, option)
    months = list(range(len(found)))
    colour = colour_of(option.strategy)
    figure = go.Figure()
    figure.add_hline(y=0, line_color=NEUTRAL, line_width=1)
    figure.add_trace(
        go.Scatter(
            x=[*months, *reversed(months)],
            y=[*(item.high for item in found), *(item.low for item in reversed(found))],
            fill="toself",
            fillcolor=colour,
            opacity=BAND_OPACITY,
            mode="lines",
            line={"width": 0},
            hoverinfo="skip",
            showlegend=False,
        )
    )
    figure.add_trace(
        go.Scatter(
            x=months,
            y=[item.value for item in found],
            mode="lines+markers",
            line={"color": colour, "width": 2},
            hovertemplate="%{x}: %{y:,.0f}<extra></extra>",
            showlegend=False,
        )
    )
    figure.update_xaxes(title=say("Month"), tickangle=0, nticks=7)
    figure.update_yaxes(
        title=say("Earned minus spent, {currency}", currency=money.business.currency), exponentformat="none"
    )
    return framed(figure, 420)
