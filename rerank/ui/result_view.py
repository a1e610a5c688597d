"""A result for managers: decision, cards, figures, table; then everything behind it."""

from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from rerank.cost.business import Business
from rerank.cost.teachers import training_usd
from rerank.errors import RerankError
from rerank.figures.forest import forest
from rerank.planning.business import load_business
from rerank.planning.experiments import experiment_folder
from rerank.planning.plan import CONTROLS, FUSION
from rerank.report.files import zip_bytes
from rerank.ui import cached
from rerank.ui.export_view import export_panel
from rerank.ui.money_view import money_view
from rerank.ui.next_money_view import next_money_view
from rerank.ui.override_form import override_form
from rerank.ui.result_details import circumstances, costs, deviations, guardrails, measures, segments, teacher
from rerank.ui.result_firmness import firmness
from rerank.ui.safe import markdown
from rerank.ui.show import figure, problem, table
from rerank.ui.strategies import explain
from rerank.ui.training_view import attribution, curve, inheritance
from rerank.ui.verdict import confirmatory_verdicts, decision_banner
from rerank.wording.amounts import amount
from rerank.wording.columns import measure_help
from rerank.wording.gains import gain_in_words
from rerank.wording.language import Say
from rerank.wording.names import STRATEGY_EXPLANATIONS, strategy_name
from rerank.wording.numbers import count, interval, milliseconds, score
from rerank.wording.record import deviation_sentences
from rerank.wording.tables import (
    IN_USD,
    against_first_stage,
    comparison_table,
    comparisons_of_quality,
    deciding_comparisons,
    strategy_table,
)
from rerank.wording.verdicts import significance_and_kind, verdict_name

CARDS_PER_ROW = 5


def result_view(say: Say, experiment: str) -> None:
    """Show an experiment's result."""
    result = cached.result(experiment)
    if result is None:
        st.info(say("There is no result yet."))
        return
    try:
        business = load_business(experiment)
    except RerankError as error:  # a file that somebody edited
        problem(say, error.code, error.facts)
        business = None
    money = business or IN_USD
    _what_was_measured(say, result)
    decision_banner(say, result)
    st.subheader(say("The questions locked in the plan"), anchor=False)
    confirmatory_verdicts(say, result)
    st.subheader(say("Strategies side by side"), anchor=False)
    _cards(say, result, money)
    everything, firm, paid, more, behind, take = st.tabs(
        [
            say("All strategies"),
            say("How firm?"),
            say("Money"),
            say("Judgments and stages"),
            say("Behind the numbers"),
            say("Take it with you"),
        ]
    )
    with everything:
        explain(say, result["strategies"])
        table(say, strategy_table(say, result, money), "strategies")
        _figures(say, result)
        _to_queries(say, experiment)
    with firm:
        firmness(say, result, experiment)
    with paid:
        money_view(say, experiment, result, business)
        next_money_view(say, experiment, result, business)
    with more:
        curve(say, result)
        attribution(say, result)
        teacher(say, result, experiment)
        inheritance(say, result)
    with behind:
        _behind(say, result, money)
    with take:
        _downloads(say, experiment)
        export_panel(say, experiment, result)


def _behind(say: Say, result: Mapping[str, Any], money: Business) -> None:
    with st.expander(say("How it was measured"), expanded=True):
        circumstances(say, result)
    with st.expander(say("Every comparison")):
        table(say, comparison_table(say, comparisons_of_quality(result)), "comparisons")
    with st.expander(say("Every measure")):
        measures(say, result)
    if result.get("guardrails"):
        with st.expander(say("Guardrails")):
            guardrails(say, result)
    with st.expander(say("Segments")):
        segments(say, result)
    with st.expander(say("Cost in detail")):
        costs(say, result, money)
    with st.expander(say("Deviations from the plan: {n}", n=len(result.get("deviations", ())))):
        deviations(say, result)
    with st.expander(say("Override the decision or a verdict")):
        override_form(say, result)


def _to_queries(say: Say, experiment: str) -> None:
    st.page_link(
        "pages/queries.py",
        label=say("See wins and losses query by query"),
        query_params={"experiment": experiment},
        icon=":material/search:",
    )


def _downloads(say: Say, experiment: str) -> None:
    st.download_button(
        say("Everything as a zip: result.json, runs, judgments, per-query scores"),
        data=lambda: zip_bytes(experiment_folder(experiment)),
        file_name=f"rerank-{experiment}.zip",
        mime="application/zip",
        key="zip",
        on_click="ignore",
    )


