"""The plan's choices as a form; the result is a checked plan or a sentence that says what is wrong."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from rerank.errors import RerankError
from rerank.planning.check import check_plan
from rerank.planning.losses import losses_for
from rerank.planning.plan import (
    CONTROLS,
    FUSED,
    FUSION,
    LANGUAGE_MODELS,
    LOCAL_MODELS,
    MEASURES,
    PLAIN,
    STRATEGIES,
    Budget,
    FirstStage,
    FirstStageKind,
    Passages,
    Plan,
    Pool,
    Split,
    SplitKind,
    Teacher,
    Unlabelled,
    UnlabelledSource,
)
from rerank.planning.presets import CURVE_SHARES, PRESETS, TEMPLATES, preset, template
from rerank.ui import cached
from rerank.ui.plan_guardrails import guardrail_form
from rerank.ui.plan_teacher import teacher_settings
from rerank.ui.show import problem
from rerank.ui.strategies import explain
from rerank.wording.language import Say
from rerank.wording.names import (
    FIRST_STAGES,
    LOSSES,
    PASSAGES,
    POOLS,
    PRESET_NAMES,
    SPLITS,
    TEACHERS,
    UNLABELLED_SOURCES,
    name_of,
    strategy_name,
)
from rerank.wording.plans import ALL_QUESTIONS, HYPOTHESES
from rerank.wording.plans import TEMPLATES as TEMPLATE_NAMES

ALL = "all"  # no template: what the preset plans


def plan_form(say: Say, manifest: Mapping[str, Any]) -> Plan | None:
    """Show every choice and return the plan they make; None, with the reason, when they make none."""
    digest = str(manifest["digest"])
    chosen = st.radio(
        say("Start from"),
        PRESETS,
        index=0,
        format_func=lambda name: name_of(say, PRESET_NAMES, name),
        horizontal=True,
        key="plan_preset",
    )
    asked = st.selectbox(
        say("What do you want to know?"),
        (ALL, *TEMPLATES),
        format_func=lambda name: say(TEMPLATE_NAMES.get(name, ALL_QUESTIONS)),
        key="plan_template",
        help=say(
            "Fills in strategies, the questions that are locked, controls and learning curve. You can change all."
        ),
    )
    start = preset(chosen, digest)
    if asked != ALL:
        start = template(asked, start)
    # Keys carry preset, template and dataset: another one shows its own values instead of the old ones.
    key = f"{chosen}_{asked}_{digest[:8]}"
    hypothesis = st.text_input(
        say("What do you expect, in your own words?"),
        value=say(HYPOTHESES.get(asked, "")),
        key=f"hypothesis_{asked}_{digest[:8]}",
        max_chars=300,
    )
    plan = replace(start, hypothesis=hypothesis.strip())
    left, right = st.columns(2)
    with left:
        plan = _question(say, plan, key)
    with right:
        plan = _experiment(say, plan, key, manifest)
    plan = teacher_settings(say, plan, key)
    with st.expander(say("Guardrails: what must not get worse")):
        plan = guardrail_form(say, plan, key, has_segments=_has_segments(digest))
    with st.expander(say("Details: candidates, model, training, budget")):
        plan = _details(say, plan, key, manifest)
        plan = _more_for_training(say, plan, key)
    try:
        check_plan(plan)
    except RerankError as error:
        problem(say, error.code, error.facts)
        return None
    return plan


def _has_segments(digest: str) -> bool:
    try:
        return bool((cached.dataset(digest).queries["segment"] != "").any())
    except RerankError:  # said where the sample's power is shown
        return False


def _question(say: Say, plan: Plan, key: str) -> Plan:
    st.subheader(say("Question"), anchor=False)
    measure = st.selectbox(say("Primary measure (KPI)"), MEASURES, key=f"measure_{key}")
    margin = st.number_input(
        say("Margin δ: the smallest difference that matters"),
        min_value=0.001,
        max_value=0.5,
        value=plan.margin,
        step=0.005,
        format="%.3f",
        key=f"margin_{key}",
        help=say("Fixed before the results: two strategies that differ by less than δ count as equivalent."),
    )
    alpha = st.select_slider(
        say("Significance level α"), options=[0.01, 0.025, 0.05, 0.1], value=plan.alpha, key=f"alpha_{key}"
    )
    return replace(plan, primary_measure=measure, margin=round(margin, 6), alpha=alpha)


def _experiment(say: Say, plan: Plan, key: str, manifest: Mapping[str, Any]) -> Plan:
    st.subheader(say("Experiment"), anchor=False)
    picked = st.pills(
        say("Strategies, besides the first stage"),
        [name for name in PLAIN if name != "first-stage"],
        selection_mode="multi",
        default=[name for name in plan.strategies if name in PLAIN and name != "first-stage"],
        format_func=lambda name: strategy_name(say, name),
        key=f"strategies_{key}",
        wrap=True,
    )
    explain(say, (*PLAIN, *CONTROLS))
    is_fused = st.toggle(
        say("Fused forms, too"),
        value=any(name in FUSED for name in plan.strategies),
        key=f"fusion_{key}",
        help=say(
            "Mixes each strategy's scores with the first stage's and the embedding's, with weights fitted on "
            "queries that are not tested, as strategies of their own: a poor re-ranker cannot ruin a good first stage. "
            "Costs no training."
        ),
    )
    n_seeds = st.number_input(
        say("Seeds: how often everything is trained"),
        min_value=1,
        max_value=10,
        value=len(plan.seeds),
        key=f"seeds_{key}",
        help=say(
            "One seed leaves training luck unknown, two leave it hardly known: where they disagree, intervals become "
            "very wide. Three to five are worth their price."
        ),
    )
    is_controlled = st.toggle(
        say("Equal-budget controls, too"),
        value=any(name in CONTROLS for name in plan.strategies),
        key=f"controls_{key}",
        help=say(
            "One stage with as many steps as two have, and both signals in one training: they tell what of a second "
            "stage's gain is only more training. They cost about as much as all the other trainings together."
        ),
    )
    is_asked = plan.label_or_distil
    if {"C", "D"} <= set(picked):
        is_asked = st.toggle(
            say("D against C is a locked question, too"),
            value=plan.label_or_distil,
            key=f"label_or_distil_{key}",
            help=say("Label or distil? The more questions share α, the more queries each of them needs."),
        )
    teacher = st.selectbox(
        say("Teacher for distillation"),
        teachers_of(manifest),
        format_func=lambda name: name_of(say, TEACHERS, name),
        key=f"teacher_{key}",
    )
    plain = [*picked, *(CONTROLS if is_controlled else ())]
    fused = [f"{name}{FUSION}" for name in plain] if is_fused else []
    strategies = ("first-stage", *(name for name in STRATEGIES if name in (*plain, *fused)))
    return replace(
        plan,
        strategies=strategies,
        seeds=tuple(range(1, int(n_seeds) + 1)),
        teacher=teacher,
        label_or_distil=is_asked,
    )


def teachers_of(manifest: Mapping[str, Any]) -> list[Teacher]:
    """Return the teachers that a dataset can have, free ones first."""
    own: list[Teacher] = ["uploaded"] if manifest["n_teacher_scores"] else []
    return ["embedding", "fusion", *own, *LOCAL_MODELS, *LANGUAGE_MODELS]


def _more_for_training(say: Say, plan: Plan, key: str) -> Plan:
    """Ask for what goes beyond the judgments: unlabelled queries, a search of settings, the learning curve."""
    one, two, three = st.columns(3)
    with one:
        n_unlabelled = st.number_input(
            say("Unlabelled queries for distillation (0: none)"),
            0,
            1_000_000,
            value=plan.unlabelled.queries,
            step=50,
            key=f"unlabelled_{key}",
            help=say(
                "The teacher scores queries that nobody judged: those of your upload without a relevant document, "
                "then pseudo-queries made from documents (title against body, a sentence against the rest)."
            ),
        )
        sources: list[UnlabelledSource] = ["both", "log", "documents"]
        source = st.selectbox(
            say("Where they come from"),
            sources,
            index=sources.index(plan.unlabelled.source),
            format_func=lambda name: name_of(say, UNLABELLED_SOURCES, name),
            key=f"unlabelled_source_{key}",
        )
    with two:
        trials = st.number_input(
            say("Other settings to try (0: none)"),
            0,
            4,
            value=plan.search_trials,
            key=f"trials_{key}",
            help=say(
                "Each kind of training tries that many other learning rates and epochs and keeps what is best on "
                "development queries. Test queries are not looked at. Each one costs a training per fold."
            ),
        )
    with three:
        has_curve = st.toggle(
            say("Learning curve"),
            value=bool(plan.learning_curve.shares),
            key=f"curve_{key}",
            help=say("Trains C again on 10, 25 and 50 % of the training queries: would more judgments help?"),
        )
    # A strategy that is not planned has no curve.
    mine = tuple(name for name in plan.learning_curve.strategies if name in plan.strategies) or ("C",)
    shares = CURVE_SHARES if has_curve else ()
    return replace(
        plan,
        unlabelled=Unlabelled(int(n_unlabelled), source),
        search_trials=int(trials),
        learning_curve=replace(plan.learning_curve, shares=shares, strategies=mine),
    )


def _details(say: Say, plan: Plan, key: str, manifest: Mapping[str, Any]) -> Plan:
    one, two, three = st.columns(3)
    with one:
        kinds: list[FirstStageKind] = ["bm25", "embedding", "rrf"]
        if manifest["n_candidates"]:
            kinds.append("run")
        kind = st.selectbox(
            say("First stage"),
            kinds,
            format_func=lambda name: name_of(say, FIRST_STAGES, name),
            key=f"first_stage_{key}",
        )
        pools: list[Pool] = ["corpus", "judged"]
        pool = st.selectbox(
            say("Candidates from"),
            pools,
            format_func=lambda name: name_of(say, POOLS, name),
            key=f"pool_{key}",
        )
        depth = st.number_input(say("Candidates per query"), 2, 1000, value=plan.first_stage.depth, key=f"depth_{key}")
    with two:
        splits: list[SplitKind] = ["holdout", "kfold"]
        split = st.selectbox(
            say("How queries are divided"),
            splits,
            index=splits.index(plan.split.kind),
            format_func=lambda name: name_of(say, SPLITS, name),
            key=f"split_{key}",
        )
        if split == "holdout":
            test = st.slider(say("Share of test queries"), 0.1, 0.8, plan.split.test_share, 0.05, key=f"test_{key}")
            new_split = replace(plan.split, kind=split, test_share=test)
        else:
            folds = st.number_input(say("Folds"), 2, 20, value=plan.split.folds, key=f"folds_{key}")
            new_split = Split(kind="kfold", folds=int(folds), dev_share=plan.split.dev_share, seed=plan.split.seed)
        limit = st.number_input(
            say("At most this many queries (0: all)"), 0, 1_000_000, value=0, key=f"max_queries_{key}"
        )
        relevant = st.number_input(say("Relevant from grade"), 1, 100, value=plan.relevant_grade, key=f"relevant_{key}")
    with three:
        base = st.text_input(
            say("Base model"),
            value=plan.base_model,
            key=f"base_{key}",
            help=say("“embedded”, the path of a local folder, or a hub id (owner/name). Safetensors only."),
        )
        has_only_ranks = plan.teacher == "uploaded" and cached.teacher_has_only_ranks(plan.dataset_digest)
        losses = losses_for(plan.teacher, has_only_ranks=has_only_ranks)
        loss = st.selectbox(
            say("What D learns of the teacher"),
            losses,
            index=losses.index(plan.distillation.loss) if plan.distillation.loss in losses else 0,
            format_func=lambda name: name_of(say, LOSSES, name),
            key=f"loss_{plan.teacher}_{key}",  # another teacher may give less to learn
            help=say(
                "Scores say how much better a document is, an order only that it is better. Take an order when the "
                "teacher's scores are only ranks, or jump about."
            ),
        )
        readings: list[Passages] = ["first", "max"]
        passages = st.selectbox(
            say("Documents longer than a pair of {n} tokens", n=plan.max_length),
            readings,
            index=readings.index(plan.passages),
            format_func=lambda name: name_of(say, PASSAGES, name),
            key=f"passages_{key}",
            help=say("Passages find what stands late in a long document. Every passage takes time when ranking."),
        )
        epochs = st.number_input(
            say("Epochs at most (0: automatic)"), 0, 100, value=plan.contrastive.epochs, key=f"epochs_{key}"
        )
        rate = st.number_input(
            say("Learning rate (0: automatic)"),
            min_value=0.0,
            max_value=1e-1,
            value=plan.contrastive.learning_rate,
            format="%.1e",
            key=f"rate_{key}",
        )
        minutes = st.number_input(say("Time budget in minutes (0: none)"), 0, 100_000, value=0, key=f"minutes_{key}")
        usd = st.number_input(say("Money budget in USD (0: none)"), 0.0, 1e6, value=0.0, step=1.0, key=f"usd_{key}")
    return replace(
        plan,
        first_stage=FirstStage(kind=kind, pool=pool, depth=int(depth)),
        split=new_split,
        max_queries=int(limit) or None,
        relevant_grade=int(relevant),
        base_model=base.strip(),
        passages=passages,
        contrastive=replace(plan.contrastive, epochs=int(epochs), learning_rate=rate),
        distillation=replace(plan.distillation, loss=loss, epochs=int(epochs), learning_rate=rate),
        budget=Budget(minutes=minutes or None, usd=usd or None),
    )
