"""The price table as a page part: edit, check, save as the user's own."""

import datetime
from typing import Any

import pandas as pd
import streamlit as st

from rerank.cost.prices import Price, current_prices, own_table, write_prices
from rerank.errors import RerankError
from rerank.ui.safe import markdown, plain
from rerank.ui.show import problem
from rerank.wording.language import Say
from rerank.wording.prices import old_prices

_FIELDS = ("kind", "item", "unit", "usd", "as_of", "source")


def price_table(say: Say, key: str) -> None:
    """Show the price table, editable, and what in it is old or assumed."""
    try:
        prices = current_prices()
    except RerankError as error:
        problem(say, error.code, error.facts)
        return
    st.caption(
        say("Your own price table counts.")
        if own_table().is_file()
        else say("The bundled price table counts until you save your own.")
    )
    frame = pd.DataFrame([{name: getattr(price, name) for name in _FIELDS} for price in prices])
    edited = st.data_editor(
        frame,
        num_rows="dynamic",
        hide_index=True,
        width="stretch",
        key=f"prices_{key}",
        column_config={
            "kind": st.column_config.TextColumn(say("Kind"), required=True),
            "item": st.column_config.TextColumn(say("Item"), required=True, width="medium"),
            "unit": st.column_config.TextColumn(say("Unit"), required=True),
            "usd": st.column_config.NumberColumn(say("USD (or g CO₂e, or W)"), min_value=0.0, format="%.6g"),
            "as_of": st.column_config.TextColumn(say("As of"), required=True),
            "source": st.column_config.TextColumn(say("Source"), required=True, width="medium"),
        },
    )
    for line in old_prices(say, prices, datetime.date.today()):
        st.caption(markdown(line))
    if st.button(say("Save as my own prices"), key=f"save_prices_{key}"):
        try:
            write_prices([_price(row) for row in edited.to_dict("records")])
        except RerankError as error:
            problem(say, error.code, error.facts)
            return
        st.rerun()


def _price(row: dict[Any, Any]) -> Price:
    """Return a row as a price; what is empty stays empty and is refused when it is written."""
    text = {name: "" if pd.isna(row[name]) else plain(row[name]).strip() for name in _FIELDS if name != "usd"}
    return Price(usd=float("nan") if pd.isna(row["usd"]) else float(row["usd"]), **text)