def _what_was_measured(say: Say, result: Mapping[str, Any]) -> None:
    data, plan = result["dataset"], result["plan"]
    text = say(
        "{name}: {n} test queries, KPI {measure}, margin ±{margin}, α = {alpha}, seeds: {seeds}, plan of {at} (UTC).",
        name=markdown(data["name"], 60),
        n=data["n_test_queries"],
        measure=plan["primary_measure"],
        margin=score(plan["margin"]),
        alpha=plan["alpha"],
        seeds=len(plan["seeds"]),
        at=plan["locked_at"][:16].replace("T", " "),
    )
    st.caption(text)
    limit = plan.get("max_queries")
    n_evaluable = _n_evaluable(result) if limit else None
    if n_evaluable is not None and n_evaluable > limit:
        used = say(
            "Only {n} of {all} queries were used (the plan's limit): run again with all of them before judging more.",
            n=count(limit),
            all=count(n_evaluable),
        )
        st.caption(f"**{markdown(used)}**")
    if plan["hypothesis"]:
        st.caption(say("Expected: {text}", text=markdown(plan["hypothesis"], 300)))
    found = deviation_sentences(say, result)
    if found:
        heading = say("Deviations from the plan: {n}", n=len(found))
        st.caption("\n".join([heading, "", *(f"- {markdown(sentence, 600)}" for sentence in found)]))


def _n_evaluable(result: Mapping[str, Any]) -> int | None:
    """Return how many queries could have been used; None when the dataset is not there to be asked."""
    try:
        return cached.n_evaluable(result["dataset"]["digest"], result["plan"]["relevant_grade"])
    except RerankError:
        return None


def _headline(result: Mapping[str, Any]) -> list[str]:
    """Return what a decision stands on: the reference, what is free, and the best of each kind of training."""
    decided = result["decision"]
    wanted = ("first-stage", "embedding", "embedding+fusion", decided["single_strategy"], decided["second_strategy"])
    return [name for name in dict.fromkeys(wanted) if name in result["strategies"]]


def _cards(say: Say, result: Mapping[str, Any], business: Business) -> None:
    primary = result["plan"]["primary_measure"]
    columns: list[DeltaGenerator] = []
    for place, name in enumerate(_headline(result)):
        record = result["strategies"][name]
        if place % CARDS_PER_ROW == 0:
            columns = st.columns(CARDS_PER_ROW)
        found = against_first_stage(result, name)
        significant = found is not None and found["verdict"] in ("better", "worse")
        with columns[place % CARDS_PER_ROW].container(border=True, height="stretch"):
            st.metric(
                strategy_name(say, name),
                score(record["measures"][primary]),
                delta=f"{found['delta']:+.3f}" if found and found["delta"] is not None else None,
                delta_color="normal" if significant else "off",
                help=" ".join(filter(None, (say(STRATEGY_EXPLANATIONS[name]), measure_help(say, primary)))),
            )
            if found is None:
                st.caption(say("reference"))
            else:
                gap = interval(found["ci_low"], found["ci_high"])
                facts = (verdict_name(say, found["verdict"]), gap, significance_and_kind(say, found))
                st.caption(markdown(" · ".join(filter(None, facts))))
                meant = gain_in_words(say, found)
                if meant:
                    st.caption(markdown(meant))
            cost = record["cost"]
            st.caption(
                markdown(
                    say(
                        "Training {train} · serving {serve} per 1,000 queries · p95 {latency}",
                        train=amount(say, training_usd(result, business, name), business),
                        serve=amount(say, cost["serve_usd_per_1k_queries"], business),
                        latency=milliseconds(record["latency_ms"]["p95"]),
                    )
                )
            )


def _figures(say: Say, result: Mapping[str, Any]) -> None:
    primary = result["plan"]["primary_measure"]
    mine = [item for item in result["comparisons"] if item["measure"] == primary]
    locked = [item for item in mine if item["confirmatory"] and item["reference"] != "first-stage"]
    against = [
        item
        for item in mine
        if item["reference"] == "first-stage" and item["challenger"].removesuffix(FUSION) not in CONTROLS
    ]
    shown = against + locked + [item for item in deciding_comparisons(result) if item not in locked]
    heading = say("Differences with 95 % intervals")
    st.markdown(f"**{heading}**")
    drawn = forest(say, shown, result["plan"]["margin"])
    figure(say, drawn, comparison_table(say, shown), "differences", say("Differences with 95 % intervals"))
    st.caption(say("Grey band: differences that do not matter (±δ)."))
