"""One experiment's run: live progress, stop, continue, the gate, the log."""

from typing import Any

import pandas as pd
import streamlit as st

from rerank.errors import RerankError
from rerank.figures.training import losses
from rerank.jobs import queue
from rerank.jobs.launch import start
from rerank.jobs.records import Job
from rerank.planning.experiments import experiment_folder, gates, load_locked, record_gate
from rerank.planning.plan import TWO_STAGE, Plan
from rerank.report.files import read_log
from rerank.ui import cached
from rerank.ui.safe import markdown, plain
from rerank.ui.show import numbers, problem, table
from rerank.wording.decisions import GATE, gate_sentence
from rerank.wording.language import Say
from rerank.wording.names import STATES, name_of
from rerank.wording.numbers import duration, usd
from rerank.wording.progress import progress_line

LOG_ROWS = 300


def run_view(say: Say, experiment: str) -> None:
    """Show an experiment's run."""
    try:
        plan, locked = load_locked(experiment)
    except RerankError as error:
        problem(say, error.code, error.facts)
        return
    st.caption(
        say(
            "Plan locked {at} (UTC), digest {digest}, dataset {dataset}",
            at=locked["locked_at"][:16].replace("T", " "),
            digest=locked["digest"][:12],
            dataset=markdown(locked["dataset_name"], 60),
        )
    )
    _progress(say, experiment)
    _result_link(say, experiment)
    _gate(say, experiment, plan)
    _log(say, experiment)


def _progress(say: Say, experiment: str) -> None:
    job = queue.experiment_job(experiment)
    live = job is not None and job.is_live

    @st.fragment(run_every="2s" if live else None)
    def progress() -> None:
        now = queue.experiment_job(experiment)
        if now is None:
            if cached.result(experiment) is None:
                st.info(say("Not started yet."))
                _start_button(say("Start"), experiment, 2)
            return
        _state(say, now)
        if now.is_live:
            _live(say, now, experiment)
        elif live:
            st.rerun()  # once, on the way from live to ended: the rest of the page changes too

    progress()


def _state(say: Say, job: Job) -> None:
    spent = job.progress.get("seconds")
    left = job.progress.get("seconds_left") if job.is_live else None
    st.markdown(say("State: **{state}**", state=name_of(say, STATES, job.state)))
    numbers(
        (
            (say("Time so far"), duration(spent, say)),
            (say("Time left"), duration(left, say)),
            (say("Cost so far"), usd(job.progress.get("cost_usd"))),
        )
    )
    if job.state == "failed" and job.error is not None:
        problem(say, str(job.error["code"]), dict(job.error["facts"]))
    if job.state in ("failed", "stopped", "lost"):
        st.write(say("Everything that was finished is kept. Continue takes up where it stopped."))
        _start_button(say("Continue"), str(job.spec["experiment"]), int(job.spec["gate"]))


def _live(say: Say, job: Job, experiment: str) -> None:
    st.progress(min(1.0, float(job.progress.get("share") or 0.0)), text=markdown(progress_line(say, job)))
    events = read_log(experiment_folder(experiment))
    st.plotly_chart(losses(say, events), width="stretch", key="live_loss", alt=say("Loss per step of every stage"))
    if job.stop_requested:
        st.write(say("Stopping …"))
    elif st.button(say("Stop this run"), key="stop"):
        queue.request_stop(job.id)
        st.rerun(scope="fragment")


def _start_button(label: str, experiment: str, gate: int) -> None:
    if st.button(label, type="primary", key="continue"):
        _start(experiment, gate)
        st.rerun()


def _start(experiment: str, gate: int) -> None:
    """Start on the device that the last start chose: another one would train everything again."""
    last = queue.experiment_job(experiment)
    device = "auto" if last is None else str(last.spec.get("device", "auto"))
    start("experiment", {"experiment": experiment, "gate": gate, "device": device})


def _result_link(say: Say, experiment: str) -> None:
    if cached.result(experiment) is not None:
        st.page_link(
            "pages/results.py",
            label=say("Open the result"),
            query_params={"experiment": experiment},
            icon=":material/monitoring:",
        )


def _gate(say: Say, experiment: str, plan: Plan) -> None:
    result = cached.result(experiment)
    job = queue.experiment_job(experiment)
    two_stage = any(name in TWO_STAGE for name in plan.strategies)
    if result is None or not two_stage or result["gate"] != 1 or (job is not None and job.is_live):
        _decided(say, experiment)
        return
    st.subheader(say("Gate 1: go on to the second stage?"), anchor=False)
    recommended = str(result["gate_one"]["recommended"])
    st.info(markdown(gate_sentence(say, result["gate_one"])))
    by = st.text_input(say("Your name"), key="gate_by", max_chars=80)
    reason = st.text_input(say("Reason, if you decide otherwise"), key="gate_reason", max_chars=300)
    go, no_go = st.columns(2)
    for column, decided, label in ((go, "go", say("Go: run the second stage")), (no_go, "no_go", say("No-go"))):
        # Going against the recommendation needs a name and a reason: they stay in the record.
        missing = not by.strip() or (decided != recommended and not reason.strip())
        if column.button(label, key=f"gate_{decided}", disabled=missing, width="stretch"):
            record_gate(
                experiment, decided=decided, recommended=recommended, by=plain(by.strip()), reason=plain(reason.strip())
            )
            if decided == "go":
                _start(experiment, 2)
            st.rerun()
    _decided(say, experiment)


def _decided(say: Say, experiment: str) -> None:
    for item in gates(experiment):
        facts: dict[str, Any] = {name: markdown(item[name], 300) for name in ("by", "reason")}
        facts["at"] = item["at"][:16].replace("T", " ")
        facts["decided"] = name_of(say, GATE, item["decided"])
        facts["recommended"] = name_of(say, GATE, item["recommended"])
        st.caption(say("Gate 1: {decided} by {by}, {at} (recommended: {recommended}). {reason}", **facts))


def _log(say: Say, experiment: str) -> None:
    events = read_log(experiment_folder(experiment))
    if not events:
        return
    with st.expander(say("Training curves and log")):
        if any(event.get("event") == "step" for event in events):
            st.plotly_chart(
                losses(say, events), width="stretch", key="final_loss", alt=say("Loss per step of every stage")
            )
        rows = [
            {
                say("Time"): event.get("at", ""),
                say("Event"): event.get("event", ""),
                say("Facts"): plain(
                    ", ".join(f"{name}={value}" for name, value in event.items() if name not in ("at", "event")), 300
                ),
            }
            for event in events
            if event.get("event") != "step"
        ]
        table(say, pd.DataFrame(rows[-LOG_ROWS:]), "log")
