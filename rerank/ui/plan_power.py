"""What this number of queries can show, before anything is spent."""

import pandas as pd
import streamlit as st

from rerank.errors import RerankError
from rerank.figures.power import detectable_effect
from rerank.planning.plan import Plan
from rerank.planning.power import (
    SD_BETWEEN_RERANKERS,
    SD_FIRST_STAGE,
    minimum_detectable_effect,
    queries_needed,
)
from rerank.planning.splits import folds_of
from rerank.report.comparisons import family_size
from rerank.ui import cached
from rerank.ui.show import figure, numbers, problem
from rerank.wording.language import Say
from rerank.wording.numbers import score

_SIZES = (15, 25, 40, 60, 100, 150, 250, 400, 600, 1000, 2000)


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
    settings = {"alpha": plan.alpha, "comparisons": n_questions}
    first = minimum_detectable_effect(n_test, SD_FIRST_STAGE, **settings)  # type: ignore[arg-type]
    second = minimum_detectable_effect(n_test, SD_BETWEEN_RERANKERS, **settings)  # type: ignore[arg-type]
    numbers(
        (
            (say("Test queries"), n_test),
            (say("Training queries"), n_train),
            (say("Detectable: to first stage"), score(first)),
            (say("Detectable: between two"), score(second)),
        )
    )
    st.caption(
        say(
            "Smallest true difference found with 80 % probability at α = {alpha} over {n} questions, for typical "
            "spreads of nDCG@10 differences ({first} and {second}).",
            alpha=plan.alpha,
            n=n_questions,
            first=SD_FIRST_STAGE,
            second=SD_BETWEEN_RERANKERS,
        )
    )
    needed = queries_needed(plan.margin, SD_BETWEEN_RERANKERS, "equivalence", alpha=plan.alpha)
    if second > plan.margin:
        st.warning(
            say(
                "A difference of δ = {margin} between two strategies would probably be missed: about {n} test "
                "queries would be needed to show equivalence.",
                margin=score(plan.margin),
                n=needed,
            )
        )
    curve = [(n, minimum_detectable_effect(n, SD_BETWEEN_RERANKERS, **settings)) for n in _SIZES]  # type: ignore[arg-type]
    frame = pd.DataFrame(curve, columns=[say("Test queries"), say("Minimum detectable effect")])
    with st.expander(say("Detectable effect over the number of queries")):
        drawn = detectable_effect(say, curve, n_test, second, plan.margin)
        figure(say, drawn, frame, "power", say("Minimum detectable effect over the number of test queries"))
