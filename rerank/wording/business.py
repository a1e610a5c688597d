"""The business assumptions in words: what each setting means and what it was set to."""

from collections.abc import Mapping

import pandas as pd

from rerank.cost.business import Business
from rerank.wording.amounts import amount
from rerank.wording.language import Say, later
from rerank.wording.money import GRIDS
from rerank.wording.names import name_of
from rerank.wording.numbers import NOTHING

LABELS: Mapping[str, str] = {
    "searches_per_month": later("Searches per month now"),
    "searches_per_month_later": later("Searches per month at the horizon (empty: as now)"),
    "horizon_months": later("Horizon in months"),
    "value_per_success": later("Value of one more successful search"),
    "success_measure": later("What counts as a successful search"),
    "retrain_every_months": later("Months between trainings (empty: trained once)"),
    "judgments_per_training": later("New judgments for each re-training"),
    "teacher_cost": later("Scores of an uploaded teacher, for one training (empty: not stated)"),
    "setup_cost": later("Integration, once"),
    "upkeep_per_month": later("Upkeep per month"),
    "n_judges": later("Judges"),
    "judge_hours_per_week": later("Hours of judging per judge and week"),
    "minutes_per_judgment": later("Minutes per judgment"),
    "max_serving_per_1k": later("Most that 1,000 searches may cost to serve"),
    "max_latency_ms": later("Longest p95 latency accepted, ms (shown; the plan's guardrail decides)"),
    "currency": later("Currency"),
    "per_usd": later("Rate: units of the currency per US dollar"),
    "rate_as_of": later("Date of the rate"),
    "watts": later("Power of the device in watts (empty: from the price table)"),
    "grid": later("Electricity grid"),
    "gpu": later("Project a CPU's numbers to this GPU"),
    "speed_ratio": later("How many times as fast that GPU is"),
    "speed_ratio_low": later("… at least"),
    "speed_ratio_high": later("… at most"),
    "ratio_source": later("Where these factors come from"),
}
SUCCESSES: Mapping[str, str] = {
    "Success@1": later("A relevant document comes first (Success@1)"),
    "kpi": later("Assumption: +0.01 KPI is one more success in 100 searches"),
}
AMOUNTS = ("value_per_success", "teacher_cost", "setup_cost", "upkeep_per_month", "max_serving_per_1k")


def assumption_table(say: Say, business: Business) -> pd.DataFrame:
    """Return every assumption with its value."""
    rows = {}
    for name, label in LABELS.items():
        value = getattr(business, name)
        if value in (None, ""):
            shown = NOTHING
        elif name in AMOUNTS:
            shown = amount(say, business.to_usd(value), business)
        elif name == "success_measure":
            shown = name_of(say, SUCCESSES, value)
        elif name == "grid":
            shown = name_of(say, GRIDS, value)
        else:
            shown = f"{value:,g}" if isinstance(value, float) else str(value)
        rows[say(label)] = shown
    return pd.DataFrame({say("Assumption"): list(rows), say("Value"): list(rows.values())})
