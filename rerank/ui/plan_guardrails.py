"""The plan's guardrails as a form: each off until somebody asks for it, with a sensible limit to start from."""

from dataclasses import replace

import streamlit as st

from rerank.planning.plan import Guardrails, Plan
from rerank.wording.language import Say

# Where the limits start once they are asked for; nobody's rule, each depends on the search.
LATENCY_MS, RECALL, SEGMENT_DROP, HARMED_SHARE = 300.0, 0.8, 0.05, 0.15


def guardrail_form(say: Say, plan: Plan, key: str, *, has_segments: bool) -> Plan:
    """Ask for each guardrail and its limit."""
    st.caption(
        say(
            "A strategy that breaks one is not recommended, however large its gain. The limits are locked with the "
            "plan and compared with what this sample shows, on this device."
        )
    )
    left, right = st.columns(2)
    with left:
        latency = _limit(
            say("Latency: p95 that re-ranking adds to a search, in ms, at most"),
            LATENCY_MS,
            1e6,
            10.0,
            f"latency_{key}",
        )
        recall = _limit(say("Recall of the candidates, at least"), RECALL, 1.0, 0.05, f"recall_{key}")
    with right:
        drop = None
        if has_segments:
            drop = _limit(
                say("Fall of the worst segment in units of the KPI, at most"), SEGMENT_DROP, 1.0, 0.01, f"segment_{key}"
            )
        share = _limit(
            say("Share of queries harmed by more than .1, at most"), HARMED_SHARE, 1.0, 0.01, f"harmed_{key}"
        )
    return replace(plan, guardrails=Guardrails(latency, recall, drop, share))


def _limit(label: str, start: float, most: float, step: float, key: str) -> float | None:
    if not st.toggle(label, key=f"has_{key}"):
        return None
    return float(
        st.number_input(label, 0.0, most, value=start, step=step, key=f"limit_{key}", label_visibility="collapsed")
    )
