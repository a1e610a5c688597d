"""A new judging task: what to judge, in which order, on which scale, by which guideline."""

import pandas as pd
import streamlit as st

from rerank.errors import RerankError
from rerank.intake.dataset import Dataset
from rerank.judging.pool import (
    at_most,
    bm25_ranking,
    bm25_ranking_path,
    is_searched_by_job,
    people_judged,
    pool_of,
    settling,
)
from rerank.judging.tasks import MAX_GRADE, MAX_PAIRS, ORDERS, Settings, create_task
from rerank.planning.experiments import list_experiments
from rerank.store.artefacts import read_parquet
from rerank.ui import cached
from rerank.ui.choose import experiment_label
from rerank.ui.job_button import job_button
from rerank.ui.safe import plain
from rerank.ui.session import asked_for
from rerank.ui.show import problem
from rerank.wording.language import Say

NAME_CHARS = 80
GUIDELINE_CHARS = 20_000
POOL, BM25, RUN = "pool", "bm25", "run"
EVERYBODY = 0
VIEW_KEY = "judge_view_"  # what the page shows of a task
DEFAULT_HIGHEST = 3


def new_task_form(say: Say, dataset: Dataset) -> None:
    """Ask for everything that makes a task, and make it."""
    experiments = {
        item["id"]: experiment_label(item)
        for item in list_experiments()
        if item["has_result"] and item["plan"]["dataset_digest"] == dataset.digest
    }
    what = _what(say, experiments)
    sources: list[str] = []
    depth, maximum = 0, MAX_PAIRS
    if what == POOL:
        sources, depth, maximum = _pool_fields(say, dataset, experiments)
    one, two = st.columns(2)
    order = one.selectbox(
        say("Order"),
        ORDERS,
        index=0 if what == POOL else 1,
        format_func=lambda name: say("random") if name == "random" else say("the most telling pairs first"),
        help=say(
            "Random hides any pattern. The most telling: for pooled results, queries of which least is judged; "
            "for a verdict, the documents that move it most. Take it when there is no time for all."
        ),
        key=f"judging_order_{what}",
    )
    per_pair = two.selectbox(
        say("Raters per pair"),
        (EVERYBODY, 1, 2, 3),
        format_func=lambda n: say("everybody judges everything") if n == EVERYBODY else f"{n}",
        help=say("The first 20 pairs are judged by all, so that agreement can be told early."),
        key="ratings_per_pair",
    )
    meanings = _scale(say, dataset)
    guideline = st.text_area(
        say("Guideline"), value=_guideline(say), height=150, max_chars=GUIDELINE_CHARS, key="new_guideline"
    )
    name = st.text_input(say("Name of the task"), value=say("first round"), max_chars=NAME_CHARS, key="task_name")
    is_searched = BM25 not in sources or not is_searched_by_job(dataset) or bm25_ranking_path(dataset, depth).is_file()
    if not is_searched:
        st.info(
            say(
                "With so many documents the search for pairs takes minutes, once: start it here. It goes on when you "
                "close the page, and what was finished stays if it is stopped."
            )
        )
        job_button(say, say("Search for what nobody has judged"), "pool", {"dataset": dataset.digest, "depth": depth})
    ready = bool(plain(name).strip()) and all(meanings) and (what != POOL or bool(sources)) and is_searched
    if not st.button(say("Start judging"), type="primary", disabled=not ready, key="create_task"):
        return
    try:
        with st.spinner(say("Collecting what nobody has judged …")):
            pairs = _pairs(dataset, what, sources, depth)
            pairs = at_most(pairs, maximum, by_priority=order == "priority")
        source: dict[str, object] = {"pool": sources, "depth": depth} if what == POOL else {"settles": what}
        task = create_task(
            dataset.digest,
            pairs,
            name=plain(name).strip(),
            guideline=guideline,
            settings=Settings(tuple(meanings), order, per_pair, source),
        )
    except RerankError as error:
        problem(say, error.code, error.facts)
        return
    for widget in [name for name in st.session_state if str(name).startswith(("pick_task", VIEW_KEY))]:
        del st.session_state[widget]  # the new task is shown, ready to be judged
    for parameter in ("view", "settle"):
        st.query_params.pop(parameter, None)
    st.query_params["task"] = task.id
    st.rerun()


