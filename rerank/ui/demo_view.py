"""The demo: a typed query, orders side by side, blind if wanted."""

import random
from typing import Any

import pandas as pd
import streamlit as st

from rerank.errors import RerankError
from rerank.intake.dataset import Dataset
from rerank.jobs.demo import rank_query
from rerank.ui import cached
from rerank.ui.safe import plain
from rerank.ui.show import problem, user_rows
from rerank.ui.strategies import shown_first
from rerank.wording.language import Say
from rerank.wording.names import FIRST_STAGES, name_of, strategy_name
from rerank.wording.numbers import milliseconds

MAX_STRATEGIES = 3
TEXT_CHARS = 170
MAX_QUERY_CHARS = 500
BLIND_NAMES = "ABC"


def demo_view(say: Say, experiment: str) -> None:
    """Show the demo of an experiment."""
    result = cached.result(experiment)
    if result is None:
        return
    try:
        dataset = cached.dataset(result["dataset"]["digest"])
    except RerankError as error:
        problem(say, error.code, error.facts)
        return
    names = list(result["strategies"])
    with st.form("ask", border=False):
        query = st.text_input(
            say("Query"), key="demo_query", max_chars=MAX_QUERY_CHARS, placeholder=say("Type what your users type")
        )
        chosen = st.pills(
            say("Strategies (two or three)"),
            names,
            selection_mode="multi",
            default=list(dict.fromkeys([names[0], shown_first(result)])),
            format_func=lambda name: strategy_name(say, name),
            key="demo_strategies",
        )
        blind = st.toggle(say("Blind: hide the names until you reveal them"), key="demo_blind")
        asked = st.form_submit_button(say("Search"), type="primary")
    _examples(say, dataset)
    if asked:
        st.session_state["demo_order"] = random.sample(range(MAX_STRATEGIES), MAX_STRATEGIES)
        st.session_state["demo_reveal"] = False
    if not query.strip() or not chosen:
        st.caption(say("Type a query and choose strategies."))
        return
    if len(chosen) > MAX_STRATEGIES:
        st.warning(say("Choose three strategies at most."))
        return
    try:
        with st.spinner(say("Searching; the first query loads the models …")):
            answer = _ask(experiment, result["created_at"], query.strip(), tuple(chosen))
    except RerankError as error:
        problem(say, error.code, error.facts)
        return
    _answer(say, dataset, answer, list(chosen), blind)


@st.cache_data(max_entries=64, show_spinner=False, ttl=3600)
def _ask(experiment: str, created_at: str, query: str, strategies: tuple[str, ...]) -> dict[str, Any]:
    del created_at  # part of the key: a newer result answers anew
    return rank_query(experiment, query, list(strategies))


def _examples(say: Say, dataset: Dataset) -> None:
    with st.expander(say("Queries of the sample, to copy")):
        shown = dataset.queries[["text", "segment"]].head(200)
        user_rows(shown.rename(columns={"text": say("Query"), "segment": say("Segment")}), height=200)


def _answer(say: Say, dataset: Dataset, answer: dict[str, Any], chosen: list[str], blind: bool) -> None:
    order = chosen
    if blind:
        places = [place for place in st.session_state.get("demo_order", [0, 1, 2]) if place < len(chosen)]
        order = [chosen[place] for place in places]
        if st.button(say("Reveal the names"), key="reveal"):
            st.session_state["demo_reveal"] = True
    hidden = blind and not st.session_state.get("demo_reveal", False)
    st.caption(
        say(
            "{n} candidates from {search} in {time}; every strategy orders the same ones.",
            n=answer["n_candidates"],
            search=name_of(say, FIRST_STAGES, answer["searched_with"]),
            time=milliseconds(answer["search_ms"]),
        )
    )
    documents = dataset.documents.set_index("doc_id")
    for place, (column, name) in enumerate(zip(st.columns(len(order)), order, strict=True)):
        found = answer["answers"].get(name)
        if found is None:
            continue
        with column:
            shown = BLIND_NAMES[place] if hidden else strategy_name(say, name)
            st.subheader(shown, anchor=False)
            if not hidden:
                st.caption(say("{time} for this query", time=milliseconds(found["latency_ms"])))
                if found["trained_on_query"]:
                    st.caption(say("This query was used in training: the order is flattered."))
            _documents(say, documents, found, moves=not hidden and name != "first-stage")


def _documents(say: Say, documents: pd.DataFrame, found: dict[str, Any], *, moves: bool) -> None:
    for rank, (doc_id, first) in enumerate(zip(found["documents"], found["first_ranks"], strict=True), start=1):
        row = documents.loc[doc_id]
        with st.container(border=True):
            st.text(f"{rank}. {plain(row['title'] or doc_id, 100)}")
            if moves:
                moved = "=" if first == rank else f"▲ {first - rank}" if first > rank else f"▼ {rank - first}"
                st.caption(say("{moved} against the first stage", moved=moved))
            st.text(plain(row["text"], TEXT_CHARS))
