"""Time and cost before they are spent, from a short calibration on this device."""

from typing import Any

import streamlit as st

from rerank.errors import RerankError
from rerank.jobs.machine import machine
from rerank.planning.business import load_business
from rerank.planning.experiments import forecast_path
from rerank.planning.plan import TWO_STAGE, Plan
from rerank.store.artefacts import read_json
from rerank.ui.business_form import business_form
from rerank.ui.job_button import job_button
from rerank.ui.safe import markdown
from rerank.ui.show import problem
from rerank.wording.language import Say
from rerank.wording.machine import device_sentence
from rerank.wording.numbers import count, duration, score, usd


def forecast_panel(say: Say, plan: Plan) -> None:
    """Show the forecast of this plan, or offer to measure it."""
    st.subheader(say("What will it cost?"), anchor=False)
    try:
        st.write(markdown(device_sentence(say, machine())))
    except RerankError as error:
        problem(say, error.code, error.facts)
        return
    _assumptions(say)
    path = forecast_path(plan, "auto")
    if path.is_file():
        _forecast(say, read_json(path), any(name in TWO_STAGE for name in plan.strategies))
        return
    label = say("Predict time and cost (about a minute)")
    job_button(say, label, "forecast", {"plan": plan.to_dict(), "device": "auto"})


def _assumptions(say: Say) -> None:
    """Offer the business assumptions that count for every experiment without its own."""
    try:
        business = load_business()
    except RerankError as error:
        problem(say, error.code, error.facts)
        return
    with st.expander(say("What managers weigh: your assumptions")):
        st.caption(
            say(
                "They are not part of the locked plan: they change what is paid and earned, never what was trained or "
                "measured. Empty fields are not counted."
            )
        )
        business_form(say, business, None)


def _forecast(say: Say, found: dict[str, Any], two_stage: bool) -> None:
    parts = [(say("Gate 1: single stages"), found["gate_1"])]
    if two_stage:
        parts.append((say("Everything"), found["all"]))
    for column, (title, item) in zip(st.columns(len(parts) + 1), parts, strict=False):
        low, high = duration(item["seconds_low"], say), duration(item["seconds_high"], say)
        with column:
            st.metric(title, duration(item["seconds"], say), border=True)
            st.caption(
                say(
                    "Between {low} and {high}; {usd} ({usd_low} to {usd_high})",
                    low=low,
                    high=high,
                    usd=markdown(usd(item["cost_usd"])),
                    usd_low=markdown(usd(item["cost_usd_low"])),
                    usd_high=markdown(usd(item["cost_usd_high"])),
                )
            )
    teacher = found.get("teacher")
    if teacher is not None:
        st.caption(markdown(_teacher(say, teacher)))
    with st.columns(len(parts) + 1)[0]:
        st.caption(say("Recall ceiling of the candidates: {recall}", recall=score(found["recall_ceiling"])))


def _teacher(say: Say, teacher: dict[str, Any]) -> str:
    """Return what the teacher will cost: device time that is counted above, or money besides."""
    if "seconds" in teacher:
        return say(
            "Of this, the teacher {model} takes about {time} ({usd}) to score {n} documents.",
            model=teacher["model"],
            time=duration(teacher["seconds"], say),
            usd=usd(teacher["usd"]),
            n=count(teacher["n_pairs"]),
        )
    told = [
        say(
            "The teacher besides: {usd} ({usd_low} to {usd_high}) for about {n} questions.",
            usd=usd(teacher["usd"]),
            usd_low=usd(teacher["usd_low"]),
            usd_high=usd(teacher["usd_high"]),
            n=teacher["n_questions"],
        )
    ]
    if not teacher["is_counted"]:
        told.append(say("The range narrows once the endpoint has counted tokens itself."))
    affordable = teacher.get("n_unlabelled_affordable")  # earlier forecasts do not say
    if affordable is not None:
        told.append(say("Your limit for the teacher pays for {n} unlabelled queries as well.", n=count(affordable)))
    return say.joined(told)
