"""The overview: the newest decision, the steps and the next one."""

import streamlit as st

from rerank.intake.storage import list_datasets
from rerank.jobs import queue
from rerank.planning.experiments import list_experiments
from rerank.ui import cached
from rerank.ui.safe import markdown
from rerank.ui.sample import sample_button
from rerank.ui.verdict import decision_banner
from rerank.wording.language import Say
from rerank.wording.progress import progress_line


def newest_decision(say: Say) -> None:
    """Show the newest result's decision, if there is one."""
    done = [item for item in list_experiments() if item["has_result"]]
    if not done:
        return
    result = cached.result(done[0]["id"])
    if result is None:
        return
    st.subheader(say("Newest result: {name}", name=markdown(done[0]["name"], 60)), anchor=False)
    decision_banner(say, result, brief=True)
    st.page_link(
        "pages/results.py",
        label=say("Open the result"),
        query_params={"experiment": done[0]["id"]},
        icon=":material/monitoring:",
    )


def steps(say: Say) -> None:
    """Show how far the work is, one card per step."""
    datasets, experiments = list_datasets(), list_experiments()
    live = [job for job in queue.jobs("experiment") if job.is_live]
    n_done = sum(bool(item["has_result"]) for item in experiments)
    st.subheader(say("Four steps"), anchor=False)
    cards = (
        ("pages/data.py", say("1. Data"), say("Upload a sample and see every problem in it."), len(datasets)),
        ("pages/plan.py", say("2. Plan"), say("Fix question, KPI and margin before training."), len(experiments)),
        ("pages/runs.py", say("3. Run"), say("Train in the background; stop and continue any time."), len(live)),
        ("pages/results.py", say("4. Decide"), say("Gain, certainty and cost side by side."), n_done),
    )
    counts = (say("datasets"), say("locked plans"), say("running now"), say("results"))
    for column, (page, title, text, count), unit in zip(st.columns(4), cards, counts, strict=True):
        with column.container(border=True, height="stretch"):
            st.page_link(page, label=f"**{title}**")
            st.caption(text)
            st.metric(unit, count)
    for job in live[:1]:
        st.info(markdown(progress_line(say, job)))


def next_step(say: Say) -> None:
    """Offer the one thing to do now."""
    if not list_datasets():
        st.subheader(say("Start here"), anchor=False)
        sample_button(say)
    elif not list_experiments():
        st.page_link("pages/plan.py", label=say("Next: make a plan"), icon=":material/edit_note:")
