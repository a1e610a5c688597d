"""Locking the plan and starting its first gate."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from rerank.jobs.launch import start
from rerank.planning.experiments import lock_plan
from rerank.planning.plan import TWO_STAGE, Plan
from rerank.ui.safe import plain
from rerank.wording.language import Say


def start_panel(say: Say, plan: Plan, manifest: Mapping[str, Any]) -> None:
    """Offer to lock and start: gate 1 first, or everything at once."""
    st.subheader(say("Lock and start"), anchor=False)
    name = st.text_input(
        say("Name of the experiment"), value=plain(manifest["name"], 60), max_chars=80, key="experiment_name"
    )
    two_stage = any(item in TWO_STAGE for item in plan.strategies)
    gate = 2
    if two_stage:
        gate = st.radio(
            say("How far?"),
            [1, 2],
            format_func=lambda number: (
                say("Gate 1: single stages first, then decide (recommended)")
                if number == 1
                else say("Run all: single stages and the second stage")
            ),
            key="gate",
        )
    st.caption(
        say(
            "Starting locks the plan: question, KPI, margin and split cannot be changed afterwards. "
            "Its digest begins with {digest}.",
            digest=plan.digest[:12],
        )
    )
    if st.button(say("Lock the plan and start"), type="primary", key="start", disabled=not name.strip()):
        experiment = lock_plan(plan, name=plain(name.strip()), dataset_name=str(manifest["name"]))
        start("experiment", {"experiment": experiment, "gate": gate, "device": "auto"})
        st.switch_page("pages/runs.py", query_params={"experiment": experiment})
