"""What this number of queries can show, before anything is spent."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from rerank.errors import RerankError
from rerank.figures.power import detectable_effect
from rerank.planning.experiments import pilot_path
from rerank.planning.plan import Plan
from rerank.planning.power import Question, minimum_detectable_effect, queries_needed, spreads
from rerank.planning.splits import evaluable_queries, folds_of
from rerank.report.comparisons import family_size
from rerank.store.artefacts import read_json
from rerank.ui import cached
from rerank.ui.job_button import job_button
from rerank.ui.plan_capacity import capacity_panel
from rerank.ui.show import figure, numbers, problem, table
from rerank.wording.language import Say, later
from rerank.wording.numbers import count, score

_SIZES = (15, 25, 40, 60, 100, 150, 250, 400, 600, 1000, 2000)
TYPICAL_MEASURE = "nDCG@10"  # what the typical spreads belong to
QUESTIONS: Mapping[Question, str] = {
    "difference": later("That they differ, when the true difference is δ"),
    "not_worse": later("That one is not worse than the other by δ, when they are alike"),
    "equivalence": later("That they are equivalent within ±δ, when they are alike"),
}


def power_panel(say: Say, plan: Plan) -> None:
    """Show test queries, minimum detectable effects and queries needed for the plan's margin."""
    st.subheader(say("What can this sample show?"), anchor=False)
    try:
        folds = folds_of(cached.dataset(plan.dataset_digest), plan)
    except RerankError as error:
        problem(say, error.code, error.facts)
        return
    n_test = sum(len(fold.test) for fold in folds)
    n_train = round(sum(len(fold.train) for fold in folds) / len(folds))
    n_questions = max(1, family_size(plan))
    path = pilot_path(plan)
    pilot = read_json(path) if path.is_file() else None
    to_first, between = spreads(pilot["sd"] if pilot else None)
    detectable = partial(minimum_detectable_effect, alpha=plan.alpha, comparisons=n_questions)
    first, second = detectable(n_test, to_first), detectable(n_test, between)
    numbers(
        (
            (say("Test queries"), n_test),
            (say("Training queries"), n_train),
            (say("Detectable: to first stage"), score(first)),
            (say("Detectable: between two"), score(second)),
        )
    )
    st.caption(_where_from(say, plan, pilot, n_questions, (to_first, between)))
    needed = queries_needed(plan.margin, between, "equivalence", alpha=plan.alpha)
    if second > plan.margin:
        to_differ = queries_needed(plan.margin, between, "difference", alpha=plan.alpha, comparisons=n_questions)
        st.warning(_missed(say, plan, n_test, to_differ, needed))
    st.page_link(
        "pages/data.py",
        label=say("Is this sample good enough?"),
        icon=":material/fact_check:",
        query_params={"dataset": plan.dataset_digest},
    )
    with st.expander(say("How many queries does each answer need?")):
        _pilot(say, plan, pilot)
        _needed(say, plan, n_test, n_questions, (to_first, between))
        curves = {
            "to_first": [(n, detectable(n, to_first)) for n in _SIZES],
            "between": [(n, detectable(n, between)) for n in _SIZES],
        }
        frame = pd.DataFrame(
            {
                say("Test queries"): list(_SIZES),
                say("Detectable: to first stage"): [value for _, value in curves["to_first"]],
                say("Detectable: between two"): [value for _, value in curves["between"]],
            }
        )
        here = {"to_first": (n_test, first), "between": (n_test, second)}
        drawn = detectable_effect(say, curves, here, plan.margin)
        figure(say, drawn, frame, "power", say("Minimum detectable effect over the number of test queries"))
        table(say, frame, "power_table")
        capacity_panel(say, plan, max(0, needed - n_test), n_test)


def _missed(say: Say, plan: Plan, n_test: int, to_differ: int, to_equal: int) -> str:
    """Return what the test queries would probably miss, and whether a thorough plan would test more of them."""
    found = say(
        "With {n} test queries a true difference of δ = {margin} between two re-rankers would probably be missed: "
        "{differ} are needed to show it, {equal} to show equivalence.",
        n=count(n_test),
        margin=score(plan.margin),
        differ=count(to_differ),
        equal=count(to_equal),
    )
    n_usable = len(evaluable_queries(cached.dataset(plan.dataset_digest), plan))
    if plan.split.kind != "holdout" or n_usable <= n_test:
        return found
    more = say("“For a decision” would test all {n} evaluable queries.", n=count(n_usable))
    return say.joined([found, more])


def _where_from(
    say: Say, plan: Plan, pilot: Mapping[str, Any] | None, n_questions: int, sds: tuple[float, float]
) -> str:
    facts = {"alpha": plan.alpha, "n": n_questions, "first": score(sds[0]), "second": score(sds[1])}
    if pilot is not None:
        return say(
            "Smallest true difference found with 80 % probability at α = {alpha} over {n} questions. Spread of the "
            "differences to the first stage: {first}, from a pilot; between two re-rankers {second} is assumed, in the "
            "usual proportion.",
            **facts,
        )
    text = say(
        "Smallest true difference found with 80 % probability at α = {alpha} over {n} questions, for typical "
        "spreads of nDCG@10 differences ({first} and {second}).",
        **facts,
    )
    if plan.primary_measure != TYPICAL_MEASURE:
        other = say("{measure} spreads differently: run the pilot below.", measure=plan.primary_measure)
        text = f"{text} {other}"
    return text


def _pilot(say: Say, plan: Plan, pilot: Mapping[str, Any] | None) -> None:
    """Offer to measure the spread on this dataset, or say what was measured and on which queries."""
    if pilot is None:
        job_button(
            say,
            say("Measure the spread on this dataset (about a minute)"),
            "pilot",
            {"plan": plan.to_dict(), "device": "auto"},
        )
    else:
        st.caption(
            say(
                "Pilot, first stage against embedding: standard deviation of the {measure} differences {sd}, 95 % "
                "interval {low} to {high}, {n} queries.",
                measure=pilot["measure"],
                sd=score(pilot["sd"]),
                low=score(pilot["sd_low"]),
                high=score(pilot["sd_high"]),
                n=pilot["n_queries"],
            )
        )
    if plan.split.kind == "holdout":
        st.caption(say("A pilot uses training and development queries: test judgments are sealed until the lock."))
    else:
        st.caption(say("With folds nothing is sealed: a pilot looks at queries that are tested later."))


def _needed(say: Say, plan: Plan, n_test: int, n_questions: int, sds: tuple[float, float]) -> None:
    rows = []
    for question, words in QUESTIONS.items():
        row: dict[str, Any] = {say("To show with 80 % probability"): say(words)}
        for sd, name in zip(sds, (say("To the first stage"), say("Between two re-rankers")), strict=True):
            row[name] = queries_needed(plan.margin, sd, question, alpha=plan.alpha, comparisons=n_questions)
        rows.append(row)
    table(say, pd.DataFrame(rows), "queries_needed")
    st.caption(
        say("Test queries needed at δ = {margin}; this plan has {n}.", margin=score(plan.margin), n=count(n_test))
    )
