"""Use these judgments: a new version of the dataset."""

import streamlit as st

from rerank.errors import RerankError
from rerank.intake.agreement import TENTATIVE_ALPHA
from rerank.intake.dataset import Dataset
from rerank.judging.ratings import TIES, Ties, agreement_among, judgments_from, n_tied, ratings_of
from rerank.judging.tasks import Task
from rerank.judging.version import judged_version
from rerank.store import judging
from rerank.ui.safe import plain
from rerank.ui.show import numbers, problem
from rerank.wording.language import Say
from rerank.wording.numbers import count, score

NAME_CHARS = 80


def ties_field(say: Say, key: str) -> Ties:
    """Ask where a median between two grades goes."""
    return st.radio(
        say("Where the median lies between two grades"),
        TIES,
        format_func=lambda ties: say("the higher one counts") if ties == "up" else say("the lower one counts"),
        horizontal=True,
        key=key,
    )


def use_panel(say: Say, task: Task, dataset: Dataset) -> None:
    """Show what the judgments come to, and make a new version of the dataset on the user's word."""
    marks = judging.read_marks(task.id)
    ratings = ratings_of(marks)
    st.write(
        say(
            "The judgments become a new version of the dataset. The old one stays as it is, and so do its results. "
            "The new version says where its judgments come from, how many raters there were, and how differences were "
            "resolved: by the median."
        )
    )
    ties = ties_field(say, "use_ties")
    n_raters = max(1, ratings["rater"].nunique())
    least = 1
    if n_raters > 1:
        least = int(
            st.number_input(say("Raters that a pair needs, to be used"), 1, n_raters, value=1, key="use_min_raters")
        )
    made = judgments_from(ratings, ties, least)
    numbers(
        (
            (say("New judgments"), count(len(made))),
            (say("Pairs that stay unjudged"), count(max(0, task.n_pairs - len(made)))),
            (say("Raters"), count(int(ratings["rater"].nunique()))),
            (say("Medians between two grades"), count(n_tied(ratings, least))),
            (say("Judgments before"), count(len(dataset.judgments))),
        )
    )
    _warnings(say, task, dataset, agreement_among(ratings).alpha, len(made))
    name = st.text_input(
        say("Name of the new version"),
        value=plain(f"{dataset.name} + {task.name}", NAME_CHARS),
        max_chars=NAME_CHARS,
        key=f"version_name_{task.id}",
    )
    ready = bool(len(made)) and bool(plain(name).strip())
    if st.button(say("Use these judgments"), type="primary", disabled=not ready, key="use_judgments"):
        try:
            version = judged_version(dataset, task, marks, name=plain(name).strip(), ties=ties, min_raters=least)
        except RerankError as error:
            problem(say, error.code, error.facts)
            return
        st.session_state.pop("pick_dataset", None)
        st.switch_page("pages/data.py", query_params={"dataset": version.digest})


def _warnings(say: Say, task: Task, dataset: Dataset, alpha: float | None, n_made: int) -> None:
    if dataset.manifest.get("implicit"):
        st.warning(
            say(
                "The judgments there are come from clicks. They are left out of the new version: the two are not mixed."
            )
        )
    if alpha is not None and alpha < TENTATIVE_ALPHA:
        st.warning(
            say(
                "Raters agree poorly (α {alpha}): a verdict on these judgments may not survive other raters.",
                alpha=score(alpha),
            )
        )
    if 0 < n_made < task.n_pairs:
        st.info(
            say("Not everything is judged. You can use what is there now, go on judging, and make another version.")
        )
    if task.settings.source and task.settings.source.get("settles"):
        st.info(
            say(
                "These pairs were chosen after a result was seen. A plan on the new version counts as a further look "
                "at the same test queries, and its result says so."
            )
        )
