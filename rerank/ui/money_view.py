"""What does it cost, what does it bring, when does it pay: a result for those who decide about money."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from rerank.cost.business import Business
from rerank.errors import RerankError
from rerank.figures.kpi_cost import kpi_against_cost
from rerank.figures.payback import balances, payback
from rerank.report.decision import decision_with
from rerank.report.money import Money, Option, money_of, net_benefits
from rerank.ui.business_form import business_form
from rerank.ui.price_table import price_table
from rerank.ui.safe import markdown
from rerank.ui.show import figure, problem, table
from rerank.wording.business import assumption_table
from rerank.wording.decisions import decision_headline
from rerank.wording.language import Say
from rerank.wording.money import (
    background_sentences,
    criteria,
    money_sentences,
    money_table,
    projection_sentence,
    projection_table,
    stated_sentence,
)
from rerank.wording.names import strategy_name


def money_view(say: Say, experiment: str, result: Mapping[str, Any], business: Business | None) -> None:
    """Show a result in money, with the form for the assumptions that it rests on."""
    st.subheader(say("What it costs, what it brings, when it pays"), anchor=False)
    try:
        money = money_of(result, business)
    except RerankError as error:  # a price table that somebody broke
        problem(say, error.code, error.facts)
        return
    st.caption(markdown(stated_sentence(say, money.business)))
    _changed_decision(say, result, money)
    lines = money_sentences(say, money)
    if lines:
        st.markdown("\n".join(f"- {markdown(line)}" for line in lines))
    else:
        st.write(say("No strategy is recommended that would cost or bring anything."))
    with st.expander(say("What managers weigh: your assumptions")):
        st.caption(
            say(
                "They are not part of the locked plan: they change what is paid and earned, never what was trained or "
                "measured. Empty fields are not counted."
            )
        )
        business_form(say, business, experiment)
    shown = criteria(say, result, money)
    if business is not None and not shown.empty:
        st.table(shown.map(markdown).set_index(shown.columns[0]))
    _figures(say, result, money)
    table(say, money_table(say, money), "money")
    st.caption(
        say(
            "Costs are on top of today's search. Each range belongs to the 95 % interval of the gain; costs are taken "
            "as known. Benefits are exploratory and from a sample: a better order offline is not yet a success for "
            "users."
        )
    )
    _details(say, experiment, result, money)


def _changed_decision(say: Say, result: Mapping[str, Any], money: Money) -> None:
    """Say what would be recommended under these assumptions and prices, when that is something else."""
    other = decision_with(result, net_benefits(result, money.business))
    if other is not None:
        headline = decision_headline(say, {**result, "decision": other})
        text = say("With the assumptions and prices of now, the recommendation would be: {headline}", headline=headline)
        st.warning(markdown(text))


def _figures(say: Say, result: Mapping[str, Any], money: Money) -> None:
    option = money.options.get(money.recommended) if money.recommended else None
    has_payback = option is not None and bool(balances(money, option))
    columns = st.columns(2 if has_payback else 1)
    with columns[0]:
        heading = say("KPI against total cost")
        st.markdown(f"**{heading}**")
        drawn = kpi_against_cost(say, money, result["plan"]["primary_measure"])
        figure(say, drawn, money_table(say, money), "kpi_cost", say("KPI against total cost, one point per strategy"))
        explained = say(
            "Bars: 95 % interval of the difference to the first stage. Grey: another option is as good and not "
            "dearer, by point values."
        )
        remaining = [option for option in money.options.values() if option.dominated_by is None]
        joined = say("Dotted: the options that remain.") if len(remaining) > 1 else ""
        st.caption(say.joined(part for part in (explained, joined) if part))
    if option is not None and has_payback:
        with columns[1]:
            _payback(say, money, option)


def _payback(say: Say, money: Money, option: Option) -> None:
    heading = say("When {strategy} pays", strategy=markdown(strategy_name(say, option.strategy)))
    st.markdown(f"**{heading}**")
    rows = [
        {
            say("Month"): month,
            say("Earned minus spent"): item.value,
            say("at worst"): item.low,
            say("at best"): item.high,
        }
        for month, item in enumerate(balances(money, option))
    ]
    alt = say("Earned minus spent over the months, with a band for the 95 % interval of the gain")
    figure(say, payback(say, money, option), pd.DataFrame(rows), "payback", alt)
    st.caption(say("Band: 95 % interval of the gain. Where it lies on both sides of 0, it is open whether it pays."))


def _details(say: Say, experiment: str, result: Mapping[str, Any], money: Money) -> None:
    with st.expander(say("Proof of concept, prediction, energy")):
        for line in background_sentences(say, result, money):
            st.markdown(markdown(line))
    if money.projected:
        with st.expander(say("Projection to a GPU")):
            st.markdown(markdown(projection_sentence(say, money)))
            table(say, projection_table(say, money), "projection")
    with st.expander(say("Every assumption that counted")):
        table(say, assumption_table(say, money.business), "assumptions")
    with st.expander(say("Prices")):
        price_table(say, experiment)
