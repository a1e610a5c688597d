"""How firm the answers are: other choices, unjudged documents, and the ceiling."""

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from rerank.figures.ceiling import ceiling_figure
from rerank.figures.stability import stability_forest
from rerank.planning.experiments import experiment_folder
from rerank.ui import cached
from rerank.ui.safe import markdown
from rerank.ui.show import table, user_rows
from rerank.wording.firmness import (
    ceiling_sentence,
    ceiling_table,
    stability_sentence,
    stability_table,
    to_judge_table,
    unjudged_questions_table,
    unjudged_sentence,
    unjudged_strategies_table,
)
from rerank.wording.language import Say

SHOWN_TO_JUDGE = 20


def firmness(say: Say, result: Mapping[str, Any], experiment: str) -> None:
    """Show three tabs: stability of the verdicts, unjudged documents, ceiling."""
    if "stability" not in result:  # written before there was any of this
        return
    st.subheader(say("How firm is the answer?"), anchor=False)
    stability, unjudged, ceiling = st.tabs([say("Stability"), say("Unjudged documents"), say("Ceiling")])
    with stability:
        _stability(say, result)
    with unjudged:
        _unjudged(say, result, experiment)
    with ceiling:
        st.markdown(markdown(ceiling_sentence(say, result)))
        _draw(ceiling_figure(say, result), "ceiling", say("KPI between today's order and the ceilings"))
        table(say, ceiling_table(say, result), "ceiling")


def _draw(drawn: go.Figure, name: str, alt: str) -> None:
    """Show a figure whose table stands below it."""
    st.plotly_chart(drawn, width="stretch", key=f"figure_{name}", config={"displaylogo": False}, alt=alt)


def _stability(say: Say, result: Mapping[str, Any]) -> None:
    cards = result["stability"]
    if not cards:
        st.write(say("No locked question has an answer yet."))
        return
    st.caption(
        say(
            "The same question under other choices: without a segment, by other measures, α and δ one step up and "
            "down, some grades changed by chance, one training alone. A verdict survives when it stays the same."
        )
    )
    main = {(item["reference"], item["challenger"]): item for item in result["comparisons"] if item["confirmatory"]}
    for place, card in enumerate(cards):
        with st.expander(markdown(stability_sentence(say, card))):
            drawn = stability_forest(say, card, main[card["reference"], card["challenger"]])
            name = f"stability_{place + 1}"
            _draw(drawn, name, say("Difference and 95 % interval under every other choice"))
            st.caption(say("Dotted line: the difference of the locked question itself."))
            table(say, stability_table(say, card), name)


def _unjudged(say: Say, result: Mapping[str, Any], experiment: str) -> None:
    record = result["unjudged"]
    for item in record["comparisons"]:
        st.markdown(f"**{markdown(unjudged_sentence(say, item))}**")
    if record["comparisons"]:
        table(say, unjudged_questions_table(say, record), "unjudged_questions")
    table(say, unjudged_strategies_table(say, result), "unjudged_strategies")
    st.caption(
        markdown(
            say(
                "“Relevant” gives grade {grade} to every unjudged document among the first {depth} of a strategy, or "
                "of both sides of a question. A perfect order then holds these documents too: a value can also fall.",
                grade=record["assumed_grade"],
                depth=record["depth"],
            )
        )
    )
    if any(item["flips"] for item in record["comparisons"]):
        _to_judge(say, result, experiment)


def _to_judge(say: Say, result: Mapping[str, Any], experiment: str) -> None:
    rows = cached.to_judge(experiment)
    heading = say("Judgments that would settle it, the most influential first")
    st.markdown(f"**{markdown(heading)}**")
    st.download_button(
        say("All {n} as CSV, ready for judging: fill in the column “grade”", n=f"{len(rows):,}"),
        data=lambda: (experiment_folder(experiment) / "to_judge.csv").read_bytes(),
        file_name=f"to-judge-{experiment}.csv",
        mime="text/csv",
        key="to_judge",
        icon=":material/download:",
        on_click="ignore",
    )
    st.page_link(
        "pages/judge.py",
        label=say("Judge them here, blind and by keyboard"),
        icon=":material/rate_review:",
        query_params={"dataset": str(result["dataset"]["digest"]), "settle": experiment, "view": "new"},
    )
    user_rows(to_judge_table(say, list(result["strategies"]), rows.head(SHOWN_TO_JUDGE)))
    st.caption(say("Influence: how far the mean difference would move if this document alone were relevant."))
