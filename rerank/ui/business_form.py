"""What managers weigh, as a form: traffic, value, capacity, limits, currency; changeable after the run."""

import dataclasses
import datetime
from typing import Any

import streamlit as st

from rerank.cost.business import CURRENCIES, SUCCESS_MEASURES, Business
from rerank.cost.prices import current_prices
from rerank.errors import RerankError
from rerank.planning.business import save_business
from rerank.ui.show import problem
from rerank.wording.business import LABELS, SUCCESSES
from rerank.wording.language import Say
from rerank.wording.money import GRIDS
from rerank.wording.names import name_of

_WHOLE = ("horizon_months", "retrain_every_months", "judgments_per_training", "n_judges")
_LOWEST = {"horizon_months": 1, "retrain_every_months": 1, "n_judges": 1, "minutes_per_judgment": 0.01}


def business_form(say: Say, business: Business | None, experiment: str | None) -> None:
    """Show the assumptions and save them: for an experiment, or with None for all that have no own."""
    start = business or Business()
    key = f"business_{experiment}"
    with st.form(key, border=False):
        _heading(say("Short-term effect against long-term scale"))
        found = _numbers(say, start, key, "searches_per_month", "searches_per_month_later", "horizon_months")
        found |= _benefit(say, start, key)
        found |= _numbers(say, start, key, "retrain_every_months", "setup_cost", "upkeep_per_month")
        _heading(say("In-house evaluation capacity"))
        found |= _numbers(say, start, key, "n_judges", "judge_hours_per_week", "minutes_per_judgment")
        found |= _numbers(say, start, key, "judgments_per_training", "teacher_cost")
        _heading(say("Operating cost"))
        found |= _numbers(say, start, key, "max_latency_ms", "max_serving_per_1k", "watts")
        _heading(say("Currency and projection"))
        found |= _currency(say, start, key)
        found |= _projection(say, start, key)
        for_all = False
        if experiment is not None:
            for_all = st.checkbox(say("Use these for every experiment without its own, too"), key=f"{key}_all")
        if st.form_submit_button(say("Save these assumptions"), type="primary"):
            _save(say, dataclasses.replace(start, **found), experiment, for_all)


def _label(say: Say, name: str) -> str:
    return say(LABELS[name])


def _heading(text: str) -> None:
    st.markdown(f"**{text}**")


def _save(say: Say, business: Business, experiment: str | None, for_all: bool) -> None:
    if business.currency == "USD":
        business = dataclasses.replace(business, per_usd=1.0, rate_as_of="")
    try:
        save_business(business, experiment)
        if for_all:
            save_business(business)
    except RerankError as error:
        problem(say, error.code, error.facts)
        return
    st.rerun()


def _numbers(say: Say, start: Business, key: str, *names: str) -> dict[str, Any]:
    """Show number fields side by side; an empty one is None, where that means something."""
    found: dict[str, Any] = {}
    for column, name in zip(st.columns(3), names, strict=False):
        value = getattr(start, name)
        kind: type = int if name in _WHOLE else float
        with column:
            given = st.number_input(
                _label(say, name),
                min_value=kind(_LOWEST.get(name, 0)),
                value=None if value is None else kind(value),
                step=None if kind is float else 1,
                format=None if kind is int else "%.6g",
                key=f"{key}_{name}",
            )
        default = next(item.default for item in dataclasses.fields(Business) if item.name == name)
        found[name] = default if given is None else given
    return found


def _benefit(say: Say, start: Business, key: str) -> dict[str, Any]:
    left, right = st.columns([1, 2])
    with left:
        value = st.number_input(
            _label(say, "value_per_success"),
            min_value=0.0,
            value=start.value_per_success,
            step=None,
            format="%.6g",
            key=f"{key}_value_per_success",
            help=say("In the currency chosen below. What one more search that finds what it looks for brings you."),
        )
    with right:
        measure = st.selectbox(
            _label(say, "success_measure"),
            SUCCESS_MEASURES,
            index=SUCCESS_MEASURES.index(start.success_measure),
            format_func=lambda name: name_of(say, SUCCESSES, name),
            key=f"{key}_success_measure",
        )
    return {"value_per_success": value, "success_measure": measure}


def _currency(say: Say, start: Business, key: str) -> dict[str, Any]:
    one, two, three = st.columns(3)
    with one:
        currency = st.selectbox(
            _label(say, "currency"), CURRENCIES, index=CURRENCIES.index(start.currency), key=f"{key}_currency"
        )
    with two:
        rate = st.number_input(
            _label(say, "per_usd"), 0.000001, 1e6, value=start.per_usd, step=None, format="%.6g", key=f"{key}_rate"
        )
    with three:
        dated = start.rate_as_of
        day = st.date_input(
            _label(say, "rate_as_of"),
            value=datetime.date.fromisoformat(dated) if dated else None,
            key=f"{key}_rate_as_of",
        )
    return {
        "currency": currency,
        "per_usd": float(rate),
        "rate_as_of": day.isoformat() if isinstance(day, datetime.date) else "",
    }


def _projection(say: Say, start: Business, key: str) -> dict[str, Any]:
    prices = current_prices()
    grids = [price.item for price in prices if price.kind == "carbon"] or [start.grid]
    gpus = ["", *(price.item for price in prices if price.kind == "gpu")]
    one, two, three, four, five = st.columns([3, 3, 2, 2, 2])
    with one:
        grid = st.selectbox(
            _label(say, "grid"),
            grids,
            index=grids.index(start.grid) if start.grid in grids else 0,
            format_func=lambda name: name_of(say, GRIDS, name),
            key=f"{key}_grid",
        )
    with two:
        gpu = st.selectbox(
            _label(say, "gpu"),
            gpus,
            index=gpus.index(start.gpu) if start.gpu in gpus else 0,
            format_func=lambda name: name or say("no projection"),
            key=f"{key}_gpu",
        )
    factors = {}
    for column, name in zip((three, four, five), ("speed_ratio", "speed_ratio_low", "speed_ratio_high"), strict=True):
        with column:
            factors[name] = float(
                st.number_input(
                    _label(say, name),
                    0.01,
                    1e5,
                    value=getattr(start, name),
                    format="%.6g",
                    step=None,
                    key=f"{key}_{name}",
                )
            )
    source = st.text_input(_label(say, "ratio_source"), value=start.ratio_source, max_chars=200, key=f"{key}_source")
    return {"grid": grid, "gpu": gpu, "ratio_source": source.strip(), **factors}
