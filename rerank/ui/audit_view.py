"""The teacher's audit: a colour and a sentence, the figures behind them, the override, and the disagreements."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from rerank.audit.disagreements import MARKS
from rerank.audit.records import let_teach, marks, override_of, record_mark
from rerank.errors import RerankError
from rerank.figures.audit import AGREEMENT, BIASES, DIFFERENCES, confusion, intervals
from rerank.jobs import queue
from rerank.jobs.launch import start
from rerank.planning.experiments import load_locked
from rerank.planning.graph import distils
from rerank.ui import cached
from rerank.ui.safe import markdown, plain
from rerank.ui.show import figure, problem, table
from rerank.wording.audits import (
    BINNINGS,
    MARK_NAMES,
    audit_sentence,
    audit_table,
    colour_line,
    confusion_table,
    evidence_sentence,
    free_sentence,
    gate_sentences,
    scope_sentence,
    unmeasured_sentence,
    warning_sentences,
)
from rerank.wording.language import Say
from rerank.wording.names import name_of

TEXT_CHARS = 400


def audit_view(say: Say, experiment: str) -> None:
    """Show an experiment's teacher audit."""
    audit = cached.audit(experiment)
    if audit is None:
        _nothing_yet(say, experiment)
        return
    _colour(say, audit)
    _override(say, experiment, audit)
    _figures(say, audit)
    _disagreements(say, experiment, audit)


def _nothing_yet(say: Say, experiment: str) -> None:
    try:
        plan, _ = load_locked(experiment)
    except RerankError as error:
        problem(say, error.code, error.facts)
        return
    if distils(plan.strategies):
        st.info(say("The teacher is audited when the experiment runs, before anything is distilled."))
        st.page_link(
            "pages/runs.py",
            label=say("Open the run"),
            query_params={"experiment": experiment},
            icon=":material/play_circle:",
        )
    else:
        st.info(say("No strategy of this plan learns from a teacher: there is nothing to audit."))


def _colour(say: Say, audit: Mapping[str, Any]) -> None:
    shown = {"green": st.success, "amber": st.warning, "red": st.error}[audit["colour"]]
    shown(f"**{markdown(colour_line(say, audit))}** — {markdown(audit_sentence(say, audit))}")
    st.markdown(markdown(evidence_sentence(say, audit)))
    free = free_sentence(say, audit)
    if free:
        st.markdown(markdown(free))
    st.caption(markdown(scope_sentence(say, audit)))
    for sentence in warning_sentences(say, audit):
        st.warning(markdown(sentence), icon=":material/info:")
    missing = unmeasured_sentence(say, audit)
    if missing:
        st.caption(markdown(missing, 1000))


def _override(say: Say, experiment: str, audit: Mapping[str, Any]) -> None:
    """Show the signature that lets a red teacher teach, or the form for one."""
    if audit["colour"] != "red":
        return
    signed = override_of(experiment, audit["digest"])
    if signed is not None:
        for sentence in gate_sentences(say, {"override": signed}):
            st.warning(markdown(sentence, 600), icon=":material/edit:")
        return
    st.write(say("Distillation is stopped: what learns from this teacher is not trained. Everything else runs."))
    with st.expander(say("Let it teach all the same")):
        st.caption(say("Name and reason stay in the record and are printed with every result and export."))
        by = st.text_input(say("Your name"), key="override_by", max_chars=80)
        reason = st.text_input(say("Reason"), key="override_reason", max_chars=300)
        job = queue.experiment_job(experiment)
        live = job is not None and job.is_live
        if live:
            st.caption(say("The experiment is running. Sign when it has ended."))
        if st.button(
            say("Sign and train the strategies that were left out"),
            key="override",
            disabled=live or not by.strip() or not reason.strip(),
        ):
            let_teach(experiment, by=plain(by), reason=plain(reason))
            spec = {"gate": 2, "device": "auto"} if job is None else dict(job.spec)
            start("experiment", {**spec, "experiment": experiment})
            st.switch_page("pages/runs.py", query_params={"experiment": experiment})


def _figures(say: Say, audit: Mapping[str, Any]) -> None:
    rows = audit_table(say, audit)
    left, right = st.columns(2)
    with left:
        st.subheader(say("Better than what is free?"), anchor=False)
        name = say("KPI of the teacher minus other orders, with 95 % intervals")
        figure(say, intervals(say, audit, DIFFERENCES), rows, "audit_differences", name)
        st.subheader(say("Does it agree with the human?"), anchor=False)
        name = say("Agreement of teacher and human, with 95 % intervals")
        figure(say, intervals(say, audit, AGREEMENT), rows, "audit_agreement", name)
    with right:
        st.subheader(say("Is it biased?"), anchor=False)
        name = say("Biases of the teacher with 95 % intervals")
        figure(say, intervals(say, audit, BIASES, with_mark=True), rows, "audit_biases", name)
        st.caption(say("Grey band: up to 0.1 does not count. A bias counts when its whole interval lies outside."))
        if audit["confusion"]:
            counted = confusion_table(say, audit)
            name = say("How often which human grade met which grade of the teacher")
            figure(say, confusion(say, audit), counted, "audit_confusion", name)
            st.caption(markdown(name_of(say, BINNINGS, audit["binning"])))
    with st.expander(say("Every measure of the audit")):
        table(say, rows, "audit")


def _disagreements(say: Say, experiment: str, audit: Mapping[str, Any]) -> None:
    found = audit["disagreements"]
    if not found:
        return
    st.subheader(say("Where teacher and human disagree most"), anchor=False)
    known = marks(experiment)
    n_marked = sum(item["query_id"] in known for item in found)
    st.caption(
        say(
            "Either the teacher is wrong or the label. Your mark is kept at once and exported. "
            "{n} of {all} are marked.",
            n=n_marked,
            all=len(found),
        )
    )
    for place, item in enumerate(found):
        mark = known.get(item["query_id"], {}).get("mark")
        sign = f" · {name_of(say, MARK_NAMES, mark)}" if mark else ""
        with st.expander(markdown(f"{item['query']}{sign}", 160), expanded=place == 0):
            _one(say, experiment, item, mark)


def _one(say: Say, experiment: str, item: Mapping[str, Any], mark: str | None) -> None:
    st.text(plain(item["query"]))
    st.caption(say("Query {id} · τ-b = {tau}", id=markdown(item["query_id"], 60), tau=f"{item['tau']:.2f}"))
    sides = ((say("The teacher puts this first"), "above"), (say("The human grades this higher"), "below"))
    for column, (heading, side) in zip(st.columns(2), sides, strict=True):
        document = item[side]
        with column.container(border=True, height="stretch"):
            st.markdown(f"**{markdown(heading)}**")
            st.caption(
                say("Teacher's rank {rank} · human grade {grade}", rank=document["rank"], grade=document["grade"])
            )
            st.text(plain(document["title"] or document["doc_id"], 120))
            st.text(plain(document["text"], TEXT_CHARS))
    key = f"mark_{experiment}_{item['query_id']}"

    def chosen() -> None:
        record_mark(experiment, str(item["query_id"]), st.session_state[key])

    st.session_state.setdefault(key, mark)
    st.segmented_control(
        say("Whose error is it?"),
        list(MARKS),
        format_func=lambda code: name_of(say, MARK_NAMES, code),
        key=key,
        on_change=chosen,
    )
