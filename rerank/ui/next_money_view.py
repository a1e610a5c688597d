"""Where should the next money go: a budget, what it buys, and the learning curve behind it."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from rerank.cost.business import Business
from rerank.cost.prices import current_prices
from rerank.errors import RerankError
from rerank.figures.projected_curve import projected_curve
from rerank.report.advice import advice_of, budgets_of, offers_of, usual_budget
from rerank.ui.safe import markdown
from rerank.ui.show import figure, problem, table
from rerank.wording.amounts import amount
from rerank.wording.language import Say
from rerank.wording.next_money import (
    assumption_sentences,
    curve_sentence,
    fit_sentence,
    option_table,
    projection_table,
    recommendation,
    right_sentence,
)


def next_money_view(say: Say, experiment: str, result: Mapping[str, Any], business: Business | None) -> None:
    """Show the options at a chosen budget; nothing for a result that has none."""
    if not result.get("next_money"):
        return
    st.subheader(say("Where should the next money go?"), anchor=False)
    try:
        prices = current_prices()
    except RerankError as error:  # a price table that somebody broke
        problem(say, error.code, error.facts)
        return
    money = business or Business()
    offers = offers_of(result, business, prices)
    budgets = budgets_of(offers)
    budget = usual_budget(result, offers, budgets)
    if len(budgets) > 1:
        budget = st.select_slider(
            say("Budget"),
            budgets,
            value=budget,
            format_func=lambda value: amount(say, value, money),
            key=f"budget_{experiment}_{len(budgets)}_{budgets[-1]:g}",  # other prices have other steps
            help=say("What could be spent next. What this experiment has cost is spent and not counted."),
        )
    advice = advice_of(result, business, budget, prices)
    if advice is None:
        return
    st.markdown(f"**{markdown(recommendation(say, result, advice, money))}**")
    options = option_table(say, result, advice, money)
    first = [say("Option"), say("Cost"), say("Expected gain")]  # what a telephone shows
    rest = [column for column in options.columns if column not in (*first, say("Remark"))]
    table(say, options[[*first, *rest]], "next_money", is_narrow=True)
    for option, remark in zip(options[say("Option")], options[say("Remark")], strict=True):
        if remark:  # sentences, which a column would cut off
            st.caption(markdown(say("{option}: {remark}", option=option, remark=remark)))
    st.caption(markdown(right_sentence(say, result)))
    st.markdown(markdown(curve_sentence(say, result)))
    found = result["next_money"]["curve"]
    if found is not None and found["points"]:
        alt = say("Projected KPI over the number of training queries, with a 95 % band and a mark at 4 times as many")
        figure(say, projected_curve(say, result), projection_table(say, result), "projected_curve", alt)
        st.caption(markdown(fit_sentence(say, result)))
    with st.expander(say("What this assumes")):
        for line in assumption_sentences(say, result):
            st.markdown(f"- {markdown(line)}")