def _what(say: Say, experiments: dict[str, str]) -> str:
    """Ask what to judge: pooled results, or what would settle an experiment's verdicts."""
    options = [POOL, *(identity for identity in experiments if len(cached.to_judge(identity)))]
    if len(options) == 1:
        return POOL
    asked = asked_for("settle", options)
    return st.radio(
        say("What to judge"),
        options,
        index=options.index(asked) if asked else 0,
        format_func=lambda option: (
            say("Results that nobody has judged")
            if option == POOL
            else say(
                "What would settle the verdicts of {experiment}: {n} pairs",
                experiment=experiments[option],
                n=f"{len(cached.to_judge(option)):,}",
            )
        ),
        key="what_to_judge",
    )


def _pool_fields(say: Say, dataset: Dataset, experiments: dict[str, str]) -> tuple[list[str], int, int]:
    names = {BM25: say("BM25 over all documents")}
    if dataset.candidates is not None:
        names = {RUN: say("Your own search"), **names}
    for identity, name in experiments.items():
        names[identity] = say("All strategies of {experiment}", experiment=name)
    one, two, three = st.columns([2, 1, 1])
    sources = one.multiselect(
        say("Whose first results"),
        list(names),
        default=[name for name in (RUN, BM25) if name in names],
        format_func=lambda name: names.get(name, name),
        help=say("They are put together; whoever judges does not see who found a document."),
        key=f"judging_sources_{dataset.digest[:8]}",
    )
    depth = two.number_input(say("First results per query"), 1, 100, value=10, key="judging_depth")
    maximum = three.number_input(
        say("Pairs at most"),
        1,
        MAX_PAIRS,
        value=500,
        help=say("Whole queries are drawn: half a query judged says little."),
        key="judging_maximum",
    )
    return sources, int(depth), int(maximum)


@st.cache_data(max_entries=4, show_spinner=False)
def _bm25(digest: str, depth: int) -> pd.DataFrame:
    found = cached.dataset(digest)
    if is_searched_by_job(found):
        return read_parquet(bm25_ranking_path(found, depth))
    return bm25_ranking(found, depth)


def _pairs(dataset: Dataset, what: str, sources: list[str], depth: int) -> pd.DataFrame:
    if what != POOL:
        return settling(dataset, cached.to_judge(what))
    rankings = []
    for source in sources:
        if source == BM25:
            rankings.append(_bm25(dataset.digest, depth))
        elif source == RUN and dataset.candidates is not None:
            rankings.append(dataset.candidates)
        else:
            rankings.append(cached.rankings(source))
    return pool_of(dataset, rankings, depth)


def _scale(say: Say, dataset: Dataset) -> list[str]:
    judged = people_judged(dataset)["grade"]
    known = int(judged.max()) if len(judged) else None
    start = known if known and known <= MAX_GRADE else DEFAULT_HIGHEST
    highest = st.selectbox(
        say("Highest grade"),
        range(1, MAX_GRADE + 1),
        index=start - 1,
        help=say("One key per grade, from 0. Keep the scale of the judgments that are there."),
        key=f"highest_grade_{dataset.digest[:8]}",
    )
    if known is not None and known != highest:
        st.warning(
            say(
                "The dataset's judgments go up to {highest}: two scales in one dataset distort every measure.",
                highest=known,
            )
        )
    proposed = {
        1: (say("not relevant"), say("relevant")),
        2: (say("not relevant"), say("partly relevant"), say("relevant")),
        3: (say("not relevant"), say("related, but no help"), say("helps in part"), say("just what was sought")),
    }.get(highest, tuple(say("not relevant") if grade == 0 else "" for grade in range(highest + 1)))
    meanings = []
    for start_of_row in range(0, highest + 1, 4):
        grades = range(start_of_row, min(start_of_row + 4, highest + 1))
        for place, grade in zip(st.columns(4), grades, strict=False):
            meanings.append(
                place.text_input(
                    say("{grade} means", grade=grade),
                    value=proposed[grade],
                    max_chars=NAME_CHARS,
                    key=f"meaning_{highest}_{grade}",
                )
            )
    return [plain(meaning).strip() for meaning in meanings]


def _guideline(say: Say) -> str:
    return "\n".join(
        (
            say("Would somebody who typed this query be helped by this document?"),
            say("Judge this document alone: not its length, not its style, not whether a better one may exist."),
            say("Skip what you cannot tell; it comes again at the end."),
        )
    )
